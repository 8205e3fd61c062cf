//! `joch`: release management for AI agents on a signed Git ledger.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(joch::cli::run(&mut joch::cli::World::of_process()))
}
