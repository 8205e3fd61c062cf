//! The first reading: of every line what the result needs, and nothing of the texts.
//!
//! Where several lines tell of one thing, the earliest that stands counts, and of two at one instant the one whose bytes
//! have the lesser digest, so that neither order nor repetition matters.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::eval::answer::{FaultKind, Usage};
use crate::eval::definition::{Definition, Score};
use crate::eval::journal::codec::Entry;
use crate::eval::journal::{Answered, Finding, Lag, Line, Opinion, Plan, Prices, Programmed, Unit};
use crate::eval::leak::Leak;
use crate::eval::{Decimal, shard_of};
use crate::resource::Digest;

use super::plans::Plans;
use super::{Journals, MergeTrouble};

/// How many leaks of one answer a result lists.
const MOST_LEAKS: usize = 20;

/// All that the lines tell.
pub(super) struct Collected {
    /// The plan that they share, and the shards that are here.
    pub(super) plans: Plans,
    /// The trials of each case of the plan that have lines, in order.
    pub(super) cases: Vec<Vec<(u32, Held)>>,
    /// What judges said of canaries, by canary, judge and sample.
    pub(super) canaries: BTreeMap<(String, u32, u32), BTreeMap<Digest, Kept<Heard>>>,
    /// How late the runner was.
    pub(super) lags: BTreeMap<Digest, Lag>,
    /// What the judges decided on, as `metric/criterion`.
    pub(super) criteria: Names,
    /// Names of models and of versions.
    pub(super) names: Names,
}

/// What lines told, by a key, in its order.
type Slots<K, T> = Vec<(K, Option<Kept<T>>)>;

/// What is held of one trial.
#[derive(Default)]
pub(super) struct Held {
    /// What came back.
    pub(super) answer: Option<Kept<Observed>>,
    /// What programs scored, by the metric's place in the Eval and the answer that they were shown.
    pub(super) programs: Slots<(usize, Digest), Score>,
    /// What judges said, by judge, sample and the answer that they were shown.
    pub(super) opinions: Slots<(u32, u32, Option<Digest>), Heard>,
}

/// Something that a line told.
pub(super) struct Kept<T> {
    /// When.
    pub(super) at: DateTime<Utc>,
    /// Digest of the line.
    pub(super) digest: Digest,
    stands: bool,
    /// What.
    pub(super) value: T,
}

/// What is held of an answer.
pub(super) struct Observed {
    pub(super) latency_us: u64,
    pub(super) total_us: u64,
    pub(super) attempts: u32,
    pub(super) fault: Option<(FaultKind, String)>,
    pub(super) usage: Option<Usage>,
    /// US dollars, or why nobody knows them.
    pub(super) cost: Result<Decimal, String>,
    pub(super) tool_calls: u64,
    pub(super) version: Option<u32>,
    pub(super) scores: Vec<(usize, Score)>,
    pub(super) leaks: Vec<Leak>,
    pub(super) output: Option<Digest>,
    /// What opinions on it name.
    pub(super) said: Option<Digest>,
}

/// What is held of an opinion; criteria by their number, none where the judge did not speak.
pub(super) struct Heard {
    pub(super) found: Option<Box<[(u32, Finding)]>>,
    /// Why the judge did not speak.
    pub(super) why: Option<Box<str>>,
    pub(super) usage: Option<Usage>,
    pub(super) cost: Option<Decimal>,
    pub(super) model: Option<u32>,
}

/// Texts, each held once.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Collected {
    /// Lets go what was said of answers that do not count: another answer to the same case came first.
    fn settle(&mut self) {
        for (_, held) in self.cases.iter_mut().flatten() {
            let said = held.answer.as_ref().and_then(|answer| answer.value.said);
            held.opinions.retain(|((.., about), _)| about.is_some() && *about == said);
            held.programs.retain(|((_, about), _)| Some(*about) == said);
        }
    }

    /// The plan alone; all else is let go.
    pub(super) fn into_plan(self) -> Plan {
        self.plans.plan
    }
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).expect("fewer names than lines");
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// The text of a number.
    pub(super) fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    /// All texts, by number.
    pub(super) fn all(&self) -> &[String] {
        &self.texts
    }
}

/// Reads all journals.
///
/// # Errors
/// One cannot be read, or they do not belong together.
pub(super) fn collect(definition: &Definition, journals: &dyn Journals) -> Result<Collected, MergeTrouble> {
    let mut reading = Reading { definition, found: None, places: HashMap::new() };
    for (index, file) in journals.names().iter().enumerate() {
        let closed = |why| MergeTrouble::Closed { file: file.clone(), why };
        let mut shard = None;
        let mut begun = false;
        for entry in journals.open(index).map_err(closed)? {
            let Entry { line, digest } = entry?;
            if let Line::Plan(plan) = line {
                shard = plan.shard;
                begun = true;
                reading.plan(*plan, file)?;
            } else if begun {
                reading.line(line, digest, shard, file)?;
            } else {
                return Err(MergeTrouble::NoPlan(file.clone()));
            }
        }
        if !begun {
            return Err(MergeTrouble::NoPlan(file.clone()));
        }
    }
    let mut found = reading.found.ok_or(MergeTrouble::Nothing)?;
    found.settle();
    Ok(found)
}

struct Reading<'a> {
    definition: &'a Definition,
    found: Option<Collected>,
    /// Where in the plan a case stands.
    places: HashMap<String, usize>,
}

impl Reading<'_> {
    fn plan(&mut self, plan: Plan, file: &str) -> Result<(), MergeTrouble> {
        if let Some(found) = &mut self.found {
            return found.plans.add(plan, file);
        }
        let plans = Plans::first(plan, file, self.definition)?;
        let cases = &plans.plan.cases;
        self.places = cases.iter().enumerate().map(|(place, case)| (case.id.clone(), place)).collect();
        let cases = cases.iter().map(|_| Vec::new()).collect();
        let (canaries, lags) = (BTreeMap::new(), BTreeMap::new());
        self.found =
            Some(Collected { plans, cases, canaries, lags, criteria: Names::default(), names: Names::default() });
        Ok(())
    }

    fn line(&mut self, line: Line, digest: Digest, shard: Option<(u32, u32)>, file: &str) -> Result<(), MergeTrouble> {
        let stranger = |what: String| MergeTrouble::Stranger { file: file.to_owned(), what };
        let Some(found) = &mut self.found else { return Err(MergeTrouble::NoPlan(file.to_owned())) };
        let plan = &found.plans.plan;
        let unit = match &line {
            Line::Plan(_) => return Ok(()),
            Line::Lag(lag) => {
                found.lags.insert(digest, *lag);
                return Ok(());
            }
            Line::Opinion(opinion) => {
                let judge = plan.judges.get(opinion.judge as usize);
                if judge.is_none_or(|judge| opinion.sample == 0 || opinion.sample > judge.samples) {
                    return Err(stranger(format!("sample {} of judge {}", opinion.sample, opinion.judge)));
                }
                &opinion.unit
            }
            Line::Answer(answered) => &answered.unit,
            Line::Program(programmed) => &programmed.unit,
        };
        let names = (&mut found.names, &mut found.criteria);
        if let Line::Opinion(opinion) = &line
            && opinion.is_canary()
        {
            let key = (unit.case.clone(), opinion.judge, opinion.sample);
            found.canaries.entry(key).or_default().insert(digest, heard(opinion, digest, plan, names));
            return Ok(());
        }
        let held = held(unit, plan.trials, &self.places, &mut found.cases, shard, file)?;
        match line {
            Line::Answer(answered) => {
                offer(&mut held.answer, observed(*answered, digest, plan, self.definition, names.0));
            }
            Line::Opinion(opinion) => {
                let key = (opinion.judge, opinion.sample, opinion.about);
                offer(slot(&mut held.opinions, key), heard(&opinion, digest, plan, names));
            }
            Line::Program(programmed) => program(programmed, digest, self.definition, held),
            Line::Plan(_) | Line::Lag(_) => {}
        }
        Ok(())
    }
}

/// What is held of a unit so far.
fn held<'c>(
    unit: &Unit,
    trials: u32,
    places: &HashMap<String, usize>,
    cases: &'c mut [Vec<(u32, Held)>],
    shard: Option<(u32, u32)>,
    file: &str,
) -> Result<&'c mut Held, MergeTrouble> {
    let stranger = |what: String| MergeTrouble::Stranger { file: file.to_owned(), what };
    let place = places.get(&unit.case).ok_or_else(|| stranger(format!("case `{}`", unit.case)))?;
    if unit.trial == 0 || unit.trial > trials {
        return Err(stranger(format!("trial {} of case `{}`", unit.trial, unit.case)));
    }
    if let Some((stands, of)) = shard {
        let belongs = shard_of(&unit.case, of);
        if belongs != stands {
            let (file, case) = (file.to_owned(), unit.case.clone());
            return Err(MergeTrouble::WrongShard { file, case, belongs, stands });
        }
    }
    Ok(slot(&mut cases[*place], unit.trial))
}

/// The value of a key in an ordered list, made where there is none.
fn slot<K: Ord + Copy, V: Default>(list: &mut Vec<(K, V)>, key: K) -> &mut V {
    let place = match list.binary_search_by_key(&key, |(key, _)| *key) {
        Ok(place) => place,
        Err(place) => {
            // Most lists stay at one or two, and there are as many lists as cases.
            list.reserve_exact(1);
            list.insert(place, (key, V::default()));
            place
        }
    };
    &mut list[place].1
}

fn offer<T>(slot: &mut Option<Kept<T>>, new: Kept<T>) {
    let rank = |kept: &Kept<T>| (!kept.stands, kept.at, kept.digest);
    if slot.as_ref().is_none_or(|old| rank(&new) < rank(old)) {
        *slot = Some(new);
    }
}

fn observed(
    answered: Answered,
    digest: Digest,
    plan: &Plan,
    definition: &Definition,
    names: &mut Names,
) -> Kept<Observed> {
    let (stands, at) = (answered.stands(), answered.at);
    let placed = |(name, score): (Arc<str>, Score)| Some((place(definition, &name)?, score));
    let mut scores: Vec<_> = answered.scores.into_iter().filter_map(placed).collect();
    scores.shrink_to_fit();
    let mut leaks = answered.leaks;
    leaks.sort_unstable();
    leaks.truncate(MOST_LEAKS);
    leaks.shrink_to_fit();
    let outcome = answered.outcome;
    let mut value = Observed {
        latency_us: outcome.latency_us,
        total_us: outcome.total_us,
        attempts: outcome.attempts,
        fault: None,
        usage: None,
        cost: Err("there is no answer".to_owned()),
        tool_calls: 0,
        version: None,
        scores,
        leaks,
        output: None,
        said: None,
    };
    match outcome.reply {
        Err(fault) => value.fault = Some((fault.kind, fault.message)),
        Ok(reply) => {
            value.cost = match reply.cost {
                Some(cost) if cost < Decimal::ZERO => Err("the target says that it cost less than nothing".to_owned()),
                Some(cost) => Ok(cost),
                None => cost(plan, reply.usage, reply.model.as_deref(), plan.priced_as.as_deref()),
            };
            value.usage = reply.usage;
            value.tool_calls = reply.tool_calls.len() as u64;
            value.version = reply.agent_version.as_deref().map(|version| names.number(version));
            value.output = Some(Digest::of(&reply.text));
            value.said = Some(reply.digest());
        }
    }
    Kept { at, digest, stands, value }
}

fn heard(opinion: &Opinion, digest: Digest, plan: &Plan, (names, criteria): (&mut Names, &mut Names)) -> Kept<Heard> {
    let requested = plan.judges.get(opinion.judge as usize).map(|judge| judge.requested.as_str());
    let value = Heard {
        cost: cost(plan, opinion.usage, opinion.model.as_deref(), requested).ok(),
        usage: opinion.usage,
        model: opinion.model.as_deref().map(|model| names.number(model)),
        why: opinion.found.as_ref().err().map(|why| why.as_str().into()),
        found: opinion.found.as_ref().ok().map(|findings| {
            findings.iter().map(|(criterion, finding)| (criteria.number(criterion), *finding)).collect()
        }),
    };
    Kept { at: opinion.at, digest, stands: opinion.stands(), value }
}

fn program(programmed: Programmed, digest: Digest, definition: &Definition, held: &mut Held) {
    for (name, score) in programmed.scores {
        if let Some(place) = place(definition, &name) {
            let stands = matches!(score, Score::Scored(_));
            offer(
                slot(&mut held.programs, (place, programmed.about)),
                Kept { at: programmed.at, digest, stands, value: score },
            );
        }
    }
}

/// Where in the Eval a metric stands.
fn place(definition: &Definition, name: &str) -> Option<usize> {
    definition.metrics.iter().position(|metric| metric.name == name)
}

/// The price of a model by its name, with or without the date that providers append to one.
fn price_of<'p>(plan: &'p Plan, model: &str) -> Option<&'p Prices> {
    let dated = |long: &str, short: &str| {
        let rest = long.strip_prefix(short).and_then(|rest| rest.strip_prefix(['-', '@', ':']));
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let near = || plan.prices.iter().find(|(name, _)| dated(model, name) || dated(name, model));
    plan.prices.get(model).or_else(|| near().map(|(_, prices)| prices))
}

/// What tokens cost: by the name of the model that answered, else by that of the model that should have.
fn cost(plan: &Plan, usage: Option<Usage>, model: Option<&str>, else_model: Option<&str>) -> Result<Decimal, String> {
    let Some(usage) = usage else { return Err("the target does not count its tokens".to_owned()) };
    // An agent may name anything; who calls a model's own API is answered by that model, or by one with another price.
    let is_api = matches!(plan.reach.protocol.as_str(), "openai" | "anthropic");
    let named = model.and_then(|model| price_of(plan, model));
    let prices = match model {
        Some(_) if is_api => named,
        _ => named.or_else(|| plan.prices.get(else_model?)),
    };
    let Some(prices) = prices else {
        return Err(match model.or(else_model) {
            Some(model) => format!("the price of the model `{model}` is not known"),
            None => "no model is named, so no price is known".to_owned(),
        });
    };
    // Multiplied first, so that the millionth part is rounded once.
    Ok((prices.input.times(usage.input) + prices.output.times(usage.output)).per_million())
}
