//! A component as a question names it: a resource, a model by what its provider calls it, or a container image.

use std::fmt;

use crate::resource::Kind;

use super::failure::Failure;
use super::find::parse_kind;

/// A component that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Used {
    /// A resource; in any namespace where none is named.
    Resource {
        /// Its kind.
        kind: Kind,
        /// Its namespace.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// A model by the name of its Model, or as its provider calls it: `gpt-4.1-2025-04-14`,
    /// `openai/gpt-4.1-2025-04-14`.
    Model(String),
    /// A container image that begins so.
    Image(String),
}

impl Used {
    /// Reads `KIND/NAME` or `KIND/NAMESPACE/NAME`.
    ///
    /// # Errors
    /// It has another form, a kind that joch does not know, or one that no agent is made of.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let parts: Vec<_> = text.split('/').collect();
        let (kind, namespace, name) = match parts.as_slice() {
            [kind, name] => (kind, None, name),
            [kind, namespace, name] => (kind, Some((*namespace).to_owned()), name),
            _ => return Err(Failure::usage(format!("`{text}` names no component: write `KIND/NAME`"))),
        };
        let kind = parse_kind(kind)?;
        match never_held(&kind) {
            None => Ok(Self::Resource { kind, namespace, name: (*name).to_owned() }),
            Some(why) => Err(Failure::usage(format!("`{text}` is in no bill of materials: {why}"))),
        }
    }

    /// A text that every line of an agent which holds it has in it.
    pub(super) fn hint(&self) -> &str {
        match self {
            Self::Resource { name, .. } => name,
            Self::Model(text) | Self::Image(text) => text,
        }
    }

    pub(super) fn is(&self, component: &str) -> bool {
        let resource = |kind: &Kind, namespace: Option<&str>, name: &str| {
            let mut parts = component.split('/');
            let same = parts.next() == Some(&kind.singular());
            let within = parts.next();
            same && (namespace.is_none() || within == namespace) && parts.next() == Some(name)
        };
        match self {
            Self::Resource { kind, namespace, name } => resource(kind, namespace.as_deref(), name),
            Self::Model(text) => {
                let served = component.strip_prefix(MODEL);
                served.is_some_and(|served| served == text || served.split_once('/').is_some_and(|(_, id)| id == text))
                    || resource(&Kind::Model, None, text)
            }
            Self::Image(prefix) => component.strip_prefix(IMAGE).is_some_and(|image| image.starts_with(prefix)),
        }
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource { kind, namespace: None, name } => write!(f, "{}/{name}", kind.singular()),
            Self::Resource { kind, namespace: Some(within), name } => write!(f, "{}/{within}/{name}", kind.singular()),
            Self::Model(text) => write!(f, "{MODEL}{text}"),
            Self::Image(text) => write!(f, "{IMAGE}{text}"),
        }
    }
}

/// Why no agent is made of resources of this kind, where none is.
fn never_held(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Eval => Some("an Eval measures agents, and is no part of one"),
        Kind::Deployment => Some("a Deployment says where an agent goes, and is no part of it"),
        Kind::Environment | Kind::Team | Kind::Approval => Some("it stands over agents, and is no part of one"),
        Kind::AgBom => Some("it is one itself"),
        Kind::Other(_) => Some("joch does not know the kind, and takes up none of it"),
        _ => None,
    }
}

/// What begins a model that a provider serves, and a container image.
pub(super) const MODEL: &str = "model ";
pub(super) const IMAGE: &str = "image ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_no_agent_is_made_of_are_refused_with_the_reason() {
        for (text, why) in [
            ("eval/x", "measures agents"),
            ("deployment/x", "says where an agent goes"),
            ("team/x", "stands over agents"),
            ("environment/prod", "stands over agents"),
            ("feature-flags/x", "does not know the kind"),
        ] {
            let refused = Used::parse(text).expect_err(text);
            assert!(refused.message.contains(why), "{}", refused.message);
        }
        for text in ["secret/key", "tool/default/x", "agent/a", "model/m"] {
            assert_eq!(Used::parse(text).expect(text).to_string(), text);
        }
    }
}
