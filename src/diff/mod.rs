//! What changed: structural, by identity; text by hunks; and whether a change widens or narrows what an agent may do.
