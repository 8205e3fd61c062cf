//! `joch explain`: the fewest things that a promotion is missing, who can supply each, and with which command.

use anyhow::Result;

use crate::gate::{GateResult, Verdict, is_overridable};
use crate::release::{Operator, Plan, Record, layout};
use crate::resource::{Requirement, ResourceId};
use crate::trust::{Principal, Trust};

use super::caller::Caller;
use super::desk::Desk;
use super::judge::{Asked, judge};
use super::land::commit_time;
use super::promotion::{Move, draft};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What, from where to where.
    pub wanted: Move,
    /// What the operator would demand beside what the target does.
    pub required: Vec<Requirement>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was asked.
    pub wanted: Move,
    /// The plan; none where the target has all of it already.
    pub plan: Option<Plan>,
    /// What is missing, what says no first, and what only waits for a person last.
    pub missing: Vec<Fact>,
    /// Who may override what stands in the way, where anybody may, and how.
    pub break_glass: Option<String>,
    /// What the target has already.
    pub unchanged: Vec<ResourceId>,
}

/// One missing fact: one thing that one of these people does once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The resource that it is about.
    pub resource: ResourceId,
    /// What the gate says.
    pub gate: GateResult,
    /// The other gates that it satisfies, each with the resource that it is about.
    pub also: Vec<(ResourceId, GateResult)>,
    /// Who can supply it.
    pub who: Vec<String>,
    /// With which command, or how.
    pub command: String,
}

/// Explains a promotion; needs no key, and writes nothing.
///
/// # Errors
/// See [`super::promotion`].
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let Request { wanted, required } = request;
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let nobody =
        Operator { principal: Principal { name: String::new(), automation: true }, fingerprint: String::new() };
    let operator = desk.operating(caller, &trust).map_or(nobody, |operating| operating.operator);
    let promotion = draft(wanted, &reader, &trust, &desk, caller)?;
    let mut outcome = Outcome {
        wanted: wanted.clone(),
        plan: None,
        missing: Vec::new(),
        break_glass: None,
        unchanged: promotion.unchanged,
    };
    if promotion.draft.is_empty() {
        return Ok(outcome);
    }
    let time = commit_time(&reader, &[layout::EVIDENCE, wanted.to.as_str()], caller.now, &mut caller.notices)?;
    let asked = Asked { required, ..Asked::of(&trust, &desk) };
    let plan = judge(&promotion.draft, &asked, &reader, &operator, time)?;
    let asking = Asking { wanted, required, trust: &trust, operator: &operator };
    if let Some(note) = asking.who_else() {
        caller.notice(note);
    }
    outcome.missing = asking.missing(&plan.records);
    outcome.break_glass = asking.break_glass(&outcome.missing);
    outcome.plan = Some(plan);
    Ok(outcome)
}

/// Who asks, for what.
struct Asking<'a> {
    wanted: &'a Move,
    required: &'a [Requirement],
    trust: &'a Trust,
    operator: &'a Operator,
}

impl Asking<'_> {
    /// That whoever asks may not carry it out, and who may.
    fn who_else(&self) -> Option<String> {
        let (name, writers) = (self.operator.principal.name.as_str(), self.trust.writers(&self.wanted.to));
        let may_not = !name.is_empty() && !writers.contains(name);
        let able = || Vec::from_iter(writers.iter().copied()).join(", ");
        may_not.then(|| format!("{name} may not promote to `{}`; these may: {}", self.wanted.to, able()))
    }

    /// What is missing, each thing once.
    fn missing(&self, records: &[Record]) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        for record in records {
            for gate in record.gates.iter().filter(|gate| gate.verdict != Verdict::Pass && !gate.is_waived()) {
                let (who, command) = (self.who(gate, record), self.command(gate, &record.agent_ref));
                let (resource, gate) = (record.agent_ref.clone(), gate.clone());
                match facts.iter_mut().find(|fact| fact.command == command && fact.who == who) {
                    Some(fact) => fact.also.push((resource, gate)),
                    None => facts.push(Fact { resource, gate, also: Vec::new(), who, command }),
                }
            }
        }
        facts.sort_by_key(|fact| urgency(fact.gate.verdict));
        facts
    }

    /// The people and machines who can do it, in so far as trust names them.
    fn who(&self, gate: &GateResult, record: &Record) -> Vec<String> {
        let named = |people: std::collections::BTreeSet<&str>| people.into_iter().map(str::to_owned).collect();
        let unmeasured = !matches!(gate.verdict, Verdict::Fail | Verdict::Pending);
        match gate.gate.as_str() {
            "approval" => self.approvers(&gate.name, &record.authors),
            "weakening" if gate.verdict == Verdict::Pending => gate.who.clone(),
            "weakening" | "freeze" => named(self.trust.admins()),
            "eval" | "latency" | "budget" if unmeasured => named(self.trust.eval_runners(&self.wanted.to)),
            "regression" => {
                Some(self.operator.principal.name.clone()).filter(|name| !name.is_empty()).into_iter().collect()
            }
            "soak" => Vec::new(),
            "hold" => self.speakers(|who| self.trust.may_lift(who, Some(&self.wanted.to))),
            "review" => self.speakers(|who| self.trust.may_review(who, &self.wanted.to)),
            _ => named(self.trust.writers(self.trust.ladder().first())),
        }
    }

    /// Who could let it through in spite of its gates, if every one of them may be overridden.
    fn break_glass(&self, missing: &[Fact]) -> Option<String> {
        let able = self.trust.overriders(&self.wanted.to).ok().filter(|able| !able.is_empty())?;
        let gates = missing.iter().flat_map(|fact| {
            std::iter::once(&fact.gate).chain(fact.also.iter().map(|(_, gate)| gate)).collect::<Vec<_>>()
        });
        let mut flags = Vec::new();
        for gate in gates {
            if !is_overridable(gate) {
                return None;
            }
            let flag = format!("--override {}", gate.label());
            if !flags.contains(&flag) {
                flags.push(flag);
            }
        }
        if flags.is_empty() {
            return None;
        }
        let who = able.into_iter().collect::<Vec<_>>().join(" or ");
        Some(format!("in an emergency {who} may add {} --reason TEXT --ticket ID", flags.join(" ")))
    }

    /// The people who have this say.
    fn speakers(&self, may: impl Fn(&Principal) -> bool) -> Vec<String> {
        let people = self.trust.people().into_iter().map(|name| Principal { name: name.to_owned(), automation: false });
        people.filter(may).map(|principal| principal.name).collect()
    }

    fn approvers(&self, team: &str, authors: &[String]) -> Vec<String> {
        let people = self.trust.people();
        if people.len() == 1 {
            return people.into_iter().map(str::to_owned).collect();
        }
        let may = |user: &&str| {
            people.contains(user)
                && *user != self.operator.principal.name
                && !authors.iter().any(|author| author == user)
        };
        self.trust.approvers(team).unwrap_or_default().into_iter().filter(may).map(str::to_owned).collect()
    }

    fn command(&self, gate: &GateResult, id: &ResourceId) -> String {
        let Move { files, from, to, .. } = self.wanted;
        let what = if files.is_empty() {
            id.words()
        } else {
            files.iter().map(|file| format!("-f {file}")).collect::<Vec<_>>().join(" ")
        };
        let step = format!("{what} --from {from} --to {to}");
        let next = gate.next.clone().unwrap_or_default();
        match gate.gate.as_str() {
            "approval" => format!("joch approve {step} --team {}", gate.name),
            "weakening" if gate.verdict == Verdict::Pending => format!("joch approve {step}"),
            "regression" => {
                let required: String = self.required.iter().map(|gate| format!(" --require {gate}")).collect();
                format!("joch promote {step}{required} --allow-regression {}", gate.name)
            }
            // Several gates may wait for one run.
            _ => measuring(&next).map_or(next.clone(), str::to_owned),
        }
    }
}

/// The command in a sentence that asks for a run of an Eval.
fn measuring(next: &str) -> Option<&str> {
    let at = next.find("joch eval run ")?;
    let command = &next[at..];
    Some(command.split(['`', ';', ',']).next().unwrap_or(command).trim_end())
}

/// What must change, before what must be measured, before what cannot be told, before what waits for a person: a
/// candidate that changes voids what was approved.
fn urgency(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Missing | Verdict::Stale => 1,
        Verdict::Error | Verdict::Inconclusive => 2,
        Verdict::Pending | Verdict::Pass => 3,
    }
}
