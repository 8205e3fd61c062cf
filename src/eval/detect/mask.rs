//! Text without what was found in it, for whatever is stored, reported, or shown to a judge.

use super::find::{Finding, personal, secrets};
use super::folded::Folded;
use super::national::REGIONS;

/// How often a text is looked at again. What is hidden can bring two halves of something else together; a text that
/// does so again and again was made for it.
const PASSES: usize = 8;

/// The text with `[email]`, `[iban]`, `[openai-key]` and so on in place of all personal data and credentials; numbers
/// that only some countries would dial count too. What it returns holds nothing more to find.
#[must_use]
pub fn mask(text: &str) -> String {
    masked(text, |text| {
        let mut found = personal(text, &REGIONS);
        found.extend(secrets(text));
        found
    })
}

/// The text with `[openai-key]` and so on in place of all credentials; personal data stays.
#[must_use]
pub fn mask_secrets(text: &str) -> String {
    masked(text, secrets)
}

fn masked(text: &str, find: impl Fn(&str) -> Vec<Finding>) -> String {
    let mut text = text.to_owned();
    for _ in 0..PASSES {
        let folded = Folded::new(&text);
        let mut found = find(folded.text());
        if found.is_empty() {
            return text;
        }
        found.sort_by_key(|finding| (finding.start, std::cmp::Reverse(finding.end)));
        let mut masked = String::with_capacity(text.len());
        let mut past = 0;
        for finding in found {
            let (start, end) = folded.original(finding.start, finding.end);
            // What overlaps becomes one.
            if start >= past {
                masked.push_str(&text[past..start]);
                masked.push_str(&format!("[{}]", finding.detector));
            }
            past = past.max(end);
        }
        masked.push_str(&text[past..]);
        text = masked;
    }
    let rest = find(Folded::new(&text).text());
    if rest.is_empty() { text } else { "[masked]".to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_found_is_replaced_by_its_sort() {
        assert_eq!(
            mask("Joe (joe@acme.com, +49 30 123456) paid from DE89 3704 0044 0532 0130 00."),
            "Joe ([email], [phone]) paid from [iban]."
        );
        assert_eq!(mask("４１１１ 1111\u{200b} 1111 1111!"), "[credit-card]!");
        assert_eq!(mask("nothing here, order #W2378156"), "nothing here, order #W2378156");
        assert_eq!(mask("postgres://joe:s3cr3tW0rd@db.acme.com/x"), "postgres://joe:[url-credentials]@db.acme.com/x");
    }

    #[test]
    fn only_credentials_are_replaced_where_that_is_asked() {
        let text = "joe@acme.com has AKIAQWERTYUIOPASDFGH";
        assert_eq!(mask_secrets(text), "joe@acme.com has [aws-access-key]");
        assert_eq!(mask(text), "[email] has [aws-access-key]");
    }

    #[test]
    fn what_comes_to_light_is_hidden_too() {
        // The address ends where the card begins to stand alone.
        let text = "joe@acme.com4111111111111111 4111111111111111";
        let masked = mask(text);
        assert!(!masked.contains("4111"), "{masked}");
    }

    #[test]
    fn no_text_takes_more_time_than_its_length() {
        // Whatever goes back over what it has read takes minutes for these.
        for piece in [
            "1 ",
            "4111 ",
            "1-",
            "1.",
            "+1",
            "+49 ",
            "@",
            "a@",
            "a@a.",
            "\"@",
            "DE89 ",
            "DE00-",
            ":",
            "2001:",
            "01234567-",
            "sk-",
            "eyJ",
            "eyJaaaaaaaaaaaa.",
            "eyJ-",
            "-----BEGIN ",
            "-----BEGIN PRIVATE KEY-----",
            "://",
            "://a:bbb",
            "secret key ",
            "twilio ",
            "Bearer ",
            "aaa1Q~",
            ":AA",
            "glpat-",
            "xoxb-",
            "JQQJ99",
            "\u{200d}",
            "\u{fdfa}",
            "%40",
            "a\u{332}",
            "AKIAQWERTYUIOPASDFGH ",
            "4111111111111111 ",
            "8.8.8.8.",
            "https://a:b1c2d3@",
            "\0",
            "\\n",
        ] {
            let text = piece.repeat((1 << 14) / piece.len());
            assert!(mask(&text).len() <= 3 * text.len(), "{piece}");
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("joe@acme.com".to_owned()),
            Just("4111 1111 1111 1111".to_owned()),
            Just("4111111111111111".to_owned()),
            Just("DE89370400440532013000".to_owned()),
            Just("512-34-5678".to_owned()),
            Just("+4930123456".to_owned()),
            Just("0301234567".to_owned()),
            Just("8.8.8.8".to_owned()),
            Just("2001:4860:4860::8888".to_owned()),
            Just("AKIAQWERTYUIOPASDFGH".to_owned()),
            Just("https://a:b1c2d3e4@".to_owned()),
            Just("Bearer abcdef0123456789abcdef".to_owned()),
            Just("ssn ".to_owned()),
            Just("phone ".to_owned()),
            Just("\u{200d}".to_owned()),
            Just("４".to_owned()),
            Just("ﬁ".to_owned()),
            "[0-9 .:+@()/-]{0,12}",
            "\\PC{0,6}",
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_masked_text_holds_nothing_and_stays_as_it_is(text in pieces()) {
            let once = mask(&text);
            prop_assert!(personal(Folded::new(&once).text(), &REGIONS).is_empty(), "{once}");
            prop_assert!(secrets(Folded::new(&once).text()).is_empty(), "{once}");
            prop_assert_eq!(mask(&once), once);
            let once = mask_secrets(&text);
            prop_assert_eq!(mask_secrets(&once), once);
        }

        #[test]
        fn every_finding_lies_between_characters(text in pieces()) {
            let folded = Folded::new(&text);
            let mut found = personal(folded.text(), &REGIONS);
            found.extend(secrets(folded.text()));
            for finding in found {
                let (start, end) = folded.original(finding.start, finding.end);
                prop_assert!(start < end && text.get(start..end).is_some());
            }
        }
    }
}
