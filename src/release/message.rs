//! Commit messages of releases: for people first, then trailers that plain Git can read.
//!
//! The last paragraph holds trailers and nothing else. Text that a user supplies is folded to one line,
//! so that it can forge none.

use crate::gate::GateResult;

use super::event::Event;
use super::manifest::Manifest;
use super::record::Record;

/// Above this many agents a message gives their count instead of a line for each.
const AGENT_LINES: usize = 20;
/// The longest folded text, in characters.
const FOLD_LIMIT: usize = 1000;

/// What a release message is made of.
pub struct MessageFacts<'a> {
    /// The manifest of the release.
    pub manifest: &'a Manifest,
    /// The records of the agents it changed.
    pub records: &'a [Record],
    /// The tip that content came from, for `Joch-Source`.
    pub source_commit: Option<&'a str>,
}

/// Text of a user on one line: every run of white space or control characters is one space.
#[must_use]
pub fn fold(text: &str) -> String {
    let hidden = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let words: Vec<_> = text.split(hidden).filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(FOLD_LIMIT).collect();
    line.trim_end().to_owned()
}

impl MessageFacts<'_> {
    /// The message.
    #[must_use]
    pub fn message(&self) -> String {
        let mut paragraphs = vec![self.title()];
        paragraphs.extend(self.what());
        paragraphs.extend(self.gates());
        paragraphs.push(match &self.manifest.reason {
            Some(reason) => format!("Why - {}", fold(reason)),
            None => "No reason was given.".into(),
        });
        paragraphs.push(self.trailers());
        paragraphs.join("\n\n") + "\n"
    }

    fn title(&self) -> String {
        let manifest = self.manifest;
        let what = match (manifest.agents.as_slice(), manifest.resources.as_slice()) {
            ([agent], _) => match (agent.from_version, agent.to_version) {
                (Some(from), Some(to)) if from != to => format!("{} v{from} -> v{to}", agent.id()),
                (_, Some(to)) => format!("{} v{to}", agent.id()),
                (_, None) => agent.id().to_string(),
            },
            ([], [one]) => match one.to_version {
                Some(version) => format!("{} v{version}", one.id()),
                None => one.id().to_string(),
            },
            ([], several) => format!("{} resources", several.len()),
            (several, _) => format!("{} agents", several.len()),
        };
        let environment = &manifest.environment;
        match (manifest.event, &manifest.source) {
            (Event::Promote, Some(source)) => format!("promote {what}: {source} -> {environment}"),
            (Event::Apply, _) => format!("apply {what} to {environment}"),
            (Event::Rollback, _) => format!("roll back {what} in {environment}"),
            (Event::Delete, _) => format!("delete {what} from {environment}"),
            (Event::Promote, None) => format!("promote {what} to {environment}"),
        }
    }

    /// One line for each changed thing, as a list: no line looks like a trailer.
    fn what(&self) -> Option<String> {
        let manifest = self.manifest;
        let version = |version: Option<u64>| version.map_or_else(|| "none".to_owned(), |version| format!("v{version}"));
        let agents = manifest.agents.iter().take(AGENT_LINES).map(|agent| {
            let diff = self.records.iter().find(|record| record.agent_ref == agent.id());
            let summary = diff.map(|record| crate::diff::summary(&record.diff)).unwrap_or_default();
            let summary = if summary.is_empty() { String::new() } else { format!(" ({})", fold(&summary)) };
            format!("- {} {} -> {}{summary}", agent.id(), version(agent.from_version), version(agent.to_version))
        });
        let resources = manifest.resources.iter().take(AGENT_LINES).map(|resource| {
            format!("- {} {} -> {}", resource.id(), version(resource.from_version), version(resource.to_version))
        });
        let mut lines: Vec<_> = agents.chain(resources).collect();
        let more =
            manifest.agents.len().saturating_sub(AGENT_LINES) + manifest.resources.len().saturating_sub(AGENT_LINES);
        if more > 0 {
            lines.push(format!("- and {more} more"));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn gates(&self) -> Option<String> {
        let mut gates: Vec<&GateResult> = Vec::new();
        for gate in self.records.iter().flat_map(|record| &record.gates) {
            if !gates.iter().any(|seen| seen.label() == gate.label() && seen.reason == gate.reason) {
                gates.push(gate);
            }
        }
        let width = gates.iter().map(|gate| gate.label().len()).max()?;
        let line = |gate: &&GateResult| {
            let waived = match gate {
                gate if gate.overridden.is_some() => " (overridden)",
                gate if gate.advisory => " (advisory)",
                _ => "",
            };
            format!("    {:width$}  {}  {}{waived}", gate.label(), gate.verdict.word(), fold(&gate.reason))
        };
        Some(gates.iter().take(AGENT_LINES).map(line).collect::<Vec<_>>().join("\n"))
    }

    /// One line for each gate that was overridden, with the ticket.
    fn overridden(&self) -> Vec<String> {
        let overrides = self.records.iter().flat_map(|record| &record.overrides);
        let mut lines: Vec<_> =
            overrides.map(|one| format!("Joch-Override: {} {}", one.gate, fold(&one.said.ticket))).collect();
        lines.sort();
        lines.dedup();
        lines
    }

    fn trailers(&self) -> String {
        let manifest = self.manifest;
        let mut lines = vec![format!("Joch-Event: {}", manifest.event), format!("Joch-Release: {}", manifest.name())];
        lines.extend(self.source_commit.map(|commit| format!("Joch-Source: {commit}")));
        lines.push(format!("Joch-Trust: {}", manifest.trust));
        lines.push(format!("Joch-Evidence: {}", manifest.evidence));
        lines.push(format!("Joch-Operator: {}", fold(&manifest.operator.principal.name)));
        lines.extend(manifest.reason.as_ref().map(|reason| format!("Joch-Reason: {}", fold(reason))));
        lines.extend(self.overridden());
        if manifest.agents.len() > AGENT_LINES {
            lines.push(format!("Joch-Agents: {}", manifest.agents.len()));
        } else {
            lines.extend(manifest.agents.iter().map(|agent| {
                let version = |version: Option<u64>| version.map_or_else(String::new, |version| format!("v{version}"));
                let digest = agent.digest.map_or_else(|| "deleted".to_owned(), |digest| digest.to_string());
                let (from, to) = (version(agent.from_version), version(agent.to_version));
                format!("Joch-Agent: {}/{} {from}..{to} {digest}", agent.namespace, agent.name)
            }));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn text_of_a_user_is_one_line_of_what_can_be_seen() {
        assert_eq!(fold("  ok\n\nJoch-Approved-By: ceo@x\r\n---\t\0end "), "ok Joch-Approved-By: ceo@x --- end");
        assert_eq!(fold("a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{1b}[31mf"), "a b c d e [31mf");
        assert_eq!(fold("a\u{202e}b\u{200b}c\u{feff}d\u{2066}e"), "a b c d e");
        assert_eq!(fold("\n \u{200b}"), "");
        assert_eq!(fold("Grüße, 世界 🙂"), "Grüße, 世界 🙂");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(fold(&"é".repeat(100_000)), "é".repeat(1000));
        assert_eq!(fold(&"x \n".repeat(100_000)).lines().count(), 1);
        assert!(!fold(&"xxx ".repeat(1000)).ends_with(' '));
    }
}
