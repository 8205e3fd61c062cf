//! All detectors over one text.

use super::digits::groups;
use super::{card, email, iban, ip, phone, secret, ssn};

/// Something found in a folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) detector: &'static str,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Personal data.
    Pii,
    /// Credentials.
    Secret,
}

/// Personal data in the order in which it stands. No two findings overlap: what is a part of an account or a card is
/// no telephone number.
pub(super) fn personal(text: &str, regions: &[&str]) -> Vec<Finding> {
    let groups = groups(text);
    let mut found = Found::default();
    found.take(|found| email::find(text, found));
    found.take(|found| iban::find(text, found));
    found.take(|found| card::find(text, &groups, found));
    found.take(|found| ip::find(text, &groups, found));
    found.take(|found| ssn::find(text, &groups, found));
    let ids = uuids(text);
    found.take(|found| {
        phone::find(text, &groups, regions, found);
        found.retain(|number| !overlaps(&ids, number));
    });
    found.0
}

/// Credentials in the order in which they stand. They may overlap.
pub(super) fn secrets(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    secret::find(text, &mut found);
    found.sort_by_key(|finding: &Finding| (finding.start, std::cmp::Reverse(finding.end)));
    found
}

/// Findings in order, none of which overlap.
#[derive(Default)]
struct Found(Vec<Finding>);

impl Found {
    /// Adds what `find` finds, but for what overlaps with earlier findings.
    fn take(&mut self, find: impl FnOnce(&mut Vec<Finding>)) {
        let mut new = Vec::new();
        find(&mut new);
        new.retain(|finding| !overlaps(&self.0, finding));
        if !new.is_empty() {
            self.0.append(&mut new);
            self.0.sort_by_key(|finding| finding.start);
        }
    }
}

/// Whether `finding` shares a byte with one of `others`, which are in order and apart.
fn overlaps(others: &[Finding], finding: &Finding) -> bool {
    let next = others.partition_point(|other| other.end <= finding.start);
    others.get(next).is_some_and(|other| other.start < finding.end)
}

/// Where UUIDs stand, whose digits are no number.
fn uuids(text: &str) -> Vec<Finding> {
    const LENGTH: usize = 36;
    let bytes = text.as_bytes();
    let mut found: Vec<Finding> = Vec::new();
    for (dash, _) in text.match_indices('-') {
        let Some(start) = dash.checked_sub(8) else { continue };
        let Some(candidate) = bytes.get(start..start + LENGTH) else { break };
        let is_uuid = candidate.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
        if is_uuid && found.last().is_none_or(|last| last.end <= start) {
            found.push(Finding { detector: "uuid", start, end: start + LENGTH });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::national::REGIONS;
    use super::*;

    fn found(text: &str) -> Vec<(&'static str, &str)> {
        personal(text, &REGIONS)
            .into_iter()
            .map(|finding| (finding.detector, &text[finding.start..finding.end]))
            .collect()
    }

    #[test]
    fn a_part_of_one_thing_is_not_another() {
        assert_eq!(found("DE89 3704 0044 0532 0130 00"), [("iban", "DE89 3704 0044 0532 0130 00")]);
        assert_eq!(found("+4915112345678@acme.com"), [("email", "+4915112345678@acme.com")]);
        assert_eq!(found("tel 4111 1111 1111 1111"), [("credit-card", "4111 1111 1111 1111")]);
        assert_eq!(found("id 01234567-0123-4123-8123-012345678901"), []);
    }

    #[test]
    fn findings_come_in_the_order_of_the_text() {
        let text = "+1 415 555 2671, joe@acme.com, 8.8.8.8, 512-34-5678";
        let detectors: Vec<&str> = found(text).into_iter().map(|(detector, _)| detector).collect();
        assert_eq!(detectors, ["phone", "email", "ip-address", "us-ssn"]);
    }
}
