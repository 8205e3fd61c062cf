//! Gathers the tags of the ledger for the checks that hold them against releases and numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::numbers::{Numbers, VersionTag};
use crate::audit::tags::{ReleaseTag, Released, check_release_tags};
use crate::audit::{Finding, Rule};
use crate::ledger::{ObjectId, ObjectKind, Reader};
use crate::release::layout::Tag;

use crate::ops::facts::{broken, commit_fact, release_tag};

/// The commits of releases, by environment and number.
pub(super) type Given = BTreeMap<String, BTreeMap<u64, ObjectId>>;

/// Checks all tags, those of releases only of the environment that is asked for; gives how many there are.
pub(super) fn check(
    reader: &Reader<'_>,
    released: &Given,
    numbers: &Numbers,
    only: Option<&str>,
    findings: &mut Vec<Finding>,
) -> usize {
    let tags = match reader.snapshot().tags("") {
        Ok(tags) => tags,
        Err(why) => {
            findings.push(broken(&why));
            return 0;
        }
    };
    let mut tagged: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut versions = BTreeMap::new();
    for (name, target) in &tags {
        match Tag::parse(name) {
            // Told with the other refs outside the grammar.
            None => {}
            Some(Tag::Release { environment, .. }) if only.is_some_and(|only| only != environment) => {}
            Some(Tag::Release { environment, number }) => match release_tag(reader, *target) {
                Ok(tag) => {
                    tagged.entry(environment.clone()).or_default().insert(number);
                    findings.extend(one(reader, &environment, number, Some(tag), released));
                }
                Err(why) => {
                    let message = format!("{why}; fetch it from a clone that has it as it was");
                    findings.push(Finding::new(Rule::ReleaseTagForm, format!("refs/tags/{name}"), message));
                }
            },
            Some(Tag::Version { id, version }) => {
                let light = reader.snapshot().raw(*target).is_ok_and(|(kind, _)| kind == ObjectKind::Commit);
                versions.insert((id, version), VersionTag { target: target.to_string(), light });
            }
        }
    }
    for (environment, numbers) in released {
        let has = |number: &u64| tagged.get(environment).is_some_and(|tagged| tagged.contains(number));
        for number in numbers.keys().filter(|number| !has(number)) {
            findings.extend(one(reader, environment, *number, None, released));
        }
    }
    findings.extend(numbers.check_tags(&versions));
    tags.len()
}

/// Holds one release and its tag against each other. Both are read for that and forgotten: a ledger may have more of them
/// than fit.
fn one(reader: &Reader<'_>, environment: &str, number: u64, tag: Option<ReleaseTag>, released: &Given) -> Vec<Finding> {
    let key = (environment.to_owned(), number);
    let commit = released.get(environment).and_then(|numbers| numbers.get(&number));
    // One that cannot be read was told where its branch was followed.
    let fact = commit.map(|commit| commit_fact(reader, environment, *commit));
    let release = match fact {
        Some(Err(_)) => return Vec::new(),
        Some(Ok(fact)) => Some((key.clone(), Released::of(&fact))),
        None => None,
    };
    let tag = tag.map(|tag| (key, tag));
    check_release_tags(&tag.into_iter().collect(), &release.into_iter().collect())
}
