//! Characters that people do not see and models read: in prompts, in records, and in what MCP servers say of themselves.

use crate::resource::{Kind, Risk, Value, path};

use super::Side;
use super::found::{Found, shown};
use super::whole::Whole;

/// How many places of one component are told.
const MOST: usize = 3;

pub(super) fn judge(whole: &Whole, side: &Side<'_>, found: &mut Found) {
    for part in whole.parts() {
        let mut places = Places::default();
        places.walk(part.resource.body(), "");
        places.tell(&part.component(), found);
    }
    for server in whole.of_kind(&Kind::McpServer) {
        let Some(newest) = side.observed.get(server.id()).and_then(|all| all.last()) else { continue };
        let mut places = Places::default();
        newest.instructions.iter().for_each(|text| places.look(text, "its observed instructions"));
        places.tell(&server.component(), found);
        for tool in &newest.tools {
            let mut places = Places::default();
            let at = format!("the observed tool {}", shown(&tool.name));
            for (what, text) in
                [("name", Some(&tool.name)), ("title", tool.title.as_ref()), ("description", tool.description.as_ref())]
            {
                text.into_iter().for_each(|text| places.look(text, &format!("{at}, {what}")));
            }
            for (what, value) in [
                ("inputSchema", &tool.input_schema),
                ("outputSchema", &tool.output_schema),
                ("annotations", &tool.annotations),
            ] {
                value.iter().for_each(|value| places.walk(value, &format!("{at}, {what}")));
            }
            tool.other.iter().for_each(|(key, value)| places.walk(value, &format!("{at}, {}", shown(key))));
            places.tell(&server.component(), found);
        }
    }
}

/// How many tags the longest flag has.
const LONGEST_FLAG: usize = 6;

/// Where hidden characters were seen.
#[derive(Default)]
struct Places {
    first: Vec<String>,
    count: usize,
}

impl Places {
    fn walk(&mut self, value: &Value, at: &str) {
        match value {
            Value::Text(text) => self.look(text, at),
            Value::List(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.walk(item, &path::item(at, index)));
            }
            Value::Map(map) => {
                for (key, value) in map {
                    self.look(key, &format!("a key of {at}"));
                    self.walk(value, &path::entry(at, key));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn look(&mut self, text: &str, at: &str) {
        if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control() && !b"\n\r\t".contains(&byte)) {
            return;
        }
        let characters: Vec<char> = text.chars().collect();
        for place in 0..characters.len() {
            let Some(what) = hides(&characters, place) else { continue };
            self.count += 1;
            if self.first.len() < MOST {
                let code = u32::from(characters[place]);
                self.first.push(format!("U+{code:04X} ({what}) at {}, character {}", shown(at), place + 1));
            }
        }
    }

    fn tell(self, component: &str, found: &mut Found) {
        if self.count == 0 {
            return;
        }
        let more = self.count - self.first.len();
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let why = format!("hidden characters: {}{more}", self.first.join("; "));
        found.raise("AGB-TOOL-006", component, Risk::Critical, why);
    }
}

/// What is hidden about the character at this place; `None` where it is seen, or belongs to the writing around it.
fn hides(text: &[char], place: usize) -> Option<&'static str> {
    let before = place.checked_sub(1).map(|place| text[place]);
    let after = text.get(place + 1).copied();
    match text[place] {
        '\n' | '\r' | '\t' => None,
        c if c.is_control() => Some("control character"),
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Some("direction override"),
        '\u{200E}' | '\u{200F}' | '\u{061C}' => {
            let near = |c: Option<char>| c.is_some_and(is_right_to_left);
            (!near(before) && !near(after)).then_some("direction mark")
        }
        // Emoji and some scripts join letters; Latin text does not.
        '\u{200C}' | '\u{200D}' => {
            let joins = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !is_invisible(c));
            (!joins(before) || !joins(after)).then_some("zero-width joiner")
        }
        '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{180E}' => Some("zero-width character"),
        '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}' => {
            Some("invisible character")
        }
        '\u{206A}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' => Some("invisible control"),
        '\u{E0000}'..='\u{E007F}' => (!is_flag(text, place)).then_some("tag character"),
        '\u{FE00}'..='\u{FE0F}' | '\u{180B}'..='\u{180D}' => {
            let selects = |c: char| matches!(c, '\u{FE00}'..='\u{FE0F}') || is_invisible(c);
            let fits = before.is_some_and(|c| !selects(c) && (!c.is_ascii() || "0123456789#*".contains(c)));
            (!fits).then_some("variation selector")
        }
        '\u{E0100}'..='\u{E01EF}' => (!before.is_some_and(is_ideograph)).then_some("variation selector"),
        _ => None,
    }
}

/// Whether the tags around this place spell one of the three flags that are written with tags.
fn is_flag(text: &[char], place: usize) -> bool {
    let is_tag = |c: &char| ('\u{E0000}'..='\u{E007F}').contains(c);
    // A flag is short; no longer run of tags is one.
    let near = place.saturating_sub(LONGEST_FLAG);
    let start = text[near..place].iter().rposition(|c| !is_tag(c)).map(|start| near + start);
    let Some(start) = start.filter(|start| text[*start] == '\u{1F3F4}') else { return false };
    let tags: String = text[start + 1..]
        .iter()
        .take(LONGEST_FLAG + 1)
        .take_while(|c| is_tag(c))
        .filter_map(|c| char::from_u32(u32::from(*c) - 0xE0000))
        .collect();
    let length = tags.chars().count();
    ["gbeng\u{7F}", "gbsct\u{7F}", "gbwls\u{7F}"].contains(&tags.as_str()) && place <= start + length
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FE00}'..='\u{FE0E}'
            | '\u{E0000}'..='\u{E01EF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> usize {
        let mut places = Places::default();
        places.look(text, "spec.instructions");
        places.count
    }

    #[test]
    fn what_a_person_does_not_see_is_found() {
        for text in [
            "ignore\u{200B}all",
            "abc\u{202E}dcb",
            "a\u{2066}b\u{2069}",
            "hello\u{E0069}\u{E0067}\u{E006E}",
            "x\u{FE0F}",
            "\u{1F600}\u{FE0F}\u{FE01}",
            "\u{1F600}\u{E0101}\u{E0102}",
            "pass\u{00AD}word",
            "a\u{200D}b",
            "\u{1B}[8mhidden\u{1B}[0m",
            "\u{1F3F4}\u{E0069}\u{E007F}",
            "\u{FEFF}x",
        ] {
            assert!(hidden(text) > 0, "{text:?}");
        }
    }

    #[test]
    fn writing_and_emoji_are_left_alone() {
        for text in [
            "Ein Satz mit Umlauten: äöü, “quotes” – dashes…\n\ttabs",
            "family: \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} heart: \u{2764}\u{FE0F} keycap: 1\u{FE0F}\u{20E3}",
            "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F} Scotland",
            "\u{0645}\u{06CC}\u{200C}\u{062E}\u{0648}\u{0627}\u{0647}\u{0645}",
            "\u{05D0}\u{200F} (x)",
            "\u{845B}\u{E0100}",
            "\u{2764}\u{FE0F}\u{200D}\u{1F525}",
        ] {
            assert_eq!(hidden(text), 0, "{text:?}");
        }
    }
}
