//! `joch gates input`: the document that policies in Rego see of a promotion, for people who run an engine of their own.

use anyhow::Result;

use crate::ledger::Reader;
use crate::policy::Input;
use crate::release::{Operator, layout, policy_input};
use crate::resource::{Kind, ResourceId};
use crate::trust::{Principal, Trust};

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::judge::{Asked, in_context};
use super::land::commit_time;
use super::promotion::{Move, draft};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The promotion.
    pub wanted: Move,
    /// The Policy whose `params` the document holds.
    pub policy: Option<ResourceId>,
}

/// The document; writes nothing, and needs no key.
///
/// # Errors
/// See [`super::promotion`]; what is named is no agent, or the target has it already; no such Policy applies.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Input> {
    let wanted = &request.wanted;
    let Some(agent) = wanted.resource.as_ref().filter(|id| id.kind == Kind::Agent) else {
        return Err(Failure::usage("policies judge agents: name one").into());
    };
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let nobody =
        Operator { principal: Principal { name: String::new(), automation: true }, fingerprint: String::new() };
    let operator = desk.operating(caller, &trust).map_or(nobody, |operating| operating.operator);
    let promotion = draft(wanted, &reader, &trust, &desk, caller)?;
    if promotion.draft.is_empty() {
        let message = format!("`{}` runs {agent} as `{}` does: there is nothing to judge", wanted.to, wanted.from);
        let next = elsewhere(agent, &reader, &trust)?
            .unwrap_or_else(|| format!("`joch apply -f FILE --env {}` with a change of it first", wanted.from));
        return Err(Failure::refused("nothing-to-decide", message).next(next).into());
    }
    let time = commit_time(&desk, &reader, &[layout::EVIDENCE, wanted.to.as_str()], caller.now, &mut caller.notices)?;
    let asked = Asked::of(&trust, &desk);
    let policy = request.policy.as_ref();
    in_context(&promotion.draft, &asked, &reader, &operator, time, |context| {
        policy_input(&promotion.draft, context, agent, policy)
            .map_err(|why| Failure::refused("policy-input", why).next("`joch describe NAME` lists its policies").into())
    })
}

/// The same question about the highest step between two rungs that run different things.
fn elsewhere(agent: &ResourceId, reader: &Reader<'_>, trust: &Trust) -> Result<Option<String>> {
    for step in trust.ladder().rungs().windows(2).rev() {
        let [from, to] = step else { continue };
        let below = reader.environment(from)?.closure_tree(agent)?;
        if below.is_some() && below != reader.environment(to)?.closure_tree(agent)? {
            return Ok(Some(format!("joch gates input {} --from {from} --to {to}", agent.name)));
        }
    }
    Ok(None)
}
