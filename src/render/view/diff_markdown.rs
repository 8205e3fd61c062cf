//! A diff as a comment on a pull request: a verdict, a table, the changes folded away. Everything that comes
//! from resources is untrusted, and a comment has an end: what is cut is said.

use crate::diff::{self, Change};
use crate::release::Word;
use crate::render::escape::fenced;
use crate::render::{escape, markdown_text};
use crate::resource::ResourceId;

use super::diff::{DiffResult, delta_lines};

/// Hosts refuse a comment of more than 65,536 characters.
const BUDGET: usize = 60_000;
/// What is kept free for saying what was left out.
const RESERVE: usize = 2_000;
/// How many things a table or a list names before it counts.
const ROWS: usize = 100;
const NAMED: usize = 20;

/// The comment.
pub(super) fn page(result: &DiffResult) -> String {
    let mut out = head(result);
    let mut left_out = Vec::new();
    let sections = result.changes.chunk_by(|a, b| a.resource == b.resource).map(section);
    for (id, section) in sections.chain(components(result)) {
        if out.chars().count() + section.chars().count() + RESERVE > BUDGET {
            left_out.push(id);
        } else {
            out.push_str(&section);
        }
    }
    if !left_out.is_empty() {
        out.push_str(&format!(
            "\n**Left out here**, because a comment holds {BUDGET} characters: {}. `joch diff` shows it all.\n",
            some(&left_out)
        ));
    }
    out.push_str(&format!("\n<sub>joch {}</sub>\n", env!("CARGO_PKG_VERSION")));
    out
}

fn head(result: &DiffResult) -> String {
    let changed: Vec<_> = result.resources.iter().filter(|resource| resource.change != Word::Unchanged).collect();
    let key = result.subject.as_ref().map(ResourceId::full).or(result.from.environment.clone()).unwrap_or_default();
    // Names hold no `>`, so that nothing ends this comment early; a later run finds its comment by it.
    let mut out = format!("<!-- joch:diff {key} -->\n### joch: {}\n\n", code(&result.title().replace("  ", " ")));
    if result.changes.is_empty() {
        out.push_str("No effective change.\n");
        return out;
    }
    out.push_str("| Resource | | Version | What changes |\n|---|---|---|---|\n");
    for resource in changed.iter().take(ROWS) {
        let id = resource.id();
        let own: Vec<Change> =
            result.changes.iter().filter(|change| result.subject.is_some() || change.resource == id).cloned().collect();
        let summary = if own.is_empty() { "through what it holds".to_owned() } else { diff::summary(&own) };
        let cells = [code(&id.to_string()), resource.change.word().to_owned(), code(&resource.versions())];
        out.push_str(&format!("| {} | {} |\n", cells.join(" | "), markdown_text(&summary).replace('\n', " ")));
    }
    if changed.len() > ROWS {
        out.push_str(&format!("\nand {} more\n", changed.len() - ROWS));
    }
    if result.subject.is_some() && !result.affected.is_empty() {
        let agents: Vec<_> = result.affected.iter().map(|a| ResourceId::agent(&a.namespace, &a.name)).collect();
        out.push_str(&format!("\nAlso held by {}.\n", some(&agents)));
    }
    out.push('\n');
    out
}

/// The changes of one resource, folded away.
fn section(changes: &[Change]) -> (ResourceId, String) {
    let id = changes[0].resource.clone();
    let count = if changes.len() == 1 { "1 change".to_owned() } else { format!("{} changes", changes.len()) };
    let lines: String = diff::lines(changes).iter().map(line).collect();
    let folded = format!(
        "<details><summary>{}: {count}</summary>\n\n{}\n</details>\n",
        markdown_text(&id.to_string()),
        fenced("diff", &lines)
    );
    (id, folded)
}

/// One line with its sign first, where hosts look for the colour.
fn line(line: &diff::Line) -> String {
    let sign = if line.sign == '~' { '!' } else { line.sign };
    format!("{sign} {}{}\n", "  ".repeat(line.indent), escape(&line.text))
}

fn components(result: &DiffResult) -> Option<(ResourceId, String)> {
    let lines = [("", &result.abom), ("imposed: ", &result.imposed)];
    let lines: String = lines
        .iter()
        .flat_map(|(what, delta)| {
            delta_lines(delta).into_iter().map(move |line| format!("{}{what}{}\n", &line[..2], &line[2..]))
        })
        .map(|line| line.replacen('~', "!", 1))
        .collect();
    if lines.is_empty() {
        return None;
    }
    let id = result.subject.clone().unwrap_or_else(|| ResourceId::agent("default", "components"));
    Some((id, format!("<details><summary>Components</summary>\n\n{}\n</details>\n", fenced("diff", &lines))))
}

/// Text between backticks: names, versions and digests hold none.
fn code(text: &str) -> String {
    format!("`{}`", escape(text).replace('`', "'"))
}

/// The first few, and how many more.
fn some(ids: &[ResourceId]) -> String {
    let mut told: Vec<_> = ids.iter().take(NAMED).map(|id| code(&id.to_string())).collect();
    if ids.len() > NAMED {
        told.push(format!("{} more", ids.len() - NAMED));
    }
    told.join(", ")
}
