//! The words people type, and the words and exit code they get back; one file a command.

mod agbom;
mod agbom_ls;
mod apply;
mod approvals;
mod audit;
mod completion;
mod delete;
mod demo;
mod describe;
mod diff;
mod doctor;
mod error;
mod eval;
mod eval_report;
pub mod exit;
mod explain;
mod gates;
mod gc;
mod get;
mod global;
mod hold;
mod init;
mod mcp;
mod overriding;
mod policy;
mod promote;
mod require;
mod rollback;
mod schema;
mod trust;
mod validate;
mod version;
pub mod world;

use std::io::Write as _;

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::gate::{Decision, HoldAction};
use crate::ops::Caller;
use crate::render::report::Format;

use global::{Answer, Global, Output};
pub use world::World;

/// Release management for AI agents on a signed Git ledger
#[derive(Debug, Parser)]
#[command(name = "joch", version, propagate_version = true, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Init(init::InitArgs),
    Validate(validate::ValidateArgs),
    Apply(apply::ApplyArgs),
    Promote(promote::PromoteArgs),
    Approve(approvals::VoteArgs),
    /// Reject a promotion with your own signature; it is blocked until you approve it after all
    Reject(approvals::VoteArgs),
    Approvals(approvals::ApprovalsArgs),
    Eval(eval::EvalArgs),
    Explain(explain::ExplainArgs),
    Policy(policy::PolicyArgs),
    Mcp(mcp::McpArgs),
    Rollback(rollback::RollbackArgs),
    /// Keep a version out of an environment, or of all, until somebody lifts the hold
    Hold(hold::HoldArgs),
    /// Let a version that is on hold go again
    Lift(hold::HoldArgs),
    Delete(delete::DeleteArgs),
    Get(get::GetArgs),
    Describe(describe::DescribeArgs),
    Diff(diff::DiffArgs),
    Gates(gates::GatesArgs),
    Trust(trust::TrustArgs),
    Agbom(agbom::AgbomArgs),
    Audit(audit::AuditArgs),
    Doctor(doctor::DoctorArgs),
    Gc(gc::GcArgs),
    Schema(schema::SchemaArgs),
    Completion(completion::CompletionArgs),
    Version(version::VersionArgs),
}

impl Command {
    /// The reports that its answer has beside the formats of every command.
    fn reports(&self) -> &'static [Format] {
        match self {
            Self::Eval(args) => args.reports(),
            _ => &[],
        }
    }
}

/// Every command with its flags and help, as the reference and the completions tell them.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}
/// Runs the command that the world's arguments are, and gives its exit code.
pub fn run(world: &mut World) -> u8 {
    let cli = match parse(world) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let reports = cli.command.reports();
    let format = cli.global.format(reports, world);
    if let Err(why) = global::check_format(format, reports) {
        drop(error::tell(&why, &[], format, &mut *world.stderr));
        return exit::of_error(&why);
    }
    if let Command::Demo(args) = &cli.command {
        return demo::run(args, world).unwrap_or_else(|why| {
            drop(error::tell(&why, &[], format, &mut *world.stderr));
            exit::of_error(&why)
        });
    }
    let mut caller = cli.global.caller(world);
    let answer = check_namespace(&caller).and_then(|()| dispatch(cli.command, &mut caller));
    let notices = std::mem::take(&mut caller.notices);
    drop(caller);
    let printed = match &answer {
        Ok(answer) => global::print(answer, &notices, format, world).map(|()| answer.exit),
        Err(error) => {
            drop(error::tell(error, &notices, format, &mut *world.stderr));
            return exit::of_error(error);
        }
    };
    printed.unwrap_or_else(|why| unwritable(&why, answer.map_or(exit::COULD_NOT, |answer| answer.exit), world))
}

fn check_namespace(caller: &Caller<'_>) -> Result<()> {
    crate::resource::name::check_namespace(caller.namespace())
        .map_err(|rule| crate::ops::Failure::usage(format!("`{}` is no namespace: {rule}", caller.namespace())).into())
}

fn dispatch(command: Command, caller: &mut Caller<'_>) -> Result<Answer> {
    match command {
        Command::Demo(_) => unreachable!("it is played before there is a caller"),
        Command::Init(args) => init::run(args, caller),
        Command::Validate(args) => validate::run(args, caller),
        Command::Apply(args) => apply::run(args, caller),
        Command::Promote(args) => promote::run(args, caller),
        Command::Approve(args) => approvals::vote(args, Some(Decision::Approve), caller),
        Command::Reject(args) => approvals::vote(args, Some(Decision::Reject), caller),
        Command::Approvals(args) => approvals::run(args, caller),
        Command::Eval(args) => eval::run(args, caller),
        Command::Explain(args) => explain::run(args, caller),
        Command::Policy(args) => policy::run(args, caller),
        Command::Mcp(args) => mcp::run(args, caller),
        Command::Rollback(args) => rollback::run(args, caller),
        Command::Hold(args) => hold::run(args, HoldAction::Hold, caller),
        Command::Lift(args) => hold::run(args, HoldAction::Lift, caller),
        Command::Delete(args) => delete::run(args, caller),
        Command::Get(args) => get::run(args, caller),
        Command::Describe(args) => describe::run(args, caller),
        Command::Diff(args) => diff::run(args, caller),
        Command::Gates(args) => gates::run(args, caller),
        Command::Trust(args) => trust::run(args, caller),
        Command::Agbom(args) => agbom::run(args, caller),
        Command::Audit(args) => audit::run(args, caller),
        Command::Doctor(args) => doctor::run(args, caller),
        Command::Gc(args) => gc::run(args, caller),
        Command::Schema(args) => schema::run(args),
        Command::Completion(args) => completion::run(&args),
        Command::Version(args) => version::run(args),
    }
}

/// Reads the arguments. Help and version are answers; anything else that clap refuses is a usage error.
fn parse(world: &mut World) -> Result<Cli, u8> {
    let as_git = world
        .arguments
        .first()
        .is_some_and(|program| std::path::Path::new(program).file_stem().is_some_and(|name| name == "git-joch"));
    let mut command = Cli::command();
    if as_git {
        command = command.bin_name("git joch");
    }
    let parsed = command.try_get_matches_from_mut(&world.arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|refusal| {
        let text = refusal.render().to_string();
        if refusal.use_stderr() && wants_json(&world.arguments) {
            let why = refusal.to_string();
            let why = why.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let failure = crate::ops::Failure::usage(why).next("`joch COMMAND --help` tells what a command takes");
            drop(error::tell(&failure.into(), &[], Output::Json, &mut *world.stderr));
            exit::USAGE
        } else if refusal.use_stderr() {
            drop(world.stderr.write_all(text.as_bytes()));
            exit::USAGE
        } else {
            drop(world.stdout.write_all(text.as_bytes()));
            exit::DONE
        }
    })
}

/// Whether the words ask for JSON, also where they are otherwise not understood.
fn wants_json(arguments: &[std::ffi::OsString]) -> bool {
    let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    words.iter().any(|word| matches!(*word, "-ojson" | "-o=json" | "--output=json"))
        || words.windows(2).any(|pair| matches!(pair, ["-o" | "--output", "json"]))
}

/// Standard output is gone: quietly if its reader went away, else with a word. What was done is done, so a code
/// that says more than "done" stays.
fn unwritable(why: &anyhow::Error, code: u8, world: &mut World) -> u8 {
    let gone = why.downcast_ref::<std::io::Error>().is_some_and(|why| why.kind() == std::io::ErrorKind::BrokenPipe);
    if gone {
        return code;
    }
    let why = anyhow::anyhow!("the answer could not be printed: {why}; what the command did, it did");
    drop(error::tell(&why, &[], Output::Table, &mut *world.stderr));
    if code == exit::DONE { exit::COULD_NOT } else { code }
}
