//! Enough of Rust's grammar to know which paths a file names: comments and literals are blanked, `use`
//! trees and `::` paths are flattened. Macros are read as if they were plain code.

/// A path that a file names, such as `std::fs::read`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Whether it stands in a `#[cfg(test)]` module.
    pub(crate) in_tests: bool,
}

impl Path {
    /// Whether the path begins with these segments, written with `::`.
    pub(crate) fn starts_with(&self, prefix: &str) -> bool {
        prefix.split("::").enumerate().all(|(at, segment)| self.segments.get(at).is_some_and(|s| s == segment))
    }

    /// Whether these segments, written with `::`, stand anywhere in the path.
    pub(crate) fn contains(&self, inner: &str) -> bool {
        let inner: Vec<_> = inner.split("::").collect();
        self.segments.windows(inner.len()).any(|window| window == inner)
    }
}

/// Every path in `code`, in order. A single word counts only where it is a `use`.
pub(crate) fn paths(code: &str) -> Vec<Path> {
    let code = blank(code);
    let tokens = tokens(&code);
    let mut reader = Reader { tokens: &tokens, at: 0, depth: 0, tests_end: None, found: Vec::new() };
    reader.read();
    reader.found
}

/// `code` with comments and the insides of literals as spaces; lines stay where they are.
pub(crate) fn blank(code: &str) -> String {
    let bytes = code.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        for byte in &mut out[at..end.unwrap_or(at)] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.unwrap_or(at + 1);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The end of the comment or literal that begins at `at`, if one does.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let in_word = at > 0 && is_word(bytes[at - 1]);
    if rest.starts_with(b"//") {
        return Some(at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return Some(at + comment_length(rest));
    }
    if rest[0] == b'"' {
        return Some(at + quoted_length(rest, b'"'));
    }
    if rest[0] == b'r' && (!in_word || bytes[at - 1] == b'b') {
        let hashes = rest[1..].iter().take_while(|b| **b == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
            let body = 2 + hashes;
            let length = rest[body..].windows(close.len()).position(|window| window == close);
            return Some(at + length.map_or(rest.len(), |length| body + length + close.len()));
        }
    }
    // `'a'` and `'\n'` are characters, `'a` is a lifetime.
    if rest[0] == b'\'' && !in_word {
        let width = std::str::from_utf8(rest).ok()?.chars().nth(1)?.len_utf8();
        if rest.get(1) == Some(&b'\\') || rest.get(1 + width) == Some(&b'\'') {
            return Some(at + quoted_length(rest, b'\''));
        }
    }
    None
}

/// The length of the block comment at the start of `rest`; such comments nest.
fn comment_length(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of the quoted literal at the start of `rest`.
fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// A word, `::`, or any other single character, with its line.
fn tokens(code: &str) -> Vec<(&str, usize)> {
    let bytes = code.as_bytes();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let start = at;
        at += 1;
        if is_word(bytes[start]) {
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
        } else if bytes[start..].starts_with(b"::") {
            at += 1;
        } else if bytes[start].is_ascii_whitespace() {
            line += usize::from(bytes[start] == b'\n');
            continue;
        }
        found.push((&code[start..at], line));
    }
    found
}

struct Reader<'a> {
    tokens: &'a [(&'a str, usize)],
    at: usize,
    /// How many braces are open.
    depth: usize,
    /// The depth at which the test module that is being read ends.
    tests_end: Option<usize>,
    found: Vec<Path>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some(&(token, _)) = self.tokens.get(self.at) {
            match token {
                "{" => self.depth += 1,
                "}" => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.tests_end == Some(self.depth) {
                        self.tests_end = None;
                    }
                }
                "#" if self.is_test_module() => {
                    self.tests_end.get_or_insert(self.depth);
                }
                "use" => {
                    self.at += 1;
                    self.tree(&[], true);
                    continue;
                }
                word if self.begins_path(word) => {
                    self.tree(&[], false);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether `#[cfg(test)] mod name {` stands here, perhaps with more attributes between.
    fn is_test_module(&self) -> bool {
        let rest = self.tokens[self.at..].iter().map(|(token, _)| *token);
        if !rest.clone().take(7).eq(["#", "[", "cfg", "(", "test", ")", "]"]) {
            return false;
        }
        let mut item =
            rest.skip_while(|token| !matches!(*token, "mod" | "fn" | "use" | "struct" | "enum" | "impl" | "const"));
        item.next() == Some("mod") && item.nth(1) == Some("{")
    }

    fn begins_path(&self, word: &str) -> bool {
        let before = self.at.checked_sub(1).map(|at| self.tokens[at].0);
        (word == "::" || is_word(word.as_bytes()[0])) && before != Some(".")
    }

    /// Reads one path or `use` tree that continues `prefix`.
    fn tree(&mut self, prefix: &[String], is_use: bool) {
        let mut segments = prefix.to_vec();
        let line = self.tokens.get(self.at).map_or(0, |(_, line)| *line);
        loop {
            match self.peek() {
                Some("::") => self.at += 1,
                Some("{") if is_use || self.follows_colons() => return self.group(&segments, is_use),
                Some("*") if is_use && self.follows_colons() => {
                    segments.push("*".into());
                    self.at += 1;
                    break;
                }
                Some(word) if is_word(word.as_bytes()[0]) => {
                    segments.push(word.to_owned());
                    self.at += 1;
                    if self.peek() != Some("::") {
                        break;
                    }
                }
                _ => break,
            }
        }
        if segments.len() > 1 || (is_use && !segments.is_empty()) {
            self.found.push(Path { segments, line, in_tests: self.tests_end.is_some() });
        }
        // The new name is no path.
        if is_use && self.peek() == Some("as") {
            self.at += 2;
        }
    }

    fn group(&mut self, prefix: &[String], is_use: bool) {
        self.at += 1;
        while let Some(token) = self.peek() {
            match token {
                "}" => {
                    self.at += 1;
                    return;
                }
                "," => self.at += 1,
                _ => {
                    let before = self.at;
                    self.tree(prefix, is_use);
                    self.at += usize::from(self.at == before);
                }
            }
        }
    }

    fn follows_colons(&self) -> bool {
        self.at > 0 && self.tokens[self.at - 1].0 == "::"
    }

    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(|(token, _)| *token)
    }
}

#[test]
fn a_use_tree_is_flattened() {
    let code =
        "use std::{env, fs::{self as disk, File}, io};\nuse git2 as g;\nfn f() { crate::diff::of(x.y); a.fs::<u8>() }";
    let found: Vec<_> = paths(code).iter().map(|path| path.segments.join("::")).collect();
    assert_eq!(found, ["std::env", "std::fs::self", "std::fs::File", "std::io", "git2", "crate::diff::of"]);
}

#[test]
fn comments_and_literals_name_nothing() {
    let code = r####"
        // std::fs::read
        /* /* git2::A */ git2::B */
        let a = "git2::C \" git2::D"; let b = r#"git2::E " git2::F"#; let c = b"git2::G";
        let d = '"'; let e: &'static str = "git2::H"; let f = '\''; let g = 'ü'; let h = br"git2::I";
        git2::J;
    "####;
    let found: Vec<_> = paths(code).iter().map(|path| path.segments.join("::")).collect();
    assert_eq!(found, ["git2::J"]);
}

#[test]
fn a_test_module_ends_where_its_brace_closes() {
    let code = "a::b; #[cfg(test)]\nmod tests { fn f() { c::d } }\nmod other { e::f }";
    let found: Vec<_> = paths(code).iter().map(|path| (path.segments.join("::"), path.line, path.in_tests)).collect();
    assert_eq!(found, [("a::b".into(), 1, false), ("c::d".into(), 2, true), ("e::f".into(), 3, false)]);
}
