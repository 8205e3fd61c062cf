//! Version numbers, as tags give them and manifests bind them to content.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::closure::Unreadable;
use crate::release::{Bills, Cut, Manifest, Numbering, layout};
use crate::resource::{Digest, ResourceId};

use super::error::{Error, Result};
use super::object_id::ObjectId;
use super::reader::Reader;

/// One version of a resource.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its number.
    pub number: u64,
    /// The digest of its content.
    pub digest: Digest,
    /// The release commit that first held it.
    pub commit: ObjectId,
    /// The manifest of that release.
    pub manifest: Arc<Manifest>,
}

impl Reader<'_> {
    /// The numbers given to a resource with their commits, highest first.
    ///
    /// # Errors
    /// The tags cannot be read.
    pub fn version_tags(&self, id: &ResourceId) -> Result<Vec<(u64, ObjectId)>> {
        let prefix = format!("{}/v", id.full());
        let mut numbers = Vec::new();
        for (name, commit) in self.snapshot().tags(&prefix)? {
            if let Some(layout::Tag::Version { version, id: tagged }) = layout::Tag::parse(&name)
                && tagged == *id
            {
                numbers.push((version, commit));
            }
        }
        numbers.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        Ok(numbers)
    }

    /// One version of a resource.
    ///
    /// # Errors
    /// The tag or its release cannot be read, or the release does not bind this number.
    pub fn version(&self, id: &ResourceId, number: u64) -> Result<Option<Version>> {
        let tag = layout::version_tag(id, number);
        self.snapshot().tag(&tag)?.map(|commit| self.bound(id, number, commit)).transpose()
    }

    /// Every version of a resource, highest number first.
    ///
    /// # Errors
    /// A tag or its release cannot be read.
    pub fn versions(&self, id: &ResourceId) -> Result<Vec<Version>> {
        let tags = self.version_tags(id)?;
        tags.into_iter().map(|(number, commit)| self.bound(id, number, commit)).collect()
    }

    fn bound(&self, id: &ResourceId, number: u64, commit: ObjectId) -> Result<Version> {
        let tag = layout::version_tag(id, number);
        let damaged = |why: &str| Error::Damaged { object: format!("the tag `{tag}`"), why: why.to_owned() };
        let manifest = self.manifest(commit)?.ok_or_else(|| damaged("it points at no release"))?;
        let minted = manifest.minted.iter().find(|minted| minted.version == Some(number) && minted.id() == *id);
        let digest = minted.ok_or_else(|| damaged("the release it points at did not give this number"))?.digest;
        Ok(Version { number, digest, commit, manifest })
    }
}

impl Numbering for Reader<'_> {
    fn authors(
        &self,
        id: &ResourceId,
        from: Option<u64>,
        to: u64,
    ) -> std::result::Result<BTreeSet<String>, Unreadable> {
        let above = from.unwrap_or(0);
        let mut authors = BTreeSet::new();
        for (number, commit) in self.version_tags(id).map_err(Error::unreadable)? {
            if number == to || (number > above && number < to) {
                let version = self.bound(id, number, commit).map_err(Error::unreadable)?;
                authors.insert(version.manifest.operator.principal.name.clone());
            }
        }
        Ok(authors)
    }

    fn version_of(&self, id: &ResourceId, digest: Digest) -> std::result::Result<Option<u64>, Unreadable> {
        for (number, commit) in self.version_tags(id).map_err(Error::unreadable)? {
            if self.bound(id, number, commit).map_err(Error::unreadable)?.digest == digest {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn highest(&self, id: &ResourceId) -> std::result::Result<u64, Unreadable> {
        let tags = self.version_tags(id).map_err(Error::unreadable)?;
        Ok(tags.first().map_or(0, |(number, _)| *number))
    }
}

impl Bills for Reader<'_> {
    fn cut(&self, agent: &ResourceId, number: u64) -> std::result::Result<Option<Cut>, Unreadable> {
        let version = self.version(agent, number).map_err(Error::unreadable)?;
        version.map(|version| self.cut_at(agent, version.commit)).transpose().map_err(Error::unreadable)
    }
}

impl Reader<'_> {
    /// What a release left of an agent that it gave a number to.
    ///
    /// # Errors
    /// The release cannot be read, or its bill of materials is not the one that its record names.
    pub fn cut_at(&self, agent: &ResourceId, commit: ObjectId) -> Result<Cut> {
        let path = layout::bom(agent);
        let damaged = |why: &str| Error::Damaged { object: format!("`{path}` of {commit}"), why: why.to_owned() };
        let manifest = self.manifest(commit)?.ok_or_else(|| damaged("the commit is no release"))?;
        let named = self.record(commit, &layout::record(agent))?.and_then(|record| record.bom);
        let bill = match named {
            None => None,
            Some(digest) => {
                let bill = self.snapshot().blob_at(commit, &path)?.ok_or_else(|| damaged("it is missing"))?;
                if Digest::of(&bill) != digest {
                    return Err(damaged("it is not the bill that the record beside it names"));
                }
                Some(bill)
            }
        };
        Ok(Cut { time: manifest.timestamp, bill })
    }
}
