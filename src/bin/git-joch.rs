//! `git joch`: the same program under the name by which Git finds it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(joch::cli::run(&mut joch::cli::World::of_process()))
}
