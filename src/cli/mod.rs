//! The words people type, and the words and exit code they get back; one file a command.
