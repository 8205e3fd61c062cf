//! Objects that are files of their own, read to the last byte and no further.
//!
//! libgit2 does not come back from a file that a full disk or a power cut left short, and believes the size that a
//! planted file gives. So these files are read here, and libgit2 is asked for what is in packs. They are written here too,
//! because libgit2 leaves drafts behind and keeps to itself what the disk said.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::durable;
use super::error::{Error, Result};
use super::object::ObjectKind;
use super::object_id::ObjectId;

/// The largest object that is read, in bytes: nothing that joch writes comes near it.
const LARGEST: u64 = 256 << 20;
/// How often a directory is made again that Git removed because it was empty.
const ATTEMPTS: usize = 8;
/// The longest header: a kind, a blank, a size and a NUL.
const LONGEST_HEADER: u64 = 32;

/// The kind and bytes of the object in this file, its hash checked; `None` where there is no such file.
///
/// # Errors
/// The file cannot be read, or does not hold exactly this object.
pub(super) fn read(path: &Path, id: ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>> {
    let damaged = |why: String| Error::damaged(format!("the object {id}"), format!("{why} (`{}`)", path.display()));
    let is_gone = |error: &io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    // Asked before it is opened: a pipe would wait for a writer, and a link would lead elsewhere.
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(damaged("it is no file".into())),
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(Error::io(path)(error)),
    }
    let mut packed = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(LARGEST).read_to_end(&mut packed).map_err(Error::io(path))?,
        Err(error) if is_gone(&error) => return Ok(None),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let (kind, bytes) = inflate(&packed).map_err(damaged)?;
    let found = super::staged::hash(kind, &bytes)?;
    if found != id {
        return Err(damaged(format!("its content is that of {found}")));
    }
    Ok(Some((kind, bytes)))
}

/// Writes an object as Git writes it, beside its place and without syncing.
///
/// # Errors
/// The disk refuses.
pub(super) fn write(beside: &Path, kind: ObjectKind, bytes: &[u8]) -> Result<()> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = write!(encoder, "{} {}\0", kind.word(), bytes.len())
        .and_then(|()| encoder.write_all(bytes))
        .and_then(|()| encoder.finish())
        .map_err(Error::io(beside))?;
    durable::remove(beside)?;
    durable::write(beside, &packed)?;
    let mut permissions = fs::metadata(beside).map_err(Error::io(beside))?.permissions();
    permissions.set_readonly(true);
    fs::set_permissions(beside, permissions).map_err(Error::io(beside))
}

/// Puts a file that was synced where Git keeps it, and makes the directory.
///
/// # Errors
/// The disk refuses.
pub(super) fn place(beside: &Path, path: &Path) -> Result<()> {
    let directory = durable::directory_of(path);
    for _ in 0..ATTEMPTS {
        match fs::create_dir(directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(Error::io(directory)(error)),
            _ => {}
        }
        match fs::rename(beside, path) {
            // Git removes directories that it finds empty.
            Err(error) if error.kind() == ErrorKind::NotFound && !directory.exists() => {}
            renamed => return renamed.map_err(Error::io(path)),
        }
    }
    Err(Error::io(directory)(ErrorKind::NotFound.into()))
}

/// What a file holds: the header and exactly as many bytes as it says.
fn inflate(packed: &[u8]) -> std::result::Result<(ObjectKind, Vec<u8>), String> {
    if packed.is_empty() {
        return Err("its file is empty".into());
    }
    let mut stream = BufReader::new(ZlibDecoder::new(packed));
    let torn = |error: io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => "its file ends in the middle".to_owned(),
        _ => format!("its file is not compressed as Git does it: {error}"),
    };
    let (kind, size) = header(&mut stream).map_err(torn)?.ok_or("it does not begin as an object does")?;
    if size > LARGEST {
        return Err(format!("it says that it has {size} bytes, and {LARGEST} are read"));
    }
    let mut bytes = Vec::new();
    // One byte more than it says, so that the stream comes to its end and its checksum is looked at.
    (&mut stream).take(size + 1).read_to_end(&mut bytes).map_err(torn)?;
    if bytes.len() as u64 != size {
        return Err(format!("it does not have the {size} bytes that it says it has"));
    }
    if !stream.into_inner().into_inner().is_empty() {
        return Err("its file goes on behind its end".into());
    }
    Ok((kind, bytes))
}

/// The kind and size that stand in front of the content; `None` where something else does.
fn header(stream: &mut impl BufRead) -> io::Result<Option<(ObjectKind, u64)>> {
    let mut head = Vec::new();
    stream.take(LONGEST_HEADER).read_until(0, &mut head)?;
    let head = head.strip_suffix(&[0]).and_then(|head| std::str::from_utf8(head).ok()).unwrap_or_default();
    let Some((kind, size)) = head.split_once(' ') else { return Ok(None) };
    let kinds = [ObjectKind::Blob, ObjectKind::Tree, ObjectKind::Commit, ObjectKind::Tag];
    let kind = kinds.into_iter().find(|known| known.word() == kind);
    // As Git writes it: `010` or `+10` would be another file of the same object.
    let size = size.parse::<u64>().ok().filter(|number| number.to_string() == size);
    Ok(kind.zip(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn refused(packed: &[u8]) -> String {
        inflate(packed).expect_err("it is refused")
    }

    #[test]
    fn an_object_is_read_whole() {
        for (kind, word) in [(ObjectKind::Blob, "blob"), (ObjectKind::Tree, "tree"), (ObjectKind::Tag, "tag")] {
            assert_eq!(inflate(&deflated(format!("{word} 3\0abc").as_bytes())), Ok((kind, b"abc".to_vec())));
        }
        assert_eq!(inflate(&deflated(b"commit 0\0")), Ok((ObjectKind::Commit, Vec::new())));
    }

    #[test]
    fn no_length_to_which_it_is_cut_keeps_a_reader_long() {
        let content: Vec<u8> = (0..3000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let whole = deflated(&[b"blob 12000\0".as_slice(), &content].concat());
        assert!(inflate(&whole).is_ok());
        for length in 0..whole.len() {
            let why = refused(&whole[..length]);
            assert!(why.contains("empty") || why.contains("ends in the middle"), "{length}: {why}");
        }
    }

    #[test]
    fn a_flipped_bit_is_seen_where_it_changes_anything() {
        let whole = deflated(b"blob 26\0abcdefghijklmnopqrstuvwxyz");
        let known = inflate(&whole).expect("it is whole");
        let mut padding = 0;
        for at in 0..whole.len() * 8 {
            let mut hurt = whole.clone();
            hurt[at / 8] ^= 1 << (at % 8);
            match inflate(&hurt) {
                Ok(found) => {
                    assert_eq!(found, known, "bit {at}");
                    padding += 1;
                }
                Err(why) => assert!(!why.is_empty()),
            }
        }
        assert!(padding < 8, "{padding} bits that say nothing fill up the last byte of a block, and no more");
    }

    #[test]
    fn a_size_that_is_not_true_is_refused() {
        for (text, why) in [
            (&b"blob 2\0abc"[..], "does not have the 2 bytes"),
            (b"blob 4\0abc", "does not have the 4 bytes"),
            (b"blob 99999999999\0abc", "99999999999 bytes"),
            (b"blob 999999999999999999999999\0abc", "does not begin"),
            (b"blob 03\0abc", "does not begin"),
            (b"blob +3\0abc", "does not begin"),
            (b"blob3\0abc", "does not begin"),
            (b"blub 3\0abc", "does not begin"),
            (b"blob 3", "does not begin"),
            (b"", "does not begin"),
            (&[b'x'; 100], "does not begin"),
        ] {
            let told = refused(&deflated(text));
            assert!(told.contains(why), "{text:?}: {told}");
        }
        let mut longer = deflated(b"blob 3\0abc");
        longer.push(0);
        assert!(refused(&longer).contains("goes on behind its end"));
        assert!(refused(b"no zlib at all").contains("not compressed"));
    }
}
