//! E-mail addresses, those with an international name or domain too.

use super::around::before;
use super::find::Finding;

/// Domains for examples and tests (RFC 2606, RFC 6761): nobody's address.
const RESERVED: [&str; 8] =
    ["example.com", "example.org", "example.net", "example", "test", "invalid", "localhost", "local"];
/// What ends a file name and no domain, as in `logo@2x.png`.
const FILES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "svg", "webp", "avif"];
/// Accounts that are the same for everybody, as in `git@host:path`.
const NOBODY: [&str; 1] = ["git"];
/// RFC 5321 allows 64 and 255 bytes.
const LONGEST_NAME: usize = 64;
const LONGEST_DOMAIN: usize = 255;

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    for (at, _) in text.match_indices('@') {
        if let Some((start, end)) = address(text, at) {
            // Two that share a part, as in `a@b.com@c.org`, are one.
            match found.last_mut().filter(|last| last.end > start) {
                Some(last) => last.end = end,
                None => found.push(Finding { detector: "email", start, end }),
            }
        }
    }
}

fn address(text: &str, at: usize) -> Option<(usize, usize)> {
    let start = name(text, at)?;
    let end = at + 1 + domain(&text[at + 1..])?;
    if is_password(text, start) {
        return None;
    }
    let (name, domain) = (&text[start..at], text[at + 1..end].to_lowercase());
    let reserved = RESERVED
        .iter()
        .any(|known| domain.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    (!reserved && !NOBODY.contains(&name)).then_some((start, end))
}

/// Whether what begins at `start` is the password in an address such as `https://user:password@host`.
fn is_password(text: &str, start: usize) -> bool {
    let Some(lead) = text[..start].strip_suffix(':') else { return false };
    let user =
        lead.chars().rev().take(LONGEST_NAME).take_while(|c| !c.is_whitespace() && *c != '/').map(char::len_utf8);
    let user: usize = user.sum();
    lead[..lead.len() - user].ends_with("://")
}

/// Where the name before `@` begins.
fn name(text: &str, at: usize) -> Option<usize> {
    if text[..at].ends_with('"') {
        let from = at.saturating_sub(LONGEST_NAME);
        let from = (from..at).find(|from| text.is_char_boundary(*from))?;
        let open = text[from..at - 1].rfind(['"', '\n'])?;
        return text[from + open..].starts_with('"').then_some(from + open);
    }
    let mut start = at;
    for (place, c) in text[..at].char_indices().rev() {
        if at - place > LONGEST_NAME {
            return None;
        }
        if !in_name(c) {
            break;
        }
        start = place;
    }
    // What quotes or marks an address is not a part of it, and a dot neither begins nor ends a name.
    start += text[start..at].find(|c: char| c.is_alphanumeric() || c == '_' || c == '+')?;
    (before(text, at) != Some('.') && !text[start..at].contains("..")).then_some(start)
}

/// Where the domain that `text` begins with ends.
fn domain(text: &str) -> Option<usize> {
    let mut end = text.find(|c| !in_domain(c)).unwrap_or(text.len());
    if end > LONGEST_DOMAIN {
        return None;
    }
    // No top-level domain mixes scripts: what follows `.com` without a space is the text around it.
    let last = text[..end].rfind('.').map_or(0, |dot| dot + 1);
    if text[last..end].starts_with(|c: char| c.is_ascii_alphabetic()) {
        end = text[last..end].find(|c: char| !c.is_ascii()).map_or(end, |other| last + other);
    }
    end = text[..end].trim_end_matches(['.', '-']).len();
    let domain = &text[..end];
    let labels: Vec<&str> = domain.split('.').collect();
    let last = labels.last()?;
    let named = last.chars().count() >= 2 && !last.chars().all(|c| c.is_numeric());
    let file = FILES.iter().any(|ending| last.eq_ignore_ascii_case(ending));
    let sound = labels.iter().all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    (labels.len() >= 2 && named && !file && sound && !is_version(&labels)).then_some(end)
}

/// Whether the labels are the numbers of a version, as in `tool@18.2.0-next.alpha`.
fn is_version(labels: &[&str]) -> bool {
    let number = |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    labels.len() >= 3 && labels[..2].iter().all(number) && labels[2].starts_with(|c: char| c.is_ascii_digit())
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c) || is_mark(c)
}

fn in_domain(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '.' || is_mark(c)
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text, &mut found);
        found.into_iter().map(|finding| &text[finding.start..finding.end]).collect()
    }

    #[test]
    fn addresses_are_found() {
        for (text, address) in [
            ("write to joe@acme.com today", "joe@acme.com"),
            ("<joe.smith+tag@mail.acme.co.uk>.", "joe.smith+tag@mail.acme.co.uk"),
            ("mailto:joe@acme.com?subject=x", "joe@acme.com"),
            ("joe@acme.com.", "joe@acme.com"),
            ("(joe@acme.com)", "joe@acme.com"),
            ("'joe@acme.com'", "joe@acme.com"),
            ("**joe@acme.com**", "joe@acme.com"),
            ("joe_@xn--bcher-kva.de", "joe_@xn--bcher-kva.de"),
            ("jürgen@bücher.de", "jürgen@bücher.de"),
            ("用户@例え.テスト!", "用户@例え.テスト"),
            ("メールはjoe@acme.comです。", "メールはjoe@acme.com"),
            ("x@exаmple.com with a Cyrillic letter", "x@exаmple.com"),
            ("a joe@notexample.com", "joe@notexample.com"),
            ("\"joe smith\"@acme.com", "\"joe smith\"@acme.com"),
            ("https://joe@acme.com", "joe@acme.com"),
            ("see https://acme.com: joe@acme.com", "joe@acme.com"),
            ("id=7;joe@acme.com,x", "joe@acme.com"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
        assert_eq!(found("a@b.com,c@d.org"), ["a@b.com", "c@d.org"]);
        assert_eq!(found("a@b.com@c.org"), ["a@b.com@c.org"]);
    }

    #[test]
    fn what_only_looks_like_an_address_is_not_found() {
        for text in [
            "joe@example.com",
            "joe@mail.EXAMPLE.org",
            "joe@shop.test",
            "joe@nothing.invalid",
            "root@localhost",
            "joe@acme",
            "@joe.smith",
            "react@18.2.0",
            "tool@18.2.0-next.alpha",
            "logo@2x.png",
            "git@code.acme.com:team/repo.git",
            "joe@.com",
            "joe@acme..com",
            "joe@-acme.com-",
            "joe.@acme.com",
            "meet @ noon.today",
            "joe @acme.com",
            "5 apples @ 1.20",
            "a@1.2.3.4",
            "postgres://joe:s3cr3tW0rd@db.acme.com/x",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
        assert_eq!(found(&format!("{}@acme.com", "a".repeat(65))), Vec::<&str>::new());
    }
}
