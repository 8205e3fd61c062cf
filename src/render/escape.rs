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

/// Text as a code span of Markdown, where nothing is a mention, a link or HTML; safe in a cell of a table, and no
/// word to the program that collects a log. Backticks become quotes.
#[must_use]
pub(super) fn markdown_code(text: &str) -> String {
    let text = unheard(&escape(text).replace('`', "'").replace('|', "\\|"));
    // A code span that is empty, or begins and ends with a space, is none or loses its spaces.
    format!("`{}`", if text.trim().is_empty() { "-" } else { text.trim() })
}

/// Several lines of untrusted text as a code block of Markdown.
#[must_use]
pub(super) fn markdown_block(text: &str) -> String {
    fenced("", &escape_lines(text))
}

/// Several lines of untrusted text, each escaped for a terminal; none is a word to the program that collects a log.
#[must_use]
pub(super) fn escape_lines(text: &str) -> String {
    text.lines().map(|line| unheard(&escape(line))).collect::<Vec<_>>().join("\n")
}

/// Text for HTML, in an element or a quoted attribute; well-formed XML too.
#[must_use]
pub(super) fn html_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in xml_text(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text that XML can hold: what it forbids even in escaped form is shown as `\u{…}`. Markup is for the writer to
/// escape.
#[must_use]
pub(super) fn xml_text(text: &str) -> String {
    escape_lines(text).replace(['\u{fffe}', '\u{ffff}'], "")
}

/// The message of a workflow command.
#[must_use]
pub(super) fn command_message(text: &str) -> String {
    escape_lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
#[must_use]
pub(super) fn command_property(text: &str) -> String {
    command_message(&text.replace(['\r', '\n'], " ")).replace(':', "%3A").replace(',', "%2C")
}

/// The value of a label in OpenMetrics, without its quotes.
#[must_use]
pub(super) fn label_value(text: &str) -> String {
    // What `escape` shows as `\u{…}` has a backslash, which the second step doubles.
    escape(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// At most `limit` characters, and where it was cut.
#[must_use]
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} … (cut)", &text[..at]),
    }
}

/// Text in which a program that collects a log hears no command: those begin a line with `::`, or stand anywhere
/// as `##[`.
fn unheard(line: &str) -> String {
    let line = line.replace("##[", "#\\#[");
    let start = line.len() - line.trim_start().len();
    if line[start..].starts_with("::") { format!("{}\\{}", &line[..start], &line[start..]) } else { line }
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
        // What has no width or no shape hides words from a person and not from a model. `U+FE0F` makes emoji.
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}')
        || matches!(c, '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0e}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_moves_the_cursor_or_turns_words_round() {
        assert_eq!(escape("a\u{1b}[2J\u{202e}b\u{e0041}"), "a\\u{1b}[2J\\u{202e}b\\u{e0041}");
        assert_eq!(escape("Größe 🚀 ✔\u{fe0f}"), "Größe 🚀 ✔\u{fe0f}");
        assert_eq!(escape("a\u{ad}\u{3164}\u{fe01}\u{e0101}b"), "a\\u{ad}\\u{3164}\\u{fe01}\\u{e0101}b");
    }

    #[test]
    fn no_mention_link_or_html_is_made_of_text() {
        assert_eq!(markdown_text("@ops <b> [x](y) #1"), "&#64;ops &lt;b&gt; \\[x\\]\\(y\\) &#35;1");
        assert_eq!(fenced("", "a\n````\n"), "`````\na\n````\n`````\n");
    }

    #[test]
    fn a_code_span_stays_one_and_ends_no_cell() {
        assert_eq!(markdown_code("a`b` | @org/team"), "`a'b' \\| @org/team`");
        assert_eq!(markdown_code(" \n"), "`\\u{a}`");
        assert_eq!(markdown_code("  "), "`-`");
        assert_eq!(markdown_code("x ##[error]y"), "`x #\\#[error]y`");
    }

    #[test]
    fn no_line_of_a_block_is_a_command_to_the_runner_that_prints_it() {
        let block = markdown_block("::error::pwned\n  ::set-env name=A::b\nfine :: fine\n```\n\u{1b}[2J");
        assert_eq!(block, "````\n\\::error::pwned\n  \\::set-env name=A::b\nfine :: fine\n```\n\\u{1b}[2J\n````\n");
    }

    #[test]
    fn a_workflow_command_is_one_line_with_the_properties_it_was_given() {
        assert_eq!(command_message("50%\r\n::error::x"), "50%25%0A\\::error::x");
        assert_eq!(command_property("a,b::c\nd##[e"), "a%2Cb%3A%3Ac d#\\#[e");
    }

    #[test]
    fn a_label_cannot_end_itself() {
        assert_eq!(label_value("a\"} 1\n\\"), "a\\\"} 1\\\\u{a}\\\\");
    }

    #[test]
    fn html_and_xml_hold_only_what_they_may() {
        assert_eq!(html_text("</script>'\"&\u{0}\u{ffff}"), "&lt;/script&gt;&#39;&quot;&amp;\\u{0}");
        assert_eq!(xml_text("]]>\u{b}\n\u{202e}"), "]]>\\u{b}\n\\u{202e}");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äöü … (cut)");
    }
}
