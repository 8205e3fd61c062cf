//! How it is told: one serialisable view for each command, as a table, JSON, YAML or Markdown, and as
//! reports for other programs; escaping at one place.

pub mod contract;
mod escape;
mod page;
pub mod report;
pub mod view;

pub use escape::{escape, markdown_text};
pub use page::Page;

/// The contract that machine output keeps.
pub const API_VERSION: &str = "cli.joch.dev/v1";
/// Grows with additions in its second part, with breaks in its first.
pub const FORMAT_VERSION: &str = "1.0";

/// One command's answer: its fields are the contract, its text is for people and may change.
pub trait View {
    /// The `kind` of its JSON.
    fn kind(&self) -> &'static str;
    /// Its fields.
    fn fields(&self) -> serde_json::Value;
    /// The same, with its `kind`, written at once, where holding all of it in another form would take much memory.
    fn write_json(&self, _: &mut dyn std::io::Write) -> Option<std::io::Result<()>> {
        None
    }
    /// As a person reads it.
    fn text(&self, page: &mut Page, wide: bool);
    /// One name a line, where it lists things that have names.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
    /// Text for another program, printed as it is in every format; only what joch itself made.
    fn verbatim(&self) -> Option<&str> {
        None
    }
    /// The formats for other programs that it has beside those of every command.
    fn reports(&self) -> &'static [report::Format] {
        &[]
    }
    /// In one of these; none where it has no such form.
    fn report(&self, _format: report::Format) -> Option<String> {
        None
    }
    /// As a pull request shows it.
    fn markdown(&self) -> String {
        let mut page = Page::default();
        self.text(&mut page, true);
        escape::fenced("", &page.finish())
    }
}

/// The answer for people.
#[must_use]
pub fn table(view: &dyn View, wide: bool) -> String {
    let mut page = Page::default();
    view.text(&mut page, wide);
    page.finish()
}

/// The answer for machines.
#[must_use]
pub fn json(view: &dyn View) -> String {
    format!("{:#}\n", enveloped(view))
}

/// The answer for machines, as YAML.
#[must_use]
pub fn yaml(view: &dyn View) -> String {
    let value = crate::resource::Value::try_from(enveloped(view)).unwrap_or(crate::resource::Value::Null);
    crate::resource::canonical::canonical(&value)
}

/// Names only.
#[must_use]
pub fn names(view: &dyn View) -> String {
    view.names().into_iter().map(|name| escape(&name) + "\n").collect()
}

/// The answer for pull requests.
#[must_use]
pub fn markdown(view: &dyn View) -> String {
    view.markdown()
}

fn enveloped(view: &dyn View) -> serde_json::Value {
    let mut value = view.fields();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".into(), API_VERSION.into());
        fields.insert("kind".into(), view.kind().into());
        fields.insert("formatVersion".into(), FORMAT_VERSION.into());
    }
    value
}
