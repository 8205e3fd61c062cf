//! A part of a run, and the command that goes on with it.

use std::path::PathBuf;

use crate::eval::Plan;
use crate::resource::ResourceId;
use crate::resource::name::DEFAULT_NAMESPACE;
use crate::workspace::RunDirectory;

use super::super::desk::Desk;
use super::run::runs_of;

/// A part of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The run.
    pub run: String,
    /// The Eval.
    pub eval: ResourceId,
    /// The environment that runs the agent.
    pub environment: String,
    /// Its directory.
    pub directory: PathBuf,
    /// The directory of runs that it is kept in, where that is not the project's own.
    pub elsewhere: Option<PathBuf>,
    /// Units that are done, and all of the part.
    pub done: u64,
    /// See `done`.
    pub of: u64,
    /// The part: `(i, n)`.
    pub shard: Option<(u32, u32)>,
}

impl Part {
    /// The part that this plan is of.
    pub(super) fn of(plan: &Plan, directory: &RunDirectory, desk: &Desk, (done, of): (u64, u64)) -> Self {
        let runs = directory.path().parent();
        let own = runs_of(desk);
        Self {
            run: plan.run.clone(),
            eval: plan.eval.id.clone(),
            environment: plan.subject.environment.clone(),
            directory: directory.path().to_owned(),
            elsewhere: runs.filter(|runs| *runs != own).map(PathBuf::from),
            done,
            of,
            shard: plan.shard,
        }
    }

    /// The command that goes on with it, as a shell takes it.
    #[must_use]
    pub fn command(&self) -> String {
        let mut command = format!("joch eval run {} --target {}", self.eval.name, self.environment);
        if self.eval.namespace != DEFAULT_NAMESPACE {
            command += &format!(" --namespace {}", self.eval.namespace);
        }
        if let Some((i, n)) = self.shard {
            command += &format!(" --shard {i}/{n}");
        }
        if let Some(runs) = &self.elsewhere {
            command += &format!(" --journal {}", word(&runs.display().to_string()));
        }
        format!("{command} --resume {}", self.run)
    }
}

/// One word of a shell: quoted where anything in it could be read as more than itself.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ',' | ':' | '@');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Kind;

    fn part() -> Part {
        Part {
            run: "r1".into(),
            eval: ResourceId::new(Kind::Eval, DEFAULT_NAMESPACE, "quality"),
            environment: "staging".into(),
            directory: "/runs/r1".into(),
            elsewhere: None,
            done: 1,
            of: 2,
            shard: None,
        }
    }

    #[test]
    fn a_command_says_all_that_tells_a_part_from_others() {
        assert_eq!(part().command(), "joch eval run quality --target staging --resume r1");
        let part = Part {
            eval: ResourceId::new(Kind::Eval, "team", "quality"),
            elsewhere: Some("/my runs/of 'now'".into()),
            shard: Some((1, 3)),
            ..part()
        };
        let command = "joch eval run quality --target staging --namespace team --shard 1/3 \
                       --journal '/my runs/of '\\''now'\\''' --resume r1";
        assert_eq!(part.command(), command);
    }
}
