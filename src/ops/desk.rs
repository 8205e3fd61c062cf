//! What a verb works on: the project, its ledger, and who is at work.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;

use crate::ledger::{
    Error, GitSettings, ObjectId, Person, Pieces, Reader, Repository, Signer, SignerEnvironment, Transaction,
    default_key, is_literal_key, new_uuid, put_back,
};
use crate::release::{Operator, layout};
use crate::trust::{PublicKey, Trust};
use crate::workspace::{Cache, Project, Sealed};

use super::caller::Caller;
use super::failure::Failure;
use super::footing::check_trust;
use super::remember::{forgotten, recall, remember};

/// An opened project with its ledger.
pub struct Desk {
    /// The project.
    pub project: Project,
    /// The ledger.
    pub repository: Repository,
    /// Where it is.
    pub path: PathBuf,
    /// Where the user's programs keep what is theirs.
    state: Option<PathBuf>,
    /// The branches that this command has checked, each with its tip, that of evidence and that of trust.
    pub(super) checked: RefCell<BTreeSet<(String, [ObjectId; 3])>>,
}

/// Who is at work, proven by a key.
pub struct Operating {
    /// The key.
    pub signer: Signer,
    /// The principal that trust gives it.
    pub operator: Operator,
    /// As commits name them.
    pub person: Person,
}

impl Desk {
    /// Opens the ledger of the project around the caller's directory, heals what a killed command left,
    /// and checks that it is the one that `joch.yaml` pins.
    ///
    /// # Errors
    /// There is no ledger, it is refused, or it has another trust root.
    pub fn open(caller: &Caller<'_>) -> Result<Self> {
        let project = Project::find(&caller.directory)?;
        let path = project.ledger(caller.variable("JOCH_LEDGER"), &caller.directory);
        if !path.exists() {
            return Err(no_ledger(&project, &path).into());
        }
        let repository = Repository::open(&path)?;
        repository.heal()?;
        let desk = Self { project, repository, path, state: state(caller), checked: RefCell::default() };
        desk.check_root(&desk.own_reader().map_err(|why| desk.way_back(why))?)?;
        Ok(desk)
    }

    /// The project's own directory: beside the ledger where that is the project's own, else in the project.
    #[must_use]
    pub fn own(&self) -> PathBuf {
        let beside = self.path.parent().filter(|parent| parent.file_name().is_some_and(|name| name == ".joch"));
        beside.map_or_else(|| self.project.root.join(".joch"), PathBuf::from)
    }

    /// A reader of the ledger as it is now, which keeps what it derives in `.joch/cache`.
    ///
    /// # Errors
    /// The refs cannot be read.
    pub fn reader(&self) -> Result<Reader<'_>> {
        Ok(self.own_reader()?.with_cache(self.cache()))
    }

    /// What was derived here and may be thrown away.
    pub(super) fn cache(&self) -> Cache {
        Cache::new(self.own().join("cache"), self.state.clone(), || new_uuid() + &new_uuid())
    }

    /// A reader of the ledger as it is now that derives everything itself.
    ///
    /// # Errors
    /// The refs cannot be read.
    pub fn own_reader(&self) -> Result<Reader<'_>> {
        Ok(Reader::new(self.repository.snapshot()?))
    }

    /// Waits for its turn to write.
    ///
    /// # Errors
    /// Another writer takes too long; or this ledger is in an older state than was seen here, and what is written
    /// now would build on what somebody rewound.
    pub fn begin(&self) -> Result<Transaction<'_>> {
        let transaction = self.repository.begin()?;
        let seen = recall(self);
        let reader = self.reader()?;
        check_trust(self, &reader)?;
        if let Some(finding) = forgotten(&seen, &reader).first() {
            let message = format!("{}: {}; nothing is written on top of that", finding.object, finding.message);
            return Err(Failure::refused("rewound-branch", message)
                .next("look at it with `joch audit verify`; if the ledger was set back on purpose, remove `.joch/seen.json`")
                .into());
        }
        Ok(transaction)
    }

    /// Writes what was staged, and remembers the tips that it leads to.
    ///
    /// # Errors
    /// The ledger moved, or the disk refuses; then nothing has changed.
    pub fn finish(&self, transaction: Transaction<'_>, caller: &mut Caller<'_>) -> Result<()> {
        transaction.finish()?;
        // What is acknowledged is written; memory only helps to notice what others take away later.
        if let Err(why) = self.reader().and_then(|reader| remember(self, &reader)) {
            caller.notice(format!("what was seen could not be remembered: {why}"));
        }
        Ok(())
    }

    /// Who is at work: the key that the caller has, and the principal that trust gives it.
    ///
    /// # Errors
    /// There is no key, it cannot sign, or trust does not list it.
    pub fn operating(&self, caller: &Caller<'_>, trust: &Trust) -> Result<Operating> {
        let signer = open_signer(caller)?;
        let key = signer.public_key().clone();
        let principal = trust.principal(&key).ok_or_else(|| unlisted(&key))?;
        let email = if principal.name.contains('@') {
            principal.name.clone()
        } else {
            format!("{}@joch.invalid", principal.name)
        };
        let person = Person::new(principal.name.clone(), email);
        Ok(Operating { operator: Operator { principal, fingerprint: key.fingerprint() }, signer, person })
    }

    /// Adds to the news of a broken branch what this checkout has seen of it, where the ledger itself does not know.
    fn way_back(&self, why: anyhow::Error) -> anyhow::Error {
        match why.downcast::<Error>() {
            Ok(Error::BrokenReference { reference, why, way_out: None }) => {
                let seen = recall(self);
                let tip = reference.strip_prefix("refs/heads/").and_then(|branch| seen.tips.get(branch));
                let way_out = tip.map(|tip| put_back(self.repository.path(), &reference, tip));
                Error::BrokenReference { reference, why, way_out }.into()
            }
            Ok(other) => other.into(),
            Err(why) => why,
        }
    }

    /// The first commit of the trust branch.
    ///
    /// # Errors
    /// The branch is missing or damaged.
    pub fn trust_root(reader: &Reader<'_>) -> Result<ObjectId> {
        let tip = reader.tip(layout::TRUST)?;
        let mut root = tip;
        for commit in reader.snapshot().first_parents(tip) {
            root = commit?.id;
        }
        Ok(root)
    }

    fn check_root(&self, reader: &Reader<'_>) -> Result<()> {
        let Some(pinned) = &self.project.config.trust_root else { return Ok(()) };
        let root = Self::trust_root(reader)?.to_string();
        if root == *pinned {
            return Ok(());
        }
        let message = format!(
            "the ledger `{}` begins at the trust root {root}, and `{}` pins {pinned}: this is not the project's ledger, \
             or it was replaced",
            self.path.display(),
            self.project.root.join("joch.yaml").display()
        );
        Err(Failure::refused("trust-root", message)
            .next("bring back the ledger that the pin names; never change the pin to make this go away")
            .into())
    }
}

/// Where the user's programs keep what is theirs (XDG Base Directory Specification).
fn state(caller: &Caller<'_>) -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let named = caller.variable("XDG_STATE_HOME").map(PathBuf::from).and_then(absolute);
    named.or_else(|| caller.variable("HOME").map(|home| PathBuf::from(home).join(".local/state")).and_then(absolute))
}

impl crate::ledger::Cache for Cache {
    fn open(&self, name: &str) -> Option<Box<dyn Pieces>> {
        Some(Box::new(Self::open(self, name)?))
    }

    fn store(&self, name: &str, pieces: &[Cow<'_, [u8]>]) {
        Self::store(self, name, pieces);
    }
}

impl Pieces for Sealed {
    fn count(&self) -> usize {
        Self::count(self)
    }

    fn piece(&self, number: usize) -> Option<Vec<u8>> {
        Self::piece(self, number)
    }
}

/// The caller's key: `--key`, then `JOCH_SIGNING_KEY`, then Git's `user.signingKey` or `gpg.ssh.defaultKeyCommand`, as the
/// user or the system set them.
///
/// # Errors
/// There is none, or joch cannot sign with it.
pub(super) fn open_signer(caller: &Caller<'_>) -> Result<Signer> {
    let settings = GitSettings::read(|name| caller.variables.get(name).cloned());
    let mut environment = SignerEnvironment::from_variables(|name| caller.variables.get(name).cloned());
    let named = caller.key.as_deref().or_else(|| caller.variable("JOCH_SIGNING_KEY"));
    if named.is_some_and(|named| named.contains('\n') || named.contains("-----BEGIN")) {
        // What it holds must not be told.
        let message = "`--key` or `JOCH_SIGNING_KEY` holds a key itself, where the path of one belongs";
        return Err(Failure::credentials("no-key", message)
            .next("write it to a file that only you can read (mode 600), and name that file")
            .into());
    }
    environment.program = settings.program.clone();
    match named {
        Some(key) => Ok(Signer::open(&in_place(key, caller), &environment)?),
        None => Ok(Signer::open_as_git(&in_place(&key_of_git(settings, &environment)?, caller), &environment)?),
    }
}

/// The key that the user's Git configuration names, or the command in it.
fn key_of_git(settings: GitSettings, environment: &SignerEnvironment) -> Result<String> {
    let ssh = settings.format.as_deref() == Some("ssh");
    match (settings.signing_key, settings.default_key_command) {
        (Some(key), _) if ssh => Ok(key),
        (None, Some(command)) if ssh => Ok(default_key(&command, environment)?),
        (Some(_), _) => {
            let format = settings.format.as_deref().unwrap_or("openpgp");
            let message = format!("Git signs with `gpg.format={format}` here, and the ledger takes SSH keys only");
            Err(Failure::credentials("key-format", message)
                .next("name an SSH key with `--key FILE` or `JOCH_SIGNING_KEY`; `ssh-keygen -t ed25519` makes one")
                .into())
        }
        (None, _) => Err(Failure::credentials("no-key", "there is no key to sign with")
            .next(
                "name one with `--key FILE`, `JOCH_SIGNING_KEY`, or Git's `user.signingKey` and `gpg.format=ssh`; \
                 `ssh-keygen -t ed25519` makes one",
            )
            .into()),
    }
}

/// A path as seen from where the caller is; a key itself stays as it is.
fn in_place(key: &str, caller: &Caller<'_>) -> String {
    let whole = is_literal_key(key) || key.starts_with("key::") || key.starts_with('~');
    if whole { key.to_owned() } else { caller.directory.join(key).to_string_lossy().into_owned() }
}

fn no_ledger(project: &Project, path: &std::path::Path) -> Failure {
    let message = format!("there is no ledger at `{}`", path.display());
    match (&project.config.trust_root, &project.config.remote) {
        (Some(root), None) => Failure::could_not(
            "no-ledger",
            format!("{message}, and `joch.yaml` pins one with the trust root {root}; a second one is never made"),
        )
        .next("copy the ledger back to that place, or name it with `ledger:` in `joch.yaml` or `JOCH_LEDGER`"),
        (_, Some(remote)) => Failure::could_not("no-ledger", message)
            .next(format!("fetch it: git clone --bare {remote} {}", path.display())),
        (None, None) => Failure::could_not("no-ledger", message)
            .next("make one here with `joch init`, or go to the directory of a project that has one"),
    }
}

fn unlisted(key: &PublicKey) -> Failure {
    let message = format!("trust lists no principal for your key {}", key.fingerprint());
    Failure::credentials("unlisted-key", message).next(format!(
        "an admin adds it under `spec.members` of a Team and applies that: `- {{user: YOU@EXAMPLE.COM, role: operator, keys: [\"{key}\"]}}`"
    ))
}
