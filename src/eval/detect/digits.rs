//! Groups of digits, as numbers are written: `4111 1111 1111 1111`, `(030) 123-456`.

/// A run of digits, as long as it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Group {
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }
}

/// All runs of digits.
pub(super) fn groups(text: &str) -> Vec<Group> {
    let bytes = text.as_bytes();
    let mut groups = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        groups.push(Group { start, end: at });
    }
    groups
}

/// What stands between two neighbouring groups, where it is short.
pub(super) fn gap(text: &str, left: Group, right: Group) -> Option<&str> {
    (right.start - left.end <= 3).then(|| text.get(left.end..right.start)).flatten()
}

/// How many groups from the first on have the same of `marks` between them, at most `most`.
pub(super) fn chain(text: &str, groups: &[Group], marks: &[&str], most: usize) -> usize {
    let mut mark = None;
    let joined = groups.windows(2).take(most.saturating_sub(1)).take_while(|pair| {
        let Some(gap) = gap(text, pair[0], pair[1]).filter(|gap| marks.contains(gap)) else { return false };
        *mark.get_or_insert(gap) == gap
    });
    if groups.is_empty() { 0 } else { 1 + joined.count() }
}

/// The digits of these groups.
pub(super) fn digits(text: &str, groups: &[Group]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(20);
    for group in groups {
        digits.extend(text.as_bytes()[group.start..group.end].iter().map(|byte| byte - b'0'));
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_chained_by_one_mark() {
        let text = "12 34 56-78 é90";
        let groups = groups(text);
        assert_eq!(groups.len(), 5);
        assert_eq!(chain(text, &groups, &[" ", "-"], 9), 3);
        assert_eq!(chain(text, &groups, &[" ", "-"], 2), 2);
        assert_eq!(chain(text, &groups[2..], &[" ", "-"], 9), 2);
        assert_eq!(digits(text, &groups[..2]), [1, 2, 3, 4]);
    }
}
