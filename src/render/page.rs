//! A page of text for people: lines and tables, everything on it escaped.

use unicode_width::UnicodeWidthStr;

use super::escape::escape;

/// Text in the making.
#[derive(Debug, Default)]
pub struct Page {
    out: String,
}

impl Page {
    /// One line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.out.push_str(escape(text.as_ref()).trim_end());
        self.out.push('\n');
    }

    /// An empty line, unless the page is empty or ends in one.
    pub fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// `Label:    value`, the values in one column with those of other calls of the same width. A value without a label
    /// goes on with the one above.
    pub fn field(&mut self, label: &str, value: impl AsRef<str>) {
        let label = if label.is_empty() { String::new() } else { format!("{label}:") };
        self.line(format!("{label:14}{}", value.as_ref()));
    }

    /// A table without borders. The headings are left out where there are none.
    pub fn table(&mut self, headings: &[&str], rows: &[Vec<String>]) {
        self.indented_table(0, headings, rows);
    }

    /// The same, moved to the right.
    pub fn indented_table(&mut self, indent: usize, headings: &[&str], rows: &[Vec<String>]) {
        let escaped = |row: &Vec<String>| row.iter().map(|cell| escape(cell)).collect::<Vec<_>>();
        let mut lines: Vec<Vec<String>> = Vec::new();
        if !headings.is_empty() {
            lines.push(headings.iter().map(|heading| (*heading).to_owned()).collect());
        }
        lines.extend(rows.iter().map(escaped));
        let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| lines.iter().filter_map(|line| Some(line.get(column)?.width())).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns).map(width).collect();
        for line in &lines {
            let mut text = " ".repeat(indent);
            for (cell, width) in line.iter().zip(&widths) {
                text.push_str(cell);
                text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
            }
            self.out.push_str(text.trim_end());
            self.out.push('\n');
        }
    }

    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }
}
