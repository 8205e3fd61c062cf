//! Tables as they are kept: their lines cut into pages, of which a look-up reads a few, however long the table is.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::resource::Digest;

use super::object_id::ObjectId;

/// Where tables are kept from one command to the next. What it gives back must be what was stored: a table that lacks
/// a line is a gate that nobody asks. What it does not keep is derived again.
pub trait Cache {
    /// What was stored under this name.
    fn open(&self, name: &str) -> Option<Box<dyn Pieces>>;

    /// Stores it in pieces, if that can be.
    fn store(&self, name: &str, pieces: &[Cow<'_, [u8]>]);
}

/// The pieces of what was stored, all of one time.
pub trait Pieces {
    /// How many there are.
    fn count(&self) -> usize;

    /// One of them, as it was stored.
    fn piece(&self, number: usize) -> Option<Vec<u8>>;
}

/// About how long a page is, in bytes.
const PAGE: usize = 8192;

/// Lines of text, tab, source, in order; the source is the entry or agent that the line is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub(super) head: Head,
    lines: String,
}

/// Of what a table is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    pub(super) tree: Option<ObjectId>,
    /// Digest of what else its lines depend on.
    pub(super) under: Option<Digest>,
}

/// Changes with what lines say; the version of joch stands beside it.
const FORMAT: &str = concat!("joch index 2 ", env!("CARGO_PKG_VERSION"));

impl Table {
    /// One without a line.
    pub(super) fn empty() -> Self {
        Self { head: Head::default(), lines: String::new() }
    }

    /// Every line, as its text and its source.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.lines().filter_map(|line| line.rsplit_once('\t'))
    }

    /// The sources of the lines with this text, in order.
    pub(super) fn sources(&self, text: &str) -> Vec<&str> {
        let begin = format!("{text}\t");
        let sources = self.from(&begin).lines().map_while(|line| line.strip_prefix(begin.as_str()));
        // A line whose text goes on after a tab has another text.
        sources.filter(|source| !source.contains('\t')).collect()
    }

    /// The lines from the first that is not before `begin`, found by halves.
    fn from(&self, begin: &str) -> &str {
        let (mut low, mut high) = (0, self.lines.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let bytes = self.lines.as_bytes();
            let start = bytes[low..middle].iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
            let end = bytes[middle..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| middle + at);
            if &bytes[start..end] < begin.as_bytes() { low = end + 1 } else { high = start }
        }
        self.lines.get(low..).unwrap_or_default()
    }

    /// What is kept of it: its head with the first line of every page, and the pages.
    pub(super) fn pieces(&self) -> Vec<Cow<'_, [u8]>> {
        let mut begin = self.head.line() + "\n";
        let mut pages = Vec::new();
        let mut rest = self.lines.as_str();
        while !rest.is_empty() {
            let long = rest.bytes().enumerate().skip(PAGE).find(|(_, byte)| *byte == b'\n');
            let (page, beyond) = rest.split_at(long.map_or(rest.len(), |(at, _)| at + 1));
            begin.extend(page.split_inclusive('\n').next());
            pages.push(Cow::Borrowed(page.as_bytes()));
            rest = beyond;
        }
        [Cow::Owned(begin.into_bytes())].into_iter().chain(pages).collect()
    }

    /// This table without the lines of some sources, and with others instead.
    pub(super) fn with(&self, head: Head, gone: &BTreeSet<String>, new: &[String]) -> Self {
        let kept = |line: &&str| line.rsplit_once('\t').is_some_and(|(_, source)| !gone.contains(source));
        let mut lines: Vec<&str> = self.lines.lines().filter(kept).chain(new.iter().map(String::as_str)).collect();
        lines.sort_unstable();
        lines.dedup();
        let mut text = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        Self { head, lines: text }
    }
}

impl Head {
    fn line(&self) -> String {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let under = or_dash(self.under.map(|under| under.to_string()));
        format!("{FORMAT} {under} {}", or_dash(self.tree.map(|tree| tree.to_string())))
    }

    fn parse(line: &str) -> Option<Self> {
        let (under, tree) = line.strip_prefix(FORMAT)?.strip_prefix(' ')?.split_once(' ')?;
        let under = if under == "-" { None } else { Some(under.parse().ok()?) };
        let tree = if tree == "-" { None } else { Some(tree.parse().ok()?) };
        Some(Self { tree, under })
    }
}

/// A table that is kept, with what has changed since: what a look-up needs of it.
pub(super) struct Kept {
    /// Of what it was when it was stored.
    pub(super) head: Head,
    /// The first line of every page.
    firsts: Vec<String>,
    pieces: Box<dyn Pieces>,
    /// What its lines are of now.
    pub(super) now: Head,
    gone: BTreeSet<String>,
    new: Table,
}

impl Kept {
    /// What was stored, as a table.
    pub(super) fn open(pieces: Box<dyn Pieces>) -> Option<Self> {
        let begin = String::from_utf8(pieces.piece(0)?).ok()?;
        let mut lines = begin.lines();
        let head = Head::parse(lines.next()?)?;
        let firsts: Vec<String> = lines.map(str::to_owned).collect();
        let whole = firsts.len() + 1 == pieces.count();
        whole.then(|| Self { now: head.clone(), head, firsts, pieces, gone: BTreeSet::new(), new: Table::empty() })
    }

    /// Whether it is too short for a look-up to save anything.
    pub(super) fn is_short(&self) -> bool {
        self.firsts.len() <= 1
    }

    /// The same without the lines of some sources, and with others instead.
    pub(super) fn with(self, now: Head, gone: BTreeSet<String>, new: &[String]) -> Self {
        Self { new: Table::empty().with(now.clone(), &BTreeSet::new(), new), now, gone, ..self }
    }

    /// The table as it was stored.
    pub(super) fn whole(&self) -> Option<Table> {
        let pages = (0..self.firsts.len()).map(|number| self.page(number)).collect::<Option<String>>()?;
        Some(Table { head: self.head.clone(), lines: pages })
    }

    /// The sources of the lines with this text, in order; none where a page is not as it was stored.
    pub(super) fn sources(&self, text: &str) -> Option<BTreeSet<String>> {
        let mut found: BTreeSet<String> = self.new.sources(text).into_iter().map(str::to_owned).collect();
        let begin = format!("{text}\t");
        // The page before the first that begins later may end with such lines.
        let first = self.firsts.partition_point(|line| *line < begin).saturating_sub(1);
        for (number, line) in self.firsts.iter().enumerate().skip(first) {
            if *line > begin && !line.starts_with(&begin) {
                break;
            }
            let page = Table { head: Head::default(), lines: self.page(number)? };
            let sources = page.sources(text).into_iter().filter(|source| !self.gone.contains(*source));
            found.extend(sources.map(str::to_owned));
        }
        Some(found)
    }

    fn page(&self, number: usize) -> Option<String> {
        String::from_utf8(self.pieces.piece(number + 1)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_halves_wherever_it_stands() {
        let texts = ["agent a/b", "agent a/b-c", "agent a/b\tc", "named é", "team x"];
        let lines: Vec<String> =
            texts.iter().flat_map(|text| (0..5).map(move |n| format!("{text}\t{n}.yaml"))).collect();
        for few in 0..=lines.len() {
            let table = Table::empty().with(Head::default(), &BTreeSet::new(), &lines[..few]);
            for text in texts.iter().chain(&["", "agent", "agent a/c", "zzz"]) {
                let all = table.lines().filter(|(line, _)| line == text).map(|(_, source)| source);
                assert_eq!(table.sources(text), all.collect::<Vec<_>>(), "{text:?} among {few}");
            }
        }
    }

    /// Pieces in memory; one of them may be damaged.
    struct InMemory(Vec<Vec<u8>>, Option<usize>);

    impl Pieces for InMemory {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn piece(&self, number: usize) -> Option<Vec<u8>> {
            self.0.get(number).filter(|_| self.1 != Some(number)).cloned()
        }
    }

    fn kept(table: &Table, damaged: Option<usize>) -> Option<Kept> {
        Kept::open(Box::new(InMemory(table.pieces().into_iter().map(Cow::into_owned).collect(), damaged)))
    }

    /// Some texts stand in many lines, more than a page holds; most in one.
    fn long() -> Table {
        let many = (0..2000).map(|n| format!("agent a/shared\tnamespace/{n:05}.yaml"));
        let own = (0..3000).map(|n| format!("agent a/a{n:05}\tnamespace/a{n:05}.yaml"));
        Table::empty().with(Head::default(), &BTreeSet::new(), &many.chain(own).collect::<Vec<_>>())
    }

    #[test]
    fn a_look_up_in_pages_finds_what_the_whole_table_has() {
        let table = long();
        let kept = kept(&table, None).expect("pieces of a table");
        assert!(kept.firsts.len() > 20 && !kept.is_short(), "{}", kept.firsts.len());
        assert_eq!(kept.whole().expect("all pages"), table);
        let own = (0..3000).map(|n| format!("agent a/a{n:05}"));
        for text in own.chain(["", "agent a/shared", "agent a/a", "agent a/a00001x", "zzz"].map(str::to_owned)) {
            let all: BTreeSet<String> = table.sources(&text).into_iter().map(str::to_owned).collect();
            assert_eq!(kept.sources(&text).expect("pages"), all, "{text}");
        }
    }

    #[test]
    fn a_look_up_is_told_of_what_has_changed_since() {
        let table = long();
        let gone = BTreeSet::from(["namespace/00007.yaml", "namespace/a00009.yaml", "none.yaml"].map(str::to_owned));
        let new = ["agent a/shared\tnamespace/00007.yaml", "agent a/new\tnone.yaml"].map(str::to_owned);
        let followed = table.with(Head::default(), &gone, &new);
        let kept = kept(&table, None).expect("pieces of a table").with(Head::default(), gone, &new);
        for text in ["agent a/shared", "agent a/new", "agent a/a00009", "agent a/a00010"] {
            let all: BTreeSet<String> = followed.sources(text).into_iter().map(str::to_owned).collect();
            assert_eq!(kept.sources(text).expect("pages"), all, "{text}");
        }
    }

    #[test]
    fn a_look_up_that_needs_a_damaged_page_finds_nothing_at_all() {
        let table = long();
        assert!(kept(&table, Some(0)).is_none());
        let kept = kept(&table, Some(1)).expect("a head");
        assert_eq!(kept.sources("agent a/a00000"), None);
        assert_eq!(kept.sources("agent a/a02999").map(|found| found.len()), Some(1));
        assert!(kept.whole().is_none());
    }
}
