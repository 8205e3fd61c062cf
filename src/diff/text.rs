//! What changed inside a text: lines with a little of what surrounds them, and the words within a line.

use similar::{ChangeTag, DiffTag, TextDiff};

/// Lines of context on either side of a change.
const CONTEXT: usize = 2;
/// Above this many lines the texts are shown whole: comparing takes time with the square of what differs.
const LINES: usize = 5_000;
/// The steps that comparing words may take in one pair of texts; what comes later is compared by lines only.
const STEPS: usize = 1 << 24;

/// Changed lines that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Its first line in the old text, from 1.
    pub old_line: usize,
    /// Its first line in the new text, from 1.
    pub new_line: usize,
    /// Its lines, what is gone before what took its place.
    pub lines: Vec<HunkLine>,
}

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HunkLine {
    /// `' '` context, `'-'` gone, `'+'` new, `'~'` reworded: both in one.
    pub sign: char,
    /// The line in pieces; those not [`Tag::Equal`] are what to emphasise.
    pub pieces: Vec<Piece>,
}

/// A run of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// On which side it stands.
    pub tag: Tag,
    /// The words and the space between them.
    pub text: String,
}

/// On which side a piece of text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// On both.
    Equal,
    /// Only on the old one.
    Delete,
    /// Only on the new one.
    Insert,
}

impl HunkLine {
    /// The line as plain text; in a reworded line `[-gone-]` and `{+new+}` mark the words.
    #[must_use]
    pub fn plain(&self) -> String {
        let marked = self.sign == '~';
        let pieces = self.pieces.iter().map(|piece| match piece.tag {
            Tag::Delete if marked => format!("[-{}-]", piece.text),
            Tag::Insert if marked => format!("{{+{}+}}", piece.text),
            _ => piece.text.clone(),
        });
        pieces.collect()
    }
}

/// What changed from `old` to `new`; nothing if they are equal. Two texts of a single line give one reworded
/// line if they share any word.
#[must_use]
pub fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    if old == new {
        return Vec::new();
    }
    let mut steps = STEPS;
    if !old.contains('\n') && !new.contains('\n') {
        let pieces = words(old, new, &mut steps);
        let lines = if pieces.iter().any(|piece| piece.tag == Tag::Equal && !piece.text.trim().is_empty()) {
            vec![HunkLine { sign: '~', pieces }]
        } else {
            vec![side('-', &pieces), side('+', &pieces)]
        };
        return vec![Hunk { old_line: 1, new_line: 1, lines }];
    }
    // Where neither text ends its last line there is nothing to say about that end.
    let end = if old.ends_with('\n') || new.ends_with('\n') { "" } else { "\n" };
    let ended = |text: &str| if text.is_empty() { String::new() } else { format!("{text}{end}") };
    let (old, new) = (ended(old), ended(new));
    let (old, new): (Vec<&str>, Vec<&str>) = (lines(&old), lines(&new));
    if old.len().max(new.len()) > LINES {
        return vec![Hunk { old_line: 1, new_line: 1, lines: changed(&old, &new, &mut 0) }];
    }
    let diff = TextDiff::from_slices(&old, &new);
    let groups = diff.grouped_ops(CONTEXT).into_iter().filter_map(|ops| {
        let first = ops.first()?;
        let (old_line, new_line) = (first.old_range().start + 1, first.new_range().start + 1);
        let lines = ops.iter().flat_map(|op| match op.tag() {
            DiffTag::Equal => old[op.old_range()].iter().map(|line| whole(' ', Tag::Equal, line)).collect(),
            _ => changed(&old[op.old_range()], &new[op.new_range()], &mut steps),
        });
        Some(Hunk { old_line, new_line, lines: lines.collect() })
    });
    groups.collect()
}

/// The lines of a text, each with its end, so that a missing last one makes a difference.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// All that is gone, then all that is new; lines that face each other are compared word by word.
fn changed(old: &[&str], new: &[&str], steps: &mut usize) -> Vec<HunkLine> {
    let pairs: Vec<Vec<Piece>> = old.iter().zip(new).map(|(old, new)| words(shown(old), shown(new), steps)).collect();
    let paired = |sign| pairs.iter().map(move |pieces| side(sign, pieces));
    let alone = |sign, tag, lines: &[&str]| -> Vec<HunkLine> {
        lines.iter().skip(pairs.len()).map(|line| whole(sign, tag, line)).collect()
    };
    let mut lines: Vec<_> = paired('-').chain(alone('-', Tag::Delete, old)).collect();
    lines.extend(paired('+').chain(alone('+', Tag::Insert, new)));
    mark_missing_end(&mut lines, old, new);
    lines
}

/// A line that differs only in having no end would look equal.
fn mark_missing_end(lines: &mut [HunkLine], old: &[&str], new: &[&str]) {
    for (end, side) in [(old.len(), old), (lines.len(), new)] {
        let missing = side.last().is_some_and(|line| !line.ends_with('\n'));
        if let Some(line) = end.checked_sub(1).and_then(|last| lines.get_mut(last)).filter(|_| missing) {
            line.pieces.push(Piece { tag: Tag::Equal, text: " (no line end)".into() });
        }
    }
}

fn shown(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

fn whole(sign: char, tag: Tag, line: &str) -> HunkLine {
    HunkLine { sign, pieces: vec![Piece { tag, text: shown(line).to_owned() }] }
}

/// One side of a comparison by words.
fn side(sign: char, pieces: &[Piece]) -> HunkLine {
    let other = if sign == '-' { Tag::Insert } else { Tag::Delete };
    HunkLine { sign, pieces: pieces.iter().filter(|piece| piece.tag != other).cloned().collect() }
}

/// The words of both texts, or each text in one piece where the comparison would take more than `steps`.
fn words(old: &str, new: &str, steps: &mut usize) -> Vec<Piece> {
    let count = old.split_whitespace().count() + new.split_whitespace().count();
    let Some(left) = count.checked_mul(count).and_then(|cost| steps.checked_sub(cost)) else {
        let piece = |tag, text: &str| Piece { tag, text: text.to_owned() };
        return vec![piece(Tag::Delete, old), piece(Tag::Insert, new)];
    };
    *steps = left;
    let diff = TextDiff::from_words(old, new);
    let mut pieces: Vec<Piece> = Vec::new();
    for change in diff.iter_all_changes() {
        let tag = match change.tag() {
            ChangeTag::Equal => Tag::Equal,
            ChangeTag::Delete => Tag::Delete,
            ChangeTag::Insert => Tag::Insert,
        };
        match pieces.last_mut() {
            Some(last) if last.tag == tag => last.text.push_str(change.value()),
            _ => pieces.push(Piece { tag, text: change.value().to_owned() }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(old: &str, new: &str) -> String {
        let hunks = hunks(old, new).into_iter().map(|hunk| {
            let lines = hunk.lines.iter().map(|line| format!("{} {}\n", line.sign, line.plain()));
            format!("@{},{}\n{}", hunk.old_line, hunk.new_line, lines.collect::<String>())
        });
        hunks.collect()
    }

    #[test]
    fn a_single_line_shows_its_words() {
        assert_eq!(
            plain("You triage tickets.", "You triage angry tickets."),
            "@1,1\n~ You triage {+angry +}tickets.\n"
        );
        assert_eq!(plain("be kind always", "be firm always"), "@1,1\n~ be [-kind-]{+firm+} always\n");
        assert_eq!(plain("yes", "no"), "@1,1\n- yes\n+ no\n");
        assert_eq!(plain("same", "same"), "");
    }

    #[test]
    fn several_lines_show_what_changed_and_a_little_around_it() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let new = old.replace("b\n", "B\n").replace("i\n", "i\nnew\n");
        let printed = "@1,1\n  a\n- b\n+ B\n  c\n  d\n@8,8\n  h\n  i\n+ new\n  j\n";
        assert_eq!(plain(old, &new), printed);
    }

    #[test]
    fn a_missing_line_end_is_said() {
        assert_eq!(plain("a\nb", "a\nb\nc"), "@1,1\n  a\n  b\n+ c\n");
        assert_eq!(plain("", "a\nb"), "@1,1\n+ a\n+ b\n");
        assert_eq!(plain("a\nb\n", "a\nb"), "@1,1\n  a\n- b\n+ b (no line end)\n");
    }

    #[test]
    fn a_changed_line_among_others_carries_its_emphasis() {
        let hunks = hunks("first\nask one question\n", "first\nask two questions\n");
        let gone: Vec<_> = hunks[0].lines[1].pieces.iter().filter(|piece| piece.tag == Tag::Delete).collect();
        assert_eq!(gone.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>(), ["one", "question"]);
    }

    #[test]
    fn texts_too_large_to_compare_by_words_are_shown_whole() {
        let text = |word: &str| format!("{word} ").repeat(3_000);
        let signs: Vec<char> = hunks(&text("a"), &text("b"))[0].lines.iter().map(|line| line.sign).collect();
        assert_eq!(signs, ['-', '+']);
        let lines = |word: &str| (0..6_000).map(|n| format!("{word} {n}\n")).collect::<String>();
        assert_eq!(hunks(&lines("a"), &lines("b"))[0].lines.len(), 12_000);
    }
}
