//! The values of Secrets: out of the variable that a Secret names, or the one that is named for it.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::ledger::Environment;
use crate::net::Credentials;
use crate::resource::name::DEFAULT_NAMESPACE;
use crate::resource::{Kind, ResourceId, Value};

use super::caller::Caller;
use super::failure::Failure;

/// Where the values of Secrets are looked for.
pub(super) struct Secrets<'a, 'w> {
    /// The environment whose catalog has them.
    pub(super) environment: &'a Environment<'a, 'a>,
    /// Whose variables have their values.
    pub(super) caller: &'a Caller<'w>,
}

impl Secrets<'_, '_> {
    /// The values of these Secrets.
    ///
    /// # Errors
    /// There is no such Secret, it has no value, or it is kept where joch does not look.
    pub(super) fn all<'n>(&self, names: impl Iterator<Item = &'n str>) -> Result<Credentials> {
        let mut values = BTreeMap::new();
        for name in names {
            values.insert(name.to_owned(), self.value(name)?);
        }
        Ok(Credentials::new(values))
    }

    /// The value of the variable that the Secret names.
    fn value(&self, name: &str) -> Result<String> {
        let mut record = None;
        let (namespace, own_name) = name.split_once('/').unwrap_or((self.caller.namespace(), name));
        for namespace in [namespace, DEFAULT_NAMESPACE] {
            record = record.or(self.environment.entry(&ResourceId::new(Kind::Secret, namespace, own_name))?);
        }
        let source = record.as_ref().and_then(|record| record.spec().get("source"));
        let text = |key| source.and_then(|source| source.get(key)).and_then(Value::as_text);
        let own = format!("JOCH_SECRET_{}", own_name.to_ascii_uppercase().replace(['-', '.'], "_"));
        let mut variables: Vec<&str> = Vec::new();
        if text("type") == Some("env") {
            variables.extend(text("key").into_iter().chain(text("name")));
        }
        variables.push(&own);
        if let Some(value) = variables.iter().find_map(|variable| self.caller.variable(variable)) {
            return Ok(value.to_owned());
        }
        let message = match (&record, text("type")) {
            (None, _) => format!("there is no Secret `{name}` in `{}`", self.environment.name()),
            (Some(_), Some("env")) => format!("the Secret `{name}` has no value: `{}` is not set", variables[0]),
            (Some(_), kind) => format!(
                "the Secret `{name}` is kept in {}, where joch does not look",
                kind.unwrap_or("a place it does not name")
            ),
        };
        Err(Failure::credentials("no-secret", message).next(format!("set the variable `{}`", variables[0])).into())
    }
}
