//! Whether what is named is there, and whether agents run in a ring.

use std::collections::{BTreeMap, BTreeSet};

use super::Elsewhere;
use crate::resource::diagnostic::{Document, Finding, Severity};
use crate::resource::fields::{Candidate, Mention, Target, Tie};
use crate::resource::id::{Reference, ResourceId};
use crate::resource::kind::Kind;
use crate::resource::name::{check_name, nearest};
use crate::resource::served::{Served, Unmatched, match_candidate};

/// Everything that may be named.
struct Known<'k> {
    here: BTreeSet<&'k ResourceId>,
    models: Vec<Served>,
    elsewhere: &'k dyn Elsewhere,
}

pub(super) fn check(documents: &[Document], elsewhere: &dyn Elsewhere, findings: &mut Vec<Finding>) {
    let here: BTreeSet<_> = documents.iter().map(|document| document.resource.id()).collect();
    let mut models: Vec<_> = documents.iter().filter_map(|document| Served::by(&document.resource)).collect();
    models.extend(elsewhere.models().into_iter().filter(|served| !here.contains(&served.id)));
    let known = Known { here, models, elsewhere };
    for document in documents {
        for mention in document.resource.mentions() {
            findings.extend(known.check(document, &mention));
        }
    }
}

impl Known<'_> {
    fn check(&self, document: &Document, mention: &Mention) -> Option<Finding> {
        match &mention.target {
            Target::Resource(reference) => self.check_reference(document, mention, reference),
            Target::Candidate(candidate) => self.check_candidate(document, mention, candidate),
        }
    }

    fn check_reference(&self, document: &Document, mention: &Mention, reference: &Reference) -> Option<Finding> {
        // A Secret lives where the agent runs; joch only carries its name. A pattern such as `*` is no name.
        let is_loose = mention.tie == Tie::Named;
        if is_loose && (reference.kind == Kind::Secret || check_name(&reference.name).is_err()) {
            return None;
        }
        let places = reference.candidates(&document.resource.id().namespace);
        if places.iter().any(|id| self.here.contains(id) || self.elsewhere.has(id)) {
            return None;
        }
        let (severity, rule) =
            if is_loose { (Severity::Notice, "unverified-reference") } else { (Severity::Error, "missing-reference") };
        let message = format!("there is no {} `{}` in {}", reference.kind, reference.name, namespaces(&places));
        Some(document.finding(severity, rule, &mention.path, message).help(self.suggest(reference)))
    }

    fn check_candidate(&self, document: &Document, mention: &Mention, candidate: &Candidate) -> Option<Finding> {
        let namespace = &document.resource.id().namespace;
        let (rule, message, help) = match match_candidate(candidate, namespace, &self.models).err()? {
            Unmatched::None => {
                let served: Vec<_> = self.models.iter().map(|s| format!("{}:{}", s.provider, s.model)).collect();
                let help = match nearest(&candidate.to_string(), served.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => {
                        format!("add a Model with `provider: {}` and `model: {}`", candidate.provider, candidate.model)
                    }
                };
                ("missing-reference", format!("no Model serves `{candidate}`"), help)
            }
            Unmatched::Several(ids) => {
                let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
                let message = format!("`{candidate}` is served by {}", ids.join(" and "));
                ("ambiguous-reference", message, "write the name of the Model that is meant".to_owned())
            }
        };
        Some(document.finding(Severity::Error, rule, &mention.path, message).help(help))
    }

    /// The name that was likely meant, or where to look.
    fn suggest(&self, reference: &Reference) -> String {
        let mut names: Vec<ResourceId> = self.elsewhere.all(&reference.kind);
        names.extend(self.here.iter().filter(|id| id.kind == reference.kind).map(|id| (*id).clone()));
        if let Some(other) = names.iter().find(|id| id.name == reference.name) {
            return format!("there is one in the namespace `{0}`: add `namespace: {0}`", other.namespace);
        }
        match nearest(&reference.name, names.iter().map(|id| id.name.as_str())) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!(
                "add a file with `kind: {}` and `name: {}`, or `-f` the one that has it",
                reference.kind, reference.name
            ),
        }
    }
}

fn namespaces(places: &[ResourceId]) -> String {
    let names: Vec<_> = places.iter().map(|id| format!("`{}`", id.namespace)).collect();
    format!("the namespace {}", names.join(" or "))
}

/// Refuses agents that run one another in a ring. Each ring is told once, at its first agent.
pub(super) fn check_cycles(documents: &[Document], findings: &mut Vec<Finding>) {
    let agents: BTreeMap<&ResourceId, &Document> = documents
        .iter()
        .filter(|document| document.resource.id().kind == Kind::Agent)
        .map(|document| (document.resource.id(), document))
        .collect();
    let children: BTreeMap<&ResourceId, Vec<(&ResourceId, String)>> =
        agents.iter().map(|(id, document)| (*id, children_of(document, &agents))).collect();
    let mut done = BTreeSet::new();
    for start in agents.keys() {
        let mut trail = Vec::new();
        walk(start, &children, &mut trail, &mut done, &mut |ring, path| {
            let told: Vec<_> = ring.iter().map(|id| format!("`{}`", id.name)).collect();
            let message = format!("agents run one another in a ring: {} → {}", told.join(" → "), told[0]);
            let last = agents[ring[ring.len() - 1]];
            let finding = last.finding(Severity::Error, "agent-cycle", path, message);
            findings
                .push(finding.help("remove one of these `children`; a handover belongs in `handoffs.allowedAgents`"));
        });
    }
}

/// The children of an agent that are among `agents`, and where each is named.
fn children_of<'a>(document: &Document, agents: &BTreeMap<&'a ResourceId, &Document>) -> Vec<(&'a ResourceId, String)> {
    let own = &document.resource.id().namespace;
    document
        .resource
        .mentions()
        .into_iter()
        .filter(|mention| mention.tie == Tie::Member)
        .filter_map(|mention| {
            let Target::Resource(reference) = &mention.target else { return None };
            let child = reference.candidates(own).iter().find_map(|id| agents.get_key_value(id).map(|(id, _)| *id))?;
            Some((child, mention.path))
        })
        .collect()
}

/// Visits every agent under `id` once. What stands on the trail and comes again closes a ring.
///
/// The depth of recursion is that of the longest chain of agents; files and documents are limited, and a chain
/// of some thousands fits any stack.
fn walk<'a>(
    id: &'a ResourceId,
    children: &BTreeMap<&'a ResourceId, Vec<(&'a ResourceId, String)>>,
    trail: &mut Vec<&'a ResourceId>,
    done: &mut BTreeSet<&'a ResourceId>,
    found: &mut impl FnMut(&[&'a ResourceId], &str),
) {
    if done.contains(id) {
        return;
    }
    trail.push(id);
    for (child, path) in children.get(id).into_iter().flatten() {
        match trail.iter().position(|earlier| earlier == child) {
            Some(start) => found(&trail[start..], path),
            None => walk(child, children, trail, done, found),
        }
    }
    trail.pop();
    done.insert(id);
}
