//! What stands on an override: the release that was let through, and every later one that went forward from it. Only a
//! way back to what was there before leaves it behind.

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::Digest;

/// One release of a resource in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The release, such as `prod/41`.
    pub release: String,
    /// Whether it was a rollback.
    pub back: bool,
    /// What it brought; none for a deletion.
    pub to: Option<Digest>,
}

/// What stands on one override.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stain {
    /// The releases, the one that was let through included.
    pub releases: BTreeSet<String>,
    /// Whether what the last release brought stands on it.
    pub now: bool,
    contents: BTreeMap<Digest, bool>,
}

impl Stain {
    /// What stands on the override of `release`, by the releases of its resource, oldest first.
    #[must_use]
    pub fn of(release: &str, passed: &[Passed]) -> Self {
        let mut stain = Self::default();
        for one in passed {
            stain.now = match one.to {
                _ if one.release == release => true,
                None => false,
                // What comes back is what it was when it served last.
                Some(to) if one.back => stain.contents.get(&to).copied().unwrap_or(stain.now),
                Some(_) => stain.now,
            };
            stain.contents.extend(one.to.map(|to| (to, stain.now)));
            if stain.now {
                stain.releases.insert(one.release.clone());
            }
        }
        stain
    }

    /// Whether this content stood on it when it served last.
    #[must_use]
    pub fn covers(&self, content: Digest) -> bool {
        self.contents.get(&content) == Some(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Releases as `1:a 2:b 3<a 4:-`: number, whether it goes back, and what it brings.
    fn stain(override_of: &str, story: &str) -> (String, bool) {
        let passed: Vec<_> = story
            .split(' ')
            .map(|word| {
                let (release, rest) = word.split_at(1);
                let (way, to) = rest.split_at(1);
                Passed { release: release.into(), back: way == "<", to: (to != "-").then(|| Digest::of(to)) }
            })
            .collect();
        let stain = Stain::of(override_of, &passed);
        let last = passed.last().and_then(|last| last.to);
        assert_eq!(last.is_some_and(|last| stain.covers(last)), stain.now);
        (stain.releases.into_iter().collect(), stain.now)
    }

    #[test]
    fn what_goes_forward_from_it_stands_on_it() {
        assert_eq!(stain("2", "1:a 2:b"), ("2".into(), true));
        assert_eq!(stain("2", "1:a 2:b 3:c 4:d"), ("234".into(), true));
        assert_eq!(stain("5", "1:a 2:b"), (String::new(), false));
    }

    #[test]
    fn only_a_way_back_to_what_was_before_leaves_it() {
        assert_eq!(stain("2", "1:a 2:b 3<a"), ("2".into(), false));
        assert_eq!(stain("2", "1:a 2:b 3:c 4<b 5:d"), ("2345".into(), true));
        assert_eq!(stain("2", "1:a 2:b 3<a 4:c 5:d"), ("2".into(), false));
        assert_eq!(stain("2", "1:a 2:b 3<a 4<b"), ("24".into(), true));
        assert_eq!(stain("2", "1:a 2:b 3<a 4:b"), ("2".into(), false), "past its gates this time");
        assert_eq!(stain("2", "1:a 2:b 3<a 4:c 5:d 6<c"), ("2".into(), false));
        assert_eq!(stain("2", "1:a 2:b 3:- 4:e"), ("2".into(), false), "deleted, and begun anew");
    }
}
