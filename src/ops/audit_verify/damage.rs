//! What is hurt, and whom it touches: every object that cannot be read with the places where it stands, the releases
//! that hold it and the versions that ran there. Looked for only where something is wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::audit::{Finding, Rule};
use crate::ledger::{Census, EntryKind, Error, Frame, ObjectId, Reader};
use crate::release::layout::{self, Tag};

use super::book::{Book, Said};

/// How many objects are told one by one.
const TOLD: usize = 25;
/// How many releases or versions are named before the rest is counted.
const NAMED: usize = 8;
/// No tree that joch writes is so deep.
const DEEPEST: usize = 64;

const BACK: &str = "fetch it again from a clone that is whole";

/// What is wrong with the files of the repository itself: `HEAD`, its settings, and the files of references.
pub(super) fn of_frame(frame: &Frame, census: &Census) -> Vec<Finding> {
    let mut findings = Vec::new();
    let branch = |name: &str| frame.references.contains_key(&format!("refs/heads/{name}"));
    let head = match &frame.head {
        Ok(name) if branch(name) => None,
        Ok(name) => Some(format!("it names the branch `{name}`, which is not there")),
        Err(why) => Some(why.clone()),
    };
    if let Some(why) = head {
        let message = format!(
            "`HEAD` is damaged: {why}; no release or version is touched, and no program finds one without it: write the \
             line `ref: refs/heads/BRANCH` with the last rung of the ladder into that file"
        );
        findings.push(Finding::new(Rule::RepositoryHead, "HEAD", message));
    }
    if !frame.settings.is_empty() {
        let message = format!(
            "`config` is damaged: {}; no release or version is touched yet, and plain Git may lose some: `joch doctor` \
             names the commands that set it again",
            frame.settings.join(", ")
        );
        findings.push(Finding::new(Rule::RepositorySettings, "config", message));
    }
    for (name, why) in frame.references.iter().filter_map(|(name, target)| Some((name, target.as_ref().err()?))) {
        let message = format!("the reference `{name}` is damaged: {why}; {}; {BACK}", touched_by(name, frame));
        findings.push(Finding::new(Rule::ObjectDamaged, name, message));
    }
    for name in &frame.outside {
        let message = format!(
            "`{name}` lies outside of `refs`, and plain Git takes it for what it calls `{name}` before the branch or tag \
             of that name; no release or version is touched: look at what it names, then remove that file"
        );
        findings.push(Finding::new(Rule::RefGrammar, name, message));
    }
    for name in gone(frame) {
        let message = format!(
            "the branch `{}` is gone with its history; {}; {BACK}",
            name.trim_start_matches("refs/heads/"),
            touched_by(&name, frame)
        );
        findings.push(Finding::new(Rule::BranchMissing, name, message));
    }
    let lost = lost(frame, census);
    if !frame.packed.is_empty() || (frame.references.is_empty() && !lost.is_empty()) {
        let why = match frame.packed.len() {
            0 => "no reference is left, and annotated tags are stored".to_owned(),
            _ => {
                format!("{} is no reference", few(frame.packed.iter().map(|line| format!("`{}`", line.escape_debug()))))
            }
        };
        let known = frame.references.keys().filter_map(|name| name.strip_prefix("refs/tags/"));
        let touched = lost.iter().map(|name| name.trim_start_matches("release/")).chain(known).map(str::to_owned);
        let message = format!(
            "`packed-refs` is damaged: {why}; it touches every release and version that it named, such as {}; {BACK}",
            few(touched)
        );
        findings.push(Finding::new(Rule::ObjectDamaged, "packed-refs", message));
    }
    findings
}

/// The tags of releases that are stored, and that no reference leads to.
fn lost(frame: &Frame, census: &Census) -> BTreeSet<String> {
    let release = |name: &&String| matches!(Tag::parse(name), Some(Tag::Release { .. }));
    let stored = census.tags.iter().filter(release);
    stored.filter(|name| !frame.references.contains_key(&format!("refs/tags/{name}"))).cloned().collect()
}

/// The branches that are not there, and that tags of releases speak of.
fn gone(frame: &Frame) -> BTreeSet<String> {
    let tagged = frame.references.keys().filter_map(|name| match Tag::parse(name.strip_prefix("refs/tags/")?)? {
        Tag::Release { environment, .. } => Some(environment),
        Tag::Version { .. } => None,
    });
    let mut branches: BTreeSet<String> = tagged.collect();
    if !branches.is_empty() {
        branches.extend([layout::TRUST, layout::EVIDENCE].map(str::to_owned));
    }
    let names = branches.into_iter().map(|branch| format!("refs/heads/{branch}"));
    names.filter(|name| !frame.references.contains_key(name)).collect()
}

/// The releases and versions that a reference leads to, as far as names tell.
pub(super) fn touched_by(name: &str, frame: &Frame) -> String {
    if let Some(tag) = name.strip_prefix("refs/tags/").and_then(Tag::parse) {
        return match tag {
            Tag::Release { environment, number } => format!("it touches the release {environment}/{number}"),
            Tag::Version { id, version } => format!("it touches the version {} v{version}", id.full()),
        };
    }
    let branch = name.strip_prefix("refs/heads/").unwrap_or_default();
    let releases = frame.references.keys().filter_map(|name| Tag::parse(name.strip_prefix("refs/tags/")?));
    let here = releases.filter_map(|tag| match tag {
        Tag::Release { environment, number } if environment == branch || is_shared(branch) => {
            Some((environment, number))
        }
        _ => None,
    });
    let here: BTreeSet<_> = here.collect();
    format!(
        "it touches the releases {}",
        few(here.into_iter().map(|(environment, number)| format!("{environment}/{number}")))
    )
}

/// Whether every environment stands on this branch.
fn is_shared(branch: &str) -> bool {
    branch == layout::TRUST || branch == layout::EVIDENCE
}

/// What is wrong with a pack.
pub(super) fn of_packs(census: &Census) -> Vec<Finding> {
    let wrong = census.packs.iter().map(|(path, why)| {
        let known = match census.hurt.len() {
            0 => "what is missing or reads differently because of it is told by itself, and where nothing is, no release or \
                  version is touched yet"
                .to_owned(),
            hurt => format!("{hurt} objects cannot be read, told by themselves with their versions"),
        };
        Finding::new(Rule::ObjectDamaged, path, format!("`{path}` is damaged: {why}; {known}; {BACK}"))
    });
    wrong.collect()
}

/// Every object that is hurt or missing, with what it touches. Takes the place of findings that tell the same object
/// with less.
pub(super) fn of_objects(reader: &Reader<'_>, census: &Census, findings: &mut Vec<Finding>) {
    let mut walk = Walk::new(reader);
    walk.follow();
    for (id, why) in &census.hurt {
        walk.hurt.entry(*id).or_insert_with(|| Hurt::new(format!("is damaged: {why}"), false));
    }
    findings.retain(|finding| {
        let less = [Rule::ObjectMissing, Rule::ObjectDamaged].contains(&finding.rule);
        !less || !walk.hurt.keys().any(|id| finding.object.ends_with(&format!(" {id}")))
    });
    let hurt = walk.hurt.len();
    for (id, hurt) in walk.hurt.iter().take(TOLD) {
        findings.push(hurt.finding(*id));
    }
    if hurt > TOLD {
        let (releases, versions): (BTreeSet<_>, BTreeSet<_>) = (
            walk.hurt.values().flat_map(|hurt| hurt.releases.iter().cloned()).collect(),
            walk.hurt.values().flat_map(|hurt| hurt.versions.iter().cloned()).collect(),
        );
        let message = format!(
            "{} more objects are missing or damaged; all of them touch {}; {BACK}",
            hurt - TOLD,
            touches(&releases, &versions)
        );
        findings.push(Finding::new(Rule::ObjectDamaged, "objects", message));
    }
}

/// One object that is hurt.
struct Hurt {
    /// What is wrong, as the end of a sentence.
    wrong: String,
    missing: bool,
    /// Where it stands: paths and references.
    places: BTreeSet<String>,
    releases: BTreeSet<String>,
    versions: BTreeSet<String>,
}

impl Hurt {
    fn new(wrong: String, missing: bool) -> Self {
        let (places, releases, versions) = Default::default();
        Self { wrong, missing, places, releases, versions }
    }

    fn finding(&self, id: ObjectId) -> Finding {
        let rule = if self.missing { Rule::ObjectMissing } else { Rule::ObjectDamaged };
        let message = if self.places.is_empty() {
            format!(
                "the object {id} {}; no reference leads to it, so no release or version is touched; {BACK}",
                self.wrong
            )
        } else {
            let places = few(self.places.iter().map(|place| format!("`{}`", place.escape_debug())));
            let touches = touches(&self.releases, &self.versions);
            format!("the object {id} {}; it is {places}, and touches {touches}; {BACK}", self.wrong)
        };
        Finding::new(rule, id.to_string(), message)
    }
}

fn touches(releases: &BTreeSet<String>, versions: &BTreeSet<String>) -> String {
    let of = |word: &str, names: &BTreeSet<String>| match names.len() {
        0 => format!("no {word}"),
        1 => format!("the {word} {}", few(names.iter().cloned())),
        _ => format!("the {word}s {}", few(names.iter().cloned())),
    };
    format!("{} and {}", of("release", releases), of("version", versions))
}

/// The first of them, and how many there are beside.
fn few(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    let named = names[..names.len() - more].join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// What is hurt below a tree: the path from there, and the object.
type Below = Rc<Vec<(String, ObjectId)>>;

/// Follows everything that references lead to.
struct Walk<'a, 'r> {
    reader: &'a Reader<'r>,
    hurt: BTreeMap<ObjectId, Hurt>,
    whole: HashSet<ObjectId>,
    below: HashMap<ObjectId, Below>,
}

impl<'a, 'r> Walk<'a, 'r> {
    fn new(reader: &'a Reader<'r>) -> Self {
        Self { reader, hurt: BTreeMap::new(), whole: HashSet::new(), below: HashMap::new() }
    }

    fn follow(&mut self) {
        let tags = self.reader.snapshot().tags("").unwrap_or_default();
        let mut book = Book::default();
        let branches = self.reader.snapshot().branches().clone();
        let mut lines = Vec::new();
        for (branch, tip) in branches {
            let line = self.line(&branch, tip, &tags);
            if !is_shared(&branch) {
                book.take(self.reader, &branch, &line, &tags);
            }
            lines.push((branch, tip, line));
        }
        book.complete(self.reader);
        for (branch, tip, line) in lines {
            for commit in line {
                self.commit(&branch, commit, commit == tip, &book);
            }
        }
        for (name, target) in &tags {
            self.tag(name, *target, &book);
        }
    }

    /// The commits of a branch, as far as they can be read, from the tip and from every tag of a release on it; with
    /// those that cannot.
    fn line(&self, branch: &str, tip: ObjectId, tags: &[(String, ObjectId)]) -> Vec<ObjectId> {
        let snapshot = self.reader.snapshot();
        let mut known = HashSet::new();
        let mut line = Vec::new();
        let prefix = format!("release/{branch}/");
        let tagged = tags.iter().filter(|(name, _)| name.starts_with(&prefix));
        let tagged = tagged.filter_map(|(_, id)| snapshot.tag_object(*id).ok().map(|tag| tag.target));
        for start in [tip].into_iter().chain(tagged) {
            let mut next = Some(start);
            while let Some(id) = next.filter(|id| known.insert(*id)) {
                line.push(id);
                next = snapshot.commit(id).ok().and_then(|commit| commit.parents.first().copied());
            }
        }
        line
    }

    fn commit(&mut self, branch: &str, id: ObjectId, is_tip: bool, book: &Book) {
        let said = |path: &str| match is_shared(branch) {
            true => book.cited(branch, id, path),
            false => book.at(id, path),
        };
        match self.reader.snapshot().commit(id) {
            Ok(commit) => {
                for (path, hurt) in self.below(commit.tree, 0).iter() {
                    let place = if path.is_empty() { format!("the tree of {branch}") } else { path.clone() };
                    self.touch(*hurt, place, said(path));
                }
            }
            Err(why) => {
                self.wrong(id, &why);
                let mut said = said("");
                if is_tip && said.releases.is_empty() {
                    said.releases = book.unreached(branch);
                }
                let place = if is_tip { format!("the tip of {branch}") } else { format!("a commit of {branch}") };
                self.touch(id, place, said);
            }
        }
    }

    fn tag(&mut self, name: &str, target: ObjectId, book: &Book) {
        if self.reads(target) {
            return;
        }
        let said = match Tag::parse(name) {
            Some(Tag::Release { environment, number }) => book.of_release(&format!("{environment}/{number}")),
            Some(Tag::Version { id, version }) => {
                Said { releases: BTreeSet::new(), versions: BTreeSet::from([format!("{} v{version}", id.full())]) }
            }
            None => Said::default(),
        };
        self.touch(target, format!("refs/tags/{name}"), said);
    }

    fn below(&mut self, tree: ObjectId, depth: usize) -> Below {
        if let Some(known) = self.below.get(&tree) {
            return known.clone();
        }
        let mut found = Vec::new();
        match self.reader.snapshot().tree(tree) {
            Err(why) => {
                self.wrong(tree, &why);
                found.push((String::new(), tree));
            }
            Ok(entries) => {
                for entry in entries {
                    if entry.kind == EntryKind::Directory && depth < DEEPEST {
                        let below = self.below(entry.id, depth + 1);
                        let path = |path: &String| match path.is_empty() {
                            true => entry.name.clone(),
                            false => format!("{}/{path}", entry.name),
                        };
                        found.extend(below.iter().map(|(below, id)| (path(below), *id)));
                    } else if !self.reads(entry.id) {
                        found.push((entry.name, entry.id));
                    }
                }
            }
        }
        let found = Rc::new(found);
        self.below.insert(tree, found.clone());
        found
    }

    /// Whether an object can be read.
    fn reads(&mut self, id: ObjectId) -> bool {
        if self.whole.contains(&id) {
            return true;
        }
        match self.reader.snapshot().raw(id) {
            Ok(_) => self.whole.insert(id),
            Err(why) => {
                self.wrong(id, &why);
                return false;
            }
        };
        true
    }

    fn wrong(&mut self, id: ObjectId, why: &Error) {
        self.hurt.entry(id).or_insert_with(|| match why {
            Error::Missing { .. } => Hurt::new("is not in the ledger".to_owned(), true),
            Error::Damaged { why, .. } => Hurt::new(format!("is damaged: {why}"), false),
            other => Hurt::new(format!("cannot be read: {other}"), false),
        });
    }

    fn touch(&mut self, id: ObjectId, place: String, said: Said) {
        if let Some(hurt) = self.hurt.get_mut(&id) {
            hurt.places.insert(place);
            hurt.releases.extend(said.releases);
            hurt.versions.extend(said.versions);
        }
    }
}
