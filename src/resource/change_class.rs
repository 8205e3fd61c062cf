//! Classes of change: the words by which an Environment demands more of some changes. Which a change is of is computed
//! from its diff, and never said by anybody.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name::nearest;

/// What sort of change it is; the widest last. A change can be of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeClass {
    /// Words that nothing reads but people.
    DocumentationOnly,
    /// Prompts, and beside them documentation alone.
    PromptOnly,
    /// Prompts, and more than prompts.
    PromptChanged,
    /// The agent may do less than before.
    CapabilityNarrowed,
    /// A control asks for more.
    ControlStrengthened,
    /// The framework, its image, a pinned version.
    DependencyChanged,
    /// Memory, knowledge, or the cases of an Eval.
    DataChanged,
    /// A model, a route, or which of them the agent uses.
    ModelChanged,
    /// The agent may do more than before, or nobody can tell.
    CapabilityWidened,
    /// A control asks for less, or nobody can tell.
    ControlWeakened,
}

impl ChangeClass {
    /// All of them, the widest last.
    pub const ALL: [Self; 10] = [
        Self::DocumentationOnly,
        Self::PromptOnly,
        Self::PromptChanged,
        Self::CapabilityNarrowed,
        Self::ControlStrengthened,
        Self::DependencyChanged,
        Self::DataChanged,
        Self::ModelChanged,
        Self::CapabilityWidened,
        Self::ControlWeakened,
    ];

    /// The class of this word, if there is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }

    /// What is wrong with a word that is no class: which was meant, if one is near, and which there are.
    #[must_use]
    pub fn help(word: &str) -> String {
        let words = Self::ALL.map(Self::word);
        let meant = nearest(word, words).map(|meant| format!("did you mean `{meant}`? "));
        format!("{}A class is one of {}", meant.unwrap_or_default(), words.join(", "))
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DocumentationOnly => "documentation-only",
            Self::PromptOnly => "prompt-only",
            Self::PromptChanged => "prompt-changed",
            Self::CapabilityNarrowed => "capability-narrowed",
            Self::ControlStrengthened => "control-strengthened",
            Self::DependencyChanged => "dependency-changed",
            Self::DataChanged => "data-changed",
            Self::ModelChanged => "model-changed",
            Self::CapabilityWidened => "capability-widened",
            Self::ControlWeakened => "control-weakened",
        }
    }
}

impl fmt::Display for ChangeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
