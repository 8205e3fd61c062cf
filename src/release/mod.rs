//! What happens: ladder, event, record, manifest, and the plan of what would be written.
