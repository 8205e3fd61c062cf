//! Names of resources, namespaces and environments: what may stand in a path, a ref and a message.

/// The longest name of a resource, in bytes.
const NAME_LIMIT: usize = 128;
/// The longest name of a namespace or environment, in bytes: a DNS label.
const LABEL_LIMIT: usize = 63;

/// The namespace of a resource that names none, and the one where references are looked up last.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Words that mean something else to Git or to the ledger, and so are no environment.
const NOT_AN_ENVIRONMENT: [&str; 10] =
    ["trust", "evidence", "agents", "catalog", "release", "releases", "heads", "tags", "remotes", "head"];

/// Checks the name of a resource, such as `zendesk.create_ticket`.
///
/// # Errors
/// The rule that the name breaks.
pub fn check_name(name: &str) -> Result<(), String> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > NAME_LIMIT {
        return Err(format!("a name has 1 to {NAME_LIMIT} characters"));
    }
    if !bytes.iter().all(|&b| fine(b) || matches!(b, b'.' | b'_' | b'-')) {
        return Err("a name holds only a-z, 0-9, `.`, `_` and `-`".into());
    }
    if !fine(bytes[0]) || !fine(bytes[bytes.len() - 1]) {
        return Err("a name begins and ends with a letter or digit".into());
    }
    if name.contains("..") {
        return Err("a name does not hold `..`".into());
    }
    if let Some(end) = [".yaml", ".json", ".lock"].iter().find(|end| name.ends_with(**end)) {
        return Err(format!("a name does not end in `{end}`"));
    }
    Ok(())
}

/// Checks the name of a namespace.
///
/// # Errors
/// The rule that the name breaks.
pub fn check_namespace(name: &str) -> Result<(), String> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > LABEL_LIMIT {
        return Err(format!("a namespace has 1 to {LABEL_LIMIT} characters"));
    }
    if !bytes.iter().all(|&b| fine(b) || b == b'-') {
        return Err("a namespace holds only a-z, 0-9 and `-`".into());
    }
    if !fine(bytes[0]) || !fine(bytes[bytes.len() - 1]) {
        return Err("a namespace begins and ends with a letter or digit".into());
    }
    Ok(())
}

/// Checks the name of an environment, which is also the name of a branch.
///
/// # Errors
/// The rule that the name breaks.
pub fn check_environment(name: &str) -> Result<(), String> {
    check_namespace(name).map_err(|rule| rule.replace("a namespace", "an environment"))?;
    if NOT_AN_ENVIRONMENT.contains(&name) || name.starts_with("proposal-") {
        return Err(format!("`{name}` has another meaning in the ledger and cannot name an environment"));
    }
    Ok(())
}

/// Checks the spelling of a kind that joch does not know, such as `FeatureFlags`.
///
/// # Errors
/// The rule that the kind breaks.
pub fn check_kind(kind: &str) -> Result<(), String> {
    let bytes = kind.as_bytes();
    if bytes.is_empty() || bytes.len() > LABEL_LIMIT {
        return Err(format!("a kind has 1 to {LABEL_LIMIT} characters"));
    }
    if !bytes[0].is_ascii_uppercase() || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return Err("a kind is a word such as `FeatureFlags`: letters and digits, the first a capital".into());
    }
    if kind.eq_ignore_ascii_case("release") {
        return Err("`release` names the tags of releases and cannot be a kind".into());
    }
    Ok(())
}

/// The candidate nearest to `word`, if one is near enough to have been meant.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance takes memory as the product of both lengths, and nobody means a word that long.
    let candidates = candidates.into_iter().filter(|candidate| word.len() <= 4 * candidate.len().max(8));
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + word.len().min(candidate.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_path_or_ref_can_carry_are_refused() {
        for good in ["a", "support-triage", "zendesk.create_ticket", "v1.2", "0x"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in
            ["", "A", "-a", "a-", "a..b", "../a", "a/b", "prod.lock", "x.yaml", "x.json", "\u{430}", ".git", "a b"]
        {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        for bad in ["trust", "evidence", "proposal-1", "Prod", "a.b", "head", "-"] {
            assert!(check_environment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_near_miss_finds_what_was_meant() {
        assert_eq!(nearest("instuctions", ["instructions", "tools"]), Some("instructions"));
        assert_eq!(nearest("zendesk", ["github", "slack"]), None);
        assert_eq!(nearest(&"x".repeat(100_000_000), ["github"]), None);
    }
}
