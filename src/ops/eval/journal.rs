//! The journals of runs as files: opened twice for a result, read once to know what is left to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::eval::{
    Damaged, Definition, Entry, Journals, Line, Plan, Reply, RunResult, Unit, aggregate, merge, read_lines,
};
use crate::resource::Resource;
use crate::workspace::{RunDirectory, read_journal};

use super::super::failure::Failure;

/// The file of a run that holds its dataset, as it was when the run began.
pub(super) const CASES: &str = "cases";
/// The file of a run that names the evidence that came of it.
pub(super) const RESULT: &str = "evidence";

/// Journals in files.
struct Files<'a>(&'a [PathBuf]);

impl Journals for Files<'_> {
    fn names(&self) -> Vec<String> {
        self.0.iter().map(|path| path.display().to_string()).collect()
    }

    fn open(&self, index: usize) -> Result<Box<dyn Iterator<Item = Result<Entry, Damaged>> + '_>, String> {
        let path = &self.0[index];
        let file = read_journal(path).map_err(|why| why.to_string())?;
        Ok(Box::new(read_lines(path.display().to_string(), file)))
    }
}

/// The result of a run in one piece.
///
/// # Errors
/// The journals cannot be read, or are not of this Eval.
pub(super) fn result_of(definition: &Definition, journals: &[PathBuf]) -> Result<RunResult> {
    aggregate(definition, &Files(journals)).map_err(|why| Failure::could_not("journal", why.to_string()).into())
}

/// The result of a run whose parts these are.
///
/// # Errors
/// They are not all parts of one run.
pub(super) fn merged(definition: &Definition, journals: &[PathBuf]) -> Result<RunResult> {
    merge(definition, &Files(journals)).map_err(|why| {
        Failure::could_not("journal", why.to_string())
            .next("name the journals of all shards of one run, and of no other")
            .into()
    })
}

/// The plan with which a journal begins; none for an empty file.
///
/// # Errors
/// The file cannot be read, or begins with something else.
pub(super) fn plan_of(path: &Path) -> Result<Option<Plan>> {
    let mut lines = read_lines(path.display().to_string(), read_journal(path)?);
    match lines.next() {
        None => Ok(None),
        Some(Ok(Entry { line: Line::Plan(plan), .. })) => Ok(Some(*plan)),
        Some(Ok(_)) => {
            let message = format!("`{}` does not begin with the plan of a run", path.display());
            Err(Failure::could_not("journal", message)
                .next("it is no journal of joch, or its beginning was cut off")
                .into())
        }
        Some(Err(damaged)) => Err(Failure::could_not("journal", damaged.to_string()).into()),
    }
}

/// The Eval that a plan holds, if it is the one whose digest it names.
///
/// # Errors
/// It is another, or cannot be read.
pub(super) fn definition_of(plan: &Plan) -> Result<Definition> {
    let damaged =
        |why: String| Failure::could_not("journal", format!("the plan of `{}` cannot be read: {why}", plan.run));
    let eval = Resource::from_canonical(&plan.definition).map_err(damaged)?;
    if eval.digest() != plan.eval.digest || *eval.id() != plan.eval.id {
        return Err(damaged("it holds another Eval than it names".into()).into());
    }
    Definition::of(&eval).map_err(|faults| damaged(faults.join("; ")).into())
}

/// Whether a run was begun there. One that was killed before it wrote its plan was not: nothing was paid for.
///
/// # Errors
/// As [`plan_of`].
pub(super) fn is_begun(directory: &RunDirectory) -> Result<bool> {
    Ok(directory.is_begun() && plan_of(&directory.journal_path())?.is_some())
}

/// What stands in a journal, by unit. What does not, such as an answer that only the way to the agent prevented or an
/// opinion that a judge never gave, is not done.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What there is of each unit and each canary.
    pub(super) units: BTreeMap<Unit, Progressed>,
}

/// What there is of one unit.
#[derive(Debug, Default, Clone)]
pub(super) struct Progressed {
    /// Whether the agent had its chance, and whether it answered.
    pub(super) answered: Option<bool>,
    /// The opinions that a judge gave, as judge and sample.
    pub(super) opinions: BTreeSet<(u32, u32)>,
    /// Whether the programs have scored it.
    pub(super) programmed: bool,
}

impl Done {
    /// Reads what a journal tells.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let mut done = Self::default();
        for_each(path, |line| match line {
            Line::Answer(answered) if answered.stands() => {
                let known = done.units.entry(answered.unit).or_default();
                known.answered.get_or_insert(answered.outcome.reply.is_ok());
            }
            Line::Opinion(opinion) if opinion.stands() => {
                done.units.entry(opinion.unit).or_default().opinions.insert((opinion.judge, opinion.sample));
            }
            Line::Program(programmed) => done.units.entry(programmed.unit.clone()).or_default().programmed = true,
            Line::Answer(_) | Line::Opinion(_) | Line::Plan(_) | Line::Lag(_) => {}
        })?;
        Ok(done)
    }
}

/// The answers of these units.
///
/// # Errors
/// The journal is damaged.
pub(super) fn replies(path: &Path, of: &BTreeSet<Unit>) -> Result<BTreeMap<Unit, Reply>> {
    let mut replies = BTreeMap::new();
    if of.is_empty() {
        return Ok(replies);
    }
    for_each(path, |line| {
        if let Line::Answer(answered) = line
            && of.contains(&answered.unit)
            && let Ok(reply) = answered.outcome.reply
        {
            replies.entry(answered.unit).or_insert(reply);
        }
    })?;
    Ok(replies)
}

fn for_each(path: &Path, mut take: impl FnMut(Line)) -> Result<()> {
    for entry in read_lines(path.display().to_string(), read_journal(path)?) {
        let entry = entry.map_err(|damaged| {
            Failure::could_not("journal", damaged.to_string()).next("begin a new run: what is damaged is not guessed")
        })?;
        take(entry.line);
    }
    Ok(())
}
