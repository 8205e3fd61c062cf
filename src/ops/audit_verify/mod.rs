//! `joch audit verify`: whether the ledger is as honest verbs leave it. Reads everything through one snapshot, derives
//! again what can be derived, and tells what contradicts a rule.

mod ahead;
mod beforehand;
mod bills;
mod book;
mod damage;
mod evidence;
mod genesis;
mod judge;
mod lines;
mod reapply;
mod redraft;
mod releases;
mod stopped;
mod tags;
mod trust;
mod verdicts;
mod whole;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::audit::numbers::Numbers;
use crate::audit::refs::{check_branches, check_refs};
use crate::audit::{Finding, Rule};
use crate::gate::review_command;
use crate::ledger::{Ballots, Census, Error, Frame, ObjectId, Reader, RefTarget, Repository, Signatures};
use crate::release::layout;
use crate::workspace::Project;

use super::caller::Caller;
use super::desk::Desk;
use super::failure::Failure;
use super::find::check_environment;
use super::remember::{forgotten, recall, remember};

use super::facts::broken;
pub(super) use evidence::Added;
pub(super) use genesis::check_genesis;
use lines::{Lines, line};
use redraft::Served;
use releases::Court;
use verdicts::Verdicts;
use whole::Whole;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The one environment whose releases are checked; all where none is named.
    pub environment: Option<String>,
    /// The release, such as `prod/41`, after which releases are judged; all where none is named.
    pub since: Option<String>,
    /// Whether what an earlier audit found clean is judged again.
    pub afresh: bool,
}

impl Request {
    /// Whether it asks for all environments from their beginning.
    fn is_of_all(&self) -> bool {
        self.environment.is_none() && self.since.is_none()
    }
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Commits of all branches.
    pub commits: usize,
    /// Tags.
    pub tags: usize,
    /// Items of evidence.
    pub evidence: usize,
    /// Decisions that stopped a change and were made again.
    pub stopped: usize,
    /// Releases that were judged before, in the same surroundings, and found clean.
    pub remembered: usize,
    /// Releases that were not judged, because the check was asked to begin after them.
    pub skipped: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How much was looked at.
    pub checked: Checked,
    /// What contradicts a rule.
    pub findings: Vec<Finding>,
    /// What contradicts none and wants somebody: an override that nobody accepted in time.
    pub warnings: Vec<String>,
}

/// Verifies the ledger. What is wrong with it is an outcome.
///
/// # Errors
/// There is no ledger or no such environment.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let opened = Desk::open(caller);
    let desk = match opened {
        Ok(desk) => desk,
        Err(why) => return refused(why, caller),
    };
    if desk.project.config.trust_root.is_none() {
        caller.notice("no `joch.yaml` pins the trust root: a ledger that was replaced whole would pass");
    }
    // Before the references are read: what others write meanwhile is newer than the one, and must not be than the other.
    let seen = recall(&desk);
    let cache = desk.cache();
    let whole = if request.is_of_all() { Whole::of(&desk) } else { None };
    if let Some(outcome) =
        whole.as_ref().filter(|_| !request.afresh).and_then(|w| w.believed(&cache, &seen, caller.now))
    {
        return Ok(outcome);
    }
    // A tag that cannot be read is told with the rest, and keeps nobody from looking at that.
    let snapshot = desk.repository.whole_snapshot().or_else(|_| desk.repository.snapshot());
    let reader = match snapshot {
        Ok(snapshot) => Reader::new(snapshot),
        Err(why) => return refused(why.into(), caller),
    };
    if let (Some(name), Ok(trust)) = (&request.environment, reader.trust()) {
        check_environment(trust.ladder(), name)?;
    }
    let after = first_of(request, &reader)?;
    let mut verdicts = if request.afresh { Verdicts::default() } else { Verdicts::load(&cache) };
    let mut signatures = std::mem::take(&mut verdicts.signatures);
    // Everything that is stored is read, whatever was found clean before: only a quick look leaves that out.
    let mut census = match after {
        0 => Some(desk.repository.census(&signatures)),
        _ => None,
    };
    if let Some(Ok(census)) = &mut census {
        signatures.extend(std::mem::take(&mut census.signatures));
        // Those that a reference leads to are nothing that could be lost.
        census.tags.retain(|name| !matches!(reader.snapshot().tag(name), Ok(Some(_))));
    }
    let reader = reader.with_signatures(Arc::new(signatures));
    let verdicts = RefCell::new(verdicts);
    let mut outcome = verify(&reader, request.environment.as_deref(), &verdicts, after);
    if let Some(census) = census {
        hurt(&desk.repository, census, Some(&reader), &mut outcome.findings);
    }
    outcome.findings.extend(forgotten(&seen, &reader));
    outcome.findings.extend(ahead::check(&reader, caller.now));
    outcome.findings.sort();
    outcome.findings.dedup();
    // Damage is told as findings.
    let late = late(&reader, request.environment.as_deref(), caller.now).ok();
    outcome.warnings = late.iter().flat_map(|late| late.warnings.iter().cloned()).collect();
    if outcome.findings.is_empty()
        && let Err(why) = remember(&desk, &reader)
    {
        caller.notice(format!("what was seen could not be remembered: {why}"));
    }
    if outcome.findings.is_empty() && after == 0 {
        verdicts.borrow().store(&cache, &reader);
        if let (Some(whole), Some(late)) = (whole, late) {
            let clean = verdicts.borrow().clean_releases();
            whole.store(&desk, &recall(&desk), &outcome, clean, (caller.now, late.until));
        }
    }
    Ok(outcome)
}

/// The number of the release that a check begins after: 0 where it begins at the beginning.
fn first_of(request: &Request, reader: &Reader<'_>) -> Result<u64> {
    let Some(since) = &request.since else { return Ok(0) };
    let Some(environment) = &request.environment else {
        return Err(Failure::usage("`--since` needs `--env`: a release is one of an environment").into());
    };
    let number = since.strip_prefix(&format!("{environment}/")).unwrap_or(since);
    let number = number.parse::<u64>().ok().filter(|number| *number > 0);
    let there = number.map(|number| reader.release(&format!("{environment}/{number}"))).transpose()?.flatten();
    match (number, there) {
        (Some(number), Some(_)) => Ok(number),
        _ => Err(Failure::usage(format!("`{environment}` has no release `{since}`"))
            .next(format!("`joch get releases --env {environment}` lists those that it has"))
            .into()),
    }
}

/// What there is to tell of overrides.
struct Late {
    /// Those that nobody accepted in time, and those that somebody rejected.
    warnings: Vec<String>,
    /// When the next one was to be reviewed.
    until: DateTime<Utc>,
}

/// The overrides that somebody should look at.
fn late(reader: &Reader<'_>, only: Option<&str>, now: DateTime<Utc>) -> Result<Late> {
    let trust = reader.trust()?;
    let ballots = Ballots { reader, commit: reader.tip(layout::EVIDENCE)?, trust: &trust };
    let (mut warnings, mut until) = (Vec::new(), DateTime::<Utc>::MAX_UTC);
    for rung in trust.ladder().rungs().iter().filter(|rung| only.is_none_or(|only| only == rung.as_str())) {
        for broken in ballots.overrides(rung, None)? {
            let (glass, standing) = (&broken.glass, broken.standing(&trust));
            let what = format!("{} overrode {} in {}", glass.by, glass.gates.join(", "), glass.release);
            match standing.mark() {
                Some(_) if standing.decision.is_some() => {
                    let who = standing.reviewer.unwrap_or_default();
                    warnings.push(format!("{what}, and {who} rejected that"));
                }
                Some(_) if glass.expires <= now => {
                    let time = glass.expires.format("%Y-%m-%dT%H:%M:%SZ");
                    let next = review_command(&glass.release, &trust.reviewers(&glass.by, rung));
                    warnings.push(format!("{what}, and nobody reviewed it by {time}; {next}"));
                }
                Some(_) => until = until.min(glass.expires),
                None => {}
            }
        }
    }
    Ok(Late { warnings, until })
}

/// Verifies what a reader reads.
fn verify(reader: &Reader<'_>, only: Option<&str>, verdicts: &RefCell<Verdicts>, after: u64) -> Outcome {
    let mut findings = Vec::new();
    let mut lines = Lines::new();
    for (branch, tip) in reader.snapshot().branches() {
        match line(reader, *tip) {
            Ok(line) => drop(lines.insert(branch.clone(), line)),
            Err(why) => findings.push(broken(&why)),
        }
    }
    verdicts.borrow_mut().hold_against(reader, &lines);
    let history = trust::follow(reader, &lines, &mut findings);
    let rungs: BTreeSet<String> =
        history.0.iter().flat_map(|step| step.trust.ladder().rungs().iter().cloned()).collect();
    check_names(reader, &rungs, &mut findings);
    let ladder = history.0.last().map(|step| step.trust.ladder().rungs().to_vec()).unwrap_or_default();
    let needed = ladder.iter().map(String::as_str).chain([layout::TRUST, layout::EVIDENCE]);
    findings.extend(check_branches(needed, &reader.snapshot().branches().keys().cloned().collect()));
    genesis::check(reader, &lines, &rungs, &history, &mut findings);
    let testimony = evidence::follow(reader, &lines, &history, &mut findings);
    let (numbers, served) = numbers(reader, &lines, &rungs);
    findings.extend(numbers.check());
    let court =
        Court { reader, lines: &lines, trust: &history, numbers: &numbers, testimony: &testimony, verdicts, after };
    let mut released = BTreeMap::new();
    let mut decided_again = 0;
    let wanted = |rung: &&String| only.is_none_or(|only| only == rung.as_str());
    for rung in rungs.iter().filter(wanted) {
        court.judge_beforehand(rung, &served);
        court.follow(rung, &mut released, &mut findings);
        decided_again += court.stopped(rung, &mut findings);
    }
    let tags = tags::check(reader, &released, &numbers, only, &mut findings);
    check_decisions(&testimony, &lines, &mut findings);
    let commits: BTreeSet<ObjectId> = lines.values().flat_map(|line| line.commits.iter().copied()).collect();
    Outcome {
        checked: Checked {
            commits: commits.len(),
            tags,
            evidence: testimony.items,
            stopped: decided_again,
            remembered: verdicts.borrow().believed,
            skipped: usize::try_from(after).unwrap_or(usize::MAX),
        },
        findings,
        warnings: Vec::new(),
    }
}

fn check_names(reader: &Reader<'_>, rungs: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    match reader.snapshot().all_refs() {
        Ok(refs) => {
            findings.extend(check_refs(refs.keys().map(String::as_str), rungs));
            for (name, _) in refs.iter().filter(|(_, target)| matches!(target, RefTarget::Symbolic(_))) {
                let message = format!("`{name}` names another ref and not an object; `git symbolic-ref -d {name}`");
                findings.push(Finding::new(Rule::RefGrammar, name, message));
            }
        }
        Err(why) => findings.push(broken(&why)),
    }
}

/// Every number that a release gave, and what every environment served, as manifests say it. A manifest that cannot be
/// read is told where its release is judged.
fn numbers(reader: &Reader<'_>, lines: &Lines, rungs: &BTreeSet<String>) -> (Numbers, BTreeMap<String, Served>) {
    let (mut numbers, mut all) = (Numbers::default(), BTreeMap::new());
    for (rung, line) in rungs.iter().filter_map(|rung| Some((rung, lines.get(rung)?))) {
        let (mut before, mut served) = (None, Served::default());
        for (place, id) in line.commits.iter().enumerate() {
            let Ok(Some(manifest)) = reader.manifest(*id) else { continue };
            served.take(&manifest, place);
            // A commit that repeats the manifest of its parent gives nothing again, and is told as that.
            if before.as_ref() != Some(&manifest) {
                numbers.add(&manifest, &id.to_string());
            }
            before = Some(manifest);
        }
        all.insert(rung.clone(), served);
    }
    (numbers, all)
}

/// A decision that let a release through, or was about one, belongs to a branch that has come that far.
fn check_decisions(testimony: &evidence::Testimony, lines: &Lines, findings: &mut Vec<Finding>) {
    for ((environment, number), records) in &testimony.decisions {
        let last = lines.get(environment).map_or(0, |line| line.commits.len().saturating_sub(1)) as u64;
        let made = records.iter().any(|decision| decision.made);
        if (made && *number > last) || *number > last + 1 {
            let message = format!(
                "evidence has a decision on {environment}/{number}, and `{environment}` has {last} releases: it was \
                 rewound; fetch `{environment}` from a clone that has that release"
            );
            findings.push(Finding::new(Rule::RewoundBranch, format!("refs/heads/{environment}"), message));
        }
    }
}

/// What is wrong with the files of the repository, those that nobody refers to among them.
fn hurt(
    repository: &Repository,
    census: Result<Census, Error>,
    reader: Option<&Reader<'_>>,
    findings: &mut Vec<Finding>,
) {
    let census = census.unwrap_or_else(|why| {
        findings.push(broken(&why));
        Census::default()
    });
    let mut of_frame = Vec::new();
    if let Some(frame) = Frame::read(repository.path()) {
        of_frame = damage::of_frame(&frame, &census);
        // Whoever met a broken reference knows the command that puts it back; its name knows whom it touches.
        for more in of_frame.iter_mut().filter(|more| more.rule == Rule::ObjectDamaged) {
            if let Some(found) = findings.iter().find(|found| (found.rule, &found.object) == (more.rule, &more.object))
            {
                more.message = format!("{}; {}", found.message, damage::touched_by(&found.object, &frame));
            }
        }
    }
    if of_frame.iter().any(|finding| finding.rule == Rule::ObjectDamaged) {
        findings.retain(|finding| !finding.object.starts_with("the reference `"));
    }
    findings.retain(|found| !of_frame.iter().any(|more| (more.rule, &more.object) == (found.rule, &found.object)));
    if of_frame.iter().any(|finding| finding.rule == Rule::BranchMissing) {
        findings.retain(|finding| !finding.object.starts_with("the branch `"));
    }
    findings.extend(of_frame);
    findings.extend(damage::of_packs(&census));
    if let Some(reader) =
        reader.filter(|_| !(findings.is_empty() && census.hurt.is_empty() && census.missing.is_empty()))
    {
        damage::of_objects(reader, &census, findings);
    }
}

/// A ledger that cannot be opened because it could deceive or is damaged is an outcome; one that is not there is an
/// error.
fn refused(why: anyhow::Error, caller: &Caller<'_>) -> Result<Outcome> {
    let mut findings: Vec<_> = match (why.downcast_ref::<Error>(), why.downcast_ref::<Failure>()) {
        (
            Some(
                error @ (Error::Refused { .. }
                | Error::Damaged { .. }
                | Error::BrokenReference { .. }
                | Error::Missing { .. }),
            ),
            _,
        ) => vec![broken(error)],
        (_, Some(failure)) if failure.code == "trust-root" => {
            let next = failure.next.as_ref().map_or_else(String::new, |next| format!("; {next}"));
            vec![Finding::new(Rule::TrustRoot, "refs/heads/trust", format!("{}{next}", failure.message))]
        }
        _ => Vec::new(),
    };
    let path = Project::find(&caller.directory)?.ledger(caller.variable("JOCH_LEDGER"), &caller.directory);
    match Repository::open(&path) {
        Ok(repository) => {
            let reader = repository.snapshot().ok().map(Reader::new);
            let census = repository.census(&Signatures::default());
            hurt(&repository, census, reader.as_ref(), &mut findings);
        }
        Err(_) => {
            let of_frame = |frame: &Frame| damage::of_frame(frame, &Census::default());
            findings.extend(Frame::read(&path).iter().flat_map(of_frame));
        }
    }
    if findings.is_empty() {
        return Err(why);
    }
    findings.sort();
    findings.dedup();
    Ok(Outcome { findings, ..Outcome::default() })
}
