//! A program that is watched from its beginning to its end: what it said, how long it took, and what it used.

use std::io::{self, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// What a program used. Memory is in KiB, at its highest; that of each sort is looked at now and then, so that a peak
/// may be missed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    /// From its beginning to its end.
    pub(crate) wall: Duration,
    /// Processor time of all its threads.
    pub(crate) cpu: Duration,
    /// All of its memory (`VmHWM`).
    pub(crate) memory: u64,
    /// What it made itself (`RssAnon`).
    pub(crate) own: u64,
    /// Files that are mapped (`RssFile`), which the system can take away.
    pub(crate) files: u64,
}

/// The clock of `/proc/PID/stat`, in ticks a second.
const TICKS: u64 = 100;

/// Runs a command, its standard output kept and its standard error thrown away.
pub(crate) fn watch(command: &mut Command) -> io::Result<(ExitStatus, Vec<u8>, Used)> {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut stdout = child.stdout.take().ok_or_else(|| io::Error::other("nothing is piped"))?;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).map(|_| bytes)
    });
    let mut used = Used::default();
    while !has_ended(&child) {
        used.look_at(&child);
        // Often at first, and later so that looking costs nothing.
        thread::sleep((begun.elapsed() / 50).clamp(Duration::from_millis(1), Duration::from_millis(20)));
    }
    used.wall = begun.elapsed();
    used.cpu = processor_time(&child);
    let status = child.wait()?;
    let said = reader.join().map_err(|_| io::Error::other("it only reads"))??;
    Ok((status, said, used))
}

impl Used {
    fn look_at(&mut self, child: &Child) {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        self.memory = self.memory.max(of("VmHWM:"));
        self.own = self.own.max(of("RssAnon:"));
        self.files = self.files.max(of("RssFile:"));
    }
}

fn stat(child: &Child) -> String {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    stat.rsplit(") ").next().unwrap_or_default().to_owned()
}

/// Whether it has ended, and nobody asked how: what it used can still be read then.
fn has_ended(child: &Child) -> bool {
    let stat = stat(child);
    stat.is_empty() || stat.starts_with('Z')
}

/// That of all threads, which the system tells in ticks; where one thread did it all, to the nanosecond.
fn processor_time(child: &Child) -> Duration {
    let main = fs::read_to_string(format!("/proc/{}/schedstat", child.id())).unwrap_or_default();
    let main = main.split_whitespace().next().and_then(|time| time.parse().ok()).unwrap_or(0);
    // The state is the third field, and user and system time the fourteenth and fifteenth.
    let ticks: u64 = stat(child).split_whitespace().skip(11).take(2).filter_map(|time| time.parse::<u64>().ok()).sum();
    let (main, all) = (Duration::from_nanos(main), Duration::from_millis(ticks * 1000 / TICKS));
    if all > main + Duration::from_millis(3 * 1000 / TICKS) { all } else { main }
}
