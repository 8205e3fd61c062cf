//! What a credential looks like when it comes back: as it is, on one line, in JSON, in an address, in base64.

/// Shorter values are no credentials, and masking them would tear texts apart.
const SHORTEST: usize = 6;
/// A part of a value is masked by itself from this length.
const SHORTEST_PART: usize = 16;
/// Where programs break lines of base64.
const WIDTHS: [usize; 2] = [64, 76];
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_ADDRESSES: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// All forms of these values, the longest first, so that one inside of another hides neither.
pub(super) fn forms<'v>(values: impl IntoIterator<Item = &'v str>) -> Vec<String> {
    let mut forms = Vec::new();
    for value in values {
        // A value is also known without the line break that files end with, and a header's without its scheme.
        let trimmed = value.trim();
        let bare = trimmed.split_once(' ').map(|(_, bare)| bare.trim());
        for value in [Some(trimmed), bare].into_iter().flatten().filter(|value| value.len() >= SHORTEST) {
            forms.extend(texts(value));
            forms.extend(in_base64(value.as_bytes()));
        }
        if trimmed.len() >= SHORTEST && trimmed != value {
            forms.extend(in_base64(value.as_bytes()));
        }
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    forms.dedup();
    forms
}

fn texts(value: &str) -> Vec<String> {
    let mut forms = vec![
        value.to_owned(),
        // As messages of one line have it.
        value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        value.split_whitespace().collect::<Vec<_>>().join(" "),
    ];
    forms.extend(value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_PART).map(str::to_owned));
    let plain = in_json(value);
    for once in [in_ascii(&plain), plain.replace('/', "\\/"), plain] {
        forms.extend([in_json(&once), once]);
    }
    for kept in ["-_.~", "-_.!~*'()", "-_.*"] {
        for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
            let encoded = in_address(value, kept, digits);
            forms.extend([encoded.replace("%20", "+"), encoded]);
        }
    }
    forms
}

/// The inside of the JSON string.
fn in_json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON whose writer keeps to ASCII.
fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            ascii.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii
}

fn in_address(value: &str, kept: &str, digits: &[u8; 16]) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(digits[usize::from(half)]);
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

/// The value by itself, also in lines, and what it is inside of something longer, wherever it begins there.
fn in_base64(value: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for alphabet in [STANDARD, FOR_ADDRESSES] {
        let encoded = base64(value, alphabet);
        for width in WIDTHS {
            let lines = encoded.as_bytes().chunks(width).filter(|line| line.len() >= SHORTEST_PART);
            forms.extend(lines.filter_map(|line| str::from_utf8(line).ok()).map(str::to_owned));
        }
        // The characters that stand for bytes of the value and for no others.
        for (before, skipped) in [(0, 0), (1, 2), (2, 3)] {
            let shifted = [&vec![0; before][..], value].concat();
            let inside = base64(&shifted, alphabet);
            forms.extend(inside.get(skipped..shifted.len() * 8 / 6).map(str::to_owned));
        }
        forms.push(format!("{encoded}{}", "=".repeat(encoded.len().next_multiple_of(4) - encoded.len())));
        forms.push(encoded);
    }
    forms
}

/// Without padding.
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().chain([&0, &0]).take(3).fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let letters = (0..=group.len()).map(|at| alphabet[(bits >> (18 - 6 * at)) as usize & 63]);
        encoded.extend(letters.map(char::from));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_in_every_form() {
        let known = forms(["a\"b/c d\u{e9}"]);
        for form in [
            "a\"b/c d\u{e9}",
            "a\\\"b/c d\u{e9}",
            "a\\\\\\\"b/c d\u{e9}",
            "a\\\"b\\/c d\u{e9}",
            "a\\\"b/c d\\u00e9",
            "a%22b%2Fc%20d%C3%A9",
            "a%22b%2fc%20d%c3%a9",
            "a%22b%2Fc+d%C3%A9",
            "YSJiL2MgZMOp",
        ] {
            assert!(known.iter().any(|known| known == form), "{form}");
        }
        assert!(known.iter().all(|form| form.len() >= SHORTEST));
        assert!(known.is_sorted_by_key(|form| std::cmp::Reverse(form.len())));
    }

    #[test]
    fn base64_is_as_others_write_it() {
        for (text, encoded) in [("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("", "")] {
            assert_eq!(base64(text.as_bytes(), STANDARD), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff], STANDARD), "+/8");
        assert_eq!(base64(&[0xfb, 0xff], FOR_ADDRESSES), "-_8");
    }

    #[test]
    fn a_value_inside_of_something_longer_is_known_in_base64() {
        let known = forms(["0a1b2c3d4e5f"]);
        for before in ["", "u", "us", "use", "user:"] {
            let encoded = base64(format!("{before}0a1b2c3d4e5f, and more").as_bytes(), STANDARD);
            assert!(known.iter().any(|form| encoded.contains(form.as_str())), "{encoded}");
        }
    }
}
