//! Telephone numbers: with `+` those of the whole world, without it those of declared countries.

use std::cell::LazyCell;

use super::around::{after, before, digit_after, digit_before, glued, glues, leads};
use super::digits::{Group, chain, gap};
use super::find::Finding;
use super::national::{is_international, is_national};

/// What may stand between two groups of a number.
const MARKS: &str = " -./()";
/// A number has at most this many groups.
const MOST: usize = 9;
/// Digits of the longest number, those of a second prefix included.
const LONGEST: usize = 17;
const WORDS: [&str; 18] = [
    "phone",
    "tel",
    "call",
    "mobil",
    "cell",
    "fax",
    "sms",
    "whatsapp",
    "contact",
    "handy",
    "ring",
    "dial",
    "text",
    "télé",
    "móvil",
    "chiama",
    "bel",
    "rufnummer",
];

/// Finds numbers; national ones of `regions` only.
pub(super) fn find(text: &str, groups: &[Group], regions: &[&str], found: &mut Vec<Finding>) {
    let mut at = 0;
    while at < groups.len() {
        let hit = match plus(text, groups[at].start) {
            Some(start) => begins(text, start).then(|| international(text, &groups[at..], start)).flatten(),
            None if regions.is_empty() => None,
            None => national(text, &groups[at..], regions),
        };
        match hit {
            Some((start, count)) => {
                found.push(Finding { detector: "phone", start, end: groups[at + count - 1].end });
                at += count;
            }
            None => at += 1,
        }
    }
}

/// Where the `+` stands that leads to the digits at `at`, as in `+49` or `+(49)`.
fn plus(text: &str, at: usize) -> Option<usize> {
    let lead = text[..at].strip_suffix('(').unwrap_or(&text[..at]);
    lead.strip_suffix('+').map(str::len)
}

/// Whether a `+` at `start` begins a number and is no sign within something else.
fn begins(text: &str, start: usize) -> bool {
    !glued(text, start) && !before(text, start).is_some_and(|c| c == '+' || c == '/')
}

fn international(text: &str, groups: &[Group], start: usize) -> Option<(usize, usize)> {
    longest(text, groups, 0, is_international).map(|count| (start, count))
}

fn national(text: &str, groups: &[Group], regions: &[&str]) -> Option<(usize, usize)> {
    let first = groups[0];
    let start = if text[..first.start].ends_with('(') { first.start - 1 } else { first.start };
    // Cheap questions first: what no number of any country begins with, and what no number is a part of.
    let alone = first.len() == 1 && !matches!(text.as_bytes()[first.start], b'0' | b'1');
    if alone || first.len() > LONGEST || is_decimal(text, groups) || is_dotted(text, groups) || is_date(text, groups) {
        return None;
    }
    let joined = before(text, start).is_some_and(|c| "-/._".contains(c))
        && text[..start - 1].ends_with(|c: char| c.is_alphanumeric());
    let marked = glued(text, start) || before(text, start).is_some_and(|c| "#+$€£¥№".contains(c));
    if joined || marked || digit_before(text, start, &[':', '(']) {
        return None;
    }
    let abroad = if text[first.start..first.end].starts_with("00") { 2 } else { 0 };
    let count = if abroad > 0 {
        longest(text, groups, abroad, is_international)
    } else {
        // Looking for a word takes longest, and few numbers depend on it.
        let led = LazyCell::new(|| leads(text, start, 40, &WORDS));
        longest(text, groups, 0, |digits, cuts| {
            let dialled = |led| regions.iter().any(|region| is_national(region, digits, cuts, led));
            dialled(false) || dialled(true) && *led
        })
    };
    count.map(|count| (start, count))
}

/// Of how many groups the longest number is made that `is_number` knows by its digits, without the first `skip`, and
/// by the places where groups end.
fn longest(text: &str, groups: &[Group], skip: usize, is_number: impl Fn(&[u8], &[usize]) -> bool) -> Option<usize> {
    let (mut digits, mut cuts) = ([0; LONGEST], [0; MOST]);
    let (mut length, mut ended, mut best) = (0, 0, None);
    for (nth, group) in groups.iter().take(MOST).enumerate() {
        let joined = |left: Group| {
            gap(text, left, *group).is_some_and(|gap| !gap.is_empty() && gap.chars().all(|c| MARKS.contains(c)))
        };
        if nth > 0 && !joined(groups[nth - 1]) || length + group.len() > LONGEST {
            break;
        }
        let said = &text.as_bytes()[group.start..group.end];
        // `+49 (0)30`: the 0 is dialled only within the country.
        let trunk = nth > 0 && said == b"0" && text[..group.start].ends_with('(') && text[group.end..].starts_with(')');
        if !trunk {
            said.iter().enumerate().for_each(|(place, byte)| digits[length + place] = byte - b'0');
            length += said.len();
            cuts[ended] = length.saturating_sub(skip);
            ended += 1;
        }
        if length >= skip + 7 && is_number(&digits[skip..length], &cuts[..ended]) && ends(text, group.end) {
            best = Some(nth + 1);
        }
    }
    best
}

/// Whether a number may end here: no letter is glued to it but that of an extension, and no hour or price goes on.
fn ends(text: &str, at: usize) -> bool {
    let extension = text[at..].starts_with('x') && text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    (extension || !after(text, at).is_some_and(glues)) && !digit_after(text, at, &[':', ','])
}

/// `0.5772156649`, `3.14159 26535`.
fn is_decimal(text: &str, groups: &[Group]) -> bool {
    groups[0].len() <= 2 && chain(text, groups, &["."], 3) == 2
}

/// `10.12.13.14`: an address or a version.
fn is_dotted(text: &str, groups: &[Group]) -> bool {
    chain(text, groups, &["."], 4) == 4 && groups[..4].iter().all(|group| group.len() <= 3)
}

/// `01.02.2024`, `2024-01-02`.
fn is_date(text: &str, groups: &[Group]) -> bool {
    if chain(text, groups, &[".", "-", "/"], 3) < 3 {
        return false;
    }
    let lengths = [groups[0].len(), groups[1].len(), groups[2].len()];
    let year = |group: Group| ["19", "20"].iter().any(|century| text[group.start..].starts_with(century));
    match lengths {
        [1 | 2, 1 | 2, 4] => year(groups[2]),
        [4, 1 | 2, 1 | 2] => year(groups[0]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::digits::groups;
    use super::super::national::REGIONS;
    use super::*;

    fn found<'t>(text: &'t str, regions: &[&str]) -> Vec<&'t str> {
        let mut found = Vec::new();
        find(text, &groups(text), regions, &mut found);
        found.into_iter().map(|finding| &text[finding.start..finding.end]).collect()
    }

    #[test]
    fn numbers_with_a_calling_code_are_found() {
        for number in [
            "+4930123456",
            "+49 30 123456",
            "+49 (0)30 / 123456",
            "+49.3012345678",
            "+(49) 30 123456",
            "+1 415 555 2671",
            "+1 (415) 555-2671",
            "+1-415-555-2671",
            "+14155552671",
            "+44 20 7946 0958",
            "+33 1 23 45 67 89",
            "+39 06 1234567",
            "+7 916 123-45-67",
            "+353 1 234 5678",
            "+81-3-1234-5678",
            "+91 98765 43210",
            "+86 138 1234 5678",
        ] {
            for text in
                [number.to_owned(), format!("call {number}."), format!("tel:{number};x"), format!("電話{number}まで")]
            {
                assert_eq!(found(&text, &[]), [number], "{text}");
            }
        }
        assert_eq!(found("+14155552671x12", &[]), ["+14155552671"]);
        assert_eq!(found("+1 415 555 2671 100 items", &[]), ["+1 415 555 2671"]);
    }

    #[test]
    fn what_only_looks_like_such_a_number_is_not_found() {
        for text in [
            "4930123456",
            "+49",
            "+500 points",
            "+1,000,000",
            "+1 000 000",
            "+1000000 users",
            "+45 678 901 kr",
            "+20 000 000 people",
            "12:00:00+00:00",
            "2024-01-15T10:30:00+0100",
            "10:30:00 +0100",
            "GMT+1 2024-01-15",
            "UTC +1 2024-01-15 10:30",
            "C++17 and C++20 4123456789",
            "1+4930123456",
            "abc+4930123456",
            "++4930123456",
            "+4930123456abc",
            "+0123456789",
            "+2100123456789",
            "+1234567890123456",
            "+1 915 123 4567",
            "+1 411 555 2671",
        ] {
            assert_eq!(found(text, &[]), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn national_numbers_are_found_where_their_country_is_declared() {
        for (region, text, number) in [
            ("US", "(415) 555-2671", "(415) 555-2671"),
            ("US", "415-555-2671", "415-555-2671"),
            ("CA", "1 416.555.2671", "1 416.555.2671"),
            ("US", "phone: 4155552671", "4155552671"),
            ("GB", "020 7946 0958", "020 7946 0958"),
            ("GB", "07911123456", "07911123456"),
            ("DE", "Tel. 030/123456", "030/123456"),
            ("DE", "0171-1234567", "0171-1234567"),
            ("DE", "0049 30 123456", "0049 30 123456"),
            ("FR", "01 23 45 67 89", "01 23 45 67 89"),
            ("ES", "612 34 56 78", "612 34 56 78"),
            ("IT", "06 1234 5678", "06 1234 5678"),
            ("IT", "347 123 4567", "347 123 4567"),
            ("NL", "020-1234567", "020-1234567"),
            ("AT", "01 5861234", "01 5861234"),
            ("CH", "044 668 18 00", "044 668 18 00"),
        ] {
            assert_eq!(found(text, &[region]), [number], "{text}");
            assert_eq!(found(text, &REGIONS), [number], "{text}");
            assert_eq!(found(text, &[]), Vec::<&str>::new(), "{text}");
        }
        assert_eq!(found("030 1234567", &["US"]), Vec::<&str>::new());
    }

    #[test]
    fn what_only_looks_like_a_national_number_is_not_found() {
        for text in [
            "#W2378156",
            "#0301234567",
            "ORD-0301234567",
            "INV/0301234567",
            "W0301234567",
            "1700000000",
            "1700000000000",
            "2024-01-15 10:30:00",
            "01.02.2024 12:30",
            "01/02/2024",
            "0.5772156649",
            "10.012.013.014",
            "000123456789",
            "4155552671",
            "612345678",
            "$415 555 2671",
            "x0301234567",
            "0301234567x",
            "99 bottles, 12 cups, 1234567 grains",
            "3.141592653",
            "1,234,567,890",
            "page 12-34",
        ] {
            assert_eq!(found(text, &REGIONS), Vec::<&str>::new(), "{text}");
        }
    }
}
