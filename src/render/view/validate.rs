//! `joch validate`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::{Page, View, markdown_text};
use crate::resource::{Finding, Severity};

/// What is wrong with some files.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidationResult {
    /// `valid` or `invalid`.
    #[schemars(extend("enum" = ["valid", "invalid"]))]
    pub verdict: &'static str,
    /// How much was read and found.
    pub counts: Counts,
    /// The findings, in the order of files and lines.
    pub findings: Vec<Finding>,
    /// The names of the resources that were read.
    #[serde(skip)]
    pub resources: Vec<String>,
}

/// How much was read and found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Files that were read.
    pub files: usize,
    /// Resources in them.
    pub resources: usize,
    /// Findings that stand in the way.
    pub errors: usize,
    /// Findings that are likely slips.
    pub warnings: usize,
    /// Findings worth knowing.
    pub notices: usize,
}

impl ValidationResult {
    /// The view of these findings about these resources.
    #[must_use]
    pub fn new(files: usize, resources: Vec<String>, findings: Vec<Finding>) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let counts = Counts {
            files,
            resources: resources.len(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notices: count(Severity::Notice),
        };
        let verdict = if counts.errors == 0 { "valid" } else { "invalid" };
        Self { verdict, counts, findings, resources }
    }

    /// `27 resources in 26 files: valid`.
    fn summary(&self) -> String {
        let some = |count: usize, one: &str| (count > 0).then(|| counted(count, one));
        let valid = (self.counts.errors == 0).then(|| "valid".to_owned());
        let found = [
            valid,
            some(self.counts.errors, "error"),
            some(self.counts.warnings, "warning"),
            some(self.counts.notices, "notice"),
        ];
        let found: Vec<_> = found.into_iter().flatten().collect();
        let (resources, files) = (counted(self.counts.resources, "resource"), counted(self.counts.files, "file"));
        format!("{resources} in {files}: {}", found.join(", "))
    }
}

impl View for ValidationResult {
    fn kind(&self) -> &'static str {
        "ValidationResult"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        for finding in &self.findings {
            let Finding { rule, message, file, line, column, path, help, .. } = finding;
            page.line(format!("{file}:{line}:{column}: {}[{rule}] {message}", word(finding.severity)));
            // Without a path it is the document as a whole, or the text, that is meant.
            if !path.is_empty() {
                page.line(format!("    at {path}"));
            }
            for line in help.iter().flat_map(|help| help.lines()) {
                page.line(format!("    help: {line}"));
            }
        }
        page.gap();
        page.line(self.summary());
    }

    fn names(&self) -> Vec<String> {
        self.resources.clone()
    }

    fn markdown(&self) -> String {
        let mut text = format!("**{}**\n", markdown_text(&self.summary()));
        if self.findings.is_empty() {
            return text;
        }
        text.push_str("\n| where | rule | what | help |\n|---|---|---|---|\n");
        for finding in &self.findings {
            let place = format!("{}:{}:{}", finding.file, finding.line, finding.column);
            let rule = format!("{} {}", word(finding.severity), finding.rule);
            let cells = [&place, &rule, &finding.message, finding.help.as_ref().unwrap_or(&String::new())]
                .map(|cell| markdown_text(&cell.replace('\n', " ")));
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity) -> Finding {
        Finding {
            severity,
            rule: "missing-reference",
            message: "there is no Tool `a|b`".into(),
            file: "agents/x.yaml".into(),
            line: 7,
            column: 9,
            path: "spec.tools[0]".into(),
            help: Some("did you mean `ab`?".into()),
        }
    }

    #[test]
    fn a_finding_says_where_what_and_the_likely_fix() {
        let view = ValidationResult::new(1, vec!["agent/x".into()], vec![finding(Severity::Error)]);
        let expected = "agents/x.yaml:7:9: error[missing-reference] there is no Tool `a|b`\n    at spec.tools[0]\n    \
                        help: did you mean `ab`?\n\n1 resource in 1 file: 1 error\n";
        assert_eq!(crate::render::table(&view, false), expected);
        assert_eq!(view.verdict, "invalid");
        assert!(crate::render::markdown(&view).contains("| there is no Tool \\`a\\|b\\` |"));
    }

    #[test]
    fn a_warning_stands_in_nobodys_way() {
        let view = ValidationResult::new(2, vec!["agent/x".into()], vec![finding(Severity::Warning)]);
        assert_eq!((view.verdict, view.summary().as_str()), ("valid", "1 resource in 2 files: valid, 1 warning"));
    }
}
