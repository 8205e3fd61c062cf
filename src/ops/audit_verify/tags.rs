//! Gathers the tags of the ledger for the checks that hold them against releases and numbers.

use std::collections::BTreeMap;

use crate::audit::numbers::{Numbers, VersionTag};
use crate::audit::tags::{ByRelease, ReleaseTag, Released, check_release_tags};
use crate::audit::{Finding, Rule};
use crate::ledger::{ObjectKind, Reader};
use crate::release::layout::Tag;

use crate::ops::facts::{broken, release_tag};

/// Checks all tags, those of releases only of the environment that is asked for; gives how many there are.
pub(super) fn check(
    reader: &Reader<'_>,
    released: &ByRelease<Released>,
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
    let mut releases: ByRelease<ReleaseTag> = BTreeMap::new();
    let mut versions = BTreeMap::new();
    for (name, target) in &tags {
        match Tag::parse(name) {
            // Told with the other refs outside the grammar.
            None => {}
            Some(Tag::Release { environment, .. }) if only.is_some_and(|only| only != environment) => {}
            Some(Tag::Release { environment, number }) => match release_tag(reader, *target) {
                Ok(tag) => drop(releases.insert((environment, number), tag)),
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
    findings.extend(check_release_tags(&releases, released));
    findings.extend(numbers.check_tags(&versions));
    tags.len()
}
