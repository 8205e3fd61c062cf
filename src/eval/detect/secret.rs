//! Credentials: a keyword is looked for first, and what follows it is looked at only where one stands.

use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};

use super::around::{after, glued};
use super::find::Finding;
use super::secret_rules::{RULES, Rule};

/// How much of the text a rule may look at from its keyword on; all credentials but private keys are shorter.
const WINDOW: usize = 4096;
const DASHES: &[u8] = b"-----";
/// The longest private key that is looked for the end of.
const LONGEST_KEY: usize = 64 * 1024;
/// The end of a credential has at least so many different characters; that of `sk-xxxxxxxx` has one.
const VARIETY: usize = 6;
const END: usize = 20;
/// Passwords that say that they are samples.
const SAMPLES: [&str; 8] = ["password", "passwd", "pass", "pwd", "secret", "changeme", "example", "token"];

/// The keywords of all rules, and for each keyword its rule.
static KEYWORDS: LazyLock<(AhoCorasick, Vec<usize>)> = LazyLock::new(|| {
    let of = |(nth, rule): (usize, &Rule)| rule.keywords.iter().map(move |keyword| (*keyword, nth)).collect::<Vec<_>>();
    let (words, rules): (Vec<&str>, Vec<usize>) = RULES.iter().enumerate().flat_map(of).unzip();
    (AhoCorasick::new(words).expect("the keywords are few and short"), rules)
});

/// The pattern of each rule, compiled when its keyword is first seen.
static PATTERNS: [OnceLock<Regex>; RULES.len()] = [const { OnceLock::new() }; RULES.len()];

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let (words, rules) = &*KEYWORDS;
    let mut past = vec![0; RULES.len()];
    for hit in words.find_overlapping_iter(text) {
        let nth = rules[hit.pattern().as_usize()];
        let rule = &RULES[nth];
        let Some(from) = hit.start().checked_sub(rule.back) else { continue };
        if from < past[nth] || !text.is_char_boundary(from) || joined(text, from, rule) {
            continue;
        }
        let span = if rule.block { block(text, from) } else { token(text, from, nth) };
        if let Some(span) = span {
            // Nothing is read twice, be it a credential or not.
            past[nth] = span.read;
            if span.sound {
                found.push(Finding { detector: rule.detector, start: span.start, end: span.end });
            }
        }
    }
}

/// What a rule finds.
struct Span {
    start: usize,
    end: usize,
    /// How far the text was read.
    read: usize,
    /// Whether it is a credential, and not only looks like one.
    sound: bool,
}

fn token(text: &str, from: usize, nth: usize) -> Option<Span> {
    let rule = &RULES[nth];
    let pattern = PATTERNS[nth].get_or_init(|| compile(rule));
    let bytes = text.as_bytes();
    let window = &bytes[from..text.len().min(from + WINDOW)];
    if !pattern.is_match(window) {
        return None;
    }
    let captures = pattern.captures(window)?;
    let (whole, value) = (captures.get(0)?, captures.get(1).or_else(|| captures.get(0))?);
    let (start, mut end) = (from + value.start(), from + value.end());
    if whole.end() == window.len() {
        // It is longer than any; all of it belongs together.
        end += bytes[end..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count();
    }
    // A token that goes on is another thing than what it begins like.
    let goes_on = !rule.open && after(text, end).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let sound = !goes_on && text.get(start..end).is_some_and(|value| is_secret(rule, value));
    Some(Span { start, end, read: end.max(from + whole.end()), sound })
}

/// A private key from its head to the end of its tail, or as far as what follows could be a part of it.
fn block(text: &str, from: usize) -> Option<Span> {
    let end = (from + LONGEST_KEY).min(text.len());
    let bytes = &text.as_bytes()[from..end];
    let head = line(bytes, DASHES.len())?;
    let said = std::str::from_utf8(&bytes[DASHES.len()..head]).ok()?;
    if !(said.starts_with("BEGIN ") && said.contains("PRIVATE KEY")) {
        return None;
    }
    let body = head + DASHES.len();
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\\:,- \r\n\t".contains(&byte);
    let mut to = body;
    while to < bytes.len() && is_key(bytes[to]) && !bytes[to..].starts_with(DASHES) {
        to += 1;
    }
    let written = bytes[body..to].iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    if bytes[to..].starts_with(b"-----END ") {
        to = line(&bytes[to..], DASHES.len()).map_or(to, |close| to + close + DASHES.len());
    }
    // A head alone, as in an explanation, gives nothing away.
    Some(Span { start: from, end: from + to, read: from + to, sound: written >= 40 })
}

/// Where `-----` stands next from `at` on, on what is still the line of a head or tail.
fn line(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..bytes.len().min(at + 60))?;
    rest.windows(DASHES.len()).position(|five| five == DASHES).map(|place| at + place)
}

fn joined(text: &str, at: usize, rule: &Rule) -> bool {
    !rule.inside && (glued(text, at) || rule.tight && text[..at].ends_with('-'))
}

/// Whether a value is one that somebody could use, and not a sample or a place to fill in.
fn is_secret(rule: &Rule, value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let place = value.starts_with(['<', '{', '$', '[', '%', '*']) || value.ends_with("EXAMPLE");
    let yours = lower.contains("your_") || lower.contains("your-") || lower.bytes().all(|byte| byte == b'x');
    if place || yours || rule.digit && !value.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    if rule.any {
        return !SAMPLES.contains(&lower.as_str());
    }
    let mut seen = [false; 256];
    value.bytes().rev().take(END).for_each(|byte| seen[usize::from(byte)] = true);
    seen.iter().filter(|seen| **seen).count() >= VARIETY
}

fn compile(rule: &Rule) -> Regex {
    let pattern = format!("^(?:{})", rule.pattern);
    RegexBuilder::new(&pattern).unicode(false).build().expect("the patterns of all rules are tested")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&'static str, &str)> {
        let mut found = Vec::new();
        find(text, &mut found);
        found.into_iter().map(|finding| (finding.detector, &text[finding.start..finding.end])).collect()
    }

    /// Characters that no one could guess, the same each time.
    fn random(alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let mut state = 12_345_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            alphabet[usize::try_from(state >> 33).expect("31 bits") % alphabet.len()]
        };
        (0..length).map(|_| next()).collect()
    }

    fn samples() -> Vec<(&'static str, String)> {
        const ALNUM: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        const HEX: &str = "0123456789abcdef";
        const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (alnum, hex, upper) =
            (|length| random(ALNUM, length), |length| random(HEX, length), |length| random(UPPER, length));
        vec![
            ("anthropic-key", format!("sk-ant-api03-{}AA", alnum(93))),
            ("openai-key", format!("sk-proj-{}", alnum(120))),
            ("openai-key", format!("sk-{}T3BlbkFJ{}", alnum(20), alnum(20))),
            ("openrouter-key", format!("sk-or-v1-{}", hex(64))),
            ("aws-access-key", format!("AKIA{}", upper(16))),
            ("gcp-key", format!("AIza{}", alnum(35))),
            ("gcp-oauth-secret", format!("GOCSPX-{}", alnum(28))),
            ("gcp-token", format!("ya29.{}", alnum(60))),
            ("github-token", format!("ghp_{}", alnum(36))),
            ("github-token", format!("gho_{}", alnum(36))),
            ("github-token", format!("github_pat_{}_{}", alnum(22), alnum(59))),
            ("gitlab-token", format!("glpat-{}", alnum(20))),
            ("slack-token", format!("xoxb-123456789012-1234567890123-{}", alnum(24))),
            ("slack-webhook", format!("hooks.slack.com/services/T{}/B{}/{}", upper(8), upper(8), alnum(24))),
            ("stripe-key", format!("sk_live_{}", alnum(24))),
            ("stripe-key", format!("rk_test_{}", alnum(99))),
            ("npm-token", format!("npm_{}", alnum(36))),
            ("pypi-token", format!("pypi-AgEIcHlwaS5vcmc{}", alnum(80))),
            ("jwt", format!("eyJ{}.eyJ{}.{}", alnum(33), alnum(50), alnum(43))),
            ("vault-token", format!("hvs.{}", alnum(90))),
            ("twilio-key", format!("SK{}", hex(32))),
            ("sendgrid-key", format!("SG.{}.{}", alnum(22), alnum(43))),
            ("azure-secret", format!("abC8Q~{}", alnum(34))),
            ("huggingface-token", format!("hf_{}", alnum(34))),
            ("groq-key", format!("gsk_{}", alnum(52))),
            ("telegram-token", format!("1234567890:AA{}", alnum(33))),
            ("age-key", format!("AGE-SECRET-KEY-1{}", random("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58))),
        ]
    }

    #[test]
    fn every_sort_of_token_is_found_and_its_twins_are_not() {
        for (detector, token) in samples() {
            for text in [token.clone(), format!("KEY={token}\n"), format!("(\"{token}\")"), format!("はい、{token}。")]
            {
                assert_eq!(found(&text), [(detector, token.as_str())], "{text}");
            }
            for twin in [
                format!("{token}_and_more").repeat(2),
                token[..14].to_owned(),
                // A letter that only looks like the first one.
                format!("а{}", &token[1..]),
                token.chars().map(|c| if c.is_ascii_alphanumeric() { 'x' } else { c }).collect(),
                token.chars().map(|c| if c.is_ascii_alphanumeric() { '0' } else { c }).collect(),
            ] {
                let whole: Vec<_> = found(&twin).into_iter().filter(|(_, found)| *found == token).collect();
                assert_eq!(whole, [], "{twin}");
                assert!(twin.contains("_and_more") || found(&twin).is_empty(), "{twin}: {:?}", found(&twin));
            }
        }
    }

    #[test]
    fn a_credential_with_words_around_it_is_found_without_them() {
        let (key, hex) = (
            random("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", 40),
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        );
        let storage = random("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 86);
        for (text, detector, value) in [
            (format!("aws_secret_access_key = {key}"), "aws-secret-key", key.as_str()),
            (format!("{{\"SecretAccessKey\": \"{key}\"}}"), "aws-secret-key", key.as_str()),
            (format!("TWILIO_AUTH_TOKEN={hex}"), "twilio-token", hex),
            (format!("AccountName=a;AccountKey={storage}==;"), "azure-storage-key", &format!("{storage}==")),
            ("postgres://joe:s3cr3tW0rd@db.acme.com/x".to_owned(), "url-credentials", "s3cr3tW0rd"),
            ("Authorization: Bearer abcDEF1234567890abcDEF".to_owned(), "authorization", "abcDEF1234567890abcDEF"),
            ("\"Authorization\": \"Basic am9lOnNlY3JldA==\"".to_owned(), "authorization", "am9lOnNlY3JldA=="),
            ("curl -H 'authorization: token abcDEF_ghi'".to_owned(), "authorization", "abcDEF_ghi"),
            ("with bearer abcDEF1234567890abcDEF".to_owned(), "authorization", "abcDEF1234567890abcDEF"),
            ("x-api-key: abcDEF1234567890abcDEF".to_owned(), "api-key", "abcDEF1234567890abcDEF"),
        ] {
            assert!(found(&text).contains(&(detector, value)), "{text}: {:?}", found(&text));
        }
    }

    #[test]
    fn what_only_looks_like_a_credential_is_not_found() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "scikit: sk-learn, task-1234567890123456789012345678901234567890",
            "sk-estimator-doc-link-with-a-very-long-class-name-here",
            "sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "-----BEGIN PRIVATE KEY----- is how such a file begins",
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAabcdefgh\n-----END PUBLIC KEY-----",
            "postgres://user:password@host/db",
            "postgres://user:${DB_PASSWORD}@host/db",
            "https://acme.com:8080/x@y",
            "the bearer understandingofmattersofstate",
            "npm_config_registry npm_lifecycle_event",
            "SG.1",
            "Authorization: Bearer YOUR_API_KEY",
            "Authorization: Bearer <token>",
            "authorization: basic scheme",
            "x-api-key: your-api-key-goes-here",
            "d41d8cd98f00b204e9800998ecf8427e",
            "eyJhbGciOiJIUzI1NiJ9",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn a_private_key_is_found_whole_and_without_its_end() {
        let body = random("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/", 200);
        for kind in ["", "RSA ", "OPENSSH ", "EC ", "ENCRYPTED "] {
            let key = format!("-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----");
            assert_eq!(found(&format!("key:\n{key}\nthanks!")), [("private-key", key.as_str())]);
            let escaped = key.replace('\n', "\\n");
            assert_eq!(found(&format!("\"{escaped}\"")), [("private-key", escaped.as_str())]);
        }
        let cut = format!("-----BEGIN PRIVATE KEY-----\n{body}");
        assert_eq!(found(&cut), [("private-key", cut.as_str())]);
    }

    #[test]
    fn every_pattern_compiles() {
        for rule in &RULES {
            assert!(compile(rule).as_str().starts_with("^(?:"), "{}", rule.detector);
        }
    }
}
