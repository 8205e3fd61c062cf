//! The Git door against the real Git: what joch writes, Git finds whole and well signed; what was tampered with, joch finds.

pub(crate) mod bench;
mod collecting;
mod crash;
mod reading;
mod refusals;
mod signing;
mod writing;
