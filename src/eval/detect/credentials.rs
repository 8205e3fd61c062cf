//! Which sorts of credentials a text holds, for those who must not repeat them.

use super::find::secrets;
use super::folded::Folded;

/// The sorts of credentials in a text, in the order in which they stand, each once.
#[must_use]
pub fn credentials(text: &str) -> Vec<&'static str> {
    let folded = Folded::new(text);
    let mut sorts = Vec::new();
    for finding in secrets(folded.text()) {
        if !sorts.contains(&finding.detector) {
            sorts.push(finding.detector);
        }
    }
    sorts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_named_and_not_repeated() {
        assert_eq!(credentials("key AKIAQ3EGTZ7WUPNLXKBV of AKIAQ3EGTZ7WUPNLXKBW"), ["aws-access-key"]);
        assert_eq!(credentials("nothing to see"), [""; 0]);
    }
}
