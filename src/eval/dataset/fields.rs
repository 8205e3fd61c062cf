//! Which field of a record means what, where a team's files call it otherwise.

use std::collections::BTreeMap;

use crate::resource::Value;
use crate::resource::name::nearest;

use super::Format;
use super::trouble::Slip;

/// The fields of a record, by joch's names.
pub(super) const KNOWN: [&str; 8] =
    ["id", "input", "messages", "expected", "rubric", "expected_tools", "tags", "metadata"];

/// For fields of a case the field of a record that holds them: `expected: ideal`. One within another is written with
/// dots: `input: item.question`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldMap(BTreeMap<&'static str, String>);

impl FieldMap {
    /// Reads `spec.dataset.fields` of an Eval.
    ///
    /// # Errors
    /// It is no map from fields of a case to names; the message says what to write.
    pub fn of(dataset: &Value) -> Result<Self, String> {
        let map = match dataset.get("fields") {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Map(map)) => map,
            Some(other) => {
                return Err(format!(
                    "`fields` is a map, not {}: write, say, `fields: {{ input: question }}`",
                    other.type_name()
                ));
            }
        };
        let mut fields = BTreeMap::new();
        for (key, value) in map {
            let key = if key == "expectedTools" { "expected_tools" } else { key };
            let Some(field) = KNOWN.iter().find(|known| **known == key && key != "metadata") else {
                return Err(match nearest(key, KNOWN) {
                    Some(meant) => format!("a case has no field `{key}`: did you mean `{meant}`?"),
                    None => format!("a case has no field `{key}`: it has {}", KNOWN[..7].join(", ")),
                });
            };
            let name = value.as_text().filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| format!("`fields.{key}` names a field of the records: write a text"))?;
            if let Some((other, _)) = fields.iter().find(|(_, taken)| *taken == name) {
                return Err(format!("`{name}` cannot be both `{other}` and `{field}`: mend one of the two"));
            }
            fields.insert(*field, name.to_owned());
        }
        Ok(Self(fields))
    }

    /// The field of a record that holds this field of a case, if the Eval says one.
    pub(super) fn of_case(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Every pair: the field of a case, and of a record.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(field, name)| (*field, name.as_str()))
    }

    /// Refuses to be given with a format whose fields have meanings of their own.
    pub(super) fn none_for(&self, format: Format) -> Result<(), Slip> {
        if self.0.is_empty() {
            return Ok(());
        }
        let what = format!("`spec.dataset.fields` means nothing for the format `{}`", format.word());
        Err(Slip::new(what, "remove it, or take `format: joch` or `csv`"))
    }
}
