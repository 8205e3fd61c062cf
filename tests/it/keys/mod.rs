//! Keys of every kind through the verbs, the programs that sign with them, and what becomes of keys with time.

mod agent;
mod clock;
mod hardware;
mod hostile;
mod program;
mod windows;
