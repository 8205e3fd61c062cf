//! Lengths of time as people write them: `90s`, `15m`, `36h`, `7d`, `2w`.

use super::value::Value;

/// The seconds of a length of time; `None` for what is none.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    let is_digits = digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<u64>().ok().filter(|_| is_digits).map(|count| count * unit)
}

/// The seconds that a field asks for.
///
/// # Errors
/// What is no length of time.
pub fn read(value: &Value) -> Result<u64, String> {
    value.as_text().and_then(seconds).ok_or_else(|| {
        let said = value.as_text().map_or_else(|| value.type_name().to_owned(), |text| format!("`{text}`"));
        format!("{said} is no length of time: write, say, `36h` or `7d`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_digits_and_a_unit() {
        for (text, expected) in
            [("90s", 90), ("15m", 900), ("36h", 129_600), ("7d", 604_800), ("2w", 1_209_600), ("0h", 0)]
        {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for bad in ["", "h", "24", "24 h", "-1h", "+1h", "1.5h", "1y", "24hours", "1234567890s", "٣h", "é"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        assert_eq!(read(&"1 day".into()), Err("`1 day` is no length of time: write, say, `36h` or `7d`".into()));
        assert_eq!(
            read(&Value::Bool(true)),
            Err("true or false is no length of time: write, say, `36h` or `7d`".into())
        );
    }
}
