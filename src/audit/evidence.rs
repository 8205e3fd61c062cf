//! The evidence branch: items are only added, each signed by its author and named for its content.

use chrono::{DateTime, Utc};

use crate::bom::Observation;
use crate::eval::RunResult;
use crate::gate::{Glass, Hold, Review, Statement};
use crate::release::{Record, layout};

/// The folders of the evidence branch.
const FOLDERS: [&str; 6] = ["evals", "approvals", "overrides", "decisions", "holds", "observations"];

/// Checks that a path is one of evidence: in a folder of the grammar, an item or its signature.
///
/// # Errors
/// What is wrong with it.
pub fn check_path(path: &str) -> Result<(), String> {
    let folder = path.split('/').next().unwrap_or_default();
    if !FOLDERS.contains(&folder) {
        return Err(format!("evidence has no folder `{folder}`, only {}", FOLDERS.join(", ")));
    }
    let item = path.strip_suffix(layout::SIGNATURE).unwrap_or(path);
    if item.ends_with(".json") { Ok(()) } else { Err("it is neither an item (`.json`) nor its signature".to_owned()) }
}

/// Checks that an item stands where what it says belongs, so that a look-up by path finds it, and that no observation is
/// dated later than the ledger took it in.
///
/// # Errors
/// What is wrong with it, and where it belongs.
pub fn check_place(path: &str, id: &str, bytes: &[u8], carried_at: DateTime<Utc>) -> Result<(), String> {
    let belongs: Vec<String> = match path.split('/').next().unwrap_or_default() {
        "approvals" => {
            let said = Statement::from_json(bytes)?.predicate;
            let place = |change: &crate::gate::Change| {
                format!("{}/{id}.json", layout::approvals(&change.resource, change.to.or(change.from)))
            };
            said.changes.iter().map(place).collect()
        }
        "decisions" => {
            let record = Record::from_json(bytes)?;
            let number = number_of(&record).ok_or_else(|| format!("`{}` is no release", record.release))?;
            vec![layout::decision(&record.environment, number, id)]
        }
        layout::EVALS => {
            let subject = RunResult::from_json(bytes)?.subject;
            vec![layout::eval_result(&subject.agent, subject.digest, id)]
        }
        layout::OBSERVATIONS => {
            let seen = Observation::from_json(bytes)?;
            if seen.observed_at > carried_at {
                return Err(format!("it is dated {}, later than the ledger took it in", seen.observed_at.to_rfc3339()));
            }
            vec![format!("{}/{id}.json", layout::observations(&seen.server, Some(seen.digest)))]
        }
        layout::HOLDS => {
            let hold = Hold::from_json(bytes)?;
            vec![layout::hold(&hold.resource, hold.digest, id)]
        }
        layout::OVERRIDES => {
            let (resource, environment) = match (Glass::from_json(bytes), Review::from_json(bytes)) {
                (Ok(glass), _) => (glass.resource, glass.environment),
                (_, Ok(review)) => (review.resource, review.environment),
                (Err(why), Err(_)) => return Err(why),
            };
            vec![layout::override_item(&environment, &resource, id)]
        }
        _ => return Ok(()),
    };
    if belongs.iter().any(|place| place == path) {
        Ok(())
    } else {
        Err(format!("it belongs at `{}`", belongs.join("` or `")))
    }
}

/// The ledger in which an approval or a hold was said, if it names one.
#[must_use]
pub fn ledger_of(path: &str, bytes: &[u8]) -> Option<String> {
    match path.split('/').next().unwrap_or_default() {
        "approvals" => Statement::from_json(bytes).ok()?.predicate.ledger,
        layout::HOLDS => Hold::from_json(bytes).ok()?.ledger,
        _ => None,
    }
}

/// The number of the release that a record tells of, if it is one of its environment.
#[must_use]
pub fn number_of(record: &Record) -> Option<u64> {
    let (environment, number) = record.release.split_once('/')?;
    (environment == record.environment).then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_outside_the_folders_is_no_evidence() {
        for good in ["approvals/default/x/0123/ab.json", "decisions/prod/1-ab.json.sig", "evals/default/x/01/ab.json"] {
            assert_eq!(check_path(good), Ok(()), "{good}");
        }
        for bad in ["x.json", "notes/a.json", "decisions/prod/1-ab.txt", "approvals.json"] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
    }
}
