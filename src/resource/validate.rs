//! Whether resources say something that joch can act on. Every check runs, so that a person sees all that is
//! wrong at once.

mod environment;
mod keys;
mod kinds;
mod references;
mod types;

use std::collections::BTreeMap;

use super::diagnostic::{Document, Finding, Severity};
use super::envelope::Resource;
use super::id::ResourceId;
use super::kind::Kind;
use super::served::Served;

/// What is known besides the documents at hand: the rest of the project, and the ledger.
pub trait Elsewhere {
    /// Whether there is a resource of this id.
    fn has(&self, id: &ResourceId) -> bool;
    /// Every resource of a kind, to suggest names.
    fn all(&self, kind: &Kind) -> Vec<ResourceId>;
    /// What every Model serves.
    fn models(&self) -> Vec<Served>;
}

/// There is nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Nowhere;

impl Elsewhere for Nowhere {
    fn has(&self, _: &ResourceId) -> bool {
        false
    }

    fn all(&self, _: &Kind) -> Vec<ResourceId> {
        Vec::new()
    }

    fn models(&self) -> Vec<Served> {
        Vec::new()
    }
}

/// Resources read before are somewhere, too.
impl Elsewhere for &[Resource] {
    fn has(&self, id: &ResourceId) -> bool {
        self.iter().any(|resource| resource.id() == id)
    }

    fn all(&self, kind: &Kind) -> Vec<ResourceId> {
        self.iter().map(Resource::id).filter(|id| id.kind == *kind).cloned().collect()
    }

    fn models(&self) -> Vec<Served> {
        self.iter().filter_map(Served::by).collect()
    }
}

/// Everything that is wrong with `documents` as a set, in the order of files and lines. References are looked
/// up among them, then `elsewhere`.
#[must_use]
pub fn validate(documents: &[Document], elsewhere: &dyn Elsewhere) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents {
        findings.extend(validate_one(document));
    }
    check_duplicates(documents, &mut findings);
    references::check(documents, elsewhere, &mut findings);
    references::check_cycles(documents, &mut findings);
    findings.sort();
    findings.dedup();
    findings
}

/// What is wrong with one document, whatever else there is.
#[must_use]
pub fn validate_one(document: &Document) -> Vec<Finding> {
    let mut report = Report { document, findings: Vec::new() };
    if let Kind::Other(kind) = &document.resource.id().kind {
        let message = format!("joch does not know the kind `{kind}`; it is versioned and diffed as data");
        report.add(Severity::Notice, "unknown-kind", "kind", message);
    }
    types::check(&mut report);
    kinds::check(&mut report);
    report.findings
}

/// The findings about one document while they are made.
struct Report<'d> {
    document: &'d Document,
    findings: Vec<Finding>,
}

impl Report<'_> {
    fn error(&mut self, rule: &'static str, path: &str, message: String) -> &mut Finding {
        self.add(Severity::Error, rule, path, message)
    }

    fn warning(&mut self, rule: &'static str, path: &str, message: String) -> &mut Finding {
        self.add(Severity::Warning, rule, path, message)
    }

    fn add(&mut self, severity: Severity, rule: &'static str, path: &str, message: String) -> &mut Finding {
        self.findings.push(self.document.finding(severity, rule, path, message));
        self.findings.last_mut().expect("it was just added")
    }
}

fn check_duplicates(documents: &[Document], findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<&ResourceId, &Document> = BTreeMap::new();
    for document in documents {
        let id = document.resource.id();
        let Some(earlier) = first.get(id) else {
            first.insert(id, document);
            continue;
        };
        let message = format!("`{id}` stands twice, first in {}:{}", earlier.file, earlier.line);
        let finding = document.finding(Severity::Error, "duplicate-resource", "metadata.name", message);
        findings.push(finding.help("remove one of the two, or give it another name or namespace"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::yaml::{Found, read};

    fn documents(text: &str) -> Vec<Document> {
        let read = read("x.yaml", text, Found::Named);
        assert_eq!(read.findings, []);
        read.documents
    }

    const SET: &str = r#"
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: support-triage, namespace: team-a, labels: { tier: "1" } }
spec:
  framework: { adapterRef: { name: langgraph }, entrypoint: "triage:graph" }
  modelPolicy: { allowed: ["openai:gpt-4o"] }
  tools: [zendesk.create_ticket, { name: search, namespace: team-b }]
  memories: { chat: { name: short-term } }
  children: [{ name: billing }]
  handoffs: { allowedAgents: [billing, support-triage] }
  budgets: { costLimitUsdPerDay: { fromEnvironment: DAILY } }
---
apiVersion: ops.joch.dev/v1alpha1
kind: Eval
metadata: { name: support-triage-quality }
spec:
  target: { kind: Agent, name: support-triage, namespace: team-a }
  dataset: { type: file, uri: ./evals/support-cases.jsonl }
  metrics:
    - { name: task_success, type: llm_judge, judgeModelRef: { name: big } }
    - { name: tone_consistency, type: llm_judge }
    - { name: cost_per_case, type: numeric }
    - { name: latency_p95_ms, type: numeric }
    - { name: pii_leakage, type: deterministic }
  schedule: { onDeployment: true, nightly: true }
  thresholds:
    task_success: 0.85
    tone_consistency: 0.9
    cost_per_case: "<0.40"
    latency_p95_ms: "<3000"
    pii_leakage: 0.0
---
{ apiVersion: joch.dev/v1alpha1, kind: Agent, metadata: { name: billing }, spec: { model: { name: big } } }
---
{ apiVersion: joch.dev/v1alpha1, kind: FrameworkAdapter, metadata: { name: langgraph }, spec: { sdkMinVersion: "1.10" } }
---
{ apiVersion: model.joch.dev/v1alpha1, kind: Model, metadata: { name: big }, spec: { provider: openai, model: gpt-4o, auth: { secretRef: { name: key } } } }
---
{ apiVersion: joch.dev/v1alpha1, kind: Tool, metadata: { name: zendesk.create_ticket } }
---
{ apiVersion: joch.dev/v1alpha1, kind: Tool, metadata: { name: search, namespace: team-b }, spec: }
---
{ apiVersion: joch.dev/v1alpha1, kind: Memory, metadata: { name: short-term } }
"#;

    #[test]
    fn a_set_that_is_whole_has_no_findings() {
        assert_eq!(validate(&documents(SET), &Nowhere), []);
    }

    #[test]
    fn what_is_missing_may_be_elsewhere() {
        let (agent, rest) = SET.split_once("---").expect("several documents");
        let rest: Vec<Resource> = documents(rest).into_iter().map(|document| document.resource).collect();
        assert_eq!(validate(&documents(agent), &rest.as_slice()), []);
        let alone: Vec<_> = validate(&documents(agent), &Nowhere).into_iter().map(|finding| finding.path).collect();
        let paths = [
            "spec.framework.adapterRef",
            "spec.modelPolicy.allowed[0]",
            "spec.tools[0]",
            "spec.tools[1]",
            "spec.memories.chat",
            "spec.children[0]",
            "spec.handoffs.allowedAgents[0]",
        ];
        assert_eq!(alone, paths);
    }
}
