//! The trailers of a commit message: what plain Git shows of it, so what must not lie.

/// The prefix of every trailer that joch writes.
const OURS: &str = "Joch-";

/// Every line of a message that reads as a trailer of joch, wherever it stands: Git takes those of the last
/// paragraph, and a person any.
#[must_use]
pub fn trailers(message: &str) -> Vec<&str> {
    let ours = |line: &&str| line.get(..OURS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OURS));
    message.lines().map(str::trim_start).filter(ours).collect()
}

/// The value of the one trailer of this name; `None` where there is none, or several.
#[must_use]
pub fn trailer<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let mut values = trailers(message)
        .into_iter()
        .filter_map(|line| line.split_once(':').filter(|(key, _)| *key == name).map(|(_, value)| value.trim()));
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailer_is_found_wherever_it_stands() {
        let message = "title\n\nJoch-Operator: eve\n\nWhy - x\n\njoch-event: apply\n  Joch-Reason: y\n";
        assert_eq!(trailers(message), ["Joch-Operator: eve", "joch-event: apply", "Joch-Reason: y"]);
        assert_eq!(trailer(message, "Joch-Operator"), Some("eve"));
        assert_eq!(trailer(message, "Joch-Trust"), None);
        assert_eq!(trailer("Joch-Event: a\nJoch-Event: b", "Joch-Event"), None);
    }
}
