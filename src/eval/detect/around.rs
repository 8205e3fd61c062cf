//! What stands around a candidate: whether it is a part of something longer, and which words lead to it.

/// The character that ends before `at`.
pub(super) fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

/// The character that begins at `at`.
pub(super) fn after(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}

/// Whether a character belongs to the word beside it. Scripts that write without spaces are no part of a number or
/// a key that stands in them.
pub(super) fn glues(c: char) -> bool {
    c == '_' || c.is_alphanumeric() && u32::from(c) < 0x600
}

/// Whether something is glued to what begins at `at`. The letter of a written line break or tab (`\n`, `\t`), as in
/// JSON, is none.
pub(super) fn glued(text: &str, at: usize) -> bool {
    before(text, at).is_some_and(glues) && !["\\n", "\\r", "\\t"].iter().any(|escape| text[..at].ends_with(escape))
}

/// Whether nothing is glued to `start..end` on either side.
pub(super) fn alone(text: &str, start: usize, end: usize) -> bool {
    !glued(text, start) && !after(text, end).is_some_and(glues)
}

/// Whether a digit stands before `at`, with one of `marks` between, as in `3.14`.
pub(super) fn digit_before(text: &str, at: usize, marks: &[char]) -> bool {
    let mut back = text[..at].chars().rev();
    back.next().is_some_and(|c| marks.contains(&c)) && back.next().is_some_and(|c| c.is_ascii_digit())
}

/// Whether a digit stands after `at`, with one of `marks` between.
pub(super) fn digit_after(text: &str, at: usize, marks: &[char]) -> bool {
    let mut on = text[at..].chars();
    on.next().is_some_and(|c| marks.contains(&c)) && on.next().is_some_and(|c| c.is_ascii_digit())
}

/// Whether one of `words`, in lower case, stands in the `reach` bytes before `at` as a word or the begin of one.
pub(super) fn leads(text: &str, at: usize, reach: usize, words: &[&str]) -> bool {
    let mut from = at.saturating_sub(reach);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let lead = text[from..at].to_ascii_lowercase();
    words
        .iter()
        .any(|word| lead.match_indices(word).any(|(place, _)| !before(&lead, place).is_some_and(char::is_alphanumeric)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_leads_where_it_stands_shortly_before() {
        let text = "His Phone number is 123, his stamp 456";
        let at = |what: &str| text.find(what).expect("there");
        assert!(leads(text, at("123"), 30, &["phone"]));
        assert!(!leads(text, at("456"), 15, &["phone"]));
        assert!(!leads("megaphone 123", 10, 30, &["phone"]));
    }

    #[test]
    fn letters_and_digits_glue_and_signs_do_not() {
        assert!(alone("(12)", 1, 3) && alone("は12は", 3, 5));
        assert!(alone("\\n12\\n", 2, 4) && !alone("n12", 1, 3));
        assert!(!alone("a12", 1, 3) && !alone("12_", 0, 2) && !alone("12я", 0, 2));
    }
}
