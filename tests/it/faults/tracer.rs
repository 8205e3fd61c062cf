//! A command of which one change of a file goes wrong: killed before it, behind it or in the midst of it, or told by the
//! system that the disk is full or fails. `tracer.c` does it, which `cc` compiles once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{all, needs};

/// The exit code of a command that was killed at its point.
pub(crate) const KILLED: i32 = 137;
/// The exit code where the command ended before it came to the point.
pub(crate) const NEVER_REACHED: i32 = 250;
/// The exit code where the command did well, and what was run beside it did not.
pub(crate) const MEANWHILE_FAILED: i32 = 251;

/// What the system says of a call that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errno {
    /// EIO: the disk fails.
    Fails,
    /// ENOSPC: the disk is full. What takes no space, such as removing a file, works on.
    Full,
}

impl Errno {
    fn number(self) -> u8 {
        match self {
            Self::Fails => 5,
            Self::Full => 28,
        }
    }

    /// The words of the system for it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Fails => "Input/output error",
            Self::Full => "No space left on device",
        }
    }
}

/// What goes wrong at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Everything is killed before the call.
    Kill,
    /// Everything is killed behind the call.
    KillAfter,
    /// Half of what the call would write is written; then everything is killed.
    Half,
    /// This call fails.
    Once(Errno),
    /// This call fails, and so do all that follow.
    Sticky(Errno),
}

/// A call that changes a file: which thread makes it, what it is, such as `rename`, and the path that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) thread: u32,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// The program that makes calls go wrong.
#[derive(Debug, Clone)]
pub(crate) struct Tracer {
    program: PathBuf,
}

impl Tracer {
    /// The tracer, or nothing where it cannot work: it needs Linux on x86_64, `cc`, and the right to trace.
    ///
    /// # Panics
    /// With `JOCH_TEST_ALL=1`, where it should work and does not.
    pub(crate) fn here() -> Option<Self> {
        static BUILT: OnceLock<Option<Tracer>> = OnceLock::new();
        BUILT.get_or_init(build).clone()
    }

    /// What stands before a command in a line of shell, so that `fault` befalls its `point`-th call, counted from 1, that
    /// changes something below `root`: `format!("{} joch apply -f .", tracer.before(7, Fault::Kill, &root))`. The line
    /// exits as the command does, or with [`KILLED`] or [`NEVER_REACHED`].
    pub(crate) fn before(&self, point: usize, fault: Fault, root: &Path) -> String {
        self.words(&format!("-n {point}"), fault, root)
    }

    /// The same for the first call of this name, such as `rename`, on a path that holds `text`: how many calls there are
    /// before a certain one is not always the same.
    pub(crate) fn before_first(&self, call: &str, text: &str, fault: Fault, root: &Path) -> String {
        self.words(&format!("-n 1 -c {call} -s {text}"), fault, root)
    }

    /// What stands before a command in a line of shell, so that its `first` call and every `step`-th from there on (0: none)
    /// waits while a shell runs `line`, which the tracer does not look at. Calls are counted as in [`before`](Self::before),
    /// and written to `log`.
    pub(crate) fn meanwhile(&self, first: usize, step: usize, line: &str, root: &Path, log: &Path) -> String {
        assert!(!line.contains('\''), "it stands between quotes: {line}");
        let (program, root, log) = (self.program.display(), root.display(), log.display());
        format!("{program} -n {first} -k {step} -m run -x '{line}' -r {root} -l {log} --")
    }

    /// What stands before a command in a line of shell, so that every call waits for a byte from the line's input when one
    /// was written to its output. The command has neither.
    pub(crate) fn asking(&self, root: &Path, log: &Path) -> String {
        let (program, root, log) = (self.program.display(), root.display(), log.display());
        format!("{program} -n 1 -k 1 -m ask -r {root} -l {log} --")
    }

    fn words(&self, point: &str, fault: Fault, root: &Path) -> String {
        let (mode, errno) = match fault {
            Fault::Kill => ("kill", Errno::Fails),
            Fault::KillAfter => ("killafter", Errno::Fails),
            Fault::Half => ("half", Errno::Fails),
            Fault::Once(errno) => ("once", errno),
            Fault::Sticky(errno) => ("sticky", errno),
        };
        let (program, root) = (self.program.display(), root.display());
        format!("{program} {point} -m {mode} -e {} -r {root} --", errno.number())
    }

    /// What stands before a command in a line of shell, so that nothing goes wrong and the calls that change something
    /// below `root` are written to `log`, for [`calls`].
    pub(crate) fn watching(&self, root: &Path, log: &Path) -> String {
        format!("{} -r {} -l {} --", self.program.display(), root.display(), log.display())
    }
}

/// The calls that a log holds, in their order.
pub(crate) fn calls(log: &Path) -> Vec<Call> {
    let text = fs::read_to_string(log).expect("the tracer wrote a log");
    let call = |line: &str| {
        let mut words = line.splitn(4, ' ').skip(1);
        let thread = words.next().and_then(|number| number.parse().ok()).expect("a thread");
        let (name, path) = (words.next().expect("a name"), words.next().expect("a path"));
        Call { thread, name: name.to_owned(), path: PathBuf::from(path) }
    };
    text.lines().map(call).collect()
}

fn build() -> Option<Tracer> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) || !needs(&["cc"]) {
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/tracer.c");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tracer-{}", std::process::id()));
    let output = Command::new("cc").args(["-O2", "-Wall", "-o"]).arg(&program).arg(source).output().expect("cc runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    // Under a name of its own and then its name: other runs of the tests may be using it.
    let known = program.with_file_name("tracer");
    fs::rename(&program, &known).expect("own directory");
    let works = Command::new(&known).args(["--", "true"]).output().is_ok_and(|output| output.status.success());
    assert!(works || !all(), "JOCH_TEST_ALL=1 asks for every test, and no process may be traced here");
    works.then_some(Tracer { program: known })
}
