//! Programs that some tests need beside Rust, Git and a C compiler. Where one is missing, those tests say so and pass;
//! with `JOCH_TEST_ALL=1` they fail, so that whoever is to run everything knows that everything was run.

use std::path::Path;

/// Whether every test is to run, whatever it needs.
pub(crate) fn all() -> bool {
    std::env::var_os("JOCH_TEST_ALL").is_some_and(|all| all == "1")
}

/// Whether tests that look at samples are to look at more of it, whatever that takes: `JOCH_TEST_LONG=1`.
pub(crate) fn long() -> bool {
    std::env::var_os("JOCH_TEST_LONG").is_some_and(|long| long == "1")
}

/// Whether these programs are on the path. A test that gets a no returns.
///
/// # Panics
/// With `JOCH_TEST_ALL=1`, where one is missing.
#[expect(clippy::print_stderr, reason = "whoever runs the tests should be able to see what was left out")]
pub(crate) fn needs(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| std::env::split_paths(&path).any(|place| is_file(&place.join(program)));
    let missing: Vec<_> = programs.iter().filter(|program| !is_there(program)).copied().collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(!all(), "JOCH_TEST_ALL=1 asks for every test, and this one needs {missing}");
    eprintln!("skipped: needs {missing}");
    false
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.is_file())
}
