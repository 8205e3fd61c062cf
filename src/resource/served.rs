//! Which Model a `provider:model` means.

use super::envelope::Resource;
use super::fields::Candidate;
use super::id::ResourceId;
use super::kind::Kind;
use super::name::DEFAULT_NAMESPACE;
use super::value::Value;

/// What a Model serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Served {
    /// The Model.
    pub id: ResourceId,
    /// Its provider, empty where it names none.
    pub provider: String,
    /// The model's name with that provider, empty where it names none.
    pub model: String,
}

/// Why a candidate means no Model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmatched {
    /// No Model serves it.
    None,
    /// Several do, and none of them has its name.
    Several(Vec<ResourceId>),
}

impl Served {
    /// What a Model serves; `None` for another kind.
    #[must_use]
    pub fn by(resource: &Resource) -> Option<Self> {
        if resource.id().kind != Kind::Model {
            return None;
        }
        let text = |key| resource.spec().get(key).and_then(Value::as_text).unwrap_or_default().to_owned();
        Some(Self { id: resource.id().clone(), provider: text("provider"), model: text("model") })
    }
}

/// The Model that `candidate` means for a resource of `namespace`: of that provider, and of that `model` or
/// name. Looked for in that namespace, then in `default`; of several in one, the one of that name.
///
/// # Errors
/// See [`Unmatched`].
pub fn match_candidate(candidate: &Candidate, namespace: &str, models: &[Served]) -> Result<ResourceId, Unmatched> {
    for place in [namespace, DEFAULT_NAMESPACE] {
        let matching: Vec<&Served> = models
            .iter()
            .filter(|served| served.id.namespace == place && served.provider == candidate.provider)
            .filter(|served| served.model == candidate.model || served.id.name == candidate.model)
            .collect();
        match matching.as_slice() {
            [] => {}
            [one] => return Ok(one.id.clone()),
            several => {
                let of_that_name = several.iter().find(|served| served.id.name == candidate.model);
                let all = || Unmatched::Several(several.iter().map(|served| served.id.clone()).collect());
                return of_that_name.map(|served| served.id.clone()).ok_or_else(all);
            }
        }
    }
    Err(Unmatched::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(namespace: &str, name: &str, model: &str) -> Served {
        let id = ResourceId::new(Kind::Model, namespace, name);
        Served { id, provider: "openai".into(), model: model.into() }
    }

    fn matched(model: &str, models: &[Served]) -> Result<String, Unmatched> {
        let candidate = Candidate { provider: "openai".into(), model: model.into() };
        match_candidate(&candidate, "team-a", models).map(|id| id.full())
    }

    #[test]
    fn a_candidate_is_matched_by_model_or_name_and_two_are_settled_by_name() {
        let mut models = vec![served("default", "big", "gpt-4o"), served("default", "small", "gpt-4o-mini")];
        assert_eq!(matched("gpt-4o", &models), Ok("model/default/big".into()));
        assert_eq!(matched("small", &models), Ok("model/default/small".into()));
        assert_eq!(matched("o1", &models), Err(Unmatched::None));
        models.push(served("default", "other", "gpt-4o"));
        let both = vec![models[0].id.clone(), models[2].id.clone()];
        assert_eq!(matched("gpt-4o", &models), Err(Unmatched::Several(both)));
        models.push(served("default", "gpt-4o", "gpt-4o"));
        assert_eq!(matched("gpt-4o", &models), Ok("model/default/gpt-4o".into()));
        models.push(served("team-a", "ours", "gpt-4o"));
        assert_eq!(matched("gpt-4o", &models), Ok("model/team-a/ours".into()));
    }
}
