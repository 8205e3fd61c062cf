//! What a release says of itself, held against what its tree, its branch and trust say: the plan of the same change,
//! made again.

use crate::release::{Manifest, MessageFacts, Record};
use crate::resource::Pinned;

use super::commit::CommitFact;
use super::finding::{Finding, Rule};
use super::trailers::trailers;

/// Compares the manifest that stands in a release with the one that its tree demands.
#[must_use]
pub fn check_manifest(commit: &CommitFact, found: &Manifest, derived: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut check = |rule: Rule, field: &str, same: bool, says: String| {
        if !same {
            findings.push(commit.finding(rule, format!("`{field}` of its manifest is not so: {says}")));
        }
    };
    let content = Rule::ManifestContent;
    check(
        content,
        "environment",
        found.environment == derived.environment,
        of(&found.environment, &derived.environment),
    );
    check(content, "event", found.event == derived.event, of(found.event, derived.event));
    check(content, "previous", found.previous == derived.previous, of_some(&found.previous, &derived.previous));
    check(content, "source", found.source == derived.source, of_some(&found.source, &derived.source));
    let (says, is) = (&found.operator, &derived.operator);
    let who = of(format!("{} {}", says.principal, says.fingerprint), format!("{} {}", is.principal, is.fingerprint));
    check(Rule::Operator, "operator", says == is, who);
    check(content, "timestamp", found.timestamp == derived.timestamp, of(found.timestamp, derived.timestamp));
    check(content, "reason", found.reason == derived.reason, of_some(&found.reason, &derived.reason));
    let agents = |manifest: &Manifest| list(manifest.agents.iter().map(|agent| agent.id().to_string()));
    check(content, "agents", found.agents == derived.agents, of(agents(found), agents(derived)));
    let resources = |manifest: &Manifest| list(manifest.resources.iter().map(|entry| entry.id().to_string()));
    check(content, "resources", found.resources == derived.resources, of(resources(found), resources(derived)));
    findings
}

/// Compares the record of an agent with the one that its tree demands.
#[must_use]
pub fn check_record(commit: &CommitFact, path: &str, found: &Record, derived: &Record) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut check = |rule: Rule, field: &str, same: bool| {
        if !same {
            let message = format!("`{field}` of the record is not what the tree, the branch and trust say");
            let mut finding = commit.finding(rule, message);
            finding.object = format!("{}:{path}", commit.object);
            findings.push(finding);
        }
    };
    let (f, d) = (found, derived);
    check(Rule::RecordDigest, "toDigest", f.to_digest == d.to_digest);
    check(Rule::RecordDigest, "fromDigest", f.from_digest == d.from_digest);
    check(Rule::RecordVersion, "toVersion", f.to_version == d.to_version);
    check(Rule::RecordVersion, "fromVersion", f.from_version == d.from_version);
    check(Rule::RecordDiff, "diff", same_diff(f, d));
    check(Rule::RecordMembers, "members", f.members == d.members);
    check(Rule::RecordMembers, "policies", f.policies == d.policies);
    check(Rule::RecordMembers, "adapter", f.adapter == d.adapter);
    check(Rule::RecordMembers, "abomDiff", same_components(f, d));
    let judged = f.joch != d.joch || (&f.eval_results, &f.approvals) == (&d.eval_results, &d.approvals);
    check(Rule::GateVerdict, "evalResults or approvals", judged);
    check(Rule::GateVerdict, "projections", f.joch != d.joch || f.projections == d.projections);
    check(Rule::RecordMembers, "imposed", same_imposed(&f.imposed, &d.imposed));
    check(Rule::Operator, "operatorIdentity", f.operator_identity == d.operator_identity);
    let content = Rule::RecordContent;
    check(content, "kind", f.kind == d.kind);
    check(content, "release", f.release == d.release);
    check(content, "event", f.event == d.event);
    check(content, "verdict", f.verdict == f.event.done());
    check(content, "change", f.change == d.change);
    check(content, "environment", f.environment == d.environment);
    check(content, "source", f.source == d.source);
    check(content, "agentRef", f.agent_ref == d.agent_ref);
    check(content, "runtimeContext", f.runtime_context == d.runtime_context);
    check(content, "timestamp", f.timestamp == d.timestamp);
    check(content, "rollbackPath", f.rollback_path == d.rollback_path);
    check(content, "reason", f.reason == d.reason);
    check(content, "regressions", f.regressions == d.regressions);
    check(content, "changeClasses", f.joch != d.joch || f.change_classes == d.change_classes);
    check(content, "obligations", f.joch != d.joch || f.obligations == d.obligations);
    check(content, "writes", f.writes == d.writes);
    check(content, "undoes", f.undoes == d.undoes);
    check(content, "previousRelease", f.previous_release == d.previous_release);
    check(content, "warnings", f.joch != d.joch || f.warnings == d.warnings);
    check(content, "overrides", f.overrides == d.overrides);
    check(content, "trust", f.trust == d.trust);
    check(content, "evidence", f.evidence == d.evidence);
    findings
}

/// Compares the title and the trailers of a commit with what its manifest and records make of them.
#[must_use]
pub fn check_message(
    commit: &CommitFact,
    manifest: &Manifest,
    records: &[Record],
    source: Option<&str>,
) -> Vec<Finding> {
    let expected = MessageFacts { manifest, records, source_commit: source }.message();
    if trailers(&commit.message) != trailers(&expected) {
        let wrong = "the trailers of its message are not what its manifest says";
        return vec![commit.finding(Rule::Message, wrong)];
    }
    // What stands among the trailers, or after them, Git shows as a trailer too, or hides them all.
    let last = |message: &str| message.rsplit_once("\n\n").map(|(_, last)| last.to_owned());
    if last(&commit.message) != last(&expected) {
        let wrong = "the last paragraph of its message holds more than the trailers of its manifest";
        return vec![commit.finding(Rule::Message, wrong)];
    }
    if commit.message.lines().next() != expected.lines().next() {
        return vec![commit.finding(Rule::Message, "the title of its message is not what its manifest says")];
    }
    Vec::new()
}

/// Whether both tell the same changes. What a change does to the reach of an agent is judged by rules that grow, so it
/// is compared only where the same joch judged.
pub(super) fn same_diff(found: &Record, derived: &Record) -> bool {
    if found.joch == derived.joch {
        return found.diff == derived.diff;
    }
    let bare = |record: &Record| {
        let mut diff = record.diff.clone();
        diff.iter_mut().for_each(|change| change.effect = None);
        diff
    };
    bare(found) == bare(derived)
}

/// Whether both tell the same components. A record without a bill may be of a joch that told only resources.
pub(super) fn same_components(found: &Record, derived: &Record) -> bool {
    let (says, is) = (&found.abom_diff, &derived.abom_diff);
    says == is || (found.bom.is_none() && *says == is.bare())
}

/// What trust imposes may have been given a number since.
pub(super) fn same_imposed(found: &[Pinned], derived: &[Pinned]) -> bool {
    found.len() == derived.len()
        && found
            .iter()
            .zip(derived)
            .all(|(f, d)| (f.id(), f.digest) == (d.id(), d.digest) && (f.version.is_none() || f.version == d.version))
}

fn of(says: impl std::fmt::Display, is: impl std::fmt::Display) -> String {
    format!("it says `{says}`, and it is `{is}`")
}

fn of_some(says: &Option<String>, is: &Option<String>) -> String {
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    of(word(says), word(is))
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    if names.len() > 5 { format!("{} and {} more", names[..5].join(", "), names.len() - 5) } else { names.join(", ") }
}
