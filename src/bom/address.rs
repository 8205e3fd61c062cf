//! Addresses as a bill shows them. Whoever gets a bill need not be whoever may read the resources, and people put keys
//! into addresses.

/// An address without user, query and fragment; `None` for what is no plain absolute address, which is then not shown.
#[must_use]
pub(super) fn shown(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let mut letters = scheme.chars();
    let begins = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic());
    if !begins || !letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter)) {
        return None;
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let plain = !name.is_empty() || scheme == "file";
    let shown = plain && is_plain(name) && port.bytes().all(|b| b.is_ascii_digit()) && is_plain(path);
    shown.then(|| format!("{scheme}://{host}{path}"))
}

/// Whether every character may stand in an address as it is; `%` begins an escape.
fn is_plain(text: &str) -> bool {
    let escapes =
        text.split('%').skip(1).all(|escape| escape.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2);
    escapes && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/!$&'()*+,;=:@%".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_secret_in_an_address_is_left_out() {
        for (text, told) in [
            ("https://api.example.com/v1", Some("https://api.example.com/v1")),
            ("https://user:key@api.example.com:8443/v1?token=abc#x", Some("https://api.example.com:8443/v1")),
            ("postgres://joe:pw@db/agents", Some("postgres://db/agents")),
            ("file:///srv/data", Some("file:///srv/data")),
            ("https://host/a%20b", Some("https://host/a%20b")),
        ] {
            assert_eq!(shown(text).as_deref(), told, "{text}");
        }
    }

    #[test]
    fn what_is_no_plain_address_is_not_shown() {
        for text in [
            "",
            "./cases",
            "https://",
            "https://a b",
            "https://h/{id}",
            "https://h:x/",
            "1x://h",
            "https://h/%zz",
            "https://ü",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
