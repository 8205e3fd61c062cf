//! `joch agbom ls`.

use anyhow::Result;
use clap::Args;

use crate::ops::{Caller, agbom_ls};
use crate::render::view::{AgbomHolder, AgbomList, UsedComponent};
use crate::resource::{Kind, Risk};

use super::global::Answer;

/// List agents by what they are made of: who uses a component, and where the risk is
#[derive(Debug, Args)]
pub(super) struct LsArgs {
    /// Only what holds this resource: `KIND/NAME`, `KIND/NAMESPACE/NAME`; may be repeated, and then all must be held
    #[arg(long, value_name = "KIND/NAME", value_parser = used)]
    uses: Vec<agbom_ls::Used>,
    /// Only what uses this model, by the name of its Model or as its provider calls it
    #[arg(long, value_name = "MODEL")]
    model: Vec<String>,
    /// Only what uses this MCP server
    #[arg(long, value_name = "NAME", value_parser = server)]
    mcp_server: Vec<agbom_ls::Used>,
    /// Only what runs a container image that begins so
    #[arg(long, value_name = "PREFIX")]
    image: Vec<String>,
    /// Only what has open findings of high or critical risk
    #[arg(long)]
    high_risk: bool,
    /// Environment; all of them where none is named
    #[arg(long, alias = "context", value_name = "ENV")]
    env: Option<String>,
}

pub(super) fn run(args: LsArgs, caller: &mut Caller<'_>) -> Result<Answer> {
    let mut uses = args.uses;
    uses.extend(args.mcp_server);
    uses.extend(args.model.into_iter().map(agbom_ls::Used::Model));
    uses.extend(args.image.into_iter().map(agbom_ls::Used::Image));
    let at_least = args.high_risk.then_some(Risk::High);
    let outcome = agbom_ls::run(&agbom_ls::Request { uses, at_least, environment: args.env }, caller)?;
    Ok(Answer::done(AgbomList { items: outcome.items.into_iter().map(view).collect() }))
}

fn view(holder: agbom_ls::Holder) -> AgbomHolder {
    let uses = holder.uses.into_iter().map(|used| UsedComponent { name: used.name, version: used.version });
    AgbomHolder {
        kind: Kind::Agent,
        namespace: holder.agent.namespace,
        name: holder.agent.name,
        environment: holder.environment,
        version: holder.version,
        digest: holder.digest,
        release: holder.release,
        components: holder.components,
        uses: uses.collect(),
        findings: holder.findings,
    }
}

fn used(text: &str) -> Result<agbom_ls::Used, String> {
    agbom_ls::Used::parse(text).map_err(|why| why.to_string())
}

fn server(text: &str) -> Result<agbom_ls::Used, String> {
    used(&format!("mcp-server/{text}"))
}
