//! How files are read: YAML and JSON in, resources with the place of every value out.
//!
//! Two readers of YAML can take one file for two different things, and whoever writes the file can choose
//! where. So a file is read twice, by parsers that share no code: [`first`] notes places and keeps the limits,
//! [`second`] reads the values again, and where the two differ the file is refused.

mod first;
mod guard;
mod json;
mod second;
mod syntax;

use super::diagnostic::{Document, Finding, Position, Severity, Spans};
use super::envelope::{Resource, is_ours};
use super::kind::Kind;
use super::value::Value;

pub use second::from_stored;

/// What was read from one file.
#[derive(Debug, Default)]
pub struct Read {
    /// The resources, in the order of the file. One at fault is left out and stands under `findings`.
    pub documents: Vec<Document>,
    /// What is wrong with the file.
    pub findings: Vec<Finding>,
}

/// How a reader came to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The file was named: what is in it was meant for joch, so a foreign document is an error.
    Named,
    /// A directory was walked: a foreign document is a notice.
    Walked,
}

/// Reads the resources of one file. A name that ends in `.json` is read as JSON, any other as YAML.
///
/// `file` is only copied into findings; nothing is opened here.
#[must_use]
pub fn read(file: &str, text: &str, found: Found) -> Read {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut read = Read::default();
    let scanned = match scan(file, text) {
        Ok(scanned) => scanned,
        Err(fault) => {
            let mut finding = fault.at(file);
            // What never says `joch.dev` was not meant for joch, whatever else is wrong with it.
            if found == Found::Walked && !text.contains("joch.dev") {
                finding.severity = Severity::Notice;
            }
            read.findings.push(finding);
            return read;
        }
    };
    for document in scanned {
        read_document(file, document, found, &mut read);
    }
    read.findings.sort();
    read
}

/// The largest JSON file of data that is read, in bytes. YAML has the limits of every other file.
const LARGEST_DATA: usize = 16 << 20;

/// Reads a file of one document that is no resource, with the same care. A name that ends in `.json` is read as JSON.
///
/// # Errors
/// The first thing that is wrong.
pub fn read_data(file: &str, text: &str) -> Result<(Value, Spans), Box<Finding>> {
    let scanned = if !file.ends_with(".json") {
        scan(file, text)
    } else if text.len() > LARGEST_DATA {
        let message = format!("the file has {} bytes, more than {LARGEST_DATA}", text.len());
        Err(Fault::new("limit-size", Position::START, message).help("split it into several files"))
    } else {
        json::scan(text)
    };
    let mut documents = scanned.map_err(|fault| Box::new(fault.at(file)))?.into_iter();
    let Some(mut first) = documents.next() else { return Ok((Value::Null, Spans::default())) };
    if !first.faults.is_empty() {
        return Err(Box::new(first.faults.swap_remove(0).at(file)));
    }
    match documents.next() {
        None => Ok((first.value, first.spans)),
        Some(second) => {
            let fault = Fault::new("limit-documents", second.start, "the file holds a second document");
            Err(Box::new(fault.help("write everything into the first").at(file)))
        }
    }
}

/// One document of a file, before anyone asked what it means.
struct Scanned {
    value: Value,
    spans: Spans,
    start: Position,
    faults: Vec<Fault>,
}

/// Something wrong with the text itself.
#[derive(Debug)]
struct Fault {
    rule: &'static str,
    position: Position,
    path: String,
    message: String,
    help: Option<String>,
}

fn scan(file: &str, text: &str) -> Result<Vec<Scanned>, Fault> {
    guard::check_size(text)?;
    if file.ends_with(".json") {
        return json::scan(text);
    }
    guard::check_characters(text)?;
    let mut scanned = first::scan(text)?;
    second::compare(text, &mut scanned)?;
    Ok(scanned)
}

fn read_document(file: &str, scanned: Scanned, found: Found, read: &mut Read) {
    let Scanned { value, spans, start, faults } = scanned;
    if let Some(foreign) = foreign(&value) {
        let severity = if found == Found::Named { Severity::Error } else { Severity::Notice };
        let position = spans.position(foreign.path).unwrap_or(start);
        let fault = Fault { position, ..Fault::new("foreign-resource", start, foreign.message) };
        read.findings.push(Finding { severity, path: foreign.path.into(), help: foreign.help, ..fault.at(file) });
        return;
    }
    if !faults.is_empty() {
        read.findings.extend(faults.into_iter().map(|fault| fault.at(file)));
        return;
    }
    match Resource::check(value) {
        Ok(resource) => read.documents.push(Document { resource, file: file.to_owned(), line: start.line, spans }),
        Err(broken) => {
            let position = spans.position(&broken.path).unwrap_or(start);
            let fault = Fault::new(broken.rule, position, broken.message);
            read.findings.push(Finding { path: broken.path, help: broken.help, ..fault.at(file) });
        }
    }
}

struct Foreign {
    path: &'static str,
    message: String,
    help: Option<String>,
}

/// Why a document is none of ours, if it is none.
fn foreign(value: &Value) -> Option<Foreign> {
    let api_version = value.get("apiVersion").and_then(Value::as_text);
    let kind = value.get("kind").and_then(Value::as_text);
    match (api_version, kind) {
        (Some(ours), _) if is_ours(ours) => None,
        (Some(theirs), kind) => Some(Foreign {
            path: "apiVersion",
            message: format!(
                "`{theirs}` {}is not a resource of joch",
                kind.map(|k| format!("`{k}` ")).unwrap_or_default()
            ),
            help: Some("joch reads the group `joch.dev` and the groups `*.joch.dev`".into()),
        }),
        // A kind we know without its apiVersion is ours with a line missing.
        (None, Some(kind)) if !matches!(Kind::from_name(kind), Kind::Other(_)) => None,
        (None, _) => Some(Foreign {
            path: "",
            message: "no resource: it has neither `apiVersion` nor a `kind` that joch knows".into(),
            help: Some(
                "name the file in `.jochignore`, or begin it with `apiVersion: joch.dev/v1alpha1` and `kind:`".into(),
            ),
        }),
    }
}

impl Fault {
    fn new(rule: &'static str, position: Position, message: impl Into<String>) -> Self {
        Self { rule, position, path: String::new(), message: message.into(), help: None }
    }

    fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn at(self, file: &str) -> Finding {
        let Self { rule, position: Position { line, column }, path, message, help } = self;
        Finding { severity: Severity::Error, rule, message, file: file.to_owned(), line, column, path, help }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::canonical::canonical;
    use super::super::value::{Map, Number};
    use super::*;

    /// Text in which every corner of the canonical form is likely.
    fn text() -> impl Strategy<Value = String> {
        let corner = prop::sample::select(vec![
            "no",
            "1:30",
            "017",
            "~",
            "=",
            "<<",
            "2001-12-14",
            "0x1f",
            "1e3",
            ".nan",
            "- a",
            "a: b",
            "a #b",
            "? a",
            "one\ntwo",
            " a\nb",
            "\n\na\n\n",
            "a\n \nb",
            "a\n\tb",
            "a \nb ",
            "---\na",
            "a\n---\n",
            "# a\nb\n",
            "a\r\nb",
            "\u{85}",
            "\u{2028}",
            "\u{feff}a",
            "🚀\n🚀",
        ]);
        prop_oneof![corner.prop_map(str::to_owned), "[a-z]{1,8}", "[ \\na:#\\-\\t\"'|>0-9]{0,12}", any::<String>(),]
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter_map("finite", Number::from_f64).prop_map(Value::Number),
            text().prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                prop::collection::btree_map(text(), inner, 0..4).prop_map(|map: Map| Value::Map(map)),
            ]
        })
    }

    fn first_reading(text: &str) -> Result<Value, String> {
        let mut scanned = first::scan(text).map_err(|fault| format!("{fault:?}"))?;
        // A document that says nothing but `null` is left out.
        let Some(document) = scanned.pop() else { return Ok(Value::Null) };
        if document.faults.is_empty() { Ok(document.value) } else { Err(format!("{:?}", document.faults)) }
    }

    const TOOL: &str = "apiVersion: joch.dev/v1alpha1\nkind: Tool\nmetadata: {name: t}\nspec:\n  inputSchema: ";

    /// The input schema that a Tool's file gives, or the rules that it breaks.
    fn schema(yaml: &str) -> Result<Value, Vec<&'static str>> {
        let read = read("t.yaml", &format!("{TOOL}{yaml}\n"), Found::Named);
        match read.documents.first() {
            Some(document) => Ok(document.resource.spec().get("inputSchema").cloned().unwrap_or(Value::Null)),
            None => Err(read.findings.iter().map(|finding| finding.rule).collect()),
        }
    }

    #[test]
    fn words_that_are_truth_values_elsewhere_are_text() {
        for word in ["no", "yes", "on", "1:30", "2001-12-14", "0o17x", "=", "1_000"] {
            assert_eq!(schema(word), Ok(word.into()), "{word}");
        }
        assert_eq!(schema("~"), Ok(Value::Null));
        assert_eq!(schema("1.0"), schema("1"));
    }

    #[test]
    fn merging_is_done_as_the_other_reader_does_it_or_refused() {
        let json = |text| serde_json::from_str::<Value>(text).map_err(|_| Vec::new());
        let merged = schema("{x: &x {a: 1, b: 1}, y: {<<: *x, b: 2}}");
        assert_eq!(merged, json(r#"{"x": {"a": 1, "b": 1}, "y": {"a": 1, "b": 2}}"#));
        let twice = schema("{x: &x {a: 1}, y: &y {<<: *x, b: 1}, z: {<<: *y, c: 1}}");
        assert_eq!(twice.map(|schema| schema.get("z").cloned()), json(r#"{"a": 1, "b": 1, "c": 1}"#).map(Some));
        let first_wins = schema("{x: &x {a: 1}, y: &y {a: 2}, z: {<<: [*x, *y]}}");
        assert_eq!(first_wins.map(|schema| schema.get("z").cloned()), json(r#"{"a": 1}"#).map(Some));
        assert_eq!(schema("{<<: {a: 1}, <<: {b: 1}}"), Err(vec!["duplicate-key"]));
        assert_eq!(schema("{'<<': {a: 1}}"), Err(vec!["ambiguous-scalar"]));
    }

    #[test]
    fn what_two_readers_see_differently_is_refused() {
        for yaml in
            ["017", "0b11", "!!int \"3\"", "{0x10: a}", "{True: a}", "1e400", ".inf", "-.INF", "18446744073709551615"]
        {
            assert!(schema(yaml).is_err(), "{yaml}: {:?}", schema(yaml));
        }
    }

    #[test]
    fn keys_are_text() {
        for (yaml, key) in
            [("{017: a}", "017"), ("{1: a}", "1"), ("{no: a}", "no"), ("{'~': a}", "~"), ("{true: a}", "true")]
        {
            assert_eq!(schema(yaml).map(|map| map.get(key).cloned()), Ok(Some("a".into())), "{yaml}");
        }
        for yaml in ["{1: a, \"1\": b}", "{~: a}", "{: a}", "{[a]: b}", "{{a: b}: c}", "{&x a: b}", "{!!str a: b}"] {
            assert!(schema(yaml).is_err(), "{yaml}: {:?}", schema(yaml));
        }
    }

    #[test]
    fn ends_of_lines_and_a_mark_at_the_start_change_nothing() {
        let text = format!("{TOOL}|\n    one\n    two\n---\n{TOOL}x\n");
        let plain: Vec<_> = read("t.yaml", &text, Found::Named).documents.into_iter().map(|d| d.resource).collect();
        assert_eq!(plain.len(), 2);
        for other in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), format!("# x\n---\n---\n{text}---\n...\n")]
        {
            let read = read("t.yaml", &other, Found::Named);
            assert_eq!(read.findings, []);
            assert_eq!(read.documents.into_iter().map(|d| d.resource).collect::<Vec<_>>(), plain);
        }
    }

    #[test]
    fn limits_are_kept() {
        let rule = |text: &str| read("t.yaml", text, Found::Named).findings.first().map(|finding| finding.rule);
        assert_eq!(rule(&"# much\n".repeat(200_000)), Some("limit-size"));
        assert_eq!(rule(&"--- a\n".repeat(1_001)), Some("limit-documents"));
        assert_eq!(rule(&format!("a: &a x\nb: [{}]", "*a, ".repeat(1_001))), Some("limit-aliases"));
        assert_eq!(rule(&format!("[{}]", "a,".repeat(100_001))), Some("limit-nodes"));
        let chain = (1..40).fold("a0: &a0 [x]\n".to_owned(), |text, n| text + &format!("a{n}: &a{n} [*a{}]\n", n - 1));
        assert_eq!(rule(&chain), Some("limit-depth"));
    }

    #[test]
    fn places_count_characters() {
        let text = "apiVersion: joch.dev/v1alpha1\nkind: Tool\nmetadata: {name: t}\nspec: {inputSchema: {\"Größe 🚀\": 1, b: [x, yy]}}\n";
        for file in ["t.yaml", "t.json"] {
            let json = r#"{"apiVersion": "joch.dev/v1alpha1", "kind": "Tool", "metadata": {"name": "t"},
"spec": {"inputSchema": {"Größe 🚀": 1, "b": ["x", "yy"]}}}"#;
            let read = read(file, if file == "t.yaml" { text } else { json }, Found::Named);
            let document = &read.documents[0];
            let place = |path: &str| (document.position(path).line, document.position(path).column);
            let expected = if file == "t.yaml" {
                [(4, 33), (4, 36), (4, 43), (4, 36)]
            } else {
                [(2, 37), (2, 40), (2, 51), (2, 40)]
            };
            let paths = [
                "spec.inputSchema[\"Größe 🚀\"]",
                "spec.inputSchema.b",
                "spec.inputSchema.b[1]",
                "spec.inputSchema.b.none",
            ];
            assert_eq!(paths.map(place), expected, "{file}");
        }
    }

    #[test]
    fn a_foreign_file_is_a_notice_when_walked_to() {
        for text in [
            "apiVersion: batch/v1\nkind: Job\n",
            "services: {}\n",
            "{{ helm }}: [\n",
            "- {a: !Ref x}\n",
            "%YAML 1.1\n---\na: 1",
        ] {
            let found = |found| read("x.yaml", text, found).findings.iter().map(|f| f.severity).collect::<Vec<_>>();
            assert_eq!(found(Found::Named), [Severity::Error], "{text}");
            assert_eq!(found(Found::Walked), [Severity::Notice], "{text}");
        }
    }

    proptest! {
        #[test]
        fn both_readers_read_the_canonical_form_back(value in value()) {
            let text = canonical(&value);
            prop_assert_eq!(from_stored(&text), Ok(value.clone()), "{}", text);
            prop_assert_eq!(first_reading(&text), Ok(value), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(bytes in any::<Vec<u8>>(), markup in "[ \\n\\t:#&*!|>'\"%@{}\\[\\],a0.<?-]{0,60}") {
            for text in [String::from_utf8_lossy(&bytes).into_owned(), markup] {
                for file in ["a.yaml", "a.json"] {
                    drop(read(file, &text, Found::Named));
                }
            }
        }
    }
}
