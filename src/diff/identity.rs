//! The law that ties the two identities together: two resources have one digest exactly when their diff is
//! empty, however their files are spelt: order of keys, comments, quotes, styles, spellings of numbers, JSON.

use proptest::prelude::*;

use super::between;
use super::laws::pair;
use crate::resource::yaml::{Found, read};
use crate::resource::{Kind, Resource, ResourceId, Value};

/// Choices for one spelling, the same for the same seed.
struct Hand(u64);

impl Hand {
    /// A number below `bound` (xorshift64*).
    fn pick(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn coin(&mut self) -> bool {
        self.pick(2) == 0
    }

    /// One of many files that hold `resource`, as YAML.
    fn yaml(&mut self, resource: &Value) -> String {
        let mut text = String::new();
        self.map(resource, 0, &mut text);
        text
    }

    fn map(&mut self, value: &Value, level: usize, text: &mut String) {
        let mut entries: Vec<_> = value.as_map().expect("only maps are written so").iter().collect();
        for at in (1..entries.len()).rev() {
            entries.swap(at, usize::try_from(self.pick(at as u64 + 1)).expect("small"));
        }
        for (key, value) in entries {
            if self.pick(4) == 0 {
                text.push_str("# a comment: with \"quotes\"\n\n");
            }
            let is_block = value.as_map().is_some_and(|map| !map.is_empty()) && self.pick(3) > 0;
            text.push_str(&format!("{}{}:", " ".repeat(2 * level), self.text(key)));
            if is_block {
                text.push('\n');
                self.map(value, level + 1, text);
            } else {
                let comment = if self.coin() { "  # so" } else { "" };
                text.push_str(&format!(" {}{comment}\n", self.flow(value)));
            }
        }
    }

    fn flow(&mut self, value: &Value) -> String {
        match value {
            Value::Null => ["null", "~"][usize::from(self.coin())].to_owned(),
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => {
                let number = number.to_string();
                match (number.contains(['.', 'e']), self.pick(4)) {
                    (true, 0) if !number.contains('e') => number + "00",
                    (false, 0) => number + ".0",
                    (false, 1) => number + ".00",
                    (false, 2) => number + ".0e+0",
                    _ => number,
                }
            }
            Value::Text(text) => self.text(text),
            Value::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.flow(item)).collect();
                format!("[{}]", items.join(if self.coin() { "," } else { " , " }))
            }
            Value::Map(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                if self.coin() {
                    entries.reverse();
                }
                let entries: Vec<_> = entries
                    .into_iter()
                    .map(|(key, value)| format!("{}: {}", self.text(key), self.flow(value)))
                    .collect();
                format!("{{ {} }}", entries.join(", "))
            }
        }
    }

    fn text(&mut self, text: &str) -> String {
        let word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        match self.pick(3) {
            0 if word && !["null", "true", "false"].contains(&text) => text.to_owned(),
            1 if !text.contains(|c: char| c.is_control()) => format!("'{}'", text.replace('\'', "''")),
            _ => serde_json::to_string(text).expect("text is JSON"),
        }
    }
}

/// The resource that holds `value`, by way of no file.
fn tool(value: Value) -> Resource {
    let text = |text: &str| Value::from(text);
    let map = |entries: Vec<(&str, Value)>| -> Value {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let body = map(vec![
        ("apiVersion", text("tools.joch.dev/v1alpha1")),
        ("kind", text(Kind::Tool.name())),
        ("metadata", map(vec![("name", text("t"))])),
        ("spec", map(vec![("inputSchema", value)])),
    ]);
    Resource::from_value(body).expect("a whole envelope")
}

fn read_back(file: &str, text: &str) -> Resource {
    let mut read = read(file, text, Found::Named);
    assert!(read.findings.is_empty(), "{}\n{text}", read.findings[0]);
    read.documents.remove(0).resource
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_digest_means_no_difference_and_no_difference_one_digest((old, new) in pair(), seeds in any::<(u64, u64)>()) {
        let (old, new) = (tool(old), tool(new));
        let spelt = |resource: &Resource, seed: u64| {
            read_back("t.yaml", &Hand(seed | 1).yaml(resource.body()))
        };
        let (a, b) = (spelt(&old, seeds.0), spelt(&new, seeds.1));
        prop_assert_eq!(a.digest(), old.digest());
        prop_assert_eq!(b.digest(), new.digest());
        let id = ResourceId::new(Kind::Tool, "default", "t");
        let changes = between(&id, Some(a.body()), Some(b.body()));
        prop_assert_eq!(changes.is_empty(), a.digest() == b.digest(), "{:?}", changes);
    }

    #[test]
    fn a_file_in_json_is_the_same_resource((old, _) in pair()) {
        let resource = tool(old);
        let json = serde_json::to_string_pretty(resource.body()).expect("a resource is JSON");
        prop_assert_eq!(read_back("t.json", &json).digest(), resource.digest());
    }
}

#[test]
fn spellings_of_one_value_have_one_digest() {
    let of = |value: &str| {
        let head = "apiVersion: joch.dev/v1alpha1\nkind: Tool\nmetadata: {name: t}\nspec:\n  inputSchema: ";
        read_back("t.yaml", &format!("{head}{value}\n")).digest()
    };
    for same in [
        vec!["1", "1.0", "1.00", "+1", "1.0e+0", "0x1"],
        vec!["0.5", "0.50", ".5", "5.0e-1"],
        vec!["a b", "'a b'", "\"a b\"", "\"a\\x20b\"", "a b  # comment"],
        vec!["{a: 1, b: 2}", "{b: 2, a: 1.0}", "\n    b: 2\n    a: 1"],
        vec!["[a, b]", "\n  - a\n  - b", "[\"a\", 'b',]"],
        vec!["~", "null", ""],
    ] {
        let digests: Vec<_> = same.iter().map(|text| of(text)).collect();
        assert!(digests.windows(2).all(|two| two[0] == two[1]), "{same:?}");
    }
    for other in [["1", "'1'"], ["true", "'true'"], ["~", "''"], ["{}", "[]"], ["[a, b]", "[b, a]"], ["1", "1.5"]] {
        assert_ne!(of(other[0]), of(other[1]), "{other:?}");
    }
}
