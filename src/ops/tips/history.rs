//! Trust, from its tip backwards, as far as somebody asks: which of its states a commit must obey.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::audit::trust::read_seen;
use crate::audit::{Finding, Rule};
use crate::ledger::{ObjectId, Reader, Result};
use crate::ops::desk::Desk;
use crate::release::layout;
use crate::trust::Trust;

use super::Why;

/// Trust as it came to be.
pub(super) struct History<'a, 'r> {
    reader: &'a Reader<'r>,
    /// Its newest commit.
    pub(super) tip: ObjectId,
    /// Its newest state.
    pub(super) trust: Rc<Trust>,
    line: OnceCell<Vec<ObjectId>>,
    states: RefCell<HashMap<ObjectId, Rc<Trust>>>,
    seen: RefCell<HashMap<ObjectId, Rc<BTreeMap<String, String>>>>,
}

impl<'a, 'r> History<'a, 'r> {
    pub(super) fn new(reader: &'a Reader<'r>) -> Result<Self> {
        let tip = reader.tip(layout::TRUST)?;
        let trust = Rc::new(reader.trust_at(tip)?);
        let states = RefCell::new(HashMap::from([(tip, trust.clone())]));
        Ok(Self { reader, tip, trust, line: OnceCell::new(), states, seen: RefCell::default() })
    }

    /// The first state of all.
    pub(super) fn root(&self) -> std::result::Result<Rc<Trust>, Why> {
        let root = Desk::trust_root(self.reader).map_err(Why::Unreadable)?;
        Ok(self.state(root)?)
    }

    /// A state that stands on the branch; its place counts from the newest.
    pub(super) fn named(&self, commit: &str) -> Result<Option<(usize, Rc<Trust>)>> {
        let Ok(id) = commit.parse::<ObjectId>() else { return Ok(None) };
        let mut line = self.reader.snapshot().first_parents(self.tip).enumerate();
        let found = line.find(|(_, commit)| commit.as_ref().map_or(true, |commit| commit.id == id));
        let Some((place, commit)) = found else { return Ok(None) };
        Ok(Some((place, self.state(commit?.id)?)))
    }

    /// The newest state that had not seen a commit of `branch`, and had so to be obeyed. `above` is the commit, last, and
    /// what is newer there.
    pub(super) fn newest_unseeing(&self, branch: &str, above: &[ObjectId]) -> Result<Option<Rc<Trust>>> {
        for commit in self.line()? {
            let seen = self.seen(*commit)?;
            let tip = seen.get(branch).and_then(|tip| tip.parse::<ObjectId>().ok());
            if tip.is_none_or(|tip| !above.contains(&tip)) {
                return self.state(*commit).map(Some);
            }
        }
        Ok(None)
    }

    /// Checks that the branch still holds what the newest trust had seen of it. `newest` are its newest commits.
    pub(super) fn check_seen(&self, branch: &str, tip: ObjectId, newest: &[ObjectId]) -> std::result::Result<(), Why> {
        let seen = self.seen(self.tip)?;
        let Some(was) = seen.get(branch) else { return Ok(()) };
        let there = was.parse::<ObjectId>().ok();
        let held = match there {
            Some(id) => newest.contains(&id) || self.reader.snapshot().is_ancestor(id, tip)?,
            None => false,
        };
        if held {
            return Ok(());
        }
        let message = format!(
            "trust {} had seen {was} on `{branch}`, which is not there any more; fetch `{branch}` from a clone that \
             has it",
            self.tip.short()
        );
        Err(Finding::new(Rule::RewoundBranch, format!("refs/heads/{branch}"), message).into())
    }

    /// The commits of trust, newest first.
    fn line(&self) -> Result<&[ObjectId]> {
        if self.line.get().is_none() {
            let line = self.reader.snapshot().first_parents(self.tip);
            let line = line.map(|commit| commit.map(|commit| commit.id)).collect::<Result<Vec<_>>>()?;
            self.line.set(line).ok();
        }
        Ok(self.line.get().map(Vec::as_slice).unwrap_or_default())
    }

    fn state(&self, commit: ObjectId) -> Result<Rc<Trust>> {
        if let Some(known) = self.states.borrow().get(&commit) {
            return Ok(known.clone());
        }
        let state = Rc::new(self.reader.trust_at(commit)?);
        self.states.borrow_mut().insert(commit, state.clone());
        Ok(state)
    }

    /// The tips that the author of a state had seen: none where that cannot be read, which an audit tells.
    fn seen(&self, commit: ObjectId) -> Result<Rc<BTreeMap<String, String>>> {
        if let Some(known) = self.seen.borrow().get(&commit) {
            return Ok(known.clone());
        }
        let bytes = self.reader.snapshot().blob_at(commit, layout::SEEN)?;
        let seen = Rc::new(bytes.and_then(|bytes| read_seen(&bytes).ok()).unwrap_or_default());
        self.seen.borrow_mut().insert(commit, seen.clone());
        Ok(seen)
    }
}
