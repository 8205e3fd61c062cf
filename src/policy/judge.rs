//! Judging a candidate: every policy that applies, native rules and Rego, for the agent and for its children.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::closure::{Closure, Unreadable};
use crate::diff::{self, Change};
use crate::resource::envelope::filled;
use crate::resource::{Resource, Risk, Value};

use super::applies::{Applied, Places, applied};
use super::document::{Asked, Input};
use super::facts::World;
use super::flaw::Flaw;
use super::found::{Found, Judgement, MALFORMED, REGO_DENY, REGO_WARN, TOO_MANY};
use super::native::{self, People};
use super::{rego, rule};

/// One candidate that policies judge.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// What would run.
    pub candidate: &'a Closure,
    /// What runs now.
    pub running: Option<&'a Closure>,
    /// Who asks, from where to where.
    pub asked: &'a Asked,
    /// What changes.
    pub diff: &'a [Change],
    /// What is known beside the content.
    pub world: &'a World<'a>,
    /// Who can be asked for approval.
    pub people: &'a dyn People,
}

/// What every policy that applies says.
///
/// # Errors
/// When a catalog cannot be read.
pub fn judge(question: &Question<'_>, places: &Places<'_>) -> Result<Judgement, Unreadable> {
    judge_by(question, places, true)
}

/// What the native rules of every policy that applies say: all obligations come of them.
///
/// # Errors
/// When a catalog cannot be read.
pub fn judge_native(question: &Question<'_>, places: &Places<'_>) -> Result<Judgement, Unreadable> {
    judge_by(question, places, false)
}

fn judge_by(question: &Question<'_>, places: &Places<'_>, with_rego: bool) -> Result<Judgement, Unreadable> {
    let mut judgement = Judgement::default();
    let mut contents = BTreeSet::new();
    each_agent(question.candidate, question.running, &[], places, &mut |agent, running, own, inherited| {
        for applied in own {
            contents.insert((applied.policy.id().clone(), applied.digest));
            judgement.extend(one(&applied.policy, agent, running, question, with_rego));
        }
        for applied in inherited {
            judgement.extend(one(&applied.policy, agent, running, question, false));
        }
    })?;
    judgement.policies = contents.len();
    Ok(judgement.settled())
}

/// Every policy that applies to the candidate or to one of its children, each content once.
///
/// # Errors
/// When a catalog cannot be read.
pub fn applying(question: &Question<'_>, places: &Places<'_>) -> Result<Vec<Applied>, Unreadable> {
    let mut all: Vec<Applied> = Vec::new();
    each_agent(question.candidate, question.running, &[], places, &mut |_, _, own, _| {
        for applied in own {
            match all.iter_mut().find(|known| known.policy == applied.policy) {
                Some(known) => known.origins.extend(applied.origins.iter().cloned()),
                None => all.push(applied.clone()),
            }
        }
    })?;
    all.sort_by(|a, b| (a.policy.id(), a.digest).cmp(&(b.policy.id(), b.digest)));
    Ok(all)
}

/// What one policy says of a candidate, as if it applied to it by name.
#[must_use]
pub fn draft(policy: &Arc<Resource>, question: &Question<'_>) -> Judgement {
    let mut judgement = one(policy, question.candidate, question.running, question, true);
    let mut below: Vec<&Closure> = question.candidate.children().values().collect();
    while let Some(child) = below.pop() {
        judgement.extend(one(policy, child, None, question, false));
        below.extend(child.children().values());
    }
    judgement.settled()
}

/// What keeps a policy from being judged, wherever it applies: rules and Rego that cannot be read.
#[must_use]
pub fn flaws(policy: &Resource) -> Vec<Flaw> {
    let mut flaws = rule::rules(policy, true).err().unwrap_or_default();
    match policy.spec().get("rego") {
        None | Some(Value::Null) => {}
        Some(Value::Text(text)) => {
            if let Err(broken) = rego::check(text) {
                let line = broken.line.map_or_else(String::new, |line| format!("line {line}: "));
                flaws.push(Flaw { help: broken.help, ..Flaw::new("spec.rego", format!("{line}{}", broken.message)) });
            }
        }
        Some(_) if native::is_open(policy.spec()) => {}
        Some(other) => flaws.push(Flaw::new("spec.rego", format!("`rego` is text, not {}", other.type_name()))),
    }
    flaws
}

type Visit<'v> = dyn FnMut(&Closure, Option<&Closure>, &[Applied], &[Applied]) + 'v;

/// Visits an agent and all below it with the policies that bind each itself, and those that bind who is above it: a
/// parent is bound in what its children do for it.
fn each_agent(
    agent: &Closure,
    running: Option<&Closure>,
    inherited: &[Applied],
    places: &Places<'_>,
    visit: &mut Visit<'_>,
) -> Result<(), Unreadable> {
    let own = applied(agent, running, places)?;
    let above: Vec<_> =
        inherited.iter().filter(|above| !own.iter().any(|own| own.policy == above.policy)).cloned().collect();
    visit(agent, running, &own, &above);
    let all: Vec<_> = own.into_iter().chain(above).collect();
    for (id, child) in agent.children() {
        let before = running.and_then(|running| running.children().get(id));
        each_agent(child, before, &all, places, visit)?;
    }
    Ok(())
}

/// What one policy says of one agent. Rego sees the children inside their parent, so it is asked only where the policy
/// itself binds.
fn one(
    policy: &Arc<Resource>,
    agent: &Closure,
    running: Option<&Closure>,
    question: &Question<'_>,
    with_rego: bool,
) -> Judgement {
    let mut judgement = Judgement::default();
    let here = |id: &str, rule: Option<usize>, severity: Risk, reason: String, remedy: String| Found {
        id: id.to_owned(),
        policy: policy.id().clone(),
        digest: policy.digest(),
        rule,
        context: agent.id().to_string(),
        severity,
        reason,
        remedy,
    };
    let malformed = |flaw: Flaw| {
        let reason = format!("`{}`: {}", flaw.path, flaw.message);
        here(MALFORMED, None, Risk::High, reason, flaw.help.unwrap_or_else(|| mend(policy)))
    };
    let as_here = match as_here(policy, question.world) {
        Ok(as_here) => as_here,
        Err(why) => {
            judgement.errors.push(malformed(Flaw::new("spec", why)));
            return judgement;
        }
    };
    match rule::rules(&as_here, false) {
        Ok(rules) => {
            let cases = rules.iter().map(|rule| native::cases(rule, agent)).fold(0, usize::saturating_add);
            if cases > native::MOST_CASES_OF_POLICY {
                let most = native::MOST_CASES_OF_POLICY;
                let reason = format!("its rules have {cases} cases here, and {most} are judged at most");
                judgement.errors.push(here(
                    TOO_MANY,
                    None,
                    Risk::High,
                    reason,
                    "divide it among several policies".into(),
                ));
            } else {
                for rule in &rules {
                    native::judge(policy, rule, agent, question.world, question.people, &mut judgement);
                }
            }
        }
        Err(flaws) => judgement.errors.extend(flaws.into_iter().map(malformed)),
    }
    let text = match as_here.spec().get("rego") {
        None | Some(Value::Null) => return judgement,
        Some(_) if !with_rego => return judgement,
        Some(Value::Text(text)) => text,
        Some(other) => {
            let message = format!("`rego` is text, not {}", other.type_name());
            judgement.errors.push(malformed(Flaw::new("spec.rego", message)));
            return judgement;
        }
    };
    match rego::ask(text, &input(agent, running, question).with_params(&as_here).to_json()) {
        Ok(answer) => {
            let found = |said: rego::Said, id: &str, remedy: String| {
                here(said.id.as_deref().unwrap_or(id), None, said.severity, said.message, remedy)
            };
            let remedy = "do as the policy says, or change it where it stands, with the approval that asks for";
            judgement.violations.extend(answer.denied.into_iter().map(|said| found(said, REGO_DENY, remedy.into())));
            judgement.warnings.extend(answer.warned.into_iter().map(|said| found(said, REGO_WARN, String::new())));
        }
        Err(broken) => {
            let line = broken.line.map_or_else(String::new, |line| format!(", line {line}"));
            let reason = format!("its Rego gives no answer{line}: {}", broken.message);
            judgement.errors.push(here(
                broken.id,
                None,
                Risk::High,
                reason,
                broken.help.unwrap_or_else(|| mend(policy)),
            ));
        }
    }
    judgement
}

/// A policy with the values that the environment fills in.
///
/// # Errors
/// The value that the environment does not have.
pub fn as_here(policy: &Resource, world: &World<'_>) -> Result<Resource, String> {
    let missing = |key: String| format!("`spec.defaults` of Environment `{}` has no `{key}`", world.environment);
    Resource::from_value(filled(policy.body(), &world.defaults()).map_err(missing)?)
}

/// What a policy in Rego sees of one agent of a question.
#[must_use]
pub fn input(agent: &Closure, running: Option<&Closure>, question: &Question<'_>) -> Input {
    let asked = Asked { agent: agent.id().full(), ..question.asked.clone() };
    if agent.id() == question.candidate.id() {
        return Input::of(agent, running, &asked, question.diff, question.world);
    }
    let diff = diff::between_closures(running, Some(agent));
    Input::of(agent, running, &asked, &diff, question.world)
}

fn mend(policy: &Resource) -> String {
    format!("mend {} where it stands; `joch validate -f FILE` tells all that is wrong with it", policy.id())
}
