//! Which digits are a telephone number: the calling codes of the world, and the national rules of a few countries.

/// Countries whose national numbers are known, as in `LeakSettings::regions`.
pub(super) const REGIONS: [&str; 10] = ["AT", "CA", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "US"];

/// Whether `digits`, the calling code first, are an international number. `cuts` are the places where groups end.
pub(super) fn is_international(digits: &[u8], cuts: &[usize]) -> bool {
    let Some(code) = code_length(digits) else { return false };
    let (code, national) = digits.split_at(code);
    // No group ends within the calling code.
    if cuts.iter().any(|cut| *cut < code.len()) || digits.len() > 15 {
        return false;
    }
    let number = code.iter().fold(0_u16, |number, digit| number * 10 + u16::from(*digit));
    let length = national.len();
    let zero = national.first() == Some(&0);
    match number {
        1 => is_american(national) && cuts.iter().all(|cut| matches!(cut, 1 | 4 | 7 | 11)),
        7 => length == 10 && !zero && national[0] >= 3,
        31 | 33 | 34 | 41 => length == 9 && !zero,
        39 => (6..=11).contains(&length),
        43 => (4 + 2..=13).contains(&length) && !zero,
        44 => (9..=10).contains(&length) && !zero,
        49 => (6..=11).contains(&length) && !zero,
        // Where national numbers begin with 0 abroad too.
        225 | 241 | 242 | 378 => length >= 6,
        _ => digits.len() >= if code.len() == 3 { 8 } else { 9 } && !zero,
    }
}

/// Whether `digits` are a number as it is dialled within `region`. `cuts` are the places where groups end, the last
/// included; `led` says that a word such as `phone` leads to it, which a number needs that could be any other.
pub(super) fn is_national(region: &str, digits: &[u8], cuts: &[usize], led: bool) -> bool {
    let length = digits.len();
    let bare = cuts.len() == 1;
    let trunk = digits[0] == 0 && digits.get(1).is_some_and(|digit| *digit != 0);
    match region {
        "US" | "CA" => {
            let (digits, places): (_, &[usize]) =
                if length == 11 && digits[0] == 1 { (&digits[1..], &[1, 4, 7, 11]) } else { (digits, &[3, 6, 10]) };
            is_american(digits) && cuts.iter().all(|cut| places.contains(cut)) && (led || cuts.len() >= 3)
        }
        "GB" => trunk && (10..=11).contains(&length) && !matches!(digits[1], 4 | 6),
        "FR" | "NL" | "CH" => trunk && length == 10,
        "DE" => trunk && (if bare && !led { 10..=12 } else { 7..=12 }).contains(&length),
        "AT" => trunk && (if bare && !led { 10..=13 } else { 7..=13 }).contains(&length),
        "IT" => {
            let mobile = digits[0] == 3 && (9..=10).contains(&length) && (led || !bare);
            mobile || trunk && (if bare && !led { 9..=11 } else { 7..=11 }).contains(&length)
        }
        "ES" => length == 9 && (6..=9).contains(&digits[0]) && (led || !bare),
        _ => false,
    }
}

/// Ten digits of the North American plan.
fn is_american(digits: &[u8]) -> bool {
    let service = |part: &[u8]| part[1] == 1 && part[2] == 1;
    digits.len() == 10
        && digits[0] >= 2
        && digits[1] != 9
        && digits[3] >= 2
        && !service(&digits[..3])
        && !service(&digits[3..6])
}

/// How long the calling code is that these digits begin with; `None` where no country has it.
fn code_length(digits: &[u8]) -> Option<usize> {
    let [a, b, c, ..] = digits else { return None };
    match (a, b, c) {
        (1 | 7, ..) => Some(1),
        (2, 0 | 7, _) | (3, 0..=4 | 6 | 9, _) | (4, 0 | 1 | 3..=9, _) | (5, 1..=8, _) => Some(2),
        (6, 0..=6, _) | (8, 1 | 2 | 4 | 6, _) | (9, 0..=5 | 8, _) => Some(2),
        (2, 1, 0 | 4 | 5 | 7 | 9) | (2, 5, 9) | (2, 8, _) | (2, 9, 2..=6) => None,
        (2, ..) => Some(3),
        (3, 8, 4 | 8) => None,
        (3, 5 | 7 | 8, _) | (4, 2, 0 | 1 | 3) | (5, 0 | 9, _) => Some(3),
        (6, 7, 0 | 2..=9) | (6, 8, 0..=3 | 5..=9) | (6, 9, 0..=2) => Some(3),
        (8, 0, 0 | 8) | (8, 5, 0 | 2 | 3 | 5 | 6) | (8, 7, 0 | 8) | (8, 8, 0..=3 | 6 | 8) => Some(3),
        (9, 6, 0..=8) | (9, 7, 0..=7 | 9) | (9, 9, 2..=6 | 8) => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calling_code_is_that_of_a_country_or_none() {
        let length = |code: &str| code_length(&format!("{code}000").bytes().map(|b| b - b'0').collect::<Vec<_>>());
        for code in ["1", "7", "20", "27", "30", "39", "44", "49", "55", "61", "66", "81", "86", "90", "98"] {
            assert_eq!(length(code), Some(code.len()), "{code}");
        }
        for code in ["212", "234", "254", "290", "351", "380", "420", "502", "595", "677", "852", "886", "971", "998"] {
            assert_eq!(length(code), Some(3), "{code}");
        }
        for code in ["0", "210", "259", "280", "384", "422", "671", "83", "89", "969", "999"] {
            assert_eq!(length(code), None, "{code}");
        }
    }
}
