//! A world that a test may break: one project directory, and people with a home, a key and a Git identity
//! each. What they run sees nothing of the machine but its programs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use ssh_key::{HashAlg, PublicKey};

use super::needs;
use super::redact::Redactor;

/// Everyone who has a folder in `fixtures/identities`.
pub(crate) const PEOPLE: [&str; 4] = ["alice", "bob", "ci", "mallory"];

/// A directory of its own under `tmp/worlds` of the target directory. It goes with the value, unless the test
/// panics or `JOCH_STORY=keep` asks to look at it.
pub(crate) struct World {
    root: PathBuf,
}

/// What a command left behind.
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit code; 128 and the signal's number if one ended it, as a shell says it.
    pub(crate) code: i32,
}

impl World {
    /// A world with an empty project; `name` is for whoever looks at what is left of it.
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let worlds = Path::new(env!("CARGO_TARGET_TMPDIR")).join("worlds");
        Self::at(worlds.join(format!("{name}-{}-{count}", std::process::id())))
    }

    /// The same in memory, where the machine has a place for that: what is synced there takes no time, so it is for what
    /// asks for no power cut.
    pub(crate) fn in_memory(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = Path::new("/dev/shm").join(format!("joch-{name}-{}-{count}", std::process::id()));
        if fs::create_dir(&root).is_ok() { Self::at(root) } else { Self::new(name) }
    }

    fn at(root: PathBuf) -> Self {
        for folder in ["project", "bin", "tmp"] {
            fs::create_dir_all(root.join(folder)).expect("a folder of the world");
        }
        let world = Self { root: root.canonicalize().expect("the world was just made") };
        symlink(env!("CARGO_BIN_EXE_joch"), world.root.join("bin/joch")).expect("a link to the program");
        symlink(env!("CARGO_BIN_EXE_git-joch"), world.root.join("bin/git-joch")).expect("a link to the program");
        PEOPLE.iter().for_each(|person| world.settle(person));
        world
    }

    /// The directory where commands run.
    pub(crate) fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    /// The home of one of [`PEOPLE`].
    pub(crate) fn home(&self, person: &str) -> PathBuf {
        self.root.join("home").join(person)
    }

    /// Runs a line of shell in the project as `person`.
    pub(crate) fn sh(&self, person: &str, line: &str) -> Outcome {
        let output = self.command(person, "sh").args(["-c", line]).output().expect("a shell");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let signal = || std::os::unix::process::ExitStatusExt::signal(&output.status).map(|signal| 128 + signal);
        let code = output.status.code().or_else(signal).expect("it ended one way or the other");
        Outcome { stdout: text(output.stdout), stderr: text(output.stderr), code }
    }

    /// A program that will run in the project as `person`, with an environment that holds nothing else.
    pub(crate) fn command(&self, person: &str, program: &str) -> Command {
        assert!(PEOPLE.contains(&person), "nobody is called `{person}`; there are {}", PEOPLE.join(", "));
        let home = self.home(person);
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.project())
            .stdin(Stdio::null())
            .env_clear()
            .env("HOME", &home)
            .env("PATH", format!("{}:{path}", self.root.join("bin").display()))
            .env("TMPDIR", self.root.join("tmp"))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            // The world may lie inside a checkout, which must not be taken for the project's.
            .env("GIT_CEILING_DIRECTORIES", &self.root)
            .env("JOCH_SIGNING_KEY", home.join(".ssh/id_ed25519"))
            .env("FIXTURES", fixtures());
        command
    }

    /// A redactor that knows the places and people of this world.
    pub(crate) fn redactor(&self) -> Redactor<'_> {
        let mut redactor = Redactor::new(|word| self.is_object(word));
        redactor.name(&self.project().to_string_lossy(), "[project]");
        for person in PEOPLE {
            let key = self.public_key(person);
            let blob = key.to_openssh().expect("a key that was read can be written");
            redactor.name(&self.home(person).to_string_lossy(), &format!("[home-of-{person}]"));
            redactor.name(&key.fingerprint(HashAlg::Sha256).to_string(), &format!("[key-of-{person}]"));
            redactor.name(blob.split(' ').nth(1).expect("type and key"), &format!("[public-key-of-{person}]"));
        }
        redactor.name(&self.root.to_string_lossy(), "[world]");
        redactor
    }

    /// Gives a person a home: a private copy of their key and a Git identity.
    fn settle(&self, person: &str) {
        let (home, identity) = (self.home(person), fixtures().join("identities").join(person));
        let key = home.join(".ssh/id_ed25519");
        fs::create_dir_all(home.join(".ssh")).expect("a home");
        fs::copy(identity.join("id_ed25519"), &key).expect("a key");
        fs::copy(identity.join("id_ed25519.pub"), key.with_extension("pub")).expect("a public key");
        // Signing programs refuse a key that others could read, and a checkout does not keep modes.
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("own file");
        let config = format!(
            "[user]\n\tname = {person}\n\temail = {person}@example.com\n\tsigningkey = {}\n\
             [gpg]\n\tformat = ssh\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n\
             [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n",
            key.display()
        );
        fs::write(home.join(".gitconfig"), config).expect("own file");
    }

    fn public_key(&self, person: &str) -> PublicKey {
        let text = fs::read_to_string(self.home(person).join(".ssh/id_ed25519.pub")).expect("settled");
        PublicKey::from_openssh(&text).expect("an OpenSSH key")
    }

    /// Whether a repository of this world has an object whose id begins with `word`.
    fn is_object(&self, word: &str) -> bool {
        [".git", ".joch/ledger.git"].iter().any(|repository| {
            let asked = self.command("alice", "git").args(["--git-dir", repository, "cat-file", "-e", word]).output();
            asked.is_ok_and(|output| output.status.success())
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let keep = std::env::var("JOCH_STORY").is_ok_and(|mode| mode == "keep");
        if !keep && !std::thread::panicking() {
            // Left-overs cost space, not truth.
            fs::remove_dir_all(&self.root).ok();
        }
    }
}

/// The directory of fixtures.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn a_person_sees_nothing_of_the_machine() {
    let world = World::new("hermetic");
    let outcome = world.sh("bob", "env -u PATH -u FIXTURES | cut -d= -f1 | sort; git config user.email");
    let names = "GIT_CEILING_DIRECTORIES GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT HOME \
                 JOCH_SIGNING_KEY LC_ALL NO_COLOR PWD TMPDIR TZ bob@example.com";
    let seen: Vec<_> = outcome.stdout.lines().filter(|name| !["OLDPWD", "SHLVL", "_"].contains(name)).collect();
    assert_eq!(seen.join(" "), names);
}

#[test]
fn a_person_can_sign() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let world = World::new("sign");
    for person in PEOPLE {
        let outcome = world.sh(person, "echo hello | ssh-keygen -q -Y sign -f \"$JOCH_SIGNING_KEY\" -n test");
        assert_eq!(outcome.code, 0, "{person}: {}", outcome.stderr);
    }
}
