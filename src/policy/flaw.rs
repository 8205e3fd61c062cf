//! What keeps a Policy from being judged at all.

/// One place of a Policy that cannot be acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where it stands: `spec.rules[0].when`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The likely fix.
    pub help: Option<String>,
}

impl Flaw {
    pub(super) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
