//! Policy: which agents it binds without being named.

use std::collections::BTreeMap;

use crate::resource::envelope::{Resource, label_text};

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
}
