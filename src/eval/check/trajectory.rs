//! Whether an agent called the tools that it should.

use serde_json::Value;

use crate::eval::{Case, ExpectedCall, Reply, ToolCall, Trajectory};

use super::json;

/// Whether the calls of an answer are those that the case expects; each expected call stands for one call. An empty
/// list means that nothing may be called, whatever the order.
///
/// # Errors
/// Why that cannot be told: nobody said what is expected.
pub(super) fn follows(case: &Case, reply: &Reply, order: Trajectory, arguments: bool) -> Result<bool, &'static str> {
    let expected = case.expected_tools.as_deref().ok_or("the case has no `expected_tools`")?;
    let calls = &reply.tool_calls;
    if expected.is_empty() {
        return Ok(calls.is_empty());
    }
    let matched = || matched(expected, calls, arguments);
    Ok(match order {
        Trajectory::Strict => {
            expected.len() == calls.len()
                && expected.iter().zip(calls).all(|(expected, call)| fits(expected, call, arguments))
        }
        Trajectory::Unordered => expected.len() == calls.len() && matched() == calls.len(),
        Trajectory::Subset => calls.len() <= expected.len() && matched() == calls.len(),
        Trajectory::Superset => calls.len() >= expected.len() && matched() == expected.len(),
    })
}

/// How many expected calls find a call of their own, at best. Those that give arguments choose first: what fits them
/// fits no others that give arguments but equal ones, and all that give none can take whatever is left.
fn matched(expected: &[ExpectedCall], calls: &[ToolCall], arguments: bool) -> usize {
    let mut taken = vec![false; calls.len()];
    let particular = |call: &&ExpectedCall| arguments && call.arguments.is_some();
    let (first, then): (Vec<_>, Vec<_>) = expected.iter().partition(particular);
    let mut count = 0;
    for expected in first.into_iter().chain(then) {
        let free = calls.iter().enumerate().find(|(nth, call)| !taken[*nth] && fits(expected, call, arguments));
        if let Some((nth, _)) = free {
            taken[nth] = true;
            count += 1;
        }
    }
    count
}

fn fits(expected: &ExpectedCall, call: &ToolCall, arguments: bool) -> bool {
    expected.name == call.name
        && (!arguments || expected.arguments.as_ref().is_none_or(|wanted| same(wanted, &call.arguments)))
}

/// Whether arguments are equal; some models write theirs as a text of JSON.
fn same(wanted: &Value, given: &Value) -> bool {
    json::equal(wanted, given)
        || matches!(given, Value::String(text) if json::read(text).is_some_and(|given| json::equal(wanted, &given)))
}
