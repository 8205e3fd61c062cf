//! Why journals make no result.

use std::fmt;

use crate::eval::journal::codec::Damaged;

/// Why journals make no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeTrouble {
    /// There is no journal.
    Nothing,
    /// A file cannot be opened.
    Closed {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// A line cannot be read.
    Damaged(Damaged),
    /// A file does not begin with the plan of its run.
    NoPlan(String),
    /// A journal of a format that this joch does not read.
    Schema {
        /// The file.
        file: String,
        /// The format that it names.
        schema: String,
    },
    /// The journal is of another Eval, or of this Eval with another content.
    OtherEval {
        /// The file.
        file: String,
        /// What it is a journal of.
        eval: String,
    },
    /// Two files whose plans differ.
    OtherPlan {
        /// The file that is compared.
        file: String,
        /// The file that it is compared with.
        with: String,
        /// The field in which they differ.
        field: String,
    },
    /// A line of a case that belongs to another shard than its file.
    WrongShard {
        /// The file.
        file: String,
        /// The case.
        case: String,
        /// The shard of the case.
        belongs: u32,
        /// The shard of the file.
        stands: u32,
    },
    /// A line about something that the plan does not have.
    Stranger {
        /// The file.
        file: String,
        /// What the line is about.
        what: String,
    },
    /// Shards of which there is no journal.
    MissingShards {
        /// Which.
        missing: Vec<u32>,
        /// Of how many.
        of: u32,
    },
}

impl fmt::Display for MergeTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("there is no journal, so there is no result"),
            Self::Closed { file, why } => write!(f, "the journal `{file}` cannot be opened: {why}"),
            Self::Damaged(damaged) => damaged.fmt(f),
            Self::NoPlan(file) => write!(f, "`{file}` does not begin with the plan of a run, so it is no journal"),
            Self::Schema { file, schema } => {
                write!(f, "the journal `{file}` is of schema `{schema}`, which this joch does not read: upgrade joch")
            }
            Self::OtherEval { file, eval } => {
                write!(f, "the journal `{file}` is of {eval}, and not of this Eval as it is now: run it again")
            }
            Self::OtherPlan { file, with, field } => write!(
                f,
                "the journals `{with}` and `{file}` are not of one run: their `{field}` differs; merge only shards of one run"
            ),
            Self::WrongShard { file, case, belongs, stands } => {
                write!(f, "the journal `{file}` is of shard {stands}, and its case `{case}` belongs to shard {belongs}")
            }
            Self::Stranger { file, what } => {
                write!(f, "the journal `{file}` tells of {what}, which its plan does not have")
            }
            Self::MissingShards { missing, of } => {
                let missing: Vec<String> = missing.iter().map(u32::to_string).collect();
                let noun = if missing.len() == 1 { "shard" } else { "shards" };
                write!(f, "there is no journal of {noun} {} of {of}: add it, and merge again", missing.join(", "))
            }
        }
    }
}

impl std::error::Error for MergeTrouble {}

impl From<Damaged> for MergeTrouble {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(damaged)
    }
}
