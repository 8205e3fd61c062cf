//! Versions as far as a gate must compare them: which is newer, and whether a step is a large one.

use std::cmp::Ordering;

/// A version in numbers: `v1.2.3-rc.1+build`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    numbers: Vec<u64>,
    /// What stands after `-`: a version with it is older than the one without.
    early: Vec<String>,
}

/// The most numbers that a version has.
const MOST: usize = 6;

impl Version {
    /// The version that `text` writes; `None` for a range, a word such as `latest`, or anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (numbers, early) = text.split_once('-').map_or((text, ""), |(numbers, early)| (numbers, early));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let numbers = numbers
            .split('.')
            .map(|part| if digits(part) { part.parse().ok() } else { None })
            .collect::<Option<Vec<u64>>>()?;
        let early: Vec<String> = early.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let word = |part: &String| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (numbers.len() <= MOST && early.iter().all(word)).then_some(Self { numbers, early })
    }

    /// Whether the step to `other` may break something: another first number, or below 1.0 another second.
    pub(super) fn is_major_step(&self, other: &Self) -> bool {
        let at = |version: &Self, place: usize| version.numbers.get(place).copied().unwrap_or(0);
        at(self, 0) != at(other, 0) || at(self, 0) == 0 && at(self, 1) != at(other, 1)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.numbers.len().max(other.numbers.len());
        let padded =
            |version: &Self| (0..length).map(|place| version.numbers.get(place).copied().unwrap_or(0)).collect();
        let (mine, theirs): (Vec<u64>, Vec<u64>) = (padded(self), padded(other));
        mine.cmp(&theirs).then_with(|| match (self.early.is_empty(), other.early.is_empty()) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ => ranks(&self.early).cmp(&ranks(&other.early)),
        })
    }
}

fn ranks(parts: &[String]) -> Vec<(bool, u64, &str)> {
    parts.iter().map(|part| rank(part)).collect()
}

/// Numbers come before words, by value.
fn rank(part: &str) -> (bool, u64, &str) {
    part.parse().map_or((true, 0, part), |number| (false, number, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::read(text).expect("a version")
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(version("1.9.0") < version("1.10.0"));
        assert!(version("v2") > version("1.99"));
        assert!(version("2.0.0-rc.1") < version("2.0.0"));
        assert!(version("2.0.0-rc.2") < version("2.0.0-rc.10"));
        assert_eq!(version("1.2").cmp(&version("1.2.0")), Ordering::Equal);
        assert_eq!(version("1.2.0+a"), version("1.2.0+b"));
    }

    #[test]
    fn a_large_step_is_told_from_a_small_one() {
        assert!(version("1.9.0").is_major_step(&version("2.0.0")));
        assert!(version("0.2.9").is_major_step(&version("0.3.0")));
        assert!(!version("1.2.0").is_major_step(&version("1.3.0")));
    }

    #[test]
    fn a_range_or_a_word_is_no_version() {
        for text in ["latest", "^1.2", "1.x", "*", ">=1", "", "1..2", "stable", "99999999999999999999999", "1.2 beta"] {
            assert_eq!(Version::read(text), None, "{text}");
        }
    }
}
