//! Version numbers: names for content, given once.

use std::collections::{BTreeMap, BTreeSet};

use crate::closure::Unreadable;
use crate::resource::{Digest, Pinned, Resource, ResourceId};

/// What numbers have been given. Numbers are names; content decides.
pub trait Numbering {
    /// The number that this content has, if it was ever released.
    ///
    /// # Errors
    /// When a tag or manifest cannot be read.
    fn version_of(&self, id: &ResourceId, digest: Digest) -> Result<Option<u64>, Unreadable>;

    /// Who made the versions above `from` up to `to`, and `to` in any case.
    ///
    /// # Errors
    /// When a tag or manifest cannot be read.
    fn authors(&self, id: &ResourceId, from: Option<u64>, to: u64) -> Result<BTreeSet<String>, Unreadable>;

    /// The highest number given to a resource, 0 for none.
    ///
    /// # Errors
    /// When the tags cannot be read.
    fn highest(&self, id: &ResourceId) -> Result<u64, Unreadable>;
}

/// The numbers of a plan: known ones from the ledger, new ones given once.
pub(super) struct Numbers<'a> {
    numbering: &'a dyn Numbering,
    given: BTreeMap<(ResourceId, Digest), u64>,
    /// The numbers that this plan gives.
    pub(super) minted: Vec<Pinned>,
}

impl<'a> Numbers<'a> {
    /// None given yet.
    pub(super) fn new(numbering: &'a dyn Numbering) -> Self {
        Self { numbering, given: BTreeMap::new(), minted: Vec::new() }
    }

    /// The number of this content: its own, or the next one.
    pub(super) fn number(&mut self, id: &ResourceId, digest: Digest) -> Result<u64, String> {
        let key = (id.clone(), digest);
        if let Some(number) = self.given.get(&key) {
            return Ok(*number);
        }
        let number = match self.numbering.version_of(id, digest).map_err(|why| why.0)? {
            Some(number) => number,
            None => {
                let mine =
                    self.minted.iter().filter(|minted| minted.id() == *id).filter_map(|minted| minted.version).max();
                let highest = self.numbering.highest(id).map_err(|why| why.0)?;
                let number = mine.unwrap_or(0).max(highest) + 1;
                self.minted.push(Pinned::new(id, Some(number), digest));
                number
            }
        };
        self.given.insert(key, number);
        Ok(number)
    }

    /// The resource at its number.
    pub(super) fn pin(&mut self, resource: &Resource) -> Result<Pinned, String> {
        let digest = resource.digest();
        let number = self.number(resource.id(), digest)?;
        Ok(Pinned::new(resource.id(), Some(number), digest))
    }

    /// The number that content has or gets here, if any.
    pub(super) fn given(&self, id: &ResourceId, digest: Digest) -> Result<Option<u64>, String> {
        match self.given.get(&(id.clone(), digest)) {
            Some(number) => Ok(Some(*number)),
            None => self.numbering.version_of(id, digest).map_err(|why| why.0),
        }
    }

    /// The number of content that must not get one here: what stands on trust.
    pub(super) fn known(&self, resource: &Resource) -> Result<Pinned, String> {
        let digest = resource.digest();
        let number = self.numbering.version_of(resource.id(), digest).map_err(|why| why.0)?;
        Ok(Pinned::new(resource.id(), number, digest))
    }
}
