//! Trust for tests: keys made of a number, teams written in a line.

use std::sync::Arc;

use super::{AllowedSigners, Ladder, LedgerSettings, PublicKey, Trust};
use crate::resource::Resource;
use crate::resource::sample::one;

/// The key of this number.
pub(crate) fn key(seed: u8) -> PublicKey {
    PublicKey::of_seed(seed)
}

/// One entry under `members`: `bob approver 2,3 automation: true` is Bob with the keys 2 and 3; `-` is no key.
pub(crate) fn team(name: &str, members: &[&str]) -> Arc<Resource> {
    let member = |line: &&str| {
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (user, role, keys, more) = (word(), word(), word(), word());
        let keys: Vec<_> =
            keys.split(',').filter_map(|seed| seed.parse().ok()).map(|seed| format!("'{}'", key(seed))).collect();
        format!(
            "{{user: '{user}', role: {role}, keys: [{}]{}{more}}}",
            keys.join(", "),
            if more.is_empty() { "" } else { ", " }
        )
    };
    let members: Vec<_> = members.iter().map(member).collect();
    one(&format!("Team {name}"), &format!("{{members: [{}]}}", members.join(", ")))
}

/// What trust comes to with these records, on the usual ladder.
pub(crate) fn read(records: impl IntoIterator<Item = Arc<Resource>>) -> Result<Trust, String> {
    let records = records.into_iter().map(|record| (record.id().clone(), record)).collect();
    let settings = LedgerSettings {
        canonical_form: LedgerSettings::CANONICAL_FORM,
        ladder: Ladder::default(),
        quorum: 2,
        uuid: "0".into(),
    };
    Trust::new("trust-commit".into(), settings, records, AllowedSigners::default())
}

/// Trust with these records.
pub(crate) fn trust(records: impl IntoIterator<Item = Arc<Resource>>) -> Trust {
    read(records).expect("the records of a test can be read")
}
