//! A look at the words of a Rego text, without comments and strings: which rules it has, and what it must not call.

/// The first word of a line outside of every bracket: the head of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// Functions that are random, or that make as much of nothing as they are asked for.
const REFUSED: [&str; 3] = ["bits", "numbers", "rand"];

/// One word, and what stood before it.
struct Word<'t> {
    text: &'t str,
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
    for word in words(text).into_iter().filter(|word| word.depth == 0) {
        let starts = word.first || default;
        default = word.first && word.text == "default";
        if starts && !default && !["package", "import", "else"].contains(&word.text) {
            heads.push(Head { name: word.text.to_owned(), line: word.line });
        }
    }
    heads
}

/// The first word that must not be called, and its line.
pub(super) fn refused(text: &str) -> Option<(String, usize)> {
    let found = words(text).into_iter().find(|word| !word.after_dot && REFUSED.contains(&word.text));
    found.map(|word| (word.text.to_owned(), word.line))
}

fn words(text: &str) -> Vec<Word<'_>> {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (mut at, mut line, mut depth) = (0, 1, 0_usize);
    let (mut first, mut after_dot) = (true, false);
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
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ if is_word(byte) => {
                let start = at;
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
                words.push(Word { text: &text[start..at], line, depth, first, after_dot });
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
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_stand_first_on_a_line_and_outside_of_brackets() {
        let text = "package joch.release\nimport rego.v1\n# deny in a comment\ndefault deny := false\n\
                    violation contains msg if {\n\twarn\n\tmsg := \"deny\n\"\n}\nhelper(x) := `\nwarn\n` if x\n";
        let told: Vec<_> = heads(text).into_iter().map(|head| (head.name, head.line)).collect();
        assert_eq!(told, [("deny".into(), 4), ("violation".into(), 5), ("helper".into(), 10)]);
    }

    #[test]
    fn what_must_not_be_called_is_found_wherever_it_stands_and_only_there() {
        assert_eq!(refused("a := 1\nb := numbers.range(1, 2)"), Some(("numbers".into(), 2)));
        assert_eq!(refused("b := rand[\"intn\"](1)"), Some(("rand".into(), 1)));
        assert_eq!(refused("b := input.numbers # rand\nc := \"bits\""), None);
    }
}
