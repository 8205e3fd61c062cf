//! `joch agbom`.

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

use crate::ops::{Caller, Failure, agbom, parse_target};
use crate::render::view::{AgbomDiff, AgbomResult, BillComponent, DiffSide, Verbatim};

use super::agbom_ls::LsArgs;
use super::global::Answer;

/// Show what a version of an agent is made of, as it was written when that version was cut; or list who uses what
#[derive(Debug, Args)]
#[command(disable_version_flag = true, args_conflicts_with_subcommands = true)]
pub(super) struct AgbomArgs {
    #[command(subcommand)]
    command: Option<AgbomCommand>,
    #[command(flatten)]
    bill: BillArgs,
}

#[derive(Debug, Subcommand)]
enum AgbomCommand {
    Ls(LsArgs),
}

/// One bill, or the difference of two.
#[derive(Debug, Args)]
struct BillArgs {
    /// The NAME of an agent, or `agent NAME`
    #[arg(num_args = 1..=2, value_name = "AGENT")]
    words: Vec<String>,
    /// Version
    #[arg(long, value_name = "N", value_parser = version, conflicts_with_all = ["env", "diff"])]
    version: Option<u64>,
    /// The version that this environment runs; the highest that runs it where none is named
    #[arg(long, alias = "context", value_name = "ENV", conflicts_with = "diff")]
    env: Option<String>,
    /// Print the document itself and nothing else
    #[arg(long, value_enum, value_name = "STANDARD", conflicts_with = "diff")]
    format: Option<Standard>,
    /// Show which components differ between two versions or environments
    #[arg(long)]
    diff: bool,
    /// Old side: a version (`7`, `v7`), an environment, or `prod@2026-05-10T12:00Z`
    #[arg(long, value_name = "R", requires = "diff")]
    from: Option<String>,
    /// New side; the newest version where none is named
    #[arg(long, value_name = "R", requires = "diff")]
    to: Option<String>,
}

/// The standards in which a bill can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Standard {
    /// CycloneDX 1.6 as JSON, byte for byte as it is stored
    Cyclonedx,
    /// SPDX 3.0.1 as JSON-LD, made of the same graph
    Spdx,
    /// Refused: it says of what is installed where, and has no words for what an agent is made of
    #[value(hide = true)]
    Swid,
}

pub(super) fn run(args: AgbomArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    if let Some(AgbomCommand::Ls(args)) = args.command {
        return super::agbom_ls::run(args, caller);
    }
    let args = args.bill;
    if args.words.is_empty() {
        return Err(Failure::usage("no agent is named")
            .next(
                "`joch agbom NAME`, `joch agbom NAME --format cyclonedx`, or `joch agbom NAME --diff --from 7 --to 8`",
            )
            .into());
    }
    let id = parse_target(&args.words)?.id(caller);
    if args.diff {
        let difference = agbom::difference(&agbom::Compare { id, from: args.from, to: args.to }, caller)?;
        let [from, to] = [&difference.from, &difference.to].map(DiffSide::from);
        return Ok(Answer::done(AgbomDiff { agent: difference.agent, from, to, abom: difference.abom }));
    }
    if args.format == Some(Standard::Swid) {
        return Err(Failure::usage(
            "there is no SWID form: a SWID tag tells which software is installed on a machine, and has no words for \
             models, tools, servers and the rules between them",
        )
        .next("`--format cyclonedx` or `--format spdx`")
        .into());
    }
    let stored = agbom::run(&agbom::Request { id, version: args.version, environment: args.env }, caller)?;
    match args.format {
        Some(Standard::Cyclonedx) => Ok(Answer::done(Verbatim(stored.text))),
        Some(Standard::Spdx | Standard::Swid) => Ok(Answer::done(Verbatim(agbom::spdx(&stored)?))),
        None => Ok(Answer::done(view(stored))),
    }
}

fn view(stored: agbom::Stored) -> AgbomResult {
    let component = |row: crate::bom::cyclonedx::Row| BillComponent {
        reference: row.reference,
        sort: row.sort,
        group: row.group,
        name: row.name,
        version: row.number,
        outside: row.version,
        digest: row.digest,
    };
    AgbomResult {
        agent: stored.agent,
        version: stored.version,
        environment: stored.environment,
        release: stored.release,
        commit: stored.commit,
        digest: stored.digest,
        content_digest: stored.bill.content_digest(),
        serial_number: stored.bill.serial_number.clone(),
        components: stored.bill.rows().into_iter().map(component).collect(),
    }
}

/// `8`, or `v8`.
fn version(word: &str) -> Result<u64, String> {
    word.strip_prefix('v').unwrap_or(word).parse().map_err(|_| "a version is a number, such as `8`".to_owned())
}
