//! Every ref and every path of the ledger, in one table.

use crate::resource::{Digest, Kind, ResourceId};

/// The branch of evals, approvals and decisions.
pub const EVIDENCE: &str = "evidence";
/// The branch of the trust root.
pub const TRUST: &str = "trust";

/// On an environment branch: the manifest of its latest release.
pub const MANIFEST: &str = "release.json";
/// On an environment branch: the directory of agents.
pub const AGENTS: &str = "agents";
/// In the directory of an agent: its closure.
pub const CLOSURE: &str = "closure";
/// On an environment branch: the directory of other resources.
pub const CATALOG: &str = "catalog";

/// On the trust branch: what holds for the ledger as a whole.
pub const SETTINGS: &str = "ledger.yaml";
/// On the trust branch: whose keys counted.
pub const SIGNERS: &str = "allowed_signers";
/// On the trust branch: the tips its author had.
pub const SEEN: &str = "seen.json";

/// On the evidence branch: the directory of what people said.
pub const APPROVALS: &str = "approvals";

/// On the evidence branch: the directory of results of evals.
pub const EVALS: &str = "evals";

/// On the evidence branch: the directory of what people saw.
pub const OBSERVATIONS: &str = "observations";

/// On the evidence branch: the directory of holds.
pub const HOLDS: &str = "holds";

/// On the evidence branch: the directory of overrides and their reviews.
pub const OVERRIDES: &str = "overrides";

/// What follows the id in the name of a signature's file.
pub const SIGNATURE: &str = ".sig";

/// The directory of an agent in an environment.
#[must_use]
pub fn agent(id: &ResourceId) -> String {
    format!("{AGENTS}/{}/{}", id.namespace, id.name)
}

/// The closure that an environment holds for an agent.
#[must_use]
pub fn closure(id: &ResourceId) -> String {
    format!("{}/{CLOSURE}", agent(id))
}

/// The current release record of an agent.
#[must_use]
pub fn record(id: &ResourceId) -> String {
    format!("{}/record.json", agent(id))
}

/// The bill of materials of an agent.
#[must_use]
pub fn bom(id: &ResourceId) -> String {
    format!("{}/bom.cdx.json", agent(id))
}

/// The catalog entry of another resource.
#[must_use]
pub fn catalog(id: &ResourceId) -> String {
    format!("{}/{}.yaml", catalog_directory(&id.kind, &id.namespace), id.name)
}

/// The catalog directory of a kind in a namespace.
#[must_use]
pub fn catalog_directory(kind: &Kind, namespace: &str) -> String {
    format!("{CATALOG}/{}/{namespace}", kind.plural())
}

/// The cases of an Eval's dataset, beside its catalog entry.
#[must_use]
pub fn cases(eval: &ResourceId) -> String {
    format!("{}/{}.cases.jsonl", catalog_directory(&eval.kind, &eval.namespace), eval.name)
}

/// A resource on the trust branch.
#[must_use]
pub fn on_trust(id: &ResourceId) -> String {
    if id.namespace == crate::resource::name::DEFAULT_NAMESPACE {
        format!("{}/{}.yaml", id.kind.plural(), id.name)
    } else {
        format!("{}/{}/{}.yaml", id.kind.plural(), id.namespace, id.name)
    }
}

/// On the evidence branch: the directory of what people said about one content of a resource.
#[must_use]
pub fn approvals(id: &ResourceId, digest: Option<Digest>) -> String {
    let about = format!("{APPROVALS}/{}/{}", id.namespace, id.name);
    digest.map_or_else(|| about.clone(), |digest| format!("{about}/{}", digest.short()))
}

/// On the evidence branch: the directory of results about an agent, of one closure or of all.
#[must_use]
pub fn evals(agent: &ResourceId, digest: Option<Digest>) -> String {
    let about = format!("{EVALS}/{}/{}", agent.namespace, agent.name);
    digest.map_or_else(|| about.clone(), |digest| format!("{about}/{}", digest.short()))
}

/// On the evidence branch: the result of this id about one closure of an agent.
#[must_use]
pub fn eval_result(agent: &ResourceId, digest: Digest, id: &str) -> String {
    format!("{}/{id}.json", evals(agent, Some(digest)))
}

/// On the evidence branch: the directory of what people saw of a resource, of one content of it or of all.
#[must_use]
pub fn observations(id: &ResourceId, digest: Option<Digest>) -> String {
    let about = format!("{OBSERVATIONS}/{}/{}/{}", id.kind.singular(), id.namespace, id.name);
    digest.map_or_else(|| about.clone(), |digest| format!("{about}/{}", digest.short()))
}

/// On the evidence branch: the directory of holds on a resource, on one content of it or on all.
#[must_use]
pub fn holds(id: &ResourceId, digest: Option<Digest>) -> String {
    let about = format!("{HOLDS}/{}/{}/{}", id.kind.singular(), id.namespace, id.name);
    digest.map_or_else(|| about.clone(), |digest| format!("{about}/{}", digest.short()))
}

/// On the evidence branch: the directory of what was overridden in an environment, of one resource or of all, and of
/// the reviews of it.
#[must_use]
pub fn overrides(environment: &str, id: Option<&ResourceId>) -> String {
    let there = format!("{OVERRIDES}/{environment}");
    id.map_or_else(|| there.clone(), |id| format!("{there}/{}", id.full()))
}

/// On the evidence branch: an override of a release of a resource, or the review of one.
#[must_use]
pub fn override_item(environment: &str, resource: &ResourceId, id: &str) -> String {
    format!("{}/{id}.json", overrides(environment, Some(resource)))
}

/// On the evidence branch: a hold on one content of a resource.
#[must_use]
pub fn hold(id: &ResourceId, digest: Digest, item: &str) -> String {
    format!("{}/{item}.json", holds(id, Some(digest)))
}

/// On the evidence branch: the directory of decisions on an environment.
#[must_use]
pub fn decisions(environment: &str) -> String {
    format!("decisions/{environment}")
}

/// On the evidence branch: the decision that was to be release `number`.
#[must_use]
pub fn decision(environment: &str, number: u64, id: &str) -> String {
    format!("{}/{number}-{id}.json", decisions(environment))
}

/// The tag of a release.
#[must_use]
pub fn release_tag(environment: &str, number: u64) -> String {
    format!("release/{environment}/{number}")
}

/// The tag of a resource version.
#[must_use]
pub fn version_tag(id: &ResourceId, version: u64) -> String {
    format!("{}/v{version}", id.full())
}

/// A tag, read by the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// `release/<environment>/<n>`.
    Release {
        /// The environment.
        environment: String,
        /// Its number there.
        number: u64,
    },
    /// `<kind>/<namespace>/<name>/v<N>`.
    Version {
        /// The resource.
        id: ResourceId,
        /// Its version.
        version: u64,
    },
}

impl Tag {
    /// Reads the name of a tag; `None` for a name outside the grammar.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let number = |digits: &str| {
            let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
            canonical.then(|| digits.parse().ok()).flatten()
        };
        let parts: Vec<_> = name.split('/').collect();
        match parts.as_slice() {
            ["release", environment, n] => {
                crate::resource::name::check_environment(environment).ok()?;
                Some(Self::Release { environment: (*environment).to_owned(), number: number(n)? })
            }
            [kind, namespace, name, version] => {
                let id = ResourceId::new(Kind::from_singular(kind), *namespace, *name);
                let well_formed = id.kind.singular() == *kind
                    && *kind != "release"
                    && crate::resource::name::check_namespace(namespace).is_ok()
                    && crate::resource::name::check_name(name).is_ok()
                    && crate::resource::name::check_kind(id.kind.name()).is_ok();
                let version = number(version.strip_prefix('v')?)?;
                well_formed.then_some(Self::Version { id, version })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_outside_the_grammar_is_no_tag() {
        let version = Tag::parse("mcp-server/default/github/v2");
        assert_eq!(
            version,
            Some(Tag::Version { id: ResourceId::new(Kind::McpServer, "default", "github"), version: 2 })
        );
        assert_eq!(Tag::parse("release/prod/41"), Some(Tag::Release { environment: "prod".into(), number: 41 }));
        for bad in [
            "prod",
            "release/prod/041",
            "release/trust/1",
            "agent/default/x/1",
            "agent/default/x/v01",
            "v1",
            "a/b/c/d/v1",
            "Agent/default/x/v1",
        ] {
            assert_eq!(Tag::parse(bad), None, "{bad}");
        }
    }
}
