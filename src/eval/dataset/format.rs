//! The formats of datasets.

use crate::resource::Value;
use crate::resource::name::nearest;

/// How a dataset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, or a JSON list of them.
    Joch,
    /// A table with a row of column names.
    Csv,
    /// Tests as promptfoo has them: YAML, JSON or JSON lines.
    Promptfoo,
    /// Samples as inspect_ai has them: JSON lines, JSON or CSV.
    Inspect,
    /// Samples as OpenAI evals has them: JSON lines.
    OpenAiEvals,
    /// An evalset of the Agent Development Kit: one JSON document.
    AdkEvalset,
}

/// The formats by the words that a file writes.
pub(crate) const WORDS: [(&str, Format); 6] = [
    ("joch", Format::Joch),
    ("csv", Format::Csv),
    ("promptfoo", Format::Promptfoo),
    ("inspect", Format::Inspect),
    ("openai-evals", Format::OpenAiEvals),
    ("adk-evalset", Format::AdkEvalset),
];

impl Format {
    /// The format of the dataset that `spec.dataset` of an Eval describes: as its `format` says, else as the name of the
    /// file tells.
    ///
    /// # Errors
    /// The format is not known, or the name tells none; the message says what to write.
    pub fn of(dataset: &Value, name: &str) -> Result<Self, String> {
        match dataset.get("format") {
            None | Some(Value::Null) => Self::of_name(name).ok_or_else(|| {
                format!(
                    "the name `{name}` does not tell the format of the cases: write `format:` with one of {}",
                    known()
                )
            }),
            Some(Value::Text(word)) => {
                WORDS.iter().find(|(known, _)| known == word).map(|(_, format)| *format).ok_or_else(|| {
                    match nearest(word, WORDS.iter().map(|(known, _)| *known)) {
                        Some(meant) => format!("joch does not know the format `{word}`: did you mean `{meant}`?"),
                        None => format!("joch does not know the format `{word}`: write one of {}", known()),
                    }
                })
            }
            Some(other) => Err(format!("`format` is a word, not {}: write one of {}", other.type_name(), known())),
        }
    }

    /// The format that the name of a file tells.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".evalset.json"]) {
            Some(Self::AdkEvalset)
        } else if ends(&[".jsonl", ".ndjson", ".json"]) {
            Some(Self::Joch)
        } else if ends(&[".csv"]) {
            Some(Self::Csv)
        } else {
            None
        }
    }

    /// The word that a file writes for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(_, format)| *format == self).map_or("joch", |(word, _)| word)
    }
}

fn known() -> String {
    WORDS.map(|(word, _)| format!("`{word}`")).join(", ")
}
