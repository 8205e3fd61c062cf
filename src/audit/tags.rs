//! The tags of releases: each release has one, signed by whoever signed the release, naming itself and its commit.

use std::collections::BTreeMap;

use crate::release::layout;

use super::commit::{CommitFact, Signature};
use super::finding::{Finding, Rule};

/// A tag in `release/`, as it stands.
#[derive(Debug, Clone)]
pub struct ReleaseTag {
    /// The commit that it leads to, or what it points at instead.
    pub target: String,
    /// What the tag object says; `None` for a lightweight tag.
    pub object: Option<TagObject>,
}

/// An annotated tag.
#[derive(Debug, Clone)]
pub struct TagObject {
    /// The name that it gives itself.
    pub name: String,
    /// Whether it points at a commit.
    pub of_commit: bool,
    /// The tagger's name and address.
    pub tagger: (String, String),
    /// Whose signature stands on it.
    pub signature: Signature,
}

/// A release that its tag must match.
#[derive(Debug, Clone)]
pub struct Released {
    /// Its commit.
    pub commit: String,
    /// Whose signature stands on that.
    pub signature: Signature,
    /// The committer's name and address.
    pub committer: (String, String),
}

/// The tags or releases of a ledger, by environment and number.
pub type ByRelease<T> = BTreeMap<(String, u64), T>;

/// Checks every release against its tag, and every tag against its release.
#[must_use]
pub fn check_release_tags(tags: &ByRelease<ReleaseTag>, releases: &ByRelease<Released>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ((environment, number), released) in releases {
        let name = layout::release_tag(environment, *number);
        match tags.get(&(environment.clone(), *number)) {
            Some(tag) => findings.extend(check_one(&name, tag, released)),
            None => {
                let message = format!(
                    "the release {environment}/{number} ({}) has no tag; fetch `refs/tags/{name}` from a clone that \
                     has it",
                    released.commit
                );
                findings.push(Finding::new(Rule::ReleaseTagMissing, format!("refs/tags/{name}"), message));
            }
        }
    }
    for ((environment, number), tag) in tags.iter().filter(|(key, _)| !releases.contains_key(*key)) {
        let name = format!("refs/tags/{}", layout::release_tag(environment, *number));
        let message = format!(
            "`{environment}` has no release {number}, and this tag names {} as that: the branch was rewound, or the tag \
             was made by hand; fetch the branch from a clone that has the release, or `git update-ref -d {name}`",
            tag.target
        );
        findings.push(Finding::new(Rule::RewoundBranch, name, message));
    }
    findings
}

fn check_one(name: &str, tag: &ReleaseTag, released: &Released) -> Vec<Finding> {
    let full = format!("refs/tags/{name}");
    let back = format!("fetch `{full}` from a clone that has it as it was");
    let finding = |rule, wrong: String| Finding::new(rule, full.clone(), format!("{wrong}; {back}"));
    let Some(object) = &tag.object else {
        return vec![finding(Rule::ReleaseTagForm, "it is a lightweight tag, and nobody signed it".into())];
    };
    let mut findings = Vec::new();
    if object.name != name || !object.of_commit {
        let wrong = format!("it is the tag object of `{}`, and not of `{name}`", object.name);
        let wrong = if object.of_commit { wrong } else { "it does not point at a commit".to_owned() };
        findings.push(finding(Rule::ReleaseTagForm, wrong));
    }
    if tag.target != released.commit {
        let wrong = format!("it names {}, and the release is {}", tag.target, released.commit);
        findings.push(finding(Rule::ReleaseTagMoved, wrong));
    }
    match (&object.signature, &released.signature) {
        (Err(fault), _) => findings.push(finding(fault.rule, format!("the signature does not count: {}", fault.why))),
        (Ok(tag), Ok(release)) if tag != release => {
            let wrong = format!("{} signed it, and {} the release", tag.fingerprint(), release.fingerprint());
            findings.push(finding(Rule::ReleaseTagSigner, wrong));
        }
        _ if object.tagger != released.committer => {
            let wrong =
                format!("Git shows it as made by `{}`, and the release by `{}`", object.tagger.0, released.committer.0);
            findings.push(finding(Rule::Identity, wrong));
        }
        _ => {}
    }
    findings
}

impl Released {
    /// The release that a commit is.
    #[must_use]
    pub fn of(commit: &CommitFact) -> Self {
        let committer = commit.people.last().cloned().unwrap_or_default();
        Self { commit: commit.object.clone(), signature: commit.signature.clone(), committer }
    }
}
