//! Tells every story in `tests/stories`, every page of the guide, and the README.
//!
//! `JOCH_STORY=overwrite` corrects the files instead of failing, `JOCH_STORY=keep` leaves the worlds behind in
//! `tmp/worlds` of the target directory; `JOCH_STORY_ONLY=WORD` leaves out stories whose path does not hold the word.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use crate::support::{needs, story};

#[test]
fn the_stories_are_true() {
    let stories = pages("tests/stories");
    assert!(!stories.is_empty(), "there are no stories in tests/stories");
    tell_all(stories);
}

#[test]
fn the_guide_is_true() {
    tell_all(pages("docs/guide"));
}

#[test]
fn the_readme_is_true() {
    let readme = project().join("README.md");
    tell_all(if readme.exists() { vec![readme] } else { Vec::new() });
}

/// Tells them side by side, each in a world of its own.
fn tell_all(stories: Vec<PathBuf>) {
    let only = std::env::var("JOCH_STORY_ONLY").unwrap_or_default();
    let overwrite = std::env::var("JOCH_STORY").is_ok_and(|mode| mode == "overwrite");
    let queue = Mutex::new(stories.into_iter().filter(|path| path.to_string_lossy().contains(&only)));
    let complaints = Mutex::new(Vec::new());
    let next = || queue.lock().expect("no teller panics while it takes one").next();
    let tellers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..tellers {
            scope.spawn(|| {
                while let Some(path) = next() {
                    complaints.lock().expect("as above").extend(tell(&path, overwrite));
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("as above");
    let hint = "where the new output is right: JOCH_STORY=overwrite cargo test --test it stories";
    assert!(complaints.is_empty(), "\n{}\n{hint}\n", complaints.join("\n"));
}

/// What is wrong with one story: its first problem, since the others mostly follow from it.
fn tell(path: &Path, overwrite: bool) -> Option<String> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path).expect("a story");
    if !needs(&story::needed(&text)) {
        return None;
    }
    let mut telling = story::tell(&name, &text);
    if overwrite && telling.corrected != text {
        fs::write(path, &telling.corrected).expect("a story can be corrected");
        // Not everything can be: a failed setup, say, or output that differs each time.
        telling = story::tell(&name, &telling.corrected);
    }
    let first = telling.problems.first()?;
    let path = path.strip_prefix(project()).unwrap_or(path).display();
    let more = match telling.problems.len() - 1 {
        0 => String::new(),
        more => format!("  ({more} more)\n"),
    };
    Some(format!("{path}, {first}\n{more}"))
}

/// The Markdown files in a folder of the project, in order of name; none if there is no such folder.
fn pages(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(project().join(folder)).into_iter().flatten();
    let mut pages: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
