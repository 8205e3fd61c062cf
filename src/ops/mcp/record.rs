//! `joch mcp record`: looks at what an MCP server offers, and signs it.

use std::io::Read as _;
use std::sync::Arc;

use anyhow::Result;
use chrono::{SubsecRound as _, TimeDelta};

use crate::bom::{OBSERVATION_SCHEMA, Observation, ToolDefinition, exact, offer, reworded, tools_digest};
use crate::diff::Change;
use crate::gate::Observed;
use crate::ledger::Environment;
use crate::net::mcp::{Bounds, Heard, hear};
use crate::net::{Client, Limits, Setting};
use crate::release::{fold, layout};
use crate::resource::{Digest, Number, Resource, ResourceId, Value};
use crate::trust::Trust;
use crate::workspace::read_file;

use super::super::caller::Caller;
use super::super::desk::{Desk, Operating};
use super::super::eval::execute::proxy;
use super::super::failure::Failure;
use super::super::land::{append, commit_time, signed_item};
use super::super::secrets::Secrets;
use super::{all, counting, place, reach};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The server.
    pub server: ResourceId,
    /// The environment that has it.
    pub environment: Option<String>,
    /// A file with its answer to `tools/list`, or `-`; else the server itself is asked.
    pub file: Option<String>,
    /// Whether a server that is a program may run here.
    pub allow_stdio: bool,
    /// How far it is trusted, from 0 to 1, and who says so.
    pub trust: Option<(f64, String)>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is on the evidence branch now.
    Recorded,
    /// The same person recorded the same less than a minute ago.
    Unchanged,
    /// Nothing was to be written.
    DryRun,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What became of it.
    pub state: State,
    /// The environment whose resource it is about.
    pub environment: String,
    /// What was seen.
    pub observation: Arc<Observation>,
    /// The id of the item; none where nothing was to be written.
    pub evidence: Option<String>,
    /// Who signed it.
    pub principal: Option<String>,
    /// The evidence commit, where one was made.
    pub commit: Option<String>,
    /// The newest earlier observation.
    pub earlier: Option<Observed>,
    /// What is different since.
    pub changes: Vec<Change>,
}

/// So soon nothing new can be said by saying the same.
const REPEATED_SECONDS: i64 = 60;
/// Most bytes of a file.
const LARGEST: u64 = 4 << 20;

/// Looks, and unless it is a dry run, signs and appends.
///
/// # Errors
/// There is no such server, it cannot be reached or breaks the protocol, the caller may not record, or the ledger cannot
/// be written.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let (environment, seen) = {
        let reader = desk.reader()?;
        let trust = reader.trust()?;
        if !request.dry_run {
            check_observer(&trust, &desk.operating(caller, &trust)?)?;
        }
        let named = request.environment.as_deref();
        let (environment, server) = place::find(&request.server, named, trust.ladder(), &reader, caller)?;
        let seen = look(request, &server, &environment, &desk, caller)?;
        (environment.name().to_owned(), seen)
    };
    if request.dry_run {
        let reader = desk.reader()?;
        let earlier = counting(&request.server, &reader, &reader.trust()?)?.pop();
        let observation = Arc::new(seen);
        return Ok(outcome(State::DryRun, environment, observation, earlier));
    }
    sign(seen, environment, &desk, caller)
}

/// Appends what was seen, dated as the ledger will date it.
fn sign(mut seen: Observation, environment: String, desk: &Desk, caller: &mut Caller<'_>) -> Result<Outcome> {
    let mut transaction = desk.begin()?;
    let reader = desk.reader()?;
    let trust = reader.trust()?;
    let operating = desk.operating(caller, &trust)?;
    check_observer(&trust, &operating)?;
    let time = commit_time(desk, &reader, &[layout::EVIDENCE], caller.now, &mut caller.notices)?;
    let mut known = all(&seen.server, &reader, &trust)?;
    // Two people may see the same in one second, and each item needs an id of its own.
    let after = known.iter().map(|known| known.observation.observed_at + TimeDelta::seconds(1)).max();
    let time = after.map_or(time, |after| after.max(time));
    seen.observed_at = time;
    known.retain(|known| known.counts(&trust));
    let principal = operating.operator.principal.name.clone();
    let repeats = |last: &Observed| {
        let age = (time - last.observation.observed_at).num_seconds();
        let same = last.observation.says_the_same(&seen);
        same && age < REPEATED_SECONDS && last.principal.as_ref().is_some_and(|by| by.name == principal)
    };
    if known.last().is_some_and(repeats)
        && let Some(last) = known.pop()
    {
        let mut told = outcome(State::Unchanged, environment, last.observation.clone(), known.pop());
        told.evidence = Some(last.id);
        told.principal = Some(principal);
        return Ok(told);
    }
    let bytes = seen.to_json();
    let id = Digest::of(&bytes).hex();
    let directory = layout::observations(&seen.server, Some(seen.digest));
    let edits = Vec::from(signed_item(bytes, &operating, |id| format!("{directory}/{id}.json"))?);
    let scored = known.last().is_some_and(|last| last.observation.trust_score.is_some());
    if scored && seen.trust_score.is_none() {
        caller.notice(format!(
            "the last observation of {} has a score of trust and this one has none, so that gates miss it; \
             `--trust-score` and `--trust-source` say it again",
            seen.server
        ));
    }
    let mut told = outcome(State::Recorded, environment, Arc::new(seen), known.pop());
    let commit = append(&mut transaction, &reader, edits, message(&told, &operating), &operating, time)?;
    desk.finish(transaction, caller)?;
    told.evidence = Some(id);
    told.principal = Some(principal);
    told.commit = Some(commit.to_string());
    Ok(told)
}

fn outcome(state: State, environment: String, observation: Arc<Observation>, earlier: Option<Observed>) -> Outcome {
    let changes = reworded(earlier.as_ref().map(|earlier| &*earlier.observation), &observation);
    Outcome { state, environment, observation, evidence: None, principal: None, commit: None, earlier, changes }
}

/// What the server offers, now or as a file says.
fn look(
    request: &Request,
    server: &Resource,
    environment: &Environment<'_, '_>,
    desk: &Desk,
    caller: &mut Caller<'_>,
) -> Result<Observation> {
    let refuse = |why: String| Failure::refused("mcp-tools", why);
    let (transport, heard, tools) = match &request.file {
        Some(file) => {
            let text = text_of(file, caller)?;
            let json = exact(text.as_bytes()).map_err(|why| refuse(format!("`{file}`: {why}")))?;
            let tools = offer::listed(&json).map_err(|why| refuse(format!("`{file}`: {why}")))?;
            ("file", None, tools)
        }
        None => {
            let (place, transport) = reach::reach(server, request.allow_stdio)?;
            let secrets = reach::secrets(&place);
            let credentials = Secrets { environment, caller: &*caller }.all(secrets.into_iter())?;
            let heard = hear(&place, &credentials, &setting(desk, caller), Bounds::default());
            let heard = heard.map_err(|fault| unheard(server, &fault))?;
            let tools = offer::offered(&heard.tools);
            let tools = tools.map_err(|why| refuse(format!("{} answers `tools/list`, and {why}", server.id())))?;
            (transport, Some(heard), tools)
        }
    };
    Ok(observation(request, server, transport, heard, tools, caller))
}

fn observation(
    request: &Request,
    server: &Resource,
    transport: &str,
    heard: Option<Heard>,
    tools: Vec<ToolDefinition>,
    caller: &Caller<'_>,
) -> Observation {
    let (server_name, server_version, protocol_version, instructions) = heard
        .map_or((None, None, None, None), |heard| {
            (heard.name, heard.version, Some(heard.protocol), heard.instructions)
        });
    let (trust_score, trust_source) = request.trust.clone().unzip();
    Observation {
        schema: OBSERVATION_SCHEMA.into(),
        server: server.id().clone(),
        digest: server.digest(),
        observed_at: caller.now.trunc_subsecs(0),
        transport: transport.to_owned(),
        server_name,
        server_version,
        protocol_version,
        instructions,
        tools_digest: tools_digest(&tools),
        tools,
        trust_score: trust_score.and_then(Number::from_f64).map(Value::Number),
        trust_source,
    }
}

fn text_of(file: &str, caller: &mut Caller<'_>) -> Result<String> {
    if file != "-" {
        return Ok(read_file(&caller.directory.join(file))?);
    }
    let mut text = String::new();
    let count = (&mut *caller.stdin).take(LARGEST + 1).read_to_string(&mut text);
    let count = count.map_err(|why| Failure::could_not("input", format!("standard input cannot be read: {why}")))?;
    if count as u64 > LARGEST {
        return Err(Failure::could_not("input", format!("standard input is larger than {LARGEST} bytes")).into());
    }
    Ok(text)
}

fn setting(desk: &Desk, caller: &Caller<'_>) -> Setting {
    let own = |name: &str| Some((name.into(), caller.variables.get(name)?.clone()));
    Setting {
        run: String::new(),
        client: Client::new(proxy(caller)),
        concurrency: 1,
        retries: 0,
        per_second: None,
        seed: 0,
        limits: Limits::default(),
        project: desk.project.root.clone(),
        variables: ["PATH", "HOME"].into_iter().filter_map(own).collect(),
        recording: None,
    }
}

fn unheard(server: &Resource, fault: &crate::eval::Fault) -> Failure {
    let message = format!("what {} offers cannot be learnt: {}", server.id(), fault.message);
    let by_file = format!("joch mcp record {} -f FILE, with what it answers to `tools/list`", server.id().name);
    match fault.kind {
        crate::eval::FaultKind::Credentials => Failure::credentials("mcp-server", message),
        _ => Failure::could_not("mcp-server", message).next(by_file),
    }
}

/// Refuses whom no gate would believe.
fn check_observer(trust: &Trust, operating: &Operating) -> Result<(), Failure> {
    let who = &operating.operator.principal;
    if trust.works(who) {
        return Ok(());
    }
    let admins = trust.admins().into_iter().collect::<Vec<_>>().join(", ");
    let message = format!("`{who}` is neither an operator nor an approver here, and its observations would not count");
    Err(Failure::credentials("role", message).next(format!("ask an admin: {admins}")))
}

fn message(told: &Outcome, operating: &Operating) -> String {
    let seen = &told.observation;
    let word = match (&told.earlier, told.changes.is_empty()) {
        (None, _) => "first",
        (Some(_), true) => "unchanged",
        (Some(_), false) => "changed",
    };
    format!(
        "observation of {}: {word}\n\n{} tools, {}\n\nJoch-Event: observation\nJoch-Operator: {}\n",
        fold(&seen.server.to_string()),
        seen.tools.len(),
        seen.tools_digest,
        fold(&operating.operator.principal.name)
    )
}
