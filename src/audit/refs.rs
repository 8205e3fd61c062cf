//! Which refs a ledger may have. Any other could answer for one of them, or hide what an auditor looks for.

use std::collections::BTreeSet;

use crate::release::layout::{EVIDENCE, TRUST, Tag};

use super::finding::{Finding, Rule};

/// Checks the full names of all refs against the grammar; `rungs` are the environments that trust ever had.
#[must_use]
pub fn check_refs<'a>(names: impl IntoIterator<Item = &'a str>, rungs: &BTreeSet<String>) -> Vec<Finding> {
    let known = |name: &str| {
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            return branch == EVIDENCE || branch == TRUST || rungs.contains(branch);
        }
        name.strip_prefix("refs/tags/").is_some_and(|tag| match Tag::parse(tag) {
            Some(Tag::Release { environment, .. }) => rungs.contains(&environment),
            Some(Tag::Version { .. }) => true,
            None => false,
        })
    };
    let strange = names.into_iter().filter(|name| !known(name));
    strange
        .map(|name| {
            let message = format!(
                "`{name}` is no ref of a ledger, and could answer for one that is; look at what it names, then \
                 `git update-ref -d {name}`"
            );
            Finding::new(Rule::RefGrammar, name, message)
        })
        .collect()
}

/// Checks that every branch that a ledger needs is there.
#[must_use]
pub fn check_branches<'a>(needed: impl IntoIterator<Item = &'a str>, there: &BTreeSet<String>) -> Vec<Finding> {
    let gone = needed.into_iter().filter(|branch| !there.contains(*branch));
    gone.map(|branch| {
        let message =
            format!("the branch `{branch}` is gone with its history; fetch it again from a clone that has it");
        Finding::new(Rule::BranchMissing, format!("refs/heads/{branch}"), message)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ref_outside_the_table_is_named() {
        let rungs = BTreeSet::from(["dev".to_owned(), "prod".to_owned()]);
        let good = ["refs/heads/prod", "refs/heads/trust", "refs/heads/evidence", "refs/tags/release/dev/1"];
        assert_eq!(check_refs(good, &rungs), []);
        assert_eq!(check_refs(["refs/tags/mcp-server/default/github/v2"], &rungs), []);
        for bad in [
            "refs/heads/main",
            "refs/heads/prod/x",
            "refs/tags/prod",
            "refs/tags/release/qa/1",
            "refs/tags/release/dev/01",
            "refs/notes/commits",
            "refs/replace/55cd8709e2e7f9ed68b53844808647905f344473",
            "refs/stash",
            "refs/remotes/origin/prod",
        ] {
            let found = check_refs([bad], &rungs);
            assert_eq!(
                found.iter().map(|f| (f.rule, f.object.as_str())).collect::<Vec<_>>(),
                [(Rule::RefGrammar, bad)]
            );
        }
    }

    #[test]
    fn a_branch_that_is_gone_is_named() {
        let there = BTreeSet::from(["trust".to_owned()]);
        let found = check_branches(["trust", "prod"], &there);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].object, "refs/heads/prod");
    }
}
