//! What policies see of one agent of a draft: exactly what they see when the same draft is planned.

use crate::gate;
use crate::policy::Input;
use crate::resource::ResourceId;

use super::account::{Move, evidence_of};
use super::draft::{Draft, Drafted};
use super::plan::{Context, rules_of};

/// The document that policies in Rego see of `agent`, with the `params` of `policy` where one is named.
///
/// # Errors
/// The draft does not bring that agent, what cannot be read, or no such policy applies.
pub fn policy_input(
    draft: &Draft,
    context: &Context<'_>,
    agent: &ResourceId,
    policy: Option<&ResourceId>,
) -> Result<Input, String> {
    let subjects = draft.subjects();
    let subject = subjects.iter().find(|subject| subject.resource == *agent);
    let subject = subject.ok_or_else(|| format!("{agent} does not change in `{}`", draft.environment))?;
    let edit = draft.agents.get(agent);
    let moves = Move::of(draft, subject, edit, context)?;
    let rules = rules_of(subject, edit, &moves.classes, &draft.environment, context)?;
    let target = Drafted { draft, before: context.target };
    let evidence = evidence_of(draft, subject, &rules, (&moves.diff, &moves.weakenings), &target, context)?;
    gate::policy_input(subject, &evidence, policy)
}
