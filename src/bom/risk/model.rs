//! Models: whose they are, where they are served, and whether they stay what they are.

use std::collections::BTreeSet;

use crate::resource::{Kind, Risk};

use super::Terms;
use super::found::{Found, listed, shown};
use super::place::lies_within_any;
use super::whole::{Part, Whole};

pub(super) fn judge(whole: &Whole, terms: &Terms<'_>, found: &mut Found) {
    for model in whole.of_kind(&Kind::Model) {
        if let Some(allowed) = terms.model_providers
            && !provider(model).is_some_and(|name| is_listed(&name, allowed))
        {
            let name = provider(model).map_or_else(|| "which it does not say".to_owned(), |name| shown(&name));
            let why = format!("`{}` does not list its provider {name}", terms.environment);
            found.raise("AGB-MODEL-001", model.component(), Risk::Critical, why);
        }
        if let Some(why) = outside(model, terms.data_residency) {
            let why = format!("{why}, which `{}` demands", terms.environment);
            found.raise("AGB-MODEL-002", model.component(), Risk::Critical, why);
        }
        match model.text(&["model"]) {
            None => {
                found.raise("AGB-MODEL-003", model.component(), Risk::Medium, "which model it is, is not said");
            }
            Some(name) if !is_fixed(name) => {
                let why = format!("{} names no dated or numbered version, so it may change by itself", shown(name));
                found.raise("AGB-MODEL-003", model.component(), Risk::Medium, why);
            }
            Some(_) => {}
        }
    }
}

/// Why a model may be served outside of `allowed`; `None` where it may not, or where anywhere will do.
pub(super) fn outside<S: AsRef<str>>(model: &Part, allowed: &[S]) -> Option<String> {
    if allowed.is_empty() {
        return None;
    }
    let places = listed(allowed.iter().map(AsRef::as_ref));
    let regions = model.texts(&["routing", "regions"]);
    if regions.is_empty() {
        return Some(format!("`routing.regions` does not say that it is served within {places}"));
    }
    let mut beyond = regions.iter().copied().filter(|region| !lies_within_any(region, allowed)).peekable();
    beyond.peek()?;
    Some(format!("it may be served in {}, not only within {places}", listed(beyond)))
}

fn provider(model: &Part) -> Option<String> {
    model.text(&["provider"]).map(str::to_ascii_lowercase)
}

fn is_listed(name: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|known| known.trim().eq_ignore_ascii_case(name))
}

/// Whether the name of a model means one model for ever: it has a date or a number of three digits or more, a version
/// `v2`, or a digest.
fn is_fixed(name: &str) -> bool {
    let parts: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let number = |part: &&str| part.len() >= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let version = |part: &&str| {
        part.strip_prefix('v')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let digest = |part: &&str| part.len() >= 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let floats = parts.iter().any(|part| part.eq_ignore_ascii_case("latest") || part.eq_ignore_ascii_case("preview"));
    !floats && parts.iter().any(|part| number(part) || version(part) || digest(part))
}

pub(super) fn compare(before: &Whole, after: &Whole, terms: &Terms<'_>, found: &mut Found) {
    let known: BTreeSet<_> = before.of_kind(&Kind::Model).map(provider).collect();
    for model in after.of_kind(&Kind::Model) {
        let name = provider(model);
        if known.contains(&name) {
            continue;
        }
        let listed = name.as_ref().zip(terms.model_providers).is_some_and(|(name, allowed)| is_listed(name, allowed));
        if !listed && terms.model_providers.is_some() {
            continue; // The rule about its state has said worse.
        }
        let name = name.map_or_else(|| "that it does not say".to_owned(), |name| shown(&name));
        let severity = if listed { Risk::Medium } else { Risk::High };
        let why = format!("its provider {name} is new to this agent");
        found.raise("AGB-MODEL-001", model.component(), severity, why);
    }
    for (was, model) in after.changed(before, &Kind::Model) {
        let (old, new) = (was.text(&["model"]), model.text(&["model"]));
        if old != new {
            let word = |name: Option<&str>| name.map_or_else(|| "not said".to_owned(), shown);
            let why = format!("the model was {} and is {}", word(old), word(new));
            found.raise("AGB-MODEL-003", model.component(), Risk::Medium, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dated_or_numbered_name_stays_what_it_is() {
        for name in [
            "gpt-4.1-2025-04-14",
            "mistral-large-2411",
            "claude-opus-4-1-20250805",
            "gemini-1.5-pro-002",
            "amazon.titan-embed-text-v2:0",
            "gpt-4-0613",
        ] {
            assert!(is_fixed(name), "{name}");
        }
        for name in ["gpt-4.1", "claude-sonnet", "o3", "llama-3.1-405b", "mistral-large-latest", "gpt-4o-latest-2025"] {
            assert!(!is_fixed(name), "{name}");
        }
    }
}
