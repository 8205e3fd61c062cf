//! Social security numbers of the United States.

use super::around::{alone, digit_after, digit_before, leads};
use super::digits::{Group, chain, digits};
use super::find::Finding;

/// Numbers that were printed on sample cards and in advertisements, and the one that everybody makes up.
const SAMPLES: [[u8; 9]; 3] = [[0, 7, 8, 0, 5, 1, 1, 2, 0], [2, 1, 9, 0, 9, 9, 9, 9, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9]];
const WORDS: [&str; 4] = ["ssn", "social security", "social-security", "social_security"];

pub(super) fn find(text: &str, groups: &[Group], found: &mut Vec<Finding>) {
    for at in 0..groups.len() {
        let count = if groups[at].len() == 3 { 3 } else { 1 };
        let Some(candidate) = groups.get(at..at + count) else { continue };
        let shape = match count {
            3 => [3, 2, 4].into_iter().eq(candidate.iter().map(|group| group.len())),
            _ => candidate[0].len() == 9,
        };
        if shape && is_number(&digits(text, candidate)) && stands(text, groups, at, count) {
            let (start, end) = (candidate[0].start, candidate[count - 1].end);
            found.push(Finding { detector: "us-ssn", start, end });
        }
    }
}

/// Whether these groups are written as such a number and are no part of a longer one.
fn stands(text: &str, groups: &[Group], at: usize, count: usize) -> bool {
    let (start, end) = (groups[at].start, groups[at + count - 1].end);
    let marks = ['-', '.'];
    if !alone(text, start, end) || digit_before(text, start, &marks) || digit_after(text, end, &marks) {
        return false;
    }
    let led = leads(text, start, 40, &WORDS);
    if count == 1 {
        return led;
    }
    // Columns of numbers are written with spaces too.
    let spaced = digit_before(text, start, &[' ']) || digit_after(text, end, &[' ']);
    chain(text, &groups[at..], &["-", ".", " "], 3) == 3 && (led || text.as_bytes()[groups[at].end] != b' ' || !spaced)
}

fn is_number(digits: &[u8]) -> bool {
    let area = digits[..3].iter().fold(0_u16, |area, digit| area * 10 + u16::from(*digit));
    area != 0
        && area != 666
        && area < 900
        && digits[3..5] != [0, 0]
        && digits[5..] != [0, 0, 0, 0]
        && !SAMPLES.iter().any(|sample| sample == digits)
}

#[cfg(test)]
mod tests {
    use super::super::digits::groups;
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text, &groups(text), &mut found);
        found.into_iter().map(|finding| &text[finding.start..finding.end]).collect()
    }

    #[test]
    fn numbers_are_found() {
        for (text, number) in [
            ("512-34-5678", "512-34-5678"),
            ("it is 512.34.5678.", "512.34.5678"),
            ("it is 512 34 5678, he said", "512 34 5678"),
            ("SSN: 512345678", "512345678"),
            ("social security number 512345678", "512345678"),
            ("ssn 1 512 34 5678", "512 34 5678"),
            ("{\"ssn\":\"512-34-5678\"}", "512-34-5678"),
        ] {
            assert_eq!(found(text), [number], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_not_found() {
        for text in [
            "000-12-3456",
            "666-12-3456",
            "912-12-3456",
            "512-00-3456",
            "512-12-0000",
            "078-05-1120",
            "219-09-9999",
            "123-45-6789",
            "512-34.5678",
            "512345678",
            "order 512345678",
            "1512-34-5678",
            "512-34-56789",
            "7-512-34-5678",
            "512-34-5678-9",
            "a512-34-5678",
            "512 34 5678 90 12",
            "2024-01-15",
            "assn 512345678",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
