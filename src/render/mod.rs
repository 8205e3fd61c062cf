//! How it is told: one serialisable view for each command, as a table, JSON, YAML or Markdown; escaping at one place.
