//! What an audit costs: each signature against Git, a second audit against the first, and memory by size.
//!
//!     cargo bench --bench verify                     1,000 releases
//!     cargo bench --bench verify -- 10000 100000     these sizes, and how their memory compares
//!
//! A ledger is laid once and kept below `target/tmp`: its first releases by joch itself, all others as joch would have
//! written them, every commit and every tag signed, as one pack. That they are as joch writes them is what the audit
//! says: it must find nothing. Git and joch check the same signatures in the same run.

mod watched;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use git2::{ObjectType, Oid};
use joch::ledger::{Signed, Signer, SignerEnvironment, signature};
use joch::resource::Digest;
use sha1::{Digest as _, Sha1};
use watched::{Used, watch};

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    let sizes: Vec<usize> =
        words.iter().map(|word| word.parse().map_err(io::Error::other)).collect::<io::Result<_>>()?;
    let sizes = if sizes.is_empty() { vec![1000] } else { sizes };
    let mut out = io::stdout();
    let mut peaks = Vec::new();
    for releases in sizes {
        let ledger = Ledger::lay(releases)?;
        let git = ledger.git()?;
        let (checked, [one, two]) = ledger.signatures()?;
        drop(fs::remove_dir_all(ledger.root.join(".joch/cache")));
        let first = ledger.watched(&["audit", "verify"])?;
        let again = ledger.watched(&["audit", "verify"])?;
        // As after a change: every release is known to be clean, and the ledger as a whole is not.
        fs::remove_file(ledger.root.join(".joch/cache/clean"))?;
        let grown = ledger.watched(&["audit", "verify"])?;
        #[expect(clippy::cast_precision_loss, reason = "small numbers, for people")]
        let each = |time: Duration, many: usize| time.as_secs_f64() * 1e3 / many as f64;
        let signatures = 2 * releases;
        writeln!(out, "{releases} releases, {signatures} signatures               ms a signature")?;
        writeln!(out, "  git verify-commit and verify-tag        {git:>10.3}")?;
        let rows = [
            ("joch, the signature alone", each(one, checked)),
            ("the same on two threads", each(two, checked)),
            ("joch audit verify, all it checks", each(first.wall, signatures)),
        ];
        for (name, ours) in rows {
            writeln!(out, "  {name:<38}  {ours:>10.3}  ({:.0} times)", git / ours)?;
        }
        writeln!(out, "                                        wall ms     cpu ms  own MB  mapped MB")?;
        for (name, used) in
            [("the first audit", first), ("the second", again), ("the second, release by release", grown)]
        {
            let [wall, cpu] = [used.wall, used.cpu].map(|time| time.as_secs_f64() * 1e3);
            let [own, files] = [used.own, used.files].map(|kib| kib >> 10);
            writeln!(out, "  {name:<34}  {wall:>9.0}  {cpu:>9.0}  {own:>6}  {files:>9}")?;
        }
        let times = |other: Used| first.wall.as_secs_f64() / other.wall.as_secs_f64();
        writeln!(out, "  the first against these               {:>9.1}  {:>9.1} times", times(again), times(grown))?;
        out.flush()?;
        peaks.push((releases, [first, again]));
    }
    if let [few, .., many] = peaks.as_slice() {
        #[expect(clippy::cast_precision_loss, reason = "small numbers, for people")]
        let times = |at: usize, of: fn(&Used) -> u64| of(&many.1[at]) as f64 / of(&few.1[at]) as f64;
        writeln!(
            out,
            "memory of {} releases against {}, its own and all: {:.2} and {:.2} times, and again {:.2} and {:.2}",
            many.0,
            few.0,
            times(0, |used| used.own),
            times(0, |used| used.memory),
            times(1, |used| used.own),
            times(1, |used| used.memory)
        )?;
    }
    Ok(())
}

/// Changes with what is laid, so that an older ledger is not taken for it.
const LAYOUT: u32 = 1;
/// How many signatures Git is asked about.
const SAMPLE: usize = 50;

const AGENT: &str = "apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: a }
spec:
  framework: { adapterRef: { name: openai-agents } }
  instructions: Version ONE.
  modelRef: { name: m }
---
apiVersion: runtime.joch.dev/v1alpha1
kind: FrameworkAdapter
metadata: { name: openai-agents }
spec: { framework: openai-agents, language: python }
---
apiVersion: model.joch.dev/v1alpha1
kind: Model
metadata: { name: m }
spec: { provider: openai, model: m1 }
";

const RECORD: &str = "agents/default/a/record.json";

/// A project whose ledger has so many releases.
struct Ledger {
    root: PathBuf,
    releases: usize,
}

impl Ledger {
    fn lay(releases: usize) -> io::Result<Self> {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("verify-{LAYOUT}-{releases}"));
        let ledger = Self { root, releases };
        if ledger.root.join("laid").exists() {
            return Ok(ledger);
        }
        drop(fs::remove_dir_all(&ledger.root));
        fs::create_dir_all(ledger.root.join("home"))?;
        joch::ledger::generate_key(ledger.root.join("home/alice"), "alice").map_err(io::Error::other)?;
        ledger.watched(&["init", "--ladder", "dev,prod", "--operator", "alice@example.com"])?;
        // Two versions take turns.
        for number in 1..=4 {
            let text = AGENT.replace("ONE", if number % 2 == 1 { "one" } else { "two" });
            fs::write(ledger.root.join("a.yaml"), text)?;
            ledger.watched(&["apply", "-f", "a.yaml"])?;
        }
        ledger.go_on().map_err(|why| io::Error::other(why.to_string()))?;
        fs::write(ledger.root.join("laid"), "")?;
        Ok(ledger)
    }

    fn path(&self) -> PathBuf {
        self.root.join(".joch/ledger.git")
    }

    /// Writes the releases from the fifth on, each after the last but one before it.
    fn go_on(&self) -> Result<(), Box<dyn std::error::Error>> {
        let git = git2::Repository::open(self.path())?;
        let key = self.root.join("home/alice");
        let signer = Signer::open(&key.to_string_lossy(), &SignerEnvironment::from_variables(|_| None))?;
        let commit_of = |number: usize| -> Result<git2::Commit<'_>, git2::Error> {
            git.revparse_single(&format!("refs/tags/release/dev/{number}^{{commit}}"))?.peel_to_commit()
        };
        let blob = |commit: &git2::Commit<'_>, path: &str| -> Result<String, Box<dyn std::error::Error>> {
            let entry = commit.tree()?.get_path(Path::new(path))?;
            Ok(String::from_utf8(git.find_blob(entry.id())?.content().to_vec())?)
        };
        let mut templates = Vec::new();
        for number in [3, 4] {
            let commit = commit_of(number)?;
            let tag = git.find_reference(&format!("refs/tags/release/dev/{number}"))?.peel_to_tag()?;
            templates.push(Template {
                number,
                manifest: blob(&commit, "release.json")?,
                record: blob(&commit, RECORD)?,
                message: commit.message().unwrap_or_default().to_owned(),
                tag: tag
                    .message()
                    .ok()
                    .flatten()
                    .unwrap_or_default()
                    .split("-----BEGIN")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                tree: commit.tree_id(),
            });
        }
        let last = commit_of(4)?;
        let stamp = last.committer().when().seconds();
        let time = value(&templates[1].record, "timestamp").to_owned();
        let who = format!("alice@example.com <alice@example.com> {stamp} +0000");
        let mut pack = Pack::default();
        let mut parent = last.id();
        let mut tags = BTreeMap::new();
        for number in 5..=self.releases {
            let template = &templates[(number + 1) % 2];
            let manifest = template.manifest_of(number, &time);
            let record = template.record_of(number, &time);
            let manifest = pack.add(ObjectType::Blob, manifest.as_bytes())?;
            let record = pack.add(ObjectType::Blob, record.as_bytes())?;
            let agents = ["agents", "default", "a"];
            let mut trees = vec![git.find_tree(template.tree)?];
            for name in agents {
                let id = trees[trees.len() - 1].get_name(name).ok_or("a directory")?.id();
                trees.push(git.find_tree(id)?);
            }
            let mut below = pack.exchange(&trees[3], "record.json", record)?;
            for at in (1..3).rev() {
                below = pack.exchange(&trees[at], agents[at], below)?;
            }
            let raw = tree_of(&trees[0], &[("agents", below), ("release.json", manifest)]);
            let tree = pack.add(ObjectType::Tree, &raw)?;
            let head = format!("tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n");
            let message = template.said(&template.message, number);
            let armor = signer.sign(signature::GIT, format!("{head}\n{message}").as_bytes())?;
            let header = armor.replace('\n', "\n ");
            parent = pack.add(ObjectType::Commit, format!("{head}gpgsig {header}\n\n{message}").as_bytes())?;
            let text = template.said(&template.tag, number);
            let tag = format!("object {parent}\ntype commit\ntag release/dev/{number}\ntagger {who}\n\n{text}");
            let armor = signer.sign(signature::GIT, tag.as_bytes())?;
            let id = pack.add(ObjectType::Tag, format!("{tag}{armor}\n").as_bytes())?;
            tags.insert(format!("refs/tags/release/dev/{number}"), (id, parent));
        }
        let file = self.path().join("objects/pack/laid.pack");
        fs::write(&file, pack.bytes())?;
        self.run("git", &["index-pack", "-o", "objects/pack/pack-laid.idx", "objects/pack/laid.pack"])?;
        fs::rename(file, self.path().join("objects/pack/pack-laid.pack"))?;
        drop(fs::remove_file(self.path().join("objects/pack/laid.rev")));
        // As packed references: a file for each would cost more than all else.
        self.run("git", &["pack-refs", "--all"])?;
        let mut packed: BTreeMap<String, String> = BTreeMap::new();
        let text = fs::read_to_string(self.path().join("packed-refs"))?;
        let mut name = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.split_once(' ') {
                Some((_, named)) => {
                    name = named.to_owned();
                    packed.insert(name.clone(), format!("{line}\n"));
                }
                None => packed.entry(name.clone()).or_default().push_str(&format!("{line}\n")),
            }
        }
        packed.insert("refs/heads/dev".to_owned(), format!("{parent} refs/heads/dev\n"));
        packed.extend(tags.into_iter().map(|(name, (id, of))| (name.clone(), format!("{id} {name}\n^{of}\n"))));
        let head = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        fs::write(self.path().join("packed-refs"), head + &packed.into_values().collect::<String>())?;
        Ok(())
    }

    fn run(&self, program: &str, words: &[&str]) -> io::Result<()> {
        let mut command = Command::new(program);
        command.args(words).current_dir(self.path()).env("GIT_CONFIG_GLOBAL", "/dev/null").stdout(Stdio::null());
        if command.status()?.success() { Ok(()) } else { Err(io::Error::other(words.join(" "))) }
    }

    /// What a signature costs Git, in milliseconds.
    fn git(&self) -> io::Result<f64> {
        let signers = self.root.join("signers");
        let mut list = Command::new("git");
        list.arg("-C").arg(self.path()).args(["cat-file", "blob", "refs/heads/trust:allowed_signers"]);
        fs::write(&signers, list.output()?.stdout)?;
        let option = format!("gpg.ssh.allowedSignersFile={}", signers.display());
        let begun = Instant::now();
        for at in 0..SAMPLE {
            let name = format!("release/dev/{}", 1 + at * (self.releases - 1) / SAMPLE);
            let commit = format!("{name}^{{commit}}");
            for words in [["verify-commit", commit.as_str()], ["verify-tag", name.as_str()]] {
                let mut git = Command::new("git");
                git.arg("-C").arg(self.path()).args(["-c", &option, "-c", "gpg.format=ssh"]).args(words);
                if !git.stderr(Stdio::null()).stdout(Stdio::null()).status()?.success() {
                    return Err(io::Error::other(format!("git {}", words.join(" "))));
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers, for people")]
        let many = (2 * SAMPLE) as f64;
        Ok(begun.elapsed().as_secs_f64() * 1e3 / many)
    }

    /// How many signatures were checked, and how long that took joch alone: on one thread, and on two.
    fn signatures(&self) -> io::Result<(usize, [Duration; 2])> {
        let git = git2::Repository::open(self.path()).map_err(io::Error::other)?;
        let odb = git.odb().map_err(io::Error::other)?;
        let mut signed = Vec::new();
        for number in 1..=self.releases.min(1000) {
            let tag = git.refname_to_id(&format!("refs/tags/release/dev/{number}")).map_err(io::Error::other)?;
            let raw = odb.read(tag).map_err(io::Error::other)?;
            signed.push(signature::split_tag(raw.data()).map_err(io::Error::other)?);
        }
        let check = |some: &[Signed]| {
            let hold = |one: &Signed| signature::verify(&one.armor, signature::GIT, &one.payload).is_ok();
            if some.iter().all(hold) { Ok(()) } else { Err(io::Error::other("a signature does not hold")) }
        };
        let took = |threads: usize| -> io::Result<Duration> {
            let begun = Instant::now();
            thread::scope(|scope| {
                let parts = signed.chunks(signed.len().div_ceil(threads)).map(|some| scope.spawn(move || check(some)));
                let parts: Vec<_> = parts.collect();
                parts.into_iter().try_for_each(|part| part.join().map_err(|_| io::Error::other("it only checks"))?)
            })?;
            Ok(begun.elapsed())
        };
        // The best of several: other programs run beside.
        let best = |threads| (0..5).map(|_| took(threads)).collect::<io::Result<Vec<_>>>();
        let [one, two] = [best(1)?, best(2)?].map(|times| times.into_iter().min().unwrap_or_default());
        Ok((signed.len(), [one, two]))
    }

    /// Runs joch; what that used.
    fn watched(&self, words: &[&str]) -> io::Result<Used> {
        let home = self.root.join("home");
        let mut command = Command::new(env!("CARGO_BIN_EXE_joch"));
        command
            .args(words)
            .current_dir(&self.root)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("JOCH_SIGNING_KEY", home.join("alice"));
        let (status, said, used) = watch(&mut command)?;
        if status.success() {
            Ok(used)
        } else {
            Err(io::Error::other(format!("joch {}: {}", words.join(" "), String::from_utf8_lossy(&said))))
        }
    }
}

/// What one release is written after.
struct Template {
    number: usize,
    manifest: String,
    record: String,
    message: String,
    tag: String,
    tree: Oid,
}

impl Template {
    /// The text with the numbers of another release.
    fn said(&self, text: &str, number: usize) -> String {
        let (own, before) = (format!("dev/{}", self.number), format!("dev/{}", self.number - 1));
        text.replace(&before, "dev/BEFORE")
            .replace(&own, &format!("dev/{number}"))
            .replace("dev/BEFORE", &format!("dev/{}", number - 1))
    }

    fn manifest_of(&self, number: usize, time: &str) -> String {
        let text = self.said(&self.manifest, number).replace(value(&self.manifest, "timestamp"), time);
        text.replace(&format!("\"release\": {},", self.number), &format!("\"release\": {number},"))
    }

    fn record_of(&self, number: usize, time: &str) -> String {
        let text = self.said(&self.record, number).replace(value(&self.record, "timestamp"), time);
        let hex = |name: &str| value(&self.record, name).trim_start_matches("sha256:").to_owned();
        let subject = format!("agent/default/a {} {} {}", hex("fromDigest"), hex("toDigest"), hex("writes"));
        let attempt = Digest::of(format!("apply dev/{number}\n{subject}"));
        text.replace(value(&self.record, "attempt"), &attempt.to_string())
    }
}

/// The text that a field of the outermost object holds.
fn value<'t>(json: &'t str, name: &str) -> &'t str {
    let begin = format!("\n  \"{name}\": \"");
    let rest = json.split_once(&begin).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default()
}

/// Objects on their way into a pack.
#[derive(Default)]
struct Pack {
    count: u32,
    entries: Vec<u8>,
}

impl Pack {
    fn add(&mut self, kind: ObjectType, raw: &[u8]) -> Result<Oid, Box<dyn std::error::Error>> {
        let id = Oid::hash_object(kind, raw)?;
        let code: u8 = match kind {
            ObjectType::Commit => 1,
            ObjectType::Tree => 2,
            ObjectType::Blob => 3,
            _ => 4,
        };
        let mut rest = raw.len() >> 4;
        let mut byte = code << 4 | u8::try_from(raw.len() & 15)?;
        while rest > 0 {
            self.entries.push(byte | 0x80);
            byte = u8::try_from(rest & 0x7f)?;
            rest >>= 7;
        }
        self.entries.push(byte);
        let mut encoder = ZlibEncoder::new(&mut self.entries, Compression::fast());
        encoder.write_all(raw)?;
        encoder.finish()?;
        self.count += 1;
        Ok(id)
    }

    /// A tree with one entry exchanged.
    fn exchange(&mut self, tree: &git2::Tree<'_>, name: &str, id: Oid) -> Result<Oid, Box<dyn std::error::Error>> {
        self.add(ObjectType::Tree, &tree_of(tree, &[(name, id)]))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"PACK\0\0\0\x02".to_vec();
        bytes.extend_from_slice(&self.count.to_be_bytes());
        bytes.extend_from_slice(&self.entries);
        let checksum = Sha1::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }
}

fn tree_of(tree: &git2::Tree<'_>, exchanged: &[(&str, Oid)]) -> Vec<u8> {
    let mut raw = Vec::new();
    for entry in tree {
        let name = entry.name().unwrap_or_default();
        let id = exchanged.iter().find(|(other, _)| *other == name).map_or(entry.id(), |(_, id)| *id);
        raw.extend_from_slice(format!("{:o} {name}\0", entry.filemode()).as_bytes());
        raw.extend_from_slice(id.as_bytes());
    }
    raw
}
