//! A Git bundle: references and every object that they lead to, in one file that `git fetch` reads. The same references
//! give the same bytes, however the repository stores its objects.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::error::{Error, Result};
use super::object::{self, EntryKind, ObjectKind};
use super::object_id::ObjectId;
use super::repository::Repository;

impl Repository {
    /// Writes the bundle of these references, by full name (`gitformat-bundle(5)`, version 2), with all `objects` that
    /// they [lead to](Self::reachable). Every object is written whole and none as the difference to another, so that the
    /// bytes follow from the objects.
    ///
    /// # Errors
    /// An object is missing or damaged, or `out` takes no more.
    pub fn bundle(
        &self,
        references: &BTreeMap<String, ObjectId>,
        objects: &BTreeSet<ObjectId>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let mut head = "# v2 git bundle\n".to_owned();
        for (name, id) in references {
            head.push_str(&format!("{id} {name}\n"));
        }
        head.push('\n');
        out.write_all(head.as_bytes()).map_err(Error::io("bundle"))?;
        let count = u32::try_from(objects.len()).map_err(|_| Error::invalid("bundle", "it has too many objects"))?;
        let mut hasher = gix_hash::hasher(gix_hash::Kind::Sha1);
        let mut write = |bytes: &[u8]| {
            hasher.update(bytes);
            out.write_all(bytes).map_err(Error::io("bundle"))
        };
        write(b"PACK\0\0\0\x02")?;
        write(&count.to_be_bytes())?;
        for id in objects {
            let (kind, raw) = self.raw(*id)?;
            let mut encoder = ZlibEncoder::new(entry_head(kind, raw.len()), Compression::default());
            let entry = encoder.write_all(&raw).and_then(|()| encoder.finish()).map_err(Error::io("bundle"))?;
            write(&entry)?;
        }
        let checksum = hasher.try_finalize().map_err(|why| Error::damaged("the bundle", why.to_string()))?;
        out.write_all(checksum.as_bytes()).map_err(Error::io("bundle"))
    }

    /// Every object that these lead to, themselves included; each is read.
    ///
    /// # Errors
    /// One of them is missing or damaged.
    pub fn reachable(&self, mut ahead: Vec<ObjectId>) -> Result<BTreeSet<ObjectId>> {
        let mut found = BTreeSet::new();
        while let Some(id) = ahead.pop() {
            if !found.insert(id) {
                continue;
            }
            let (kind, raw) = self.raw(id)?;
            let damaged = |why: String| Error::damaged(format!("the object {id}"), why);
            match kind {
                ObjectKind::Blob => {}
                ObjectKind::Commit => {
                    let commit = object::parse_commit(id, &raw).map_err(damaged)?;
                    ahead.push(commit.tree);
                    ahead.extend(commit.parents);
                }
                ObjectKind::Tag => ahead.push(object::parse_tag(id, &raw).map_err(damaged)?.target),
                ObjectKind::Tree => {
                    let entries = object::parse_tree(&raw).map_err(damaged)?;
                    for entry in entries {
                        match entry.kind {
                            EntryKind::Directory => ahead.push(entry.id),
                            EntryKind::Submodule => {}
                            _ => ahead.push(entry.id),
                        }
                    }
                }
            }
        }
        Ok(found)
    }
}

/// What stands in front of an object in a pack: its kind, and its size in groups of seven bits.
fn entry_head(kind: ObjectKind, size: usize) -> Vec<u8> {
    let kind: u8 = match kind {
        ObjectKind::Commit => 1,
        ObjectKind::Tree => 2,
        ObjectKind::Blob => 3,
        ObjectKind::Tag => 4,
    };
    let low = |size: usize, bits: u32| u8::try_from(size & ((1 << bits) - 1)).unwrap_or_default();
    let mut head = vec![kind << 4 | low(size, 4)];
    let mut rest = size >> 4;
    while rest > 0 {
        let last = head.len() - 1;
        head[last] |= 0x80;
        head.push(low(rest, 7));
        rest >>= 7;
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_written_in_groups_of_bits() {
        assert_eq!(entry_head(ObjectKind::Blob, 0), [0x30]);
        assert_eq!(entry_head(ObjectKind::Commit, 15), [0x1f]);
        assert_eq!(entry_head(ObjectKind::Tree, 16), [0xa0, 0x01]);
        assert_eq!(entry_head(ObjectKind::Tag, 0x1234), [0xc4, 0xa3, 0x02]);
    }
}
