//! The scores of one trial by metric: a small map, of which a run holds many.

use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::definition::Score;

/// Scores by metric, in the order of the metrics' names, which all trials of a run can share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scores(Vec<(Arc<str>, Score)>);

impl Scores {
    /// No scores.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a score, in place of one that the metric had.
    pub fn insert(&mut self, metric: impl Into<Arc<str>>, score: Score) {
        let metric = metric.into();
        match self.0.binary_search_by(|(known, _)| known.cmp(&metric)) {
            Ok(at) => self.0[at].1 = score,
            Err(at) => self.0.insert(at, (metric, score)),
        }
    }

    /// The score of a metric.
    #[must_use]
    pub fn get(&self, metric: &str) -> Option<&Score> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(metric)).ok()?;
        Some(&self.0[at].1)
    }

    /// Every metric with its score.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Score)> {
        self.0.iter().map(|(metric, score)| (&**metric, score))
    }

    /// The scores alone.
    pub fn values(&self) -> impl Iterator<Item = &Score> {
        self.0.iter().map(|(_, score)| score)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all of them away.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<K: Into<Arc<str>>> FromIterator<(K, Score)> for Scores {
    fn from_iter<I: IntoIterator<Item = (K, Score)>>(scores: I) -> Self {
        let scores = scores.into_iter();
        let mut all = Self(Vec::with_capacity(scores.size_hint().0));
        scores.for_each(|(metric, score)| all.insert(metric, score));
        all
    }
}

impl IntoIterator for Scores {
    type Item = (Arc<str>, Score);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;

        impl<'de> Visitor<'de> for Map {
            type Value = Scores;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of scores")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scores, A::Error> {
                let mut scores = Scores::new();
                while let Some((metric, score)) = map.next_entry::<String, Score>()? {
                    if scores.get(&metric).is_some() {
                        return Err(serde::de::Error::custom(format!("`{metric}` has two scores")));
                    }
                    scores.insert(metric, score);
                }
                Ok(scores)
            }
        }

        deserializer.deserialize_map(Map)
    }
}

impl JsonSchema for Scores {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EvalScores".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        <std::collections::BTreeMap<String, Score>>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Decimal;

    #[test]
    fn a_metric_has_one_score() {
        let mut scores: Scores =
            [("b", Score::Scored(Decimal::ONE)), ("a", Score::Scored(Decimal::ZERO))].into_iter().collect();
        scores.insert("b", Score::Unscored("why".into()));
        let json = serde_json::to_string(&scores).expect("JSON");
        assert_eq!(json, r#"{"a":{"scored":0.0},"b":{"unscored":"why"}}"#);
        assert_eq!(serde_json::from_str::<Scores>(&json).expect("scores"), scores);
        assert!(serde_json::from_str::<Scores>(r#"{"a":{"scored":1},"a":{"scored":0}}"#).is_err());
        assert_eq!(scores.get("c"), None);
    }
}
