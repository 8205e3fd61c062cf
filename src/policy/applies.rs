//! Which policies judge an agent in an environment, and from where: the union of what the candidate brings, what the
//! environment holds, and what trust imposes. A policy that changes is judged as it was and as it will be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::closure::{Closure, Shelf, Unreadable};
use crate::resource::{Digest, Kind, Resource, ResourceId, view};

/// A policy that judges an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The policy.
    pub policy: Arc<Resource>,
    /// Digest of its content.
    pub digest: Digest,
    /// Why it applies, such as `candidate` or `catalog of prod`.
    pub origins: BTreeSet<String>,
}

/// Where policies are looked for.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    /// The environment; agents are selected as if they bore its name as their label `env`.
    pub environment: &'a str,
    /// Its catalog before the change, and as the change would leave it.
    pub catalogs: &'a [&'a dyn Shelf],
    /// What trust imposes on agents of a namespace there.
    pub imposed: &'a dyn Fn(&str) -> Vec<Arc<Resource>>,
}

/// The policies that judge `agent` itself, apart from its children, each content once, in order of name.
///
/// # Errors
/// When a catalog cannot be read.
pub fn applied(agent: &Closure, running: Option<&Closure>, places: &Places<'_>) -> Result<Vec<Applied>, Unreadable> {
    let mut found = Applying::default();
    found.add("the candidate", policies(agent));
    if let Some(running) = running {
        found.add(&format!("what {} runs", places.environment), policies(running));
    }
    let named: BTreeSet<ResourceId> = found.0.keys().map(|(id, _)| id.clone()).collect();
    let mut labels = agent.agent().labels();
    labels.insert("env".into(), places.environment.to_owned());
    for catalog in places.catalogs {
        let held = catalog.of_kind(&Kind::Policy)?;
        let binds =
            |policy: &Arc<Resource>| named.contains(policy.id()) || view::selects(policy, &labels) || unclear(policy);
        found.add(&format!("the catalog of {}", places.environment), held.into_iter().filter(binds));
    }
    let imposed = (places.imposed)(&agent.id().namespace);
    found.add("trust", imposed.into_iter().filter(|resource| resource.id().kind == Kind::Policy));
    Ok(found.0.into_values().collect())
}

/// A selector that nobody can read may select anybody.
fn unclear(policy: &Resource) -> bool {
    view::unclear_selector(policy).is_some()
}

fn policies(closure: &Closure) -> impl Iterator<Item = Arc<Resource>> {
    closure.members().values().filter(|member| member.id().kind == Kind::Policy).cloned()
}

#[derive(Default)]
struct Applying(BTreeMap<(ResourceId, Digest), Applied>);

impl Applying {
    fn add(&mut self, origin: &str, policies: impl IntoIterator<Item = Arc<Resource>>) {
        for policy in policies {
            let digest = policy.digest();
            let applied = self.0.entry((policy.id().clone(), digest)).or_insert_with(|| Applied {
                policy,
                digest,
                origins: BTreeSet::new(),
            });
            applied.origins.insert(origin.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;

    struct Catalog(Vec<Arc<Resource>>);

    impl Shelf for Catalog {
        fn get(&self, id: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable> {
            Ok(self.0.iter().find(|held| held.id() == id).cloned())
        }

        fn of_kind(&self, kind: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable> {
            Ok(self.0.iter().filter(|held| held.id().kind == *kind).cloned().collect())
        }
    }

    #[test]
    fn a_policy_whose_selector_nobody_can_read_applies_to_everybody() {
        let agent = Closure::new(one("Agent x", "{}"), BTreeMap::new(), BTreeMap::new());
        let held = |selector: &str| {
            let policy = one("Policy p", &format!("{{appliesTo: {{agents: {selector}}}}}"));
            let catalog = Catalog(vec![policy]);
            let nothing = |_: &str| Vec::new();
            let places = Places { environment: "prod", catalogs: &[&catalog], imposed: &nothing };
            applied(&agent, None, &places).expect("it can be read").len()
        };
        assert_eq!(held("{selector: {matchLabels: {tier: gold}}}"), 0);
        assert_eq!(held("{selector: {matchLabels: {}}}"), 1);
        for odd in [
            "{selector: {matchLabels: {tier: gold}, matchExpressions: [{key: tier, operator: Exists}]}}",
            "{selector: {matchExpressions: [{key: tier, operator: Exists}]}}",
            "{names: [y]}",
            "[y]",
        ] {
            assert_eq!(held(odd), 1, "{odd}");
        }
    }
}
