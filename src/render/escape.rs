//! Text from resources, datasets, models and reasons is untrusted. This is the one place where it is made
//! safe to show.

/// Text for a terminal: control and bidirectional characters are shown as `\u{…}`, so that nothing moves the
/// cursor, hides words or turns them round.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// Text inside a paragraph of Markdown: no mention, link, HTML or table cell can be made of it.
#[must_use]
pub fn markdown_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A zero-width joiner would be hidden text of our own; an entity is plain.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            ':' => out.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Text as a code block whose fence is longer than any in it.
#[must_use]
pub(super) fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_moves_the_cursor_or_turns_words_round() {
        assert_eq!(escape("a\u{1b}[2J\u{202e}b\u{e0041}"), "a\\u{1b}[2J\\u{202e}b\\u{e0041}");
        assert_eq!(escape("Größe 🚀"), "Größe 🚀");
    }

    #[test]
    fn no_mention_link_or_html_is_made_of_text() {
        assert_eq!(markdown_text("@ops <b> [x](y) #1"), "&#64;ops &lt;b&gt; \\[x\\]\\(y\\) &#35;1");
        assert_eq!(fenced("", "a\n````\n"), "`````\na\n````\n`````\n");
    }
}
