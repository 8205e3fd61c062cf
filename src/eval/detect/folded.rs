//! A text as detectors read it: what looks alike is alike, what is invisible is gone, and every place is known.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// A text in which full-width digits are digits, every dash is `-`, `%40` is `@`, and nothing is invisible (NFKC, one
/// character at a time), with the way back to the text it was made from.
pub(super) struct Folded<'t> {
    text: Cow<'t, str>,
    pieces: Vec<Piece>,
    /// Length of the text it was made from.
    length: usize,
}

/// A stretch of the folded text, up to the next piece.
#[derive(Clone, Copy)]
struct Piece {
    folded: usize,
    original: usize,
    /// Whether it is what became of one character; otherwise byte stands for byte.
    whole: bool,
}

impl<'t> Folded<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        if text.is_ascii() && !text.contains('%') {
            let pieces = vec![Piece { folded: 0, original: 0, whole: false }];
            return Self { text: Cow::Borrowed(text), pieces, length: text.len() };
        }
        let (mut folded, mut pieces) = (String::with_capacity(text.len()), Vec::new());
        // Whether the last piece goes on byte for byte.
        let mut going = false;
        let mut chars = text.char_indices();
        while let Some((original, c)) = chars.next() {
            let piece = |whole| Piece { folded: folded.len(), original, whole };
            match fold(c, &text[original..], folded.as_bytes().last()) {
                Fold::Same => {
                    if !going {
                        pieces.push(piece(false));
                        going = true;
                    }
                    folded.push(c);
                    continue;
                }
                Fold::Gone => {}
                Fold::To(other) => {
                    pieces.push(piece(true));
                    folded.push(other);
                }
                Fold::Written(other) => {
                    pieces.push(piece(true));
                    folded.push(other);
                    chars.nth(1);
                }
                Fold::Apart => {
                    pieces.push(piece(true));
                    folded.extend(std::iter::once(c).nfkc());
                }
            }
            going = false;
        }
        Self { text: Cow::Owned(folded), pieces, length: text.len() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where in the text that this was made from the bytes `start..end` of the folded text stand; whole characters.
    pub(super) fn original(&self, start: usize, end: usize) -> (usize, usize) {
        if start >= end || self.pieces.is_empty() {
            return (0, 0);
        }
        let first = self.piece_of(start);
        let piece = self.pieces[first];
        let from = if piece.whole { piece.original } else { piece.original + (start - piece.folded) };
        let last = self.piece_of(end - 1);
        let piece = self.pieces[last];
        let to = if piece.whole {
            self.pieces.get(last + 1).map_or(self.length, |next| next.original)
        } else {
            piece.original + (end - piece.folded)
        };
        (from, to)
    }

    fn piece_of(&self, byte: usize) -> usize {
        self.pieces.partition_point(|piece| piece.folded <= byte).saturating_sub(1)
    }
}

enum Fold {
    Same,
    Gone,
    To(char),
    /// This character, which is written as `%` and two digits.
    Written(char),
    /// As NFKC has it.
    Apart,
}

/// What becomes of `c`, with which `rest` begins and before which `last` was written.
fn fold(c: char, rest: &str, last: Option<&u8>) -> Fold {
    if c == '%' {
        return rest.get(1..3).and_then(written).map_or(Fold::Same, Fold::Written);
    }
    if c.is_ascii() {
        return Fold::Same;
    }
    match c {
        // Most of what people write that is not ASCII: quick, and the same in NFKC.
        '\u{c0}'..='\u{131}' | '\u{400}'..='\u{482}' | '\u{3041}'..='\u{3094}' | '\u{30a1}'..='\u{30f4}' => Fold::Same,
        '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => Fold::Same,
        // Soft hyphen, joiners, marks of direction, fillers, variation selectors, tags.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' => Fold::Gone,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' => {
            Fold::Gone
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}' => Fold::Gone,
        // Hyphens, dashes, the minus sign.
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' => Fold::To('-'),
        // A line under or around a digit.
        _ if last.is_some_and(u8::is_ascii_digit) && is_combining_mark(c) => Fold::Gone,
        _ => match digit(c) {
            Some(digit) => Fold::To(digit),
            None if is_nfkc_quick(std::iter::once(c)) == IsNormalized::Yes => Fold::Same,
            None => Fold::Apart,
        },
    }
}

/// The signs of addresses and numbers that an URL writes in another way.
fn written(code: &str) -> Option<char> {
    match code {
        "20" => Some(' '),
        "2B" | "2b" => Some('+'),
        "2D" | "2d" => Some('-'),
        "2E" | "2e" => Some('.'),
        "40" => Some('@'),
        _ => None,
    }
}

/// The digit of another script, such as Arabic or Devanagari.
fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 12] = [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xe50, 0xed0, 0x17e0];
    let zero = ZEROS.into_iter().find(|zero| (*zero..zero + 10).contains(&u32::from(c)))?;
    char::from_digit(u32::from(c) - zero, 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> String {
        Folded::new(text).text().to_owned()
    }

    #[test]
    fn what_looks_alike_is_alike() {
        assert_eq!(folded("４１１１−１１１１"), "4111-1111");
        assert_eq!(folded("joe﹫acme．com"), "joe@acme.com");
        assert_eq!(folded("٤١ ४१ ᴀ"), "41 41 ᴀ");
        assert_eq!(folded("a\u{200d}b\u{ad}c\u{feff}\u{fe0f}"), "abc");
        assert_eq!(folded("1\u{a0}2\u{2009}3"), "1 2 3");
        assert_eq!(folded("ﬁ"), "fi");
        assert_eq!(folded("4\u{fe0f}\u{20e3}1\u{332}"), "41");
        assert_eq!(folded("joe%40acme%2ecom %2B49%2 100%"), "joe@acme.com +49%2 100%");
    }

    #[test]
    fn a_place_leads_back_to_the_text() {
        let text = "é ４\u{200b}１ ﬁn";
        let folded = Folded::new(text);
        let at = |what: &str| {
            let start = folded.text().find(what).expect("there");
            let (from, to) = folded.original(start, start + what.len());
            &text[from..to]
        };
        assert_eq!(at("é"), "é");
        assert_eq!(at("41"), "４\u{200b}１");
        assert_eq!(at("i"), "ﬁ");
        assert_eq!(at("n"), "n");
    }

    proptest! {
        #[test]
        fn every_place_lies_between_characters(text in "\\PC{0,40}|[a0%4２\u{200d}４ﬁé\u{fdfa}\u{332}]{0,20}") {
            let folded = Folded::new(&text);
            let ends: Vec<usize> = folded.text().char_indices().map(|(at, _)| at).chain([folded.text().len()]).collect();
            for (nth, start) in ends.iter().enumerate() {
                for end in &ends[nth + 1..] {
                    let (from, to) = folded.original(*start, *end);
                    prop_assert!(from < to && text.is_char_boundary(from) && text.is_char_boundary(to));
                }
            }
        }
    }
}
