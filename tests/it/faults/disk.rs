//! A disk whose power may go at any call: what a command did to it, call by call, and what may be left.
//!
//! What is left of a file that was changed and not synced: what it was when it was last synced, nothing, half of what it
//! is, or any of what it was between. What is left of a directory: each name by itself, independently of every other, stands
//! for what it stood for when the directory was last synced, or at any time since. So nothing is kept in order, a rename may
//! leave both names or none, and a synced file is gone with a name that was not. Real filesystems are kinder. A sync counts
//! when it must have come back: its thread went on, or another call was made than a sync, which joch does many at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::time::SystemTime;

use super::tracer::{Call, Tracer, calls};
use super::trial::Trial;

/// A file or directory, whatever it is called. The number of an inode is used again, this one is not.
type Id = usize;

const ROOT: Id = 0;

/// Where the output of a command goes: to a file of the project, so that the tracer sees when it says something.
const SAID: &str = "said";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    bytes: Rc<[u8]>,
    mode: u32,
}

/// Everything below the project.
#[derive(Debug, Clone, Default)]
struct State {
    directories: HashMap<Id, BTreeMap<OsString, Id>>,
    files: HashMap<Id, Content>,
}

/// What is kept of that which was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Luck {
    /// Nothing.
    Nothing,
    /// All names, and no bytes.
    Names,
    /// Some of each, by dice that are always the same.
    Dice(u64),
}

/// A command, call by call.
pub(super) struct Record {
    pub(super) calls: Vec<Call>,
    /// What was there before each call, and after the last.
    states: Vec<State>,
    /// What each call syncs, if it does.
    synced: Vec<Option<Id>>,
}

impl Record {
    /// Runs a line of shell in a trial's project and looks at all that is there before each of its calls. The line must
    /// succeed; its output goes to [`SAID`].
    pub(super) fn of(tracer: &Tracer, trial: &Trial, line: &str) -> Self {
        let (project, log) = (trial.lab.0.project(), trial.lab.path("../calls"));
        let line = format!("{} sh -c 'exec {line} </dev/null >{SAID}'", tracer.asking(&project, &log));
        let mut command = trial.lab.0.command(trial.person, "sh");
        command.args(["-c", &line]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = command.spawn().expect("a shell");
        let (mut asked, mut answer) = (command.stdout.take().expect("piped"), command.stdin.take().expect("piped"));
        let mut eye = Eye::default();
        let mut states = Vec::new();
        while asked.read_exact(&mut [0]).is_ok() {
            states.push(eye.look(&project));
            answer.write_all(b".").expect("somebody waits");
        }
        states.push(eye.look(&project));
        let output = command.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let calls = calls(&log);
        assert_eq!(states.len(), calls.len() + 1, "one look before each call, and one after the last");
        let below = |call: &Call| call.path.strip_prefix(&project).expect("it counts").to_owned();
        let synced = |(call, state): (&Call, &State)| (call.name == "sync").then(|| state.find(&below(call))).flatten();
        let synced = calls.iter().zip(&states).map(synced).collect();
        Self { calls, states, synced }
    }

    /// How many calls were made when the command had said something.
    pub(super) fn said(&self) -> usize {
        let says = |call: &Call| call.name == "write" && call.path.ends_with(SAID);
        self.calls.iter().position(says).expect("it says something") + 1
    }

    /// Lays into an empty directory what a disk may hold when the power goes behind the first `made` calls.
    pub(super) fn cut(&self, made: usize, luck: Luck, into: &Path) {
        let seed = if let Luck::Dice(seed) = luck { seed } else { 0 };
        let mut cut = Cut { record: self, made, luck, dice: seed + 1, laid: HashMap::new() };
        cut.lay(ROOT, into);
    }

    /// What was there when a file or directory was last synced for certain, and at every call since.
    fn since_sync(&self, id: Id, made: usize) -> &[State] {
        let is_back = |at: usize| {
            let mut then = self.calls[at + 1..].iter().take(made - at);
            made == self.calls.len() || then.any(|call| call.thread == self.calls[at].thread || call.name != "sync")
        };
        let last = (0..made).rev().find(|at| self.synced[*at] == Some(id) && is_back(*at));
        &self.states[last.unwrap_or(0)..=made]
    }
}

/// One cut of the power.
struct Cut<'r> {
    record: &'r Record,
    made: usize,
    luck: Luck,
    dice: u64,
    /// What has a name already.
    laid: HashMap<Id, PathBuf>,
}

impl Cut<'_> {
    fn lay(&mut self, directory: Id, path: &Path) {
        let since = self.record.since_sync(directory, self.made);
        let entries: Vec<_> = since.iter().map(|state| state.directories.get(&directory)).collect();
        let names: BTreeSet<_> = entries.iter().flatten().flat_map(|entries| entries.keys()).collect();
        for name in names {
            let mut stood: Vec<_> = entries.iter().map(|entries| entries.and_then(|names| names.get(name))).collect();
            stood.dedup();
            let Some(id) = *self.pick(&stood) else { continue };
            let path = path.join(name);
            let is_directory = since.iter().any(|state| state.directories.contains_key(id));
            match self.laid.get(id) {
                // A directory has one name.
                Some(_) if is_directory => continue,
                Some(link) => fs::hard_link(link, &path).expect("a link"),
                None if is_directory => {
                    fs::create_dir(&path).expect("a directory");
                    self.laid.insert(*id, path.clone());
                    self.lay(*id, &path);
                }
                None => {
                    let Content { bytes, mode } = self.content(*id);
                    fs::write(&path, bytes).expect("a file");
                    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("own file");
                    self.laid.insert(*id, path);
                }
            }
        }
    }

    fn content(&mut self, id: Id) -> Content {
        let mut held: Vec<Rc<[u8]>> = Vec::new();
        let mut mode = 0o644;
        for content in self.record.since_sync(id, self.made).iter().map(|state| state.files.get(&id)) {
            match content {
                Some(content) => {
                    held.push(content.bytes.clone());
                    mode = content.mode;
                }
                None if held.is_empty() => held.push(Rc::from([])),
                // Its last name went, and it did not.
                None => {}
            }
        }
        held.dedup();
        if let [_, .., last] = held.as_slice() {
            let half = Rc::from(&last[..last.len() / 2]);
            held.extend([half, Rc::from([])]);
        }
        Content { bytes: self.pick(&held).clone(), mode }
    }

    /// The first is what is certain, the last what is there with names alone.
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = match self.luck {
            Luck::Nothing => 0,
            Luck::Names => of.len() - 1,
            Luck::Dice(_) => {
                self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                usize::try_from(self.dice >> 33).expect("it fits") % of.len()
            }
        };
        &of[at]
    }
}

impl State {
    fn find(&self, path: &Path) -> Option<Id> {
        path.iter().try_fold(ROOT, |id, name| self.directories.get(&id)?.get(name).copied())
    }
}

/// Whoever looks at the disk call by call, and knows a file again.
#[derive(Default)]
struct Eye {
    known: HashMap<u64, Id>,
    next: Id,
    /// What was read of files that have not changed since.
    read: HashMap<Id, (i64, i64, Content)>,
}

impl Eye {
    fn look(&mut self, root: &Path) -> State {
        let (mut state, mut seen) = (State::default(), HashMap::new());
        let id = self.id(fs::metadata(root).expect("the project").ino(), &mut seen);
        self.walk(root, id, &mut state, &mut seen);
        self.known = seen;
        state
    }

    /// A number that is not there any more comes back as another file.
    fn id(&mut self, inode: u64, seen: &mut HashMap<u64, Id>) -> Id {
        let id = self.known.get(&inode).or(seen.get(&inode)).copied().unwrap_or(self.next);
        self.next = self.next.max(id + 1);
        seen.insert(inode, id);
        id
    }

    fn walk(&mut self, path: &Path, directory: Id, state: &mut State, seen: &mut HashMap<u64, Id>) {
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(path).expect("a directory").flatten() {
            let metadata = entry.metadata().expect("it is there");
            let id = self.id(metadata.ino(), seen);
            entries.insert(entry.file_name(), id);
            if metadata.is_dir() {
                self.walk(&entry.path(), id, state, seen);
            } else {
                assert!(metadata.is_file(), "{} is no file", entry.path().display());
                let content = self.content(&entry.path(), id, &metadata);
                state.files.insert(id, content);
            }
        }
        state.directories.insert(directory, entries);
    }

    fn content(&mut self, path: &Path, id: Id, metadata: &fs::Metadata) -> Content {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        if let Some((seconds, nanoseconds, content)) = self.read.get(&id)
            && (*seconds, *nanoseconds) == changed
            // The system's clock is coarse: what changed a moment ago may have changed again.
            && now.as_secs() > changed.0.unsigned_abs() + 1
        {
            return content.clone();
        }
        let bytes: Rc<[u8]> = fs::read(path).expect("a file").into();
        let content = Content { bytes, mode: metadata.mode() & 0o7777 };
        self.read.insert(id, (changed.0, changed.1, content.clone()));
        content
    }
}
