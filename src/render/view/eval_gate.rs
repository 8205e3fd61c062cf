//! `joch eval gate`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::{GateResult, Outcome};
use crate::render::{Page, View};
use crate::resource::ResourceId;

use super::words;

/// What the eval gates of a promotion would say now.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvalGate {
    /// What they come to.
    pub verdict: Outcome,
    /// The agent.
    pub agent: ResourceId,
    /// The version that would be promoted.
    pub version: Option<u64>,
    /// The environment that it comes from.
    pub from: String,
    /// The environment that it would go to.
    pub to: String,
    /// What each gate says.
    pub gates: Vec<GateResult>,
}

impl EvalGate {
    /// What these gates come to.
    #[must_use]
    pub fn new(agent: ResourceId, version: Option<u64>, from: &str, to: &str, gates: Vec<GateResult>) -> Self {
        Self { verdict: Outcome::of(&gates), agent, version, from: from.to_owned(), to: to.to_owned(), gates }
    }
}

impl View for EvalGate {
    fn kind(&self) -> &'static str {
        "EvalGate"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        page.line(format!("{} {}  {} -> {}", self.agent, words::version(self.version), self.from, self.to));
        if self.gates.is_empty() {
            page.line(format!("no eval is demanded for {}", self.to));
            return;
        }
        let row = |gate: &GateResult| vec![gate.verdict.word().to_owned(), gate.label(), gate.reason.clone()];
        page.indented_table(2, &[], &self.gates.iter().map(row).collect::<Vec<_>>());
        for gate in self.gates.iter().filter(|_| wide) {
            page.line(format!("{} is demanded by {}", gate.label(), gate.demanded_by.join(", ")));
            page.line(format!(
                "  looked at: {}",
                words::or_none((!gate.evidence.is_empty()).then(|| gate.evidence.join(", ")))
            ));
        }
        page.gap();
        let standing = self.gates.iter().filter(|gate| gate.verdict != crate::gate::Verdict::Pass).count();
        page.line(match self.verdict {
            Outcome::Open => "open: every eval that is demanded passed".to_owned(),
            verdict => format!(
                "{}: {standing} of {} stand in the way",
                word(verdict),
                crate::render::report::figures::counted(self.gates.len() as u64, "gate")
            ),
        });
        let mut told = Vec::new();
        for gate in &self.gates {
            let Some(next) = gate.next.as_ref().filter(|next| !told.contains(next)) else { continue };
            page.line(format!("next: {}: {next}", gate.label()));
            told.push(next);
        }
    }

    fn names(&self) -> Vec<String> {
        self.gates.iter().map(GateResult::label).collect()
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Open => "open",
        Outcome::Pending => "pending",
        Outcome::Undecided => "undecided",
        Outcome::Blocked => "blocked",
    }
}

#[cfg(test)]
mod tests {
    use crate::gate::Verdict;
    use crate::render::table;

    use super::*;

    fn view(gates: Vec<GateResult>) -> EvalGate {
        EvalGate::new(ResourceId::agent("default", "support-triage"), Some(8), "staging", "prod", gates)
    }

    #[test]
    fn a_gate_tells_what_it_would_say_and_what_to_do() {
        let mut stale = GateResult::new("eval", "quality", Verdict::Stale);
        stale.reason = "its run measured v7".into();
        stale.next = Some("joch eval run quality --target staging".into());
        let mut passed = GateResult::new("eval", "tone", Verdict::Pass);
        passed.reason = "run 4f1c passed".into();
        let expected = "\
agent/support-triage v8  staging -> prod
  STALE  eval:quality  its run measured v7
  PASS   eval:tone     run 4f1c passed

blocked: 1 of 2 gates stand in the way
next: eval:quality: joch eval run quality --target staging
";
        assert_eq!(table(&view(vec![stale, passed]), false), expected);
    }

    #[test]
    fn no_gate_is_said_to_be_no_gate() {
        assert!(table(&view(vec![]), false).ends_with("no eval is demanded for prod\n"));
    }
}
