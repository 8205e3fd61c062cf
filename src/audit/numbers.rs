//! The numbers that releases gave to versions: each once, to one content, without a gap, and each with its tag.

use std::collections::{BTreeMap, BTreeSet};

use crate::closure::Unreadable;
use crate::release::{Manifest, Numbering, layout};
use crate::resource::{Digest, ResourceId};

use super::finding::{Finding, Rule};

/// Every number that a manifest of the ledger gives.
#[derive(Debug, Default)]
pub struct Numbers {
    given: BTreeMap<(ResourceId, u64), Vec<Given>>,
    contents: BTreeMap<(ResourceId, Digest), BTreeSet<u64>>,
}

/// A number, given by a release.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    digest: Digest,
    commit: String,
    release: String,
    author: String,
}

/// Where a version tag points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionTag {
    /// What it points at.
    pub target: String,
    /// Whether that is a commit, and not the object of an annotated tag.
    pub light: bool,
}

impl Numbers {
    /// Takes up what a manifest gives.
    pub fn add(&mut self, manifest: &Manifest, commit: &str) {
        for minted in &manifest.minted {
            let Some(number) = minted.version else { continue };
            let given = Given {
                digest: minted.digest,
                commit: commit.to_owned(),
                release: manifest.name(),
                author: manifest.operator.principal.name.clone(),
            };
            self.given.entry((minted.id(), number)).or_default().push(given);
            self.contents.entry((minted.id(), minted.digest)).or_default().insert(number);
        }
    }

    /// The commit of the release that gave a number first.
    #[must_use]
    pub fn commit_of(&self, id: &ResourceId, number: u64) -> Option<&str> {
        let given = self.given.get(&(id.clone(), number))?;
        given.first().map(|given| given.commit.as_str())
    }

    /// Checks the numbers among themselves.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        let back = "bring the branch back to before the release that gave it again, and release with joch";
        let mut findings = Vec::new();
        for ((id, number), given) in self.given.iter().filter(|(_, given)| given.len() > 1) {
            let releases: Vec<_> = given.iter().map(|given| given.release.as_str()).collect();
            let message = format!("{id} v{number} was given by {}; {back}", releases.join(" and by "));
            findings.push(Finding::new(Rule::VersionTwice, tag(id, *number), message));
        }
        for ((id, digest), numbers) in self.contents.iter().filter(|(_, numbers)| numbers.len() > 1) {
            let numbers: Vec<_> = numbers.iter().map(|number| format!("v{number}")).collect();
            let message = format!("{id} with the content {digest} is {}; {back}", numbers.join(" and "));
            findings.push(Finding::new(Rule::ContentTwice, id.full(), message));
        }
        let mut before: Option<(&ResourceId, u64)> = None;
        for (id, number) in self.given.keys() {
            let expected = before.filter(|(known, _)| *known == id).map_or(1, |(_, last)| last + 1);
            if *number != expected {
                let message = format!(
                    "{id} has v{number} and no release gives v{expected}: a release is gone; fetch its branch again \
                     from a clone that has it"
                );
                findings.push(Finding::new(Rule::VersionGap, tag(id, expected), message));
            }
            before = Some((id, *number));
        }
        findings
    }

    /// Checks the tags against the numbers.
    #[must_use]
    pub fn check_tags(&self, tags: &BTreeMap<(ResourceId, u64), VersionTag>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for ((id, number), given) in &self.given {
            let (name, Some(first)) = (tag(id, *number), given.first()) else { continue };
            match tags.get(&(id.clone(), *number)) {
                None => {
                    let message = format!(
                        "{} gave {id} v{number} and its tag is gone; bring it back: `git update-ref {name} {}`",
                        first.release, first.commit
                    );
                    findings.push(Finding::new(Rule::VersionTagMissing, name, message));
                }
                Some(found) if !found.light || !given.iter().any(|given| given.commit == found.target) => {
                    let what = if found.light { "the commit" } else { "an annotated tag," };
                    let message = format!(
                        "it names {what} {}, and {} gave {id} v{number}; put it back: `git update-ref {name} {}`",
                        found.target, first.release, first.commit
                    );
                    findings.push(Finding::new(Rule::VersionTagMoved, name, message));
                }
                Some(_) => {}
            }
        }
        for (id, number) in tags.keys().filter(|key| !self.given.contains_key(*key)) {
            let name = tag(id, *number);
            let message = format!(
                "no release on any branch gave {id} v{number}: the tag was made by hand, or the branch was rewound; \
                 fetch the branch from a clone that has that release, or `git update-ref -d {name}`"
            );
            findings.push(Finding::new(Rule::VersionTagUnknown, name, message));
        }
        findings
    }
}

/// As the manifests say, whatever became of the tags.
impl Numbering for Numbers {
    fn authors(&self, id: &ResourceId, from: Option<u64>, to: u64) -> Result<BTreeSet<String>, Unreadable> {
        let above = from.unwrap_or(0).saturating_add(1).min(to);
        let of_these = self.given.range((id.clone(), above)..=(id.clone(), to));
        Ok(of_these.flat_map(|(_, given)| given).map(|given| given.author.clone()).collect())
    }

    fn version_of(&self, id: &ResourceId, digest: Digest) -> Result<Option<u64>, Unreadable> {
        Ok(self.contents.get(&(id.clone(), digest)).and_then(|numbers| numbers.first().copied()))
    }

    fn highest(&self, id: &ResourceId) -> Result<u64, Unreadable> {
        let of_this = self.given.range((id.clone(), 0)..=(id.clone(), u64::MAX));
        Ok(of_this.last().map_or(0, |((_, number), _)| *number))
    }
}

fn tag(id: &ResourceId, number: u64) -> String {
    format!("refs/tags/{}", layout::version_tag(id, number))
}
