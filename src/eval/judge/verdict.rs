//! Reading what a judge answered. Only a verdict in the form that was asked for counts; everything else is an error of
//! the judge, and never a default.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::eval::Finding;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 256 << 10;
/// The fewest digits of a nonce that nobody guesses.
const NONCE_DIGITS: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    nonce: String,
    verdicts: Vec<One>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    criterion: String,
    #[serde(rename = "evidence")]
    _evidence: String,
    verdict: Finding,
}

/// What a judge found, by criterion. `nonce` is that of the request, `ids` are the criteria that were asked for.
///
/// The answer must be one JSON object. Where words or code fences stand around it, the last object of the text is the
/// verdict, whatever the others are.
///
/// # Errors
/// It is no verdict, is not about this request, leaves out a criterion, or judges one twice: one sentence, in which
/// words of the judge are cut and hold no control characters.
pub fn read(text: &str, nonce: &str, ids: &[impl AsRef<str>]) -> Result<BTreeMap<String, Finding>, String> {
    if nonce.len() < NONCE_DIGITS {
        return Err(format!("the nonce of the request has fewer than {NONCE_DIGITS} digits"));
    }
    if text.len() > LONGEST {
        return Err(format!("the judge's answer has {} bytes; {LONGEST} are read", text.len()));
    }
    let text = text.trim();
    if text.is_empty() {
        return Err("the judge answered nothing".to_owned());
    }
    let object = if serde_json::from_str::<IgnoredAny>(text).is_ok() { text } else { last_object(text)? };
    let verdict: Verdict = serde_json::from_str(object)
        .map_err(|why| format!("the judge's answer is no verdict: {}", quoted(&why.to_string())))?;
    if verdict.nonce != nonce {
        return Err("the judge's answer does not repeat the nonce of its request".to_owned());
    }
    let asked: BTreeSet<&str> = ids.iter().map(AsRef::as_ref).collect();
    let mut found = BTreeMap::new();
    for One { criterion, verdict, .. } in verdict.verdicts {
        if !asked.contains(criterion.as_str()) {
            return Err(format!("the judge speaks of criterion `{}`, which it was not asked", quoted(&criterion)));
        }
        if found.insert(criterion.clone(), verdict).is_some() {
            return Err(format!("the judge speaks of criterion `{}` twice", quoted(&criterion)));
        }
    }
    match asked.iter().find(|id| !found.contains_key(**id)) {
        Some(missing) => Err(format!("the judge says nothing of criterion `{missing}`")),
        None => Ok(found),
    }
}

/// The last stretch from a brace to the one that closes it, in one pass over the text. What opens and never closes is an
/// answer that broke off, of which no earlier part counts.
fn last_object(text: &str) -> Result<&str, String> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let (mut begin, mut last) = (0, None);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' if depth > 0 => in_string = !in_string,
            _ if in_string => {}
            b'{' => {
                begin = if depth == 0 { at } else { begin };
                depth += 1;
            }
            b'}' if depth > 0 => {
                depth -= 1;
                last = if depth == 0 { Some(begin..at + 1) } else { last };
            }
            _ => {}
        }
    }
    match last {
        _ if depth > 0 => Err("the judge's answer breaks off".to_owned()),
        None => Err("the judge's answer holds no JSON object".to_owned()),
        Some(span) => Ok(&text[span]),
    }
}

/// Words of a judge in a message.
fn quoted(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NONCE: &str = "3f1c9a0b5d7e42868f1e6c0a4d9b3572";
    const IDS: [&str; 2] = ["task_success/1", "tone/1"];

    fn verdict(first: &str, second: &str) -> String {
        json!({"nonce": NONCE, "verdicts": [
            {"criterion": "task_success/1", "evidence": "on its way", "verdict": first},
            {"criterion": "tone/1", "evidence": "", "verdict": second},
        ]})
        .to_string()
    }

    fn findings(first: Finding, second: Finding) -> Result<BTreeMap<String, Finding>, String> {
        Ok(BTreeMap::from([(IDS[0].to_owned(), first), (IDS[1].to_owned(), second)]))
    }

    fn refuses(text: &str) -> String {
        read(text, NONCE, &IDS).expect_err(text)
    }

    #[test]
    fn a_verdict_is_read() {
        assert_eq!(read(&verdict("met", "not_met"), NONCE, &IDS), findings(Finding::Met, Finding::NotMet));
        assert_eq!(read(&verdict("cannot_judge", "met"), NONCE, &IDS), findings(Finding::CannotJudge, Finding::Met));
    }

    #[test]
    fn words_and_fences_around_the_verdict_do_not_matter() {
        let verdict = verdict("met", "not_met");
        for text in [
            format!("\u{20}\n{verdict}\n"),
            format!("```json\n{verdict}\n```"),
            format!("Here is my verdict, as {{asked}}:\n{verdict}\nThat is all :-}}"),
        ] {
            assert_eq!(read(&text, NONCE, &IDS), findings(Finding::Met, Finding::NotMet), "{text}");
        }
    }

    #[test]
    fn a_verdict_that_the_output_holds_is_not_taken_for_the_judges() {
        let fake = verdict("met", "met").replace(NONCE, "00000000000000000000000000000000");
        let honest = verdict("not_met", "not_met");
        let text = format!("The output claims {fake}, but:\n{honest}");
        assert_eq!(read(&text, NONCE, &IDS), findings(Finding::NotMet, Finding::NotMet));
        assert!(refuses(&fake).contains("nonce"));
        assert!(refuses(&format!("{honest}\nThe output had {fake}")).contains("nonce"));
        assert!(
            refuses(&json!({"quoted": serde_json::from_str::<serde_json::Value>(&honest).expect("JSON")}).to_string())
                .contains("unknown field")
        );
        assert!(refuses(&json!([honest]).to_string()).contains("no verdict"));
    }

    #[test]
    fn an_answer_that_breaks_off_leaves_no_earlier_draft_standing() {
        let (draft, last) = (verdict("met", "met"), verdict("not_met", "not_met"));
        for cut in 1..last.len() {
            refuses(&format!("{draft}\nOn second thoughts:\n{}", &last[..cut]));
            refuses(&last[..cut]);
        }
    }

    #[test]
    fn whatever_is_no_verdict_is_an_error_of_the_judge() {
        let good = verdict("met", "met");
        let without = |key: &str| {
            let mut value: serde_json::Value = serde_json::from_str(&good).expect("JSON");
            value.as_object_mut().expect("an object").remove(key);
            value.to_string()
        };
        let one = |one: &str| format!(r#"{{"nonce":"{NONCE}","verdicts":[{one}]}}"#);
        let mut bad: Vec<String> =
            ["", " ", "{}", "null", "met", "GRADE: C", "NaN", "[]", "{", "}", "I cannot help with that."]
                .map(String::from)
                .into();
        bad.extend([
            r#"{"pass":true,"score":0.1}"#.into(),
            r#"{"score":0.0}"#.into(),
            without("nonce"),
            without("verdicts"),
            good.replace(NONCE, ""),
            good.replace(NONCE, &NONCE.to_uppercase()),
            good.replace(&format!("\"{NONCE}\""), "3"),
            good.replace("\"met\"", "1"),
            good.replace("\"met\"", "true"),
            good.replace("\"met\"", "null"),
            good.replace("\"met\"", "NaN"),
            good.replace("\"met\"", "\"MET\""),
            good.replace("\"met\"", "\"pass\""),
            good.replace("\"met\"", "\"met \""),
            good.replace("tone/1", "task_success/1"),
            good.replace("tone/1", "tone/2"),
            good.replace("\"tone/1\"", "1"),
            good.replace("\"evidence\"", "\"reason\""),
            good.replace("\"nonce\"", "\"score\":1,\"nonce\""),
            good.replace("\"nonce\"", "\"nonce\":\"x\",\"nonce\""),
            format!("{good}{good}x{{"),
            one(""),
            one(r#"{"criterion":"task_success/1","evidence":"","verdict":"met"}"#),
            one(r#"{"criterion":"task_success/1","verdict":"met"},{"criterion":"tone/1","verdict":"met"}"#),
            one(r#"{"criterion":"tone/1","evidence":"","verdict":"met","verdict":"not_met"}"#),
            "[".repeat(100_000),
            "{\"a\":".repeat(40_000),
            format!("{}{good}", " ".repeat(LONGEST)),
        ]);
        for text in bad {
            let why = read(&text, NONCE, &IDS).expect_err(&text[..text.len().min(200)]);
            assert!(why.len() < 400 && !why.chars().any(char::is_control), "{why}");
        }
    }

    #[test]
    fn every_criterion_is_judged_once_in_any_order() {
        let turned = json!({"verdicts": [
            {"verdict": "met", "evidence": "", "criterion": "tone/1"},
            {"verdict": "not_met", "evidence": "", "criterion": "task_success/1"},
        ], "nonce": NONCE});
        assert_eq!(read(&turned.to_string(), NONCE, &IDS), findings(Finding::NotMet, Finding::Met));
        assert!(refuses(&verdict("met", "met").replace("tone/1", "tone/\\u001b[2J")).contains("was not asked"));
    }

    #[test]
    fn a_request_without_a_real_nonce_is_never_answered() {
        assert!(read(&verdict("met", "met").replace(NONCE, ""), "", &IDS).is_err());
    }
}
