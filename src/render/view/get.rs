//! `joch get KIND`.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::release::Standing;
use crate::render::{Page, View};
use crate::resource::freeze::Freeze;
use crate::resource::view::{Environment, Team};
use crate::resource::{Digest, Kind, Resource, ResourceId};

use super::words;

/// What there is of one kind.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceList {
    /// The kind.
    pub of: Kind,
    /// The environment that was asked for; none for all of them.
    pub environment: Option<String>,
    /// The rungs, lowest first.
    pub ladder: Vec<String>,
    /// By namespace and name.
    pub items: Vec<ListedResource>,
}

/// One resource, and what each environment has of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedResource {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The environments that have it, lowest first.
    pub environments: Vec<Standing>,
    /// Digest of what trust has of it, where it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<Digest>,
    /// Its content.
    #[serde(skip)]
    pub resource: Option<Arc<Resource>>,
}

impl View for ResourceList {
    fn kind(&self) -> &'static str {
        "ResourceList"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.items.is_empty() {
            return;
        }
        let (mut headings, mut rows) = match (&self.of, &self.environment) {
            (Kind::Environment, _) => self.rungs(wide),
            (Kind::Team, _) => self.teams(),
            (_, None) => self.everywhere(),
            (_, Some(_)) => self.in_one(),
        };
        if wide {
            headings.extend(["DIGEST", "LABELS"]);
            for (row, item) in rows.iter_mut().zip(&self.items) {
                let digest = item.environments.last().and_then(|standing| standing.digest).or(item.trust);
                row.push(words::or_none(digest.map(words::digits)));
                row.push(item.labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","));
            }
        }
        let headings: Vec<_> = headings.into_iter().map(str::to_uppercase).collect();
        page.table(&headings.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.id().to_string()).collect()
    }
}

type Table<'a> = (Vec<&'a str>, Vec<Vec<String>>);

impl ResourceList {
    /// One column for each rung, and one for trust where something stands there.
    fn everywhere(&self) -> Table<'_> {
        let trusted = self.items.iter().any(|item| item.trust.is_some());
        let mut headings = vec!["name"];
        headings.extend(self.ladder.iter().map(String::as_str));
        headings.extend(trusted.then_some("trust"));
        let row = |item: &ListedResource| {
            let mut row = vec![words::name(&item.id())];
            for rung in &self.ladder {
                let standing = item.environments.iter().find(|standing| standing.environment == *rung);
                row.push(standing.map_or_else(|| words::NONE.to_owned(), version));
            }
            if trusted {
                row.push(words::or_none(item.trust.map(words::digits)));
            }
            row
        };
        (headings, self.items.iter().map(row).collect())
    }

    fn in_one(&self) -> Table<'_> {
        let row = |item: &ListedResource| {
            let standing = item.environments.first();
            let mut row = vec![words::name(&item.id()), standing.map_or_else(|| words::NONE.to_owned(), version)];
            row.extend(since(standing));
            row
        };
        (vec!["name", "version", "since", "time", "operator"], self.items.iter().map(row).collect())
    }

    fn rungs(&self, wide: bool) -> Table<'_> {
        let row = |item: &ListedResource| {
            let spec = item.resource.as_ref().and_then(|resource| Environment::of(resource).ok());
            let gates = spec.as_ref().map(|spec| spec.gates.as_slice()).unwrap_or_default();
            let gates: Vec<_> = gates.iter().map(|gate| gate.requirement.to_string()).collect();
            let mut row = vec![item.name.clone()];
            let [release, rest @ ..] = since(item.environments.first());
            let overridden = item.environments.first().and_then(|standing| standing.overridden.as_ref());
            row.push(words::marked(release, overridden));
            row.extend(rest);
            row.push(if gates.is_empty() { "none".to_owned() } else { gates.join(", ") });
            if wide {
                row.extend(spec.map_or_else(|| [words::NONE; 2].map(str::to_owned), |spec| stillness(&spec)));
            }
            row
        };
        let mut headings = vec!["name", "release", "time", "operator", "gates"];
        headings.extend(wide.then_some(["soak", "freezes"]).into_iter().flatten());
        (headings, self.items.iter().map(row).collect())
    }

    fn teams(&self) -> Table<'_> {
        let row = |item: &ListedResource| {
            let team = item.resource.as_ref().and_then(|resource| Team::of(resource));
            let namespaces = team.as_ref().map(|team| team.namespaces.join(", ")).filter(|names| !names.is_empty());
            let members: Vec<_> = team.map(|team| team.members).unwrap_or_default();
            let members: Vec<_> = members.iter().map(|member| member.user.as_str()).collect();
            vec![words::name(&item.id()), words::or_none(namespaces), members.join(", ")]
        };
        (vec!["name", "namespaces", "members"], self.items.iter().map(row).collect())
    }
}

/// How long a version must have run in the rung below, and why the environment stands still when it does.
fn stillness(spec: &Environment) -> [String; 2] {
    let soak = match &spec.soak {
        Some(Ok(seconds)) => Some(format!("{seconds} s")),
        Some(Err(_)) => Some("unreadable".to_owned()),
        None => None,
    };
    let why =
        |freeze: &Result<Freeze, String>| freeze.as_ref().map_or("unreadable", |freeze| &freeze.reason).to_owned();
    let freezes = spec.freezes.iter().map(why).collect::<Vec<_>>().join("; ");
    [words::or_none(soak), words::or_none(Some(freezes).filter(|freezes| !freezes.is_empty()))]
}

impl ListedResource {
    fn id(&self) -> ResourceId {
        ResourceId::new(self.kind.clone(), &self.namespace, &self.name)
    }
}

/// The version, or where content has no number its digest.
fn version(standing: &Standing) -> String {
    let version = match (standing.version, standing.digest) {
        (None, Some(digest)) => words::digits(digest),
        (version, _) => words::version(version),
    };
    words::marked(version, &standing.overridden)
}

/// Release, time and operator.
fn since(standing: Option<&Standing>) -> [String; 3] {
    let of = |text: fn(&Standing) -> Option<String>| words::or_none(standing.and_then(text));
    [
        of(|standing| standing.release.clone()),
        of(|standing| standing.time.map(words::time)),
        of(|standing| standing.operator.clone()),
    ]
}
