//! What the tokens of an agent cost: the Models that it names, and their prices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::closure::Closure;
use crate::eval::{Decimal, Usage};
use crate::resource::envelope::filled;
use crate::resource::served::{Served, match_candidate};
use crate::resource::{Digest, Kind, Map, Resource, ResourceId, Target, Value};

/// A Model that an agent may use, with its prices in US dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PricedModel {
    /// The Model.
    pub model: ResourceId,
    /// Digest of its content.
    pub digest: Digest,
    /// Whether it answers as a rule; another is a fallback.
    pub usual: bool,
    /// What a million tokens in cost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input_per_million: Option<Decimal>,
    /// What a million tokens out cost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output_per_million: Option<Decimal>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unknown: Option<String>,
}

impl PricedModel {
    /// Whether tokens cost something with it.
    pub(super) fn costs(&self) -> bool {
        [self.input_per_million, self.output_per_million].into_iter().flatten().any(|price| price > Decimal::ZERO)
    }

    /// Takes the dearer of two prices, where both are known.
    fn raise_to(&mut self, other: &Self) {
        if self.unknown.is_none() && other.unknown.is_none() {
            self.input_per_million = self.input_per_million.max(other.input_per_million);
            self.output_per_million = self.output_per_million.max(other.output_per_million);
        }
    }

    /// What these tokens cost with it, where its prices are known.
    pub(super) fn cost(&self, usage: Usage) -> Option<Decimal> {
        let (input, output) = (self.input_per_million?, self.output_per_million?);
        Some((input.times(usage.input) + output.times(usage.output)).per_million())
    }
}

/// Every Model that an agent or a child of it names, each once, at the dearer of its own price and that of the same
/// Model in what runs now: no change lowers the prices that it is judged by. `defaults` are the values of the environment.
///
/// # Errors
/// A Model that is named and not in the closure.
pub(super) fn models(closure: &Closure, running: Option<&Closure>, defaults: &Map) -> Result<Vec<PricedModel>, String> {
    let mut named: Vec<(&Resource, bool)> = Vec::new();
    collect(closure, &mut named)?;
    let mut priced: Vec<PricedModel> = Vec::new();
    for (model, usual) in named {
        match priced.iter_mut().find(|known| known.model == *model.id() && known.digest == model.digest()) {
            Some(known) => known.usual |= usual,
            None => {
                let mut as_here = priced_as(model, usual, defaults);
                let runs = running.map(Closure::everything).unwrap_or_default();
                for there in runs.into_iter().filter(|there| is_same(model, there)) {
                    as_here.raise_to(&priced_as(there, usual, defaults));
                }
                priced.push(as_here);
            }
        }
    }
    priced.sort();
    Ok(priced)
}

/// The Models that were priced above what the candidate says of them.
pub(super) fn raised<'m>(models: &'m [PricedModel], candidate: &Closure, defaults: &Map) -> Vec<&'m ResourceId> {
    let parts = candidate.everything();
    let is_raised = |priced: &&PricedModel| {
        let own = parts.iter().find(|part| *part.id() == priced.model && part.digest() == priced.digest);
        let own = own.map(|part| priced_as(part, priced.usual, defaults));
        own.is_some_and(|own| own != **priced)
    };
    models.iter().filter(is_raised).map(|priced| &priced.model).collect()
}

/// Whether two records are of one Model, be it under two names.
fn is_same(model: &Resource, other: &Resource) -> bool {
    let served = |model: &Resource| {
        let text = |key: &str| model.spec().get(key).and_then(Value::as_text).map(str::to_owned);
        text("provider").zip(text("model"))
    };
    let one_name = model.id() == other.id() || served(model).is_some_and(|names| served(other) == Some(names));
    other.id().kind == Kind::Model && one_name
}

fn collect<'c>(closure: &'c Closure, found: &mut Vec<(&'c Resource, bool)>) -> Result<(), String> {
    let agent = closure.agent();
    for mention in agent.mentions() {
        if !mention.path.starts_with("spec.model") {
            continue;
        }
        let Target::Resource(reference) = &mention.target else {
            found.push((resolve(&mention.target, agent, closure)?, true));
            continue;
        };
        if reference.kind == Kind::Model {
            found.push((resolve(&mention.target, agent, closure)?, true));
        } else if reference.kind == Kind::ModelRoute {
            let candidates = reference.candidates(&agent.id().namespace);
            let route = candidates.iter().find_map(|id| closure.members().get(id));
            let route = route.ok_or_else(|| format!("{reference} is not in the closure of {}", agent.id()))?;
            let strategy = route.mentions().into_iter().filter(|mention| mention.path.starts_with("spec.strategy."));
            let strategy: Vec<_> = strategy.collect();
            let primary = strategy.iter().any(|mention| mention.path == "spec.strategy.primary");
            for mention in &strategy {
                // A route without a first Model may begin with any.
                let usual = !primary || mention.path == "spec.strategy.primary";
                found.push((resolve(&mention.target, route, closure)?, usual));
            }
        }
    }
    closure.children().values().try_for_each(|child| collect(child, found))
}

fn resolve<'c>(target: &Target, by: &Resource, closure: &'c Closure) -> Result<&'c Resource, String> {
    let namespace = &by.id().namespace;
    let id = match target {
        Target::Resource(reference) => {
            reference.candidates(namespace).into_iter().find(|id| closure.members().contains_key(id))
        }
        Target::Candidate(candidate) => {
            let served: Vec<_> = closure.members().values().filter_map(|member| Served::by(member)).collect();
            match_candidate(candidate, namespace, &served).ok()
        }
    };
    let found = id.and_then(|id| closure.members().get(&id));
    found.map(|model| &**model).ok_or_else(|| format!("{target}, which {} names, is not in the closure", by.id()))
}

fn priced_as(model: &Resource, usual: bool, defaults: &Map) -> PricedModel {
    let (prices, unknown) = match prices(model, defaults) {
        Ok(prices) => (Some(prices), None),
        Err(why) => (None, Some(why)),
    };
    PricedModel {
        model: model.id().clone(),
        digest: model.digest(),
        usual,
        input_per_million: prices.map(|(input, _)| input),
        output_per_million: prices.map(|(_, output)| output),
        unknown,
    }
}

/// The prices of a Model for tokens in and out. A price of 0 of a hosted model is not known, rather than nothing.
fn prices(model: &Resource, defaults: &Map) -> Result<(Decimal, Decimal), String> {
    let pricing = model.spec().get("pricing").filter(|pricing| **pricing != Value::Null);
    let pricing = pricing.ok_or("it names no `pricing`")?;
    let pricing =
        filled(pricing, defaults).map_err(|key| format!("the environment has no `{key}` for its `pricing`"))?;
    match pricing.get("currency").and_then(Value::as_text) {
        Some("USD") => {}
        Some(other) => {
            let other: String = other.chars().filter(|c| !c.is_control()).take(12).collect();
            return Err(format!("its prices are in {other}, and limits are in US dollars"));
        }
        None => return Err("it does not say in which `pricing.currency` its prices are".into()),
    }
    let local = model.spec().at(&["endpoint", "type"]).and_then(Value::as_text) == Some("local");
    let price = |key: &str| {
        let price = pricing.get(key).and_then(Value::as_number).and_then(Decimal::from_number);
        match price {
            None => Err(format!("it names no `pricing.{key}`")),
            Some(price) if price < Decimal::ZERO => Err(format!("its `pricing.{key}` is below 0")),
            Some(Decimal::ZERO) if !local => {
                Err(format!("BUD-PRICE-UNKNOWN: `pricing.{key}` is 0 and it is hosted, which means unknown, not free"))
            }
            Some(price) => Ok(price),
        }
    };
    Ok((price("inputPerMillionTokens")?, price("outputPerMillionTokens")?))
}
