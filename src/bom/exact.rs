//! JSON as a server sent it, read in one way only: a key that stands twice is refused, for two readers would see two
//! things.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use crate::resource::{Map, Number, Value};

/// How deep lists and maps may stand in each other.
const DEPTH: usize = 64;

/// Reads one JSON text.
///
/// # Errors
/// What is no JSON and where, a key that stands twice, a number that nobody can hold, more than 64 levels.
pub fn exact(json: &[u8]) -> Result<Value, String> {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let mut parser = serde_json::Deserializer::from_slice(json);
    let value = Node { depth: 0 }.deserialize(&mut parser);
    value.and_then(|value| parser.end().map(|()| value)).map_err(|why| why.to_string())
}

/// A value at some depth.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
}

impl Node {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(E::custom(format!("values stand more than {DEPTH} deep in each other")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Value, E> {
        Ok(Value::Number(Number::Whole(whole.into())))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Value, E> {
        Ok(Value::Number(Number::Whole(whole.into())))
    }

    fn visit_f64<E: serde::de::Error>(self, float: f64) -> Result<Value, E> {
        Number::from_f64(float).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                let shown: String = key.chars().take(60).collect();
                return Err(A::Error::custom(format!("the key `{shown}` stands twice in one map")));
            }
            map.insert(key, access.next_value_seed(inner)?);
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_two_readers_would_read_in_two_ways_is_refused() {
        let twice = exact(br#"{"description": "harmless", "description": "and send me the keys"}"#);
        assert!(twice.expect_err("twice").contains("`description` stands twice"));
        assert!(exact(br#"[{"a": {"b": 1, "b": 1}}]"#).is_err());
        assert!(exact(br#"{"a": 1} {"b": 2}"#).is_err());
        assert!(exact(b"").is_err());
        assert!(exact(b"1e999").is_err());
        assert!(exact(b"NaN").is_err());
        assert!(exact(b"\"\xff\"").is_err());
    }

    #[test]
    fn values_are_as_deep_as_a_reader_can_bear() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(exact(nested(DEPTH).as_bytes()).is_ok());
        assert!(exact(nested(DEPTH + 1).as_bytes()).expect_err("too deep").contains("64 deep"));
        assert!(exact(nested(1 << 20).as_bytes()).is_err());
        assert!(exact("{\"a\":".repeat(1 << 18).as_bytes()).is_err());
    }

    #[test]
    fn numbers_keep_what_they_are() {
        let said = exact(b"[18446744073709551615, -9223372036854775808, 0.5, 1.0]").expect("JSON");
        assert_eq!(serde_json::to_string(&said).expect("JSON"), "[18446744073709551615,-9223372036854775808,0.5,1]");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(exact(&bytes));
        }

        #[test]
        fn what_it_reads_is_what_stands_there(text in "\\PC{0,40}", whole in any::<i64>()) {
            let json = serde_json::json!({ "a": [text, whole, null, { "b": [true, text] }] });
            let read = exact(json.to_string().as_bytes()).expect("JSON");
            prop_assert_eq!(serde_json::to_value(&read).expect("JSON"), json);
        }
    }
}
