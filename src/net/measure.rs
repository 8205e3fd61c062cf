//! The runner: every case to the agent, every answer to the judges, on one thread, with so many under way at a time.
//!
//! Whatever was paid for is handed on at once as a line for the journal. The runner keeps nothing that the journal has.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, MissedTickBehavior};

use crate::eval::judge::{self, Asked as Criterion, Canary, Question};
use crate::eval::{
    Answered, Case, Checker, Decimal, Fault, Finding, Lag, LeakSettings, Line, Opinion, Outcome, Programmed, Reply,
    Score, Scores, Sort, Unit, counts, leaks as leaks_of, without_secrets,
};
use crate::resource::Digest;

use super::judge::JudgeClient;
use super::program::Program;
use super::target::Target;

/// How often an opinion that cannot be read is asked for anew.
const FRESH_OPINIONS: u32 = 2;
/// How often the runner looks whether it is late.
const TICK: Duration = Duration::from_millis(10);
/// How often that is journalled.
const TICKS_A_LINE: usize = 100;
/// How long what is under way may take after somebody asked to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// What is to be done, and with what.
pub struct Work<'a> {
    /// The cases.
    pub cases: &'a [Case],
    /// What is left to do, in order.
    pub left: Vec<Left>,
    /// The agent.
    pub target: &'a Target,
    /// The judges, in the order of the plan.
    pub judges: Vec<Seat<'a>>,
    /// The metrics that are computed.
    pub checks: Vec<(String, Checker)>,
    /// The metrics that are shares of cases that leak: what counts, and of which sort.
    pub leaks: Vec<(String, LeakSettings, Sort)>,
    /// The metrics that a program scores.
    pub programs: Vec<(String, Program)>,
    /// Units at a time.
    pub concurrency: usize,
    /// The clock, for the journal.
    pub now: fn() -> DateTime<Utc>,
}

/// What a judge looks for in a case, or why nobody knows.
pub type Criteria<'a> = Box<dyn Fn(&Case) -> Result<Vec<Criterion>, String> + 'a>;

/// A judge at work.
pub struct Seat<'a> {
    /// Whom to ask.
    pub client: JudgeClient,
    /// What it looks for in each case.
    pub criteria: Criteria<'a>,
    /// How often it is asked of each answer.
    pub samples: u32,
}

/// One unit that is not finished.
pub enum Left {
    /// A trial of a case.
    Unit(LeftOfUnit),
    /// A canary that this judge has not been shown in this sample.
    Canary {
        /// What is shown.
        canary: Box<Canary>,
        /// Which judge.
        judge: u32,
        /// Which sample.
        sample: u32,
    },
}

/// What is left of one trial of a case.
pub struct LeftOfUnit {
    /// The index of the case.
    pub case: usize,
    /// The trial.
    pub trial: u32,
    /// The answer, where there is one already.
    pub answered: Option<Box<Reply>>,
    /// The opinions that are there already, as judge and sample.
    pub opinions: Vec<(u32, u32)>,
    /// Whether the programs have scored it.
    pub programmed: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything was done.
    Done,
    /// Somebody asked to stop; the rest can be done later.
    Interrupted,
}

/// What is told while a run goes on.
pub enum Told {
    /// A line for the journal.
    Line(Line),
    /// A unit is finished.
    Unit,
    /// A tick of the clock: the moment to show how far it is.
    Tick,
}

/// Runs the work until it is done, interrupted, or `tell` refuses a line.
///
/// # Errors
/// What `tell` says; or no call can be made at all.
pub fn measure<E: From<Fault>>(work: &Work<'_>, tell: &mut dyn FnMut(Told) -> Result<(), E>) -> Result<Ended, E> {
    let ears = Ears { tell: RefCell::new(tell), refused: RefCell::new(None) };
    let ended = super::block_on(drive(work, &ears))?;
    match ears.refused.into_inner() {
        Some(why) => Err(why),
        None => Ok(ended),
    }
}

/// Whoever listens, from many places of one thread.
struct Ears<'t, E> {
    tell: RefCell<&'t mut dyn FnMut(Told) -> Result<(), E>>,
    refused: RefCell<Option<E>>,
}

impl<E> Ears<'_, E> {
    fn tell(&self, told: Told) {
        if self.refused.borrow().is_some() {
            return;
        }
        if let Err(why) = (self.tell.borrow_mut())(told) {
            *self.refused.borrow_mut() = Some(why);
        }
    }

    fn is_refused(&self) -> bool {
        self.refused.borrow().is_some()
    }
}

async fn drive<E>(work: &Work<'_>, ears: &Ears<'_, E>) -> Ended {
    let mut left = work.left.iter();
    let mut under_way = FuturesUnordered::new();
    let mut ticker = tokio::time::interval(TICK);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut lags = Vec::with_capacity(TICKS_A_LINE);
    let mut interrupts = Interrupts::new();
    let mut until: Option<Instant> = None;
    loop {
        while until.is_none() && !ears.is_refused() && under_way.len() < work.concurrency.max(1) {
            let Some(next) = left.next() else { break };
            under_way.push(finish(next, work, ears));
        }
        if under_way.is_empty() || ears.is_refused() {
            break;
        }
        tokio::select! {
            biased;
            () = interrupts.next() => {
                if until.is_some() {
                    break;
                }
                until = Some(Instant::now() + DRAIN);
            }
            due = ticker.tick() => {
                lags.push(u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX));
                if lags.len() == TICKS_A_LINE {
                    ears.tell(Told::Line(lag(&mut lags, work)));
                }
                ears.tell(Told::Tick);
                if until.is_some_and(|until| Instant::now() >= until) {
                    break;
                }
            }
            _ = under_way.next() => {}
        }
    }
    if !lags.is_empty() {
        ears.tell(Told::Line(lag(&mut lags, work)));
    }
    if until.is_none() { Ended::Done } else { Ended::Interrupted }
}

/// Nearest rank, as everywhere.
fn lag(lags: &mut Vec<u64>, work: &Work<'_>) -> Line {
    lags.sort_unstable();
    let rank = (lags.len() * 99).div_ceil(100);
    let line = Lag { at: (work.now)(), count: lags.len() as u64, p99_us: lags[rank - 1] };
    lags.clear();
    Line::Lag(line)
}

/// Ctrl-C, and the signal with which a scheduler asks to stop.
struct Interrupts {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Interrupts {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok(),
        }
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        let Some(terminate) = &mut self.terminate else { return std::future::pending().await };
        tokio::select! {
            asked = tokio::signal::ctrl_c() => if asked.is_err() { std::future::pending::<()>().await },
            _ = terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Does what is left of one unit or canary.
async fn finish<E>(left: &Left, work: &Work<'_>, ears: &Ears<'_, E>) {
    match left {
        Left::Unit(left) => finish_unit(left, work, ears).await,
        Left::Canary { canary, judge, sample } => {
            let unit = Unit { case: canary.name.to_owned(), trial: 0 };
            let asked = Asked { unit: &unit, about: None, question: &canary.question, judge: *judge, sample: *sample };
            ears.tell(Told::Line(Line::Opinion(Box::new(ask(&asked, work).await))));
        }
    }
}

async fn finish_unit<E>(left: &LeftOfUnit, work: &Work<'_>, ears: &Ears<'_, E>) {
    let case = &work.cases[left.case];
    let unit = Unit { case: case.id.clone(), trial: left.trial };
    let reply = match &left.answered {
        Some(reply) => (**reply).clone(),
        None => {
            let outcome = work.target.call(case, &unit).await;
            let answered = judge_by_itself(case, &unit, outcome, work);
            let reply = answered.outcome.reply.clone().ok();
            ears.tell(Told::Line(Line::Answer(Box::new(answered))));
            let Some(reply) = reply else { return ears.tell(Told::Unit) };
            reply
        }
    };
    if ears.is_refused() {
        return;
    }
    let opinions = opinions(left, case, &unit, &reply, work, ears);
    let programs = async {
        if !left.programmed && !work.programs.is_empty() {
            let mut scores = Scores::new();
            for (metric, program) in &work.programs {
                scores.insert(metric.clone(), program.score(case, &reply).await);
            }
            ears.tell(Told::Line(Line::Program(Programmed {
                unit: unit.clone(),
                about: reply.digest(),
                at: (work.now)(),
                scores,
            })));
        }
    };
    tokio::join!(opinions, programs);
    ears.tell(Told::Unit);
}

/// Scores what needs no further call, before credentials are masked.
fn judge_by_itself(case: &Case, unit: &Unit, mut outcome: Outcome, work: &Work<'_>) -> Answered {
    let mut scores = Scores::new();
    let mut leaks = Vec::new();
    if let Ok(reply) = &mut outcome.reply {
        scores = work.checks.iter().map(|(metric, checker)| (metric.clone(), checker.score(case, reply))).collect();
        for (metric, settings, sort) in &work.leaks {
            let found = leaks_of(reply, case, settings, *sort);
            let leaks_here = found.iter().any(|leak| counts(leak, settings));
            scores.insert(metric.clone(), Score::Scored(if leaks_here { Decimal::ONE } else { Decimal::ZERO }));
            leaks.extend(found);
        }
        *reply = without_secrets(std::mem::take(reply));
    }
    Answered { unit: unit.clone(), at: (work.now)(), outcome, scores, leaks }
}

async fn opinions<E>(left: &LeftOfUnit, case: &Case, unit: &Unit, reply: &Reply, work: &Work<'_>, ears: &Ears<'_, E>) {
    let about = reply.digest();
    let mut questions = Vec::new();
    for (judge, seat) in (0..).zip(&work.judges) {
        let missing: Vec<u32> =
            (1..=seat.samples).filter(|sample| !left.opinions.contains(&(judge, *sample))).collect();
        if missing.is_empty() {
            continue;
        }
        match (seat.criteria)(case) {
            Ok(criteria) => questions.push((judge, missing, Question::of(case, reply, criteria))),
            Err(why) => {
                for sample in missing {
                    let opinion = nothing(unit, Some(about), judge, sample, why.clone(), work);
                    ears.tell(Told::Line(Line::Opinion(Box::new(opinion))));
                }
            }
        }
    }
    let asked = questions.iter().flat_map(|(judge, missing, question)| {
        missing.iter().map(move |sample| async move {
            let asked = Asked { unit, about: Some(about), question, judge: *judge, sample: *sample };
            ears.tell(Told::Line(Line::Opinion(Box::new(ask(&asked, work).await))));
        })
    });
    join_all(asked).await;
}

/// What a judge is asked.
struct Asked<'a> {
    unit: &'a Unit,
    about: Option<Digest>,
    question: &'a Question,
    judge: u32,
    sample: u32,
}

/// Asks, and asks anew where the answer is not an opinion. What never becomes one stays none.
async fn ask(asked: &Asked<'_>, work: &Work<'_>) -> Opinion {
    let mut opinion = nothing(asked.unit, asked.about, asked.judge, asked.sample, String::new(), work);
    let Some(seat) = work.judges.get(asked.judge as usize) else { return opinion };
    for _ in 0..=FRESH_OPINIONS {
        let nonce = nonce();
        let request = judge::request(asked.question, &nonce);
        let reply = match seat.client.ask(&request, asked.sample).await {
            Ok(reply) => reply,
            Err(fault) => {
                opinion.found = Err(fault.message);
                break;
            }
        };
        opinion.attempts += reply.attempts;
        opinion.usage = match (opinion.usage, reply.usage) {
            (Some(sum), Some(more)) => Some(sum.plus(more)),
            (None, more) if opinion.attempts == reply.attempts => more,
            _ => None,
        };
        opinion.model = reply.model.or(opinion.model);
        opinion.found = judge::read(&reply.text, &nonce, &asked.question.ids());
        if opinion.found.is_ok() {
            break;
        }
    }
    opinion.at = (work.now)();
    opinion
}

fn nothing(unit: &Unit, about: Option<Digest>, judge: u32, sample: u32, why: String, work: &Work<'_>) -> Opinion {
    let found: Result<BTreeMap<String, Finding>, String> = Err(why);
    Opinion { unit: unit.clone(), about, judge, sample, at: (work.now)(), found, usage: None, model: None, attempts: 0 }
}

/// 128 bits that nobody can foresee: two hashes under keys that the system's generator gave.
fn nonce() -> String {
    let half = || RandomState::new().hash_one(0_u8);
    format!("{:016x}{:016x}", half(), half())
}
