//! Policy: which agents it binds without being named.

use std::collections::BTreeMap;

use crate::resource::envelope::{Resource, label_text};
use crate::resource::path;
use crate::resource::value::Value;

/// The labels that an agent must have for this Policy to bind it; `None` where it binds only by name.
#[must_use]
pub fn selector(policy: &Resource) -> Option<BTreeMap<String, String>> {
    let labels = policy.spec().at(&["appliesTo", "agents", "selector", "matchLabels"])?.as_map()?;
    // A value that is no label matches nothing, so it must not fall out of the selector: that would widen it.
    labels.iter().map(|(key, value)| Some((key.clone(), label_text(value)?))).collect()
}

/// Whether this Policy binds an agent with these labels without being named by it.
#[must_use]
pub fn selects(policy: &Resource, labels: &BTreeMap<String, String>) -> bool {
    selector(policy).is_some_and(|selector| selector.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// Why nobody can tell which agents this Policy selects, and where that stands; `None` where its selector can be read.
///
/// A key that joch does not read may be meant to bind more agents or fewer, so it is never passed over.
#[must_use]
pub fn unclear_selector(policy: &Resource) -> Option<(String, String)> {
    let mut at = "spec".to_owned();
    let mut value = policy.spec();
    for (key, below) in [("appliesTo", "agents"), ("agents", "selector"), ("selector", "matchLabels")] {
        value = value.get(key).filter(|value| **value != Value::Null)?;
        at = path::entry(&at, key);
        let Some(map) = value.as_map() else {
            return Some((at, "the selector cannot be read, so nobody knows whom it selects".to_owned()));
        };
        if let Some(odd) = map.keys().find(|known| *known != below) {
            let message = format!("joch reads `{below}` here and nothing else, so nobody knows whom it selects");
            return Some((path::entry(&at, odd), message));
        }
    }
    value.get("matchLabels").filter(|value| **value != Value::Null)?;
    let labels = path::entry(&at, "matchLabels");
    selector(policy).is_none().then(|| (labels, "a label is text, a number or a truth value".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::yaml::{Found, read};

    fn policy(spec: &str) -> Resource {
        let text = format!("apiVersion: joch.dev/v1alpha1\nkind: Policy\nmetadata: {{name: p}}\nspec: {spec}");
        read("x.yaml", &text, Found::Named).documents.remove(0).resource
    }

    #[test]
    fn a_selector_binds_agents_that_have_all_of_its_labels() {
        let policy = policy("{appliesTo: {agents: {selector: {matchLabels: {tier: 1, team: support}}}}}");
        let labels = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert!(selects(&policy, &labels(&[("tier", "1"), ("team", "support"), ("more", "x")])));
        assert!(!selects(&policy, &labels(&[("tier", "1")])));
    }

    #[test]
    fn a_policy_without_a_selector_binds_by_name_only() {
        assert_eq!(selector(&policy("{appliesTo: {agents: {}}}")), None);
        assert_eq!(selector(&policy("{appliesTo: {agents: {selector: {matchLabels: {a: [1]}}}}}")), None);
        assert!(selects(&policy("{appliesTo: {agents: {selector: {matchLabels: {}}}}}"), &BTreeMap::new()));
    }

    #[test]
    fn a_key_that_nobody_reads_neither_narrows_nor_widens_in_silence() {
        for clear in
            ["{}", "{appliesTo: {agents: {selector: {matchLabels: {a: b}}}}}", "{appliesTo: {agents: {selector: }}}"]
        {
            assert_eq!(unclear_selector(&policy(clear)), None, "{clear}");
        }
        let place = |spec: &str| unclear_selector(&policy(spec)).expect(spec).0;
        let labels = "matchLabels: {a: b}";
        let agents = "spec.appliesTo.agents";
        for odd in ["matchExpressions: [{key: tier, operator: In, values: [gold]}]", "matchExpressions: "] {
            let at = place(&format!("{{appliesTo: {{agents: {{selector: {{{labels}, {odd}}}}}}}}}"));
            assert_eq!(at, format!("{agents}.selector.matchExpressions"));
        }
        assert_eq!(
            place("{appliesTo: {agents: {selector: {matchExpressions: [x]}}}}"),
            format!("{agents}.selector.matchExpressions")
        );
        assert_eq!(place("{appliesTo: {agents: {names: [x]}}}"), format!("{agents}.names"));
        assert_eq!(place("{appliesTo: {environments: [prod]}}"), "spec.appliesTo.environments");
        assert_eq!(place("{appliesTo: all}"), "spec.appliesTo");
        assert_eq!(
            place("{appliesTo: {agents: {selector: {matchLabels: {a: [1]}}}}}"),
            format!("{agents}.selector.matchLabels")
        );
    }
}
