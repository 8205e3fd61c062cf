//! What is printed as it is, for another program: schemas, completions. It comes from joch itself, or is
//! escaped as the other program would have it.

use crate::render::{Page, View};

/// Text for another program.
#[derive(Debug, Clone)]
pub struct Verbatim(pub String);

impl View for Verbatim {
    fn kind(&self) -> &'static str {
        "Text"
    }

    fn fields(&self) -> serde_json::Value {
        serde_json::json!({ "text": self.0 })
    }

    fn text(&self, page: &mut Page, _wide: bool) {
        self.0.lines().for_each(|line| page.line(line));
    }

    fn verbatim(&self) -> Option<&str> {
        Some(&self.0)
    }
}
