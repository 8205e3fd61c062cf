//! A syntax error, told at the line a person would mend. Parsers notice a slip one or two lines late.

use saphyr_parser::ScanError;

use super::super::diagnostic::Position;
use super::Fault;

/// The finding for an error of the first reader.
pub(super) fn explain(text: &str, error: &ScanError) -> Fault {
    let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let reported = error.marker().line().clamp(1, lines.len().max(1));
    // The reported line and up to two written lines before it, the likeliest first.
    let before = (1..reported).rev().filter(|number| is_written(lines[number - 1])).take(2);
    let suspects: Vec<usize> = before.chain([reported]).collect();
    let found = SLIPS.iter().find_map(|slip| {
        suspects.iter().find_map(|&number| {
            let (column, help) = slip(&lines, number - 1)?;
            Some((Position { line: number, column }, help))
        })
    });
    let message = format!("this is not YAML: {}", error.info());
    match found {
        Some((position, help)) => Fault::new("yaml-syntax", position, message).help(help),
        None => Fault::new("yaml-syntax", Position { line: reported, column: error.marker().col() + 1 }, message),
    }
}

/// A slip that people make: given the lines and the index of one, its column and the fix.
type Slip = fn(&[&str], usize) -> Option<(usize, String)>;

const SLIPS: [Slip; 7] =
    [tab, no_space_after_colon, bare_comparison, bare_word, unquoted_colon, open_quote, open_bracket];

/// A tab where YAML wants spaces.
fn tab(lines: &[&str], index: usize) -> Option<(usize, String)> {
    let line = lines[index];
    let lead = line.len() - line.trim_start().len();
    let in_lead = line[..lead].find('\t');
    let after_colon = line.find(":\t").map(|at| at + 1);
    let at = in_lead.or(after_colon)?;
    Some((column(line, at), "put spaces in place of the tab".into()))
}

/// `tone_consistency:0.9`
fn no_space_after_colon(lines: &[&str], index: usize) -> Option<(usize, String)> {
    let line = lines[index];
    let content = line.trim_start().trim_start_matches("- ");
    let (key, value) = content.split_once(':')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if !is_key || value.is_empty() || value.starts_with([' ', '\t', '/']) {
        return None;
    }
    let start = line.len() - content.len();
    Some((column(line, start + key.len()), format!("put a space after the colon: `{key}: {value}`")))
}

/// `task_success: >=0.9`, which begins a block of text.
fn bare_comparison(lines: &[&str], index: usize) -> Option<(usize, String)> {
    let line = lines[index];
    let start = value_start(line);
    let value = line[start..].split(" #").next()?.trim();
    let bound = value.strip_prefix('>')?;
    let is_number = bound.trim_start_matches('=').trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '.');
    is_number.then(|| (column(line, start), format!("quote the comparison: `\"{value}\"`")))
}

/// `deny` on a line of its own, next to `reason: x`.
fn bare_word(lines: &[&str], index: usize) -> Option<(usize, String)> {
    let line = lines[index];
    let word = line.trim();
    let is_word = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let follows_key = lines[..index].iter().rev().find(|line| is_written(line))?.trim_end().ends_with(':');
    (is_word && follows_key && !word.starts_with('-')).then(|| {
        (column(line, line.len() - line.trim_start().len()), format!("`{word}` stands alone: write `{word}: true`"))
    })
}

/// `description: note: this`
fn unquoted_colon(lines: &[&str], index: usize) -> Option<(usize, String)> {
    let line = lines[index];
    let (key, value) = line.split_once(": ")?;
    let value = value.trim();
    if value.starts_with(['"', '\'', '{', '[', '|', '>', '#', '&', '*']) || !value.contains(": ") {
        return None;
    }
    Some((
        column(line, key.len() + 2),
        format!("quote the value, for it has a colon in it: `{}: \"{value}\"`", key.trim()),
    ))
}

/// `instructions: "be kind`
fn open_quote(lines: &[&str], index: usize) -> Option<(usize, String)> {
    let line = lines[index];
    let start = value_start(line);
    let quote = line[start..].chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let closes = line[start + 1..].contains(quote);
    (!closes)
        .then(|| (column(line, start), format!("close the text with `{quote}`; lines that follow must be indented")))
}

/// `tools: [search`
fn open_bracket(lines: &[&str], index: usize) -> Option<(usize, String)> {
    let line = lines[index];
    let start = value_start(line);
    let close = match line[start..].chars().next()? {
        '[' => ']',
        '{' => '}',
        _ => return None,
    };
    (!line.contains(close)).then(|| (column(line, start), format!("close it with `{close}`")))
}

/// The byte at which the value of a line begins: after `key: ` and the dashes of a list.
fn value_start(line: &str) -> usize {
    let after_key = line.find(": ").map_or(0, |at| at + 2);
    line.len() - line[after_key..].trim_start_matches([' ', '-']).len()
}

/// Whether a line says anything.
fn is_written(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// The column, from 1 and in characters, of the byte at `offset`.
fn column(line: &str, offset: usize) -> usize {
    line[..offset].chars().count() + 1
}
