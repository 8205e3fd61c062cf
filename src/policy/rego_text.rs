//! A look at the words of a Rego text, without comments and strings: which rules it has, what it must not use, and
//! how deep its rules and brackets go.

use std::collections::{BTreeMap, BTreeSet};

/// The first word of a line outside of every bracket: the head of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    /// Its line, from 1.
    pub(super) line: usize,
    /// Its place among the words.
    word: usize,
}

/// Words that a policy must not use, and why.
const REFUSED: [(&str, &str); 6] = [
    ("bits", "its functions take as much memory as they are asked for"),
    ("data", "there is no data but the input, and rules of its own are called by their name"),
    ("numbers", "its functions take as much memory as they are asked for"),
    ("rand", "a policy comes to the same whenever it is asked"),
    (
        "units",
        "its functions take as much memory as they are asked for, and say nothing of a unit that they do not know",
    ),
    ("with", "a policy sees its input as it is"),
];

/// Functions that say nothing where they cannot answer, so that a rule which asks them does not apply, or that cannot be
/// held to a size, and what to write instead.
const SILENT: [(&str, &str); 6] = [
    (
        "array.slice",
        "it says nothing of ends that are no whole numbers; write `[list[i] | some i; list[i]; i >= from; i < to]`",
    ),
    ("json.marshal_with_options", "it takes as much memory as it is asked for; write `json.marshal`"),
    ("json.remove", "it says nothing where a path is empty; write `object.remove`"),
    (
        "regex.replace",
        "it says nothing of a pattern that cannot be read; write `concat(new, regex.split(pattern, text))`",
    ),
    ("regex.template_match", "it says nothing of delimiters that do not pair; write `regex.match`"),
    ("strings.replace_n", "what it makes cannot be counted beforehand; write `replace` for each"),
];

/// What the names of the functions begin with by which values are counted.
const OURS: &str = "joch__";

/// How many digits the exponent of a number may have: the engine writes out every digit of a whole number.
const MOST_EXPONENT: usize = 3;

/// How many digits of a number may stand in a row.
const MOST_DIGITS: usize = 1000;

/// How deep rules may call rules.
const DEEPEST: usize = 50;

/// How deep `[` and `{` may stand in each other, the braces of a rule's body included. The engine reads what is in such
/// a bracket up to three times, and so for every one around it.
const MOST_NESTED: usize = 8;

/// How many digits the width of a verb of `sprintf` may have: it is filled up with as much.
const MOST_WIDTH: usize = 3;

/// Words before a bracket that call nothing.
const KEYWORDS: [&str; 8] = ["if", "in", "contains", "every", "some", "not", "else", "print"];

/// One word, where it stands, and what stood before it.
struct Word<'t> {
    text: &'t str,
    /// Its first byte in the text.
    start: usize,
    line: usize,
    depth: usize,
    /// Whether it is the first of its line.
    first: bool,
    /// Whether a dot stands before it.
    after_dot: bool,
}

/// The heads of the rules of a text, in its order; `default deny := …` is a head of `deny`.
pub(super) fn heads(text: &str) -> Vec<Head> {
    let mut heads = Vec::new();
    let mut default = false;
    for (index, word) in words(text).into_iter().enumerate().filter(|(_, word)| word.depth == 0) {
        let starts = word.first || default;
        default = word.first && word.text == "default";
        if starts && !default && !["package", "import", "else"].contains(&word.text) {
            heads.push(Head { name: word.text.to_owned(), line: word.line, word: index });
        }
    }
    heads
}

/// The first word or function that must not be used, why, and its line.
pub(super) fn refused(text: &str) -> Option<(&'static str, &'static str, usize)> {
    words(text).into_iter().filter(|word| !word.after_dot).find_map(|word| {
        if word.text.starts_with(OURS) {
            return Some((OURS, "names that begin so are joch's own", word.line));
        }
        let silent = SILENT.into_iter().find(|(name, _)| is_meant(name, &text[word.start..]));
        let (name, why) = REFUSED.into_iter().find(|(name, _)| *name == word.text).or(silent)?;
        Some((name, why, word.line))
    })
}

/// Whether a text begins with a function, by its name, or in brackets, where it may be written in many ways.
fn is_meant(name: &str, text: &str) -> bool {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let in_brackets = || {
        let inner = text.strip_prefix(name.split_once('.')?.0)?.strip_prefix('[')?;
        Some(inner.trim_start().starts_with(['"', '`', '#']))
    };
    text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(is_word)) || in_brackets() == Some(true)
}

/// The first function that is called and that nobody has: neither the text nor the engine. Its line, too.
pub(super) fn unknown_call(text: &str, is_known: impl Fn(&str) -> bool) -> Option<(String, usize)> {
    let heads = heads(text);
    let starts = words(text).into_iter().filter(|word| !word.after_dot);
    let calls = starts.filter_map(|word| {
        let rest = &text[word.start..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
        // The engine sees a call with a blank before its bracket, too.
        rest[end..].trim_start().starts_with('(').then(|| (&rest[..end], word.line))
    });
    let mut unknown = calls.filter(|(name, _)| {
        !KEYWORDS.contains(name) && !heads.iter().any(|head| head.name == **name) && !is_known(name)
    });
    unknown.next().map(|(name, line)| (name.to_owned(), line))
}

/// The line of the first number that is too long to be written out.
pub(super) fn huge(text: &str) -> Option<usize> {
    words(text).into_iter().find_map(|word| {
        // The word after the dot of a number is a part of it.
        let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let after_number = word.after_dot && word.start.checked_sub(2).is_some_and(is_digit);
        let is_number = after_number || is_digit(word.start);
        let start = word.start - usize::from(after_number);
        // As much of what follows as can belong to a number.
        let rest: String = text[start..].chars().take(word.text.len() + MOST_EXPONENT + 3).collect();
        (is_number && long_number(&rest.replace('_', ""))).then_some(word.line)
    })
}

/// Whether a text has a number that is too long to be written out, outside of strings.
pub(super) fn long_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = 0;
    let mut in_string = false;
    while at < bytes.len() {
        if bytes[at] == b'"' {
            in_string = !in_string;
        }
        if in_string {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
            continue;
        }
        let run = digits(at);
        if run > MOST_DIGITS {
            return true;
        }
        at += run;
        let after_digit = run > 0 || (at > 0 && bytes[at - 1] == b'.');
        if after_digit && matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            if digits(at + 1 + sign) > MOST_EXPONENT {
                return true;
            }
        }
        at += 1;
    }
    false
}

/// The first `sprintf` whose format is not to be seen, or may fill up as much as it likes: its line, and why.
pub(super) fn wide(text: &str) -> Option<(usize, String)> {
    words(text).into_iter().filter(|word| !word.after_dot && word.text == "sprintf").find_map(|word| {
        let rest = text[word.start + word.text.len()..].trim_start();
        let Some(format) = rest.strip_prefix('(').and_then(format_of) else {
            return Some((word.line, "the format of `sprintf` stands where it is used, as text".to_owned()));
        };
        let wide = format.replace("%%", "").split('%').skip(1).any(|verb| {
            verb.trim_start_matches('.').chars().take_while(|char| char.is_numeric()).count() > MOST_WIDTH
                || verb.starts_with('*')
        });
        wide.then(|| (word.line, format!("a width in `sprintf` has {MOST_WIDTH} digits at most")))
    })
}

/// The text that a call begins with, if it is the whole of its first argument.
fn format_of(arguments: &str) -> Option<String> {
    let arguments = arguments.trim_start();
    let (format, rest) = if let Some(raw) = arguments.strip_prefix('`') {
        let (format, rest) = raw.split_once('`')?;
        (format.to_owned(), rest)
    } else {
        let mut texts = serde_json::Deserializer::from_str(arguments).into_iter::<String>();
        let format = texts.next()?.ok()?;
        (format, &arguments[texts.byte_offset()..])
    };
    rest.trim_start().starts_with(',').then_some(format)
}

/// The line of the first `[` or `{` that stands too deep in others, and why it is refused.
pub(super) fn too_nested(text: &str) -> Option<(usize, String)> {
    let line = scan(text).1?;
    Some((line, format!("more than {MOST_NESTED} of `[` and `{{` stand in each other here, and no more are read")))
}

/// A rule that calls itself, if only through others, or that goes too deep, and why it is refused. A word that is the
/// name of a rule counts as a call of it.
pub(super) fn too_deep(text: &str) -> Option<(String, String)> {
    let heads = heads(text);
    let names: BTreeSet<&str> = heads.iter().map(|head| head.name.as_str()).collect();
    let mut calls: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let words = words(text);
    for (index, head) in heads.iter().enumerate() {
        let end = heads.get(index + 1).map_or(words.len(), |next| next.word);
        let called = words[head.word + 1..end].iter().filter(|word| !word.after_dot);
        let called = called.map(|word| word.text).filter(|word| names.contains(word));
        let name = names.get(head.name.as_str()).copied().unwrap_or_default();
        calls.entry(name).or_default().extend(called);
    }
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    // Rules whose calls are all known are known in turn; a ring never is.
    while depths.len() < calls.len() {
        let mut known = Vec::new();
        for (name, called) in calls.iter().filter(|(name, _)| !depths.contains_key(**name)) {
            let below: Option<Vec<usize>> = called.iter().map(|called| depths.get(called).copied()).collect();
            known.extend(below.map(|below| (*name, 1 + below.into_iter().max().unwrap_or_default())));
        }
        if known.is_empty() {
            let ring = calls.keys().find(|name| !depths.contains_key(**name))?;
            return Some(((*ring).to_owned(), "it calls itself, if only through others".into()));
        }
        if let Some((name, depth)) = known.iter().find(|(_, depth)| *depth > DEEPEST) {
            return Some((
                (*name).to_owned(),
                format!("it goes {depth} rules deep, and {DEEPEST} are followed at most"),
            ));
        }
        depths.extend(known);
    }
    None
}

fn words(text: &str) -> Vec<Word<'_>> {
    scan(text).0
}

/// The words of a text, and the line of the first bracket that stands deeper than [`MOST_NESTED`].
fn scan(text: &str) -> (Vec<Word<'_>>, Option<usize>) {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (mut at, mut line, mut depth) = (0, 1, 0_usize);
    let (mut first, mut after_dot) = (true, false);
    let (mut nested, mut too_nested) = (0_usize, None);
    let mut words = Vec::new();
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'\n' => {
                line += 1;
                first = true;
            }
            b'#' => {
                while at + 1 < bytes.len() && bytes[at + 1] != b'\n' {
                    at += 1;
                }
            }
            b'"' | b'`' => {
                at += 1;
                while at < bytes.len() && bytes[at] != byte {
                    line += usize::from(bytes[at] == b'\n');
                    at += if bytes[at] == b'\\' && byte == b'"' { 2 } else { 1 };
                }
                first = false;
            }
            b'{' | b'[' => {
                (depth, nested) = (depth + 1, nested + 1);
                if nested > MOST_NESTED {
                    too_nested = too_nested.or(Some(line));
                }
            }
            b'}' | b']' => (depth, nested) = (depth.saturating_sub(1), nested.saturating_sub(1)),
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if is_word(byte) => {
                let start = at;
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
                words.push(Word { text: &text[start..at], start, line, depth, first, after_dot });
                (first, after_dot) = (false, false);
                continue;
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            first &= byte == b'#';
            after_dot = byte == b'.';
        }
        at += 1;
    }
    (words, too_nested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_stand_first_on_a_line_and_outside_of_brackets() {
        let text = "package joch.release\nimport rego.v1\n# deny in a comment\ndefault deny := false\n\
                    violation contains msg if {\n\twarn\n\tmsg := \"deny\n\"\n}\nhelper(x) := `\nwarn\n` if x\n";
        let told: Vec<_> = heads(text).into_iter().map(|head| (head.name, head.line)).collect();
        assert_eq!(told, [("deny".to_owned(), 4), ("violation".into(), 5), ("helper".into(), 10)]);
    }

    #[test]
    fn what_must_not_be_used_is_found_wherever_it_stands_and_only_there() {
        let refused = |text| refused(text).map(|(name, _, line)| (name, line));
        assert_eq!(refused("a := 1\nb := numbers.range(1, 2)"), Some(("numbers", 2)));
        assert_eq!(refused("b := rand[\"intn\"](1)"), Some(("rand", 1)));
        assert_eq!(refused("a := data.joch.release.b"), Some(("data", 1)));
        assert_eq!(refused("a if b with input as {}"), Some(("with", 1)));
        assert_eq!(refused("b := input.numbers # rand\nc := \"bits\"\nd := input.data"), None);
    }

    #[test]
    fn a_function_that_nobody_has_is_found() {
        let unknown = |text: &str| unknown_call(text, |name| name == "count");
        assert_eq!(unknown("f(x) := count(x)\na := f(1) if (true)\nb if not(a)"), None);
        assert_eq!(unknown("a := 1\nb if { input.x; http.send({}) }"), Some(("http.send".into(), 2)));
        for blank in [" ", "\t", " \n"] {
            assert_eq!(unknown(&format!("a if f{blank}(1)")), Some(("f".into(), 1)), "{blank:?}");
            assert_eq!(unknown(&format!("f(x) := count{blank}(x)\na if {{ f{blank}(1) }}")), None, "{blank:?}");
        }
    }

    #[test]
    fn rules_that_call_themselves_or_go_too_deep_are_found() {
        let said = |text: &str| too_deep(text).map(|(name, _)| name);
        assert_eq!(said("f(x) := f(x)"), Some("f".into()));
        assert_eq!(said("a := b\nb := c(1)\nc(x) := a if x"), Some("a".into()));
        assert_eq!(said("a := input.a\nb := a\nc := [a, b]\ndeny contains a if c"), None);
        let chain = |most: usize| (1..most).map(|n| format!("r{n} := r{}\n", n + 1)).collect::<String>();
        assert_eq!(said(&format!("{}r50 := 1", chain(50))), None);
        assert_eq!(said(&format!("{}r51 := 1", chain(51))), Some("r1".into()));
    }
    #[test]
    fn brackets_that_stand_too_deep_in_each_other_are_found() {
        let line = |text: &str| too_nested(text).map(|(line, _)| line);
        let nested = |open: &str, close: &str, most| format!("{}1{}", open.repeat(most), close.repeat(most));
        assert_eq!(line(&format!("a if {{\n\tx := {}\n}}", nested("[", "]", 7))), None);
        assert_eq!(line(&format!("a if {{\n\tx := {}\n}}", nested("[", "]", 8))), Some(2));
        assert_eq!(line(&nested("{1: [(", ")]}", 5)), Some(1), "round brackets between them change nothing");
        assert_eq!(line(&format!("a := \"{}\" # {0}\nb := [[1], [2]]", "[".repeat(20))), None);
        assert_eq!(line(&"a := [1]\n".repeat(20)), None, "beside each other, not in each other");
    }
    #[test]
    fn a_number_that_is_too_long_to_be_written_out_is_found() {
        for long in ["1e9999", "1E+9999", "1.5e-9999", "0.e9999", "1_0e9_9_9_9", &"9".repeat(1001)] {
            assert_eq!(huge(&format!("a := 1\nb := {long}")), Some(2), "{long}");
        }
        let fine = "a := 1e308\nb := \"1e9999\" # 1e9999\nc := input.e9999\nd := x1e9999 + 1.5e-7";
        assert_eq!(huge(fine), None);
    }
    #[test]
    fn a_format_that_fills_up_as_much_as_it_likes_is_found() {
        let said = |text: &str| wide(text).map(|(line, why)| (line, why.contains("digits at most")));
        for fine in ["sprintf(\"%s: %5d, %.2f, %% %03d\", [a, b, c, d])", "sprintf(\n\t`%999d` , [1])", "input.sprintf"]
        {
            assert_eq!(said(fine), None, "{fine}");
        }
        for wide in ["%1000d", "%.9999f", "%%%99999d", "%*d", "%\\u0039999d", "%\u{0661}999d"] {
            assert_eq!(said(&format!("a := 1\nb := sprintf(\"{wide}\", [1])")), Some((2, true)), "{wide}");
        }
        for hidden in
            ["sprintf(input.x, [1])", "sprintf (concat(\"\", [a]), [1])", "sprintf(\"a\" | b, [1])", "sprintf"]
        {
            assert_eq!(said(hidden), Some((1, false)), "{hidden}");
        }
    }
    #[test]
    fn a_function_that_may_say_nothing_is_found_however_it_is_written() {
        let refused = |text| refused(text).map(|(name, _, line)| (name, line));
        assert_eq!(refused("a := 1\nb := regex.replace(\"a\", \"(\", \"b\")"), Some(("regex.replace", 2)));
        assert_eq!(refused("b := array[ `slice` ] ([1], 0, 0.5)"), Some(("array.slice", 1)));
        assert_eq!(refused("b := regex[\"\\u0072eplace\"](a, b, c)"), Some(("regex.replace", 1)));
        assert_eq!(refused("b := json.remove(input, [[]])"), Some(("json.remove", 1)));
        let fine =
            "a := regex.match(b, c)\nd := array.concat([1], array[0])\ne := input.regex.replace\nf := json.removed";
        assert_eq!(refused(fine), None);
    }
}
