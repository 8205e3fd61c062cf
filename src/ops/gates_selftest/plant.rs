//! Each planted change, and what must see it.

use std::sync::Arc;

use anyhow::Result;

use crate::bom::risk;
use crate::closure::Closure;
use crate::diff::weigh;
use crate::gate::{GateResult, Verdict};
use crate::release::{Running, Weakened, weakened};
use crate::resource::{Kind, Resource, ResourceId};
use crate::trust::Trust;

use super::edits::{dearer, exchanged, privileged, reworded};
use super::harvest::Twist;
use super::trial::Field;
use super::{Fate, Planted};

/// The gates that look at content; the others look at people and at time.
const CONTENT: [&str; 5] = ["eval", "policy", "agbom", "budget", "latency"];

impl Field<'_, '_> {
    /// Bad versions of an agent, and harmless ones.
    pub(super) fn versions(&self, agent: &ResourceId, running: &Running) -> Result<Vec<Planted>> {
        let mut planted = Vec::new();
        for seed in risk::seeds() {
            let expects = seed.rule.map(|rule| ("agbom", Some(rule)));
            planted.push(self.version(
                agent,
                running,
                seed.name,
                expects,
                seed.plant(&running.closure),
                Twist::None,
            )?);
        }
        for (name, gate, after, twist) in [
            ("an eval fails", "eval", reworded(&running.closure), Twist::Bad),
            ("answers take four times as long", "latency", reworded(&running.closure), Twist::Slow),
            ("a model costs a thousand times as much", "budget", dearer(&running.closure), Twist::None),
            ("a tool does what a policy forbids", "policy", privileged(&running.closure), Twist::None),
        ] {
            planted.push(self.version(agent, running, name, Some((gate, None)), after, twist)?);
        }
        Ok(planted)
    }

    /// Weaker controls: those that the closure holds, and the Evals and Deployments that guard the agent.
    pub(super) fn controls(&self, agent: &ResourceId, running: &Running) -> Result<Vec<Planted>> {
        let mut planted = Vec::new();
        let records = self.records(agent)?;
        for seed in weakened().into_iter().filter(|seed| !seed.kind.is_trust()) {
            let held: Vec<Arc<Resource>> = match seed.kind {
                Kind::Policy | Kind::Budget => {
                    running.closure.everything().into_iter().filter(|r| r.id().kind == seed.kind).cloned().collect()
                }
                _ => records.iter().filter(|record| record.id().kind == seed.kind).cloned().collect(),
            };
            let found =
                held.iter().find_map(|record| Some((record, Resource::from_value(seed.of(record.body())?).ok()?)));
            let Some((record, weaker)) = found else {
                planted.push(absent(agent, seed.name, "weakening"));
                continue;
            };
            let weaker = Arc::new(weaker);
            let draft = match seed.kind {
                Kind::Policy | Kind::Budget => {
                    let Some(after) = exchanged(&running.closure, &weaker) else { continue };
                    self.promotion(agent, running, after)
                }
                _ => self.application(record, &weaker),
            };
            let gates = self.judge(&draft, Twist::None)?;
            planted.push(seen(record.id(), &seed, &gates));
        }
        Ok(planted)
    }

    fn version(
        &self,
        agent: &ResourceId,
        running: &Running,
        name: &str,
        expects: Option<(&str, Option<&str>)>,
        after: Option<Closure>,
        twist: Twist,
    ) -> Result<Planted> {
        let expected =
            expects.map(|(gate, rule)| rule.map_or_else(|| gate.to_owned(), |rule| format!("{gate} {rule}")));
        let Some(after) = after else {
            return Ok(absent(agent, name, expected.as_deref().unwrap_or_default()));
        };
        let gates = self.judge(&self.promotion(agent, running, after), twist)?;
        let no = |gate: &&GateResult| gate.verdict == Verdict::Fail && !gate.is_waived();
        let caught = |gate: &&GateResult| match expects {
            Some((of, rule)) => {
                let finds = |rule: &str| gate.findings.iter().any(|found| found.rule == rule && found.introduced);
                gate.gate == of && rule.is_none_or(finds)
            }
            None => false,
        };
        let content = || gates.iter().filter(|gate| CONTENT.contains(&gate.gate.as_str()));
        let (fate, said) = match expects {
            Some(_) => match gates.iter().filter(no).find(caught) {
                Some(gate) => (Fate::Right, gate.reason.clone()),
                None => (Fate::Missed, told(content())),
            },
            None => match content().find(|gate| gate.verdict != Verdict::Pass && !gate.is_waived()) {
                Some(gate) => (Fate::Stopped, format!("{}: {} {}", gate.label(), gate.verdict.word(), gate.reason)),
                None => (Fate::Right, "no gate that looks at content stops it".to_owned()),
            },
        };
        let next = expects.filter(|_| fate == Fate::Missed).map(|(of, _)| self.remedy(of, &gates));
        Ok(Planted { resource: agent.clone(), seed: name.to_owned(), expected, fate, said, next })
    }

    /// How a gate that missed something would catch it.
    fn remedy(&self, missed: &str, gates: &[GateResult]) -> String {
        let place = format!("`spec.gates` of environment/{}", self.target.name());
        let Some(there) = gates.iter().find(|gate| gate.gate == missed) else {
            let write = match missed {
                "agbom" => "agbom:high",
                "eval" => "eval:NAME",
                "latency" => "latency:+20%",
                word => word,
            };
            return format!("demand `{write}` under {place}");
        };
        let label = there.label();
        match there.verdict {
            Verdict::Fail => format!("take `mode: advisory` from `{label}` under {place}, or demand more of it"),
            Verdict::Pass => format!("demand more of `{label}`, which let it through"),
            _ => format!("give `{label}` the evidence that it asks for"),
        }
    }
}

/// What trust would say of weaker Environments and Teams.
pub(super) fn of_trust(trust: &Trust, environment: &str) -> Vec<Planted> {
    let mut planted = Vec::new();
    for seed in weakened().into_iter().filter(|seed| seed.kind.is_trust()) {
        let here = |record: &&Arc<Resource>| {
            record.id().kind == seed.kind && (seed.kind == Kind::Team || record.id().name == environment)
        };
        let found = trust.resources.values().filter(here).find_map(|record| Some((record, seed.of(record.body())?)));
        let Some((record, weaker)) = found else {
            let kind = ResourceId::new(seed.kind.clone(), "default", environment);
            planted.push(absent(&kind, seed.name, "trust"));
            continue;
        };
        let steps = weigh(record.id(), Some(record.body()), Some(&weaker));
        let step = steps.iter().find(|step| step.is_weaker() && step.path.starts_with(seed.path));
        let (fate, said) = match step {
            Some(step) => (Fate::Right, format!("{}; {} of the admins must agree", step.sentence, trust.quorum())),
            None => (Fate::Missed, "trust sees nothing weaker in it".to_owned()),
        };
        let expected = Some("trust".to_owned());
        planted.push(Planted {
            resource: record.id().clone(),
            seed: seed.name.to_owned(),
            expected,
            fate,
            said,
            next: None,
        });
    }
    planted
}

/// A weaker control is caught where the weakening gate names it, or a gate that looks at content says no to it.
fn seen(id: &ResourceId, seed: &Weakened, gates: &[GateResult]) -> Planted {
    let names = |gate: &&GateResult| {
        gate.gate == "weakening"
            && gate.verdict != Verdict::Pass
            && !gate.is_waived()
            && gate.reason.contains(seed.path)
    };
    let (fate, said) = match gates.iter().find(names) {
        Some(gate) => (Fate::Right, gate.reason.clone()),
        None => (Fate::Missed, told(gates.iter())),
    };
    let expected = Some("weakening".to_owned());
    Planted { resource: id.clone(), seed: seed.name.to_owned(), expected, fate, said, next: None }
}

fn absent(id: &ResourceId, seed: &str, expected: &str) -> Planted {
    Planted {
        resource: id.clone(),
        seed: seed.to_owned(),
        expected: Some(expected.to_owned()).filter(|expected| !expected.is_empty()),
        fate: Fate::Absent,
        said: "there is nothing to plant it into".to_owned(),
        next: None,
    }
}

fn told<'a>(gates: impl Iterator<Item = &'a GateResult>) -> String {
    let told: Vec<_> = gates.map(|gate| format!("{} {}", gate.label(), gate.verdict.word())).collect();
    if told.is_empty() { "no gate was asked".to_owned() } else { told.join(", ") }
}
