//! What a repository is made of, to the byte: what was found of it holds for as long as nothing of that is another.

use std::fs::{self, File, Metadata};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::resource::Digest;

use super::repository::Repository;

/// All files of a repository at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imprint {
    /// Of every path and every byte.
    pub bytes: Digest,
    /// Of what the file system says of every file and directory: whoever writes to one changes it, and cannot set it
    /// back.
    pub marks: Digest,
}

/// Says who wrote last, and nothing of the ledger.
const LOCK: &str = "joch/lock";
/// How much is read at once.
const CHUNK: u64 = 1 << 20;

/// A file, by its path below the repository, and its length.
type Listed = (String, u64);

impl Repository {
    /// Reads every file, on as many threads as there are processors. None where that says nothing: files change
    /// meanwhile, cannot be read or are no plain ones, or the settings include others from elsewhere.
    #[must_use]
    pub fn imprint(&self) -> Option<Imprint> {
        let (files, marks) = listing(self.path())?;
        let bytes = digest(self.path(), &files)?;
        let settings = fs::read_to_string(self.path().join("config")).ok()?;
        let alone = !settings.to_ascii_lowercase().contains("include");
        let settled = listing(self.path())? == (files, marks);
        (alone && settled).then_some(Imprint { bytes, marks })
    }
}

/// Every file, in order of the paths, and the digest of all marks.
fn listing(root: &Path) -> Option<(Vec<Listed>, Digest)> {
    let mut files = Vec::new();
    let mut marks = vec![format!("{} /", mark(&fs::metadata(root).ok()?))];
    let mut left = vec![String::new()];
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(root.join(&directory)).ok()? {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            let metadata = fs::symlink_metadata(entry.path()).ok()?;
            if path == LOCK {
                continue;
            }
            marks.push(format!("{} {path}", mark(&metadata)));
            if metadata.is_dir() {
                left.push(path);
            } else if metadata.is_file() {
                files.push((path, metadata.len()));
            } else {
                return None;
            }
        }
    }
    files.sort_unstable();
    marks.sort_unstable();
    Some((files, Digest::of(marks.join("\n"))))
}

/// What changes with a file.
#[cfg(unix)]
fn mark(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let [dev, ino, mode, size] = [metadata.dev(), metadata.ino(), metadata.mode().into(), metadata.size()];
    let (written, changed) = ((metadata.mtime(), metadata.mtime_nsec()), (metadata.ctime(), metadata.ctime_nsec()));
    format!("{dev} {ino} {mode} {size} {written:?} {changed:?}")
}

#[cfg(not(unix))]
fn mark(metadata: &Metadata) -> String {
    format!("{} {:?} {:?}", metadata.len(), metadata.modified().ok(), metadata.created().ok())
}

/// The digest of all paths with their bytes.
fn digest(root: &Path, files: &[Listed]) -> Option<Digest> {
    let chunks_of = |(at, file): (usize, &Listed)| {
        let length = file.1;
        (0..length.div_ceil(CHUNK)).map(move |number| (at, number * CHUNK, CHUNK.min(length - number * CHUNK)))
    };
    let chunks: Vec<(usize, u64, u64)> = files.iter().enumerate().flat_map(chunks_of).collect();
    let next = AtomicUsize::new(0);
    let some = || -> Option<Vec<(usize, Digest)>> {
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        while let (at, Some((file, begin, length))) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            (at, chunks.get(at))
        } {
            let mut file = File::open(root.join(&files[*file].0)).ok()?;
            file.seek(SeekFrom::Start(*begin)).ok()?;
            buffer.clear();
            file.take(*length).read_to_end(&mut buffer).ok()?;
            if buffer.len() as u64 != *length {
                return None;
            }
            found.push((at, Digest::of(&buffer)));
        }
        Some(found)
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(chunks.len().max(1));
    let parts: Option<Vec<_>> = thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        parts.into_iter().map(|part| part.join().expect("reading does not panic")).collect()
    });
    let mut digests: Vec<_> = parts?.into_iter().flatten().collect();
    digests.sort_unstable_by_key(|(at, _)| *at);
    let mut text = String::new();
    for (path, length) in files {
        text.push_str(&format!("{length} {path}\n"));
    }
    for (_, digest) in digests {
        text.push_str(&format!("{digest}\n"));
    }
    Some(Digest::of(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ledger in a directory of its own.
    #[expect(clippy::disallowed_methods, reason = "nothing of it is kept")]
    fn repository(name: &str) -> Repository {
        let path = std::env::temp_dir().join(format!("joch-imprint-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        Repository::create(path, "prod").expect("a ledger")
    }

    #[test]
    fn any_byte_any_name_and_any_length_counts() {
        let repository = repository("bytes");
        let file = repository.path().join("refs/heads/x");
        let bytes = || repository.imprint().expect("files").bytes;
        let mut seen = vec![bytes()];
        let large = vec![7; usize::try_from(CHUNK).expect("small") + 3];
        let mut other = large.clone();
        other[3] = 8;
        let mut last = large.clone();
        last[large.len() - 1] = 8;
        for content in [&b""[..], b"a", b"b", b"ab", &large, &other, &last, &large[1..]] {
            fs::write(&file, content).expect("own file");
            seen.push(bytes());
        }
        fs::rename(&file, repository.path().join("refs/heads/y")).expect("own file");
        seen.push(bytes());
        let mut different = seen.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), seen.len());
        fs::remove_file(repository.path().join("refs/heads/y")).expect("own file");
        fs::write(repository.path().join(LOCK), "somebody").expect("own file");
        assert_eq!(bytes(), seen[0]);
        fs::remove_dir_all(repository.path()).expect("own directory");
    }

    #[test]
    fn a_file_that_was_exchanged_and_put_back_is_marked() {
        let repository = repository("marks");
        let (file, aside) = (repository.path().join("HEAD"), repository.path().join("HEAD.aside"));
        let before = repository.imprint().expect("files");
        fs::rename(&file, &aside).expect("own file");
        fs::write(&file, "ref: refs/heads/other\n").expect("own file");
        fs::rename(&aside, &file).expect("own file");
        let after = repository.imprint().expect("files");
        assert_eq!(after.bytes, before.bytes);
        assert_ne!(after.marks, before.marks);
        fs::remove_dir_all(repository.path()).expect("own directory");
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_elsewhere_has_no_imprint() {
        let repository = repository("elsewhere");
        let config = repository.path().join("config");
        let settings = fs::read_to_string(&config).expect("own file");
        fs::write(&config, format!("{settings}[Include]\n\tpath = /tmp/other\n")).expect("own file");
        assert_eq!(repository.imprint(), None);
        fs::write(&config, settings).expect("own file");
        assert!(repository.imprint().is_some());
        std::os::unix::fs::symlink("/tmp", repository.path().join("refs/heads/elsewhere")).expect("own file");
        assert_eq!(repository.imprint(), None);
        fs::remove_dir_all(repository.path()).expect("own directory");
    }
}
