//! The repositories that joch does not read: those that could show an auditor something else than what was signed,
//! and those whose format it does not know. Each with the reason and the way out.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Error, Result};
use super::reference::References;

/// Judges the directory by its files, before any library interprets them.
pub(super) fn check_layout(path: &Path) -> Result<()> {
    if !path.join("HEAD").is_file() || !path.join("objects").is_dir() || !path.join("config").is_file() {
        return Err(no_repository(path));
    }
    let at = path.display();
    let refuse = |what: &str, way_out: String| Err(refused(path, what, way_out));
    if path.join("commondir").exists() {
        let way_out = "give the path of the main repository's `.git`".to_owned();
        return refuse("it is a linked worktree, whose references lie elsewhere", way_out);
    }
    if holds_lines(&path.join("shallow")) {
        let way_out = format!("git -C {at} fetch --unshallow");
        return refuse("it is shallow: its oldest commits are missing, and nothing can be proven", way_out);
    }
    if holds_lines(&path.join("info/grafts")) {
        let way_out = format!("rm {at}/info/grafts");
        return refuse("`info/grafts` gives commits other parents than those that were signed", way_out);
    }
    for file in ["objects/info/alternates", "objects/info/http-alternates"] {
        if holds_lines(&path.join(file)) {
            let what = format!("it borrows objects from another repository (`{file}`), where they can vanish");
            return refuse(&what, format!("git -C {at} repack -a && rm {at}/{file}"));
        }
    }
    if fs::metadata(path.join("packed-refs")).is_ok_and(|found| !found.is_file()) {
        return refuse("`packed-refs` is no file", format!("rm {at}/packed-refs, or fetch the ledger from a clone"));
    }
    let packs = fs::read_dir(path.join("objects/pack")).into_iter().flatten().flatten();
    let packs: Vec<_> = packs.map(|entry| (entry.path(), entry.file_type())).collect();
    // Looked at without a call of the system, which a link alone needs.
    let is_strange = |(pack, kind): &&(PathBuf, io::Result<FileType>)| match kind {
        Ok(kind) if kind.is_file() || kind.is_dir() => false,
        Ok(kind) if kind.is_symlink() => fs::metadata(pack).is_ok_and(|found| !found.is_file() && !found.is_dir()),
        Ok(_) => true,
        Err(_) => false,
    };
    if let Some((pack, _)) = packs.iter().find(is_strange) {
        let what = format!("`objects/pack/{}` is no file", pack.file_name().unwrap_or_default().to_string_lossy());
        return refuse(&what, format!("take `{}` away, or fetch the ledger from a clone", pack.display()));
    }
    let promised = packs.iter().any(|(pack, _)| pack.extension().is_some_and(|extension| extension == "promisor"));
    check_config(path, promised)
}

/// Refuses `refs/replace/*`, through which one object answers for another.
pub(super) fn check_replacements(path: &Path, references: &References) -> Result<()> {
    match references.list("refs/replace/")?.first() {
        None => Ok(()),
        Some((name, _)) => {
            let what = format!("`{name}` shows another object in place of one that was signed");
            Err(refused(path, &what, format!("git -C {} update-ref -d {name}", path.display())))
        }
    }
}

/// What libgit2 says when someone else owns the directory; `safe.directory` is honoured.
pub(super) fn foreign_owner(path: &Path) -> Error {
    let way_out = format!("git config --global --add safe.directory {}, if you trust its owner", path.display());
    refused(path, "another user owns it and could change it under you", way_out)
}

pub(super) fn no_repository(path: &Path) -> Error {
    let (why, way_out) = if path.join(".git").exists() {
        ("it is a working directory", format!("give `{}`", path.join(".git").display()))
    } else if path.exists() {
        ("it is no Git repository", "give the path of a bare repository or of a `.git` directory".to_owned())
    } else {
        ("nothing is there", "make a ledger with `joch init`, or clone one there".to_owned())
    };
    Error::NotALedger { path: path.to_owned(), why: why.to_owned(), way_out }
}

fn check_config(path: &Path, promised: bool) -> Result<()> {
    let file = path.join("config");
    let config = git2::Config::open(&file).map_err(Error::git(format!("reading `{}`", file.display())))?;
    let value = |key: &str| config.get_string(key).ok();
    let at = path.display();
    if promised || value("extensions.partialclone").is_some() {
        let way_out = format!("git -C {at} fetch --refetch --no-filter, or clone it again without `--filter`");
        return Err(refused(path, "it is a partial clone: objects are missing until something asks for them", way_out));
    }
    if let Some(format) = value("extensions.refstorage").filter(|format| !format.eq_ignore_ascii_case("files")) {
        let what = format!("its references are stored as `{format}`, which joch cannot read");
        return Err(refused(path, &what, format!("git -C {at} refs migrate --ref-format=files")));
    }
    if let Some(format) = value("extensions.objectformat").filter(|format| !format.eq_ignore_ascii_case("sha1")) {
        let what = format!("its object ids are `{format}`, which joch cannot read");
        return Err(refused(path, &what, "make the ledger anew with `joch init`, which uses SHA-1".to_owned()));
    }
    Ok(())
}

/// Whether a file says anything: Git ignores an empty one, and so does joch. A pipe in its place, which would be waited
/// for, does.
fn holds_lines(path: &Path) -> bool {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return true;
    }
    match fs::read(path) {
        Ok(bytes) => bytes.split(|byte| *byte == b'\n').any(|line| !line.is_empty() && line[0] != b'#'),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

fn refused(path: &Path, what: &str, way_out: String) -> Error {
    Error::Refused { path: path.to_owned(), what: what.to_owned(), way_out }
}
