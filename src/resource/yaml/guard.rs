//! What is refused before any parser sees the text.

use super::super::diagnostic::Position;
use super::Fault;

/// The largest file, in bytes: 1 MiB.
const SIZE: usize = 1 << 20;

/// Refuses a file that is too large to be written by people.
pub(super) fn check_size(text: &str) -> Result<(), Fault> {
    if text.len() <= SIZE {
        return Ok(());
    }
    Err(Fault::new("limit-size", Position::START, format!("the file has {} bytes, more than {SIZE}", text.len()))
        .help("split it into several files"))
}

/// Refuses characters and lines that YAML readers take for different things.
pub(super) fn check_characters(text: &str) -> Result<(), Fault> {
    for (index, line) in text.split('\n').enumerate() {
        let number = index + 1;
        if line.starts_with('%') {
            return Err(Fault::new("yaml-directive", Position { line: number, column: 1 }, "a YAML directive")
                .help("remove the line: joch reads YAML without directives"));
        }
        let odd = line.chars().enumerate().find(|(_, char)| matches!(char, '\u{85}' | '\u{2028}' | '\u{2029}'));
        if let Some((column, char)) = odd {
            let position = Position { line: number, column: column + 1 };
            let code = format!("{:04X}", u32::from(char));
            let message = format!("U+{code} ends a line for one YAML reader and not for another");
            return Err(Fault::new("yaml-line-separator", position, message)
                .help(format!("remove it, or write it as `\\u{code}` in double quotes")));
        }
    }
    Ok(())
}
