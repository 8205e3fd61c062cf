//! MCP servers as they are: pinned, known, encrypted, and observed lately.

use chrono::{DateTime, TimeDelta, Utc};

use crate::resource::{Kind, Risk, Value};

use super::super::{OBSERVATION_DAYS, Observation};
use super::address::Address;
use super::found::{Found, shown};
use super::mcp_change::{difference, says_the_same};
use super::version::Version;
use super::whole::{Part, Whole};
use super::{Side, Terms};

pub(super) fn judge(whole: &Whole, side: &Side<'_>, terms: &Terms<'_>, found: &mut Found) {
    for server in whole.of_kind(&Kind::McpServer) {
        pinned(server, found);
        local(server, found);
        published(server, terms, found);
        encrypted(server, terms, found);
        recorded(server, side, found);
        trusted(server, side, terms, found);
        drifted(server, side, found);
    }
}

/// Whether it is spoken to through the pipes of a local process, or nobody says how.
pub(super) fn is_local(server: &Part) -> bool {
    let transport = server.text(&["transport"]).or_else(|| server.text(&["transport", "type"]));
    match transport {
        Some(word) => word.eq_ignore_ascii_case("stdio"),
        None => server.text(&["endpoint", "url"]).is_none(),
    }
}

fn pinned(server: &Part, found: &mut Found) {
    let version = server.text(&["security", "pinnedVersion"]);
    let why = if server.is_true(&["security", "pinServerVersion"]) {
        match version {
            None => "it has no `security.pinnedVersion`".to_owned(),
            Some(text) if Version::read(text).is_none() && !is_exact(text) => {
                format!("its `security.pinnedVersion` is {}, which is no single version", shown(text))
            }
            Some(_) => return,
        }
    } else {
        "its `security.pinServerVersion` is not `true`".to_owned()
    };
    found.raise("AGB-MCP-001", server.component(), Risk::High, why);
}

/// A digest or a revision is as exact as a version: `sha256:…`, forty digits of a commit.
fn is_exact(text: &str) -> bool {
    let hex = text.rsplit_once(':').map_or(text, |(_, hex)| hex);
    hex.len() >= 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn local(server: &Part, found: &mut Found) {
    let why = if is_local(server) {
        match server.text(&["transport"]).or_else(|| server.text(&["transport", "type"])) {
            Some(_) => "it runs as a local process over `stdio`",
            None => "neither its transport nor an address is said, so it may run as a local process",
        }
    } else if server.at(&["security", "allowStdio"]).is_some_and(|allowed| *allowed != Value::Bool(false)) {
        "`security.allowStdio` lets it run as a local process"
    } else {
        return;
    };
    let sandboxed = server.is_on(&["security", "sandbox"]);
    let (severity, how) = if sandboxed { (Risk::High, "in a sandbox") } else { (Risk::Critical, "without a sandbox") };
    found.raise("AGB-MCP-004", server.component(), severity, format!("{why}, {how}"));
}

fn published(server: &Part, terms: &Terms<'_>, found: &mut Found) {
    let publishers: Vec<&str> = server.texts(&["security", "trustedPublisher"]);
    let named: Vec<&str> = publishers.into_iter().map(str::trim).filter(|name| !name.is_empty()).collect();
    if named.is_empty() {
        found.raise("AGB-MCP-005", server.component(), Risk::High, "`security.trustedPublisher` names nobody");
    }
    let Some(allowed) = terms.publishers else { return };
    for name in named.iter().filter(|name| !allowed.iter().any(|known| known.eq_ignore_ascii_case(name))) {
        let why = format!("`{}` does not list its publisher {}", terms.environment, shown(name));
        found.raise("AGB-MCP-005", server.component(), Risk::High, why);
    }
}

fn encrypted(server: &Part, terms: &Terms<'_>, found: &mut Found) {
    if is_local(server) && server.at(&["endpoint", "url"]).is_none() {
        return;
    }
    let why = match server.text(&["endpoint", "url"]) {
        None => "where it is reached is not known: `endpoint.url` is missing or not filled in".to_owned(),
        Some(url) => match Address::read(url) {
            Some(address) if address.is_encrypted() => return,
            Some(address) if address.is_loopback() && !terms.last_rung => return,
            _ => format!("it is reached at {}, which is not `https`", shown(url)),
        },
    };
    found.raise("AGB-MCP-006", server.component(), Risk::Critical, why);
}

/// The newest observation, if it is young enough for its side.
pub(super) fn current<'a>(server: &Part, side: &'a Side<'_>) -> Result<&'a Observation, String> {
    let newest = side.observed.get(server.id()).and_then(|all| all.last()).ok_or("nobody recorded")?;
    if is_fresh(newest.observed_at, side.at) {
        Ok(newest)
    } else {
        Err(format!(
            "the last record is of {}, more than {OBSERVATION_DAYS} days old:",
            newest.observed_at.date_naive()
        ))
    }
}

/// Within its days, and not of a day to come.
fn is_fresh(observed_at: DateTime<Utc>, at: DateTime<Utc>) -> bool {
    let age = at.signed_duration_since(observed_at);
    age <= TimeDelta::days(OBSERVATION_DAYS) && age >= -TimeDelta::days(1)
}

fn recorded(server: &Part, side: &Side<'_>, found: &mut Found) {
    if let Err(why) = current(server, side) {
        let reason = format!("{why} which tools it offers");
        found.raise("AGB-MCP-002", server.component(), Risk::High, reason).remedy(record(server));
    }
}

fn record(server: &Part) -> String {
    format!("record what it offers: `joch mcp record {}`", server.id().name)
}

fn trusted(server: &Part, side: &Side<'_>, terms: &Terms<'_>, found: &mut Found) {
    let own = server.number(&["security", "minTrustScore"]);
    let unreadable = server.at(&["security", "minTrustScore"]).is_some() && own.is_none();
    let Some(floor) = [own, terms.min_trust_score].into_iter().flatten().reduce(f64::max) else {
        if unreadable {
            found.raise("AGB-MCP-003", server.component(), Risk::High, "its `security.minTrustScore` is no number");
        }
        return;
    };
    let by = if terms.min_trust_score == Some(floor) { terms.environment } else { "its record" };
    let score = current(server, side).and_then(|newest| {
        if newest.digest != server.resource.digest() {
            return Err(format!("the record of {} is about another version of it:", newest.observed_at.date_naive()));
        }
        // The lowest of the young scores counts: a good word does not undo a warning.
        let of_record = side.observed.get(server.id()).into_iter().flatten();
        let young = of_record.filter(|seen| seen.digest == newest.digest && is_fresh(seen.observed_at, side.at));
        let scores = young.filter_map(|seen| Some(seen.trust_score.as_ref()?.as_number()?.as_f64()));
        let lowest = scores.filter(|score| (0.0..=1.0).contains(score)).reduce(f64::min);
        lowest.ok_or_else(|| "nobody whose score counts scored".to_owned())
    });
    match score {
        Ok(score) if score >= floor => {}
        Ok(score) => {
            let why = format!("its trust score is {score}, and `{by}` demands {floor}");
            found.raise("AGB-MCP-003", server.component(), Risk::High, why).score(score);
        }
        Err(why) => {
            let why = format!("{why} how far it is trusted, and `{by}` demands {floor}");
            let name = &server.id().name;
            let remedy =
                format!("record a score: `joch mcp record {name} --trust-score N --trust-source TEXT`, or except it");
            found.raise("AGB-MCP-003", server.component(), Risk::High, why).remedy(remedy);
        }
    }
}

/// What the server itself says against its record.
fn drifted(server: &Part, side: &Side<'_>, found: &mut Found) {
    let digest = server.resource.digest();
    let mut of_record = side.observed.get(server.id()).into_iter().flatten().filter(|seen| seen.digest == digest);
    let Some(first) = of_record.next() else { return };
    let newest = of_record.next_back().unwrap_or(first);
    if let (Some(pin), Some(says)) = (server.text(&["security", "pinnedVersion"]), newest.server_version.as_deref()) {
        let same = match (Version::read(pin), Version::read(says)) {
            (Some(pin), Some(says)) => pin == says,
            _ => pin == says.trim(),
        };
        if !same {
            let why = format!("it calls itself version {}, and {} is pinned", shown(says), shown(pin));
            found.raise("AGB-MCP-010", server.component(), Risk::Critical, why);
        }
    }
    if !says_the_same(first, newest) {
        let why = format!(
            "what it offers changed since {}, when this record of it was first seen: {}",
            first.observed_at.date_naive(),
            difference(first, newest)
        );
        found.raise("AGB-MCP-010", server.component(), Risk::Critical, why);
    }
}
