//! The rules of the house, checked: who may use whom, which crate has which door, how a file begins and
//! how long it may get, and that the project speaks only of itself.
//!
//! Every rule is a function from files to complaints, so that it can be shown to complain.

mod source;

use std::fs;
use std::path::Path;

use source::paths;

/// The doors to the world outside, and the verbs behind them: they compute, and leave the telling to others.
const DOORS: [&str; 3] = ["ledger", "workspace", "net"];
const TELLING: &str = "render";
const VERBS: &str = "ops";

/// Where each dependency may be named. No places at all: everywhere.
const CRATES: &[(&str, &[&str])] = &[
    ("aho_corasick", &["src/eval/"]),
    ("anyhow", &["src/ops/", "src/cli/", "src/main.rs"]),
    // Its types are free; asking for the time is an effect.
    ("chrono", &[]),
    ("chrono_tz", &["src/resource/freeze.rs"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("csv", &["src/eval/dataset/"]),
    ("flate2", &["src/ledger/bundle.rs", "src/ledger/loose.rs"]),
    ("futures_util", &["src/net/"]),
    ("git2", &["src/ledger/"]),
    ("gix_diff", &["src/ledger/"]),
    ("gix_error", &["src/ledger/"]),
    ("gix_hash", &["src/ledger/"]),
    ("gix_object", &["src/ledger/"]),
    ("gix_ref", &["src/ledger/"]),
    ("ignore", &["src/workspace/"]),
    ("jsonschema", &["src/eval/"]),
    ("quick_junit", &["src/render/"]),
    ("regex", &["src/eval/"]),
    ("regorus", &["src/policy/"]),
    ("reqwest", &["src/net/"]),
    ("rustls", &["src/net/"]),
    ("rustls_native_certs", &["src/net/"]),
    ("saphyr", &["src/resource/yaml"]),
    ("saphyr_parser", &["src/resource/yaml"]),
    (
        "schemars",
        &[
            "src/resource/",
            "src/diff/",
            "src/bom/",
            "src/policy/",
            "src/eval/",
            "src/trust/",
            "src/gate/",
            "src/release/",
            "src/audit/",
            "src/render/",
        ],
    ),
    ("serde", &[]),
    ("serde_json", &[]),
    ("serde_json_path", &["src/eval/"]),
    ("serde_yaml", &["src/resource/yaml"]),
    ("sha1", &["src/bom/serial.rs"]),
    ("sha2", &["src/resource/digest.rs"]),
    ("similar", &["src/diff/text.rs"]),
    ("ssh_key", &["src/trust/key.rs", "src/ledger/"]),
    ("terminal_size", &["src/cli/world.rs"]),
    ("tokio", &["src/net/"]),
    ("unicode_normalization", &["src/eval/"]),
];

/// Small crates that compute and touch nothing: where they are named is nobody's concern.
const FREE_CRATES: [&str; 2] = ["strsim", "unicode_width"];

/// What reaches the disk, the process or the clock, and who may.
const EFFECTS: [&str; 6] = ["std::fs", "std::env", "std::process", "Utc::now", "SystemTime::now", "Instant::now"];
const EFFECT_PLACES: [&str; 4] = ["src/workspace/", "src/cli/world.rs", "src/ledger/", "src/net/"];
/// Types that stand among the effects and have none.
const HARMLESS: [&str; 2] = ["std::process::ExitCode", "std::process::Termination"];

/// The longest a file in `src` may be, in lines, and those that have a reason to be longer.
const LIMIT: usize = 600;
const LONGER: [(&str, &str); 0] = [];

/// One file: its path from the project's directory, and its text.
type File = (String, String);

#[test]
fn a_room_uses_only_the_rooms_above_it() {
    let files = under("src");
    let rooms = rooms(&text_of("src/lib.rs"));
    assert!(rooms.len() > 10, "found only {rooms:?} in src/lib.rs");
    clean(layering(&rooms, &files));

    let rooms = ["low", "mid", "ledger", "workspace", "render", "ops"].map(String::from);
    let complaints = |path: &str, code: &str| layering(&rooms, &[file(path, code)]).len();
    assert_eq!(complaints("src/mid/mod.rs", "use crate::{low, mid::x};"), 0);
    assert_eq!(complaints("src/low/mod.rs", "use crate::{low::a, mid::b};"), 1);
    assert_eq!(complaints("src/low/a.rs", "fn f() { joch::mid::b() }"), 1);
    assert_eq!(complaints("src/low/a.rs", "use super::super::mid;"), 1);
    assert_eq!(complaints("src/low/a.rs", "use super::mid;"), 0);
    assert_eq!(complaints("src/low/a.rs", "//! See crate::mid.\nconst A: &str = \"crate::mid\";"), 0);
    assert_eq!(complaints("src/workspace/a.rs", "use crate::ledger;"), 1);
    assert_eq!(complaints("src/ops/a.rs", "use crate::{ledger, render};"), 1);
    assert_eq!(complaints("src/nowhere/a.rs", ""), 1);
}

#[test]
fn a_foreign_crate_stays_behind_its_door() {
    clean(doors(&under("src")));

    let complaints = |path: &str, code: &str| doors(&[file(path, code)]).len();
    assert_eq!(complaints("src/ledger/a.rs", "use git2::Oid;"), 0);
    assert_eq!(complaints("src/diff/a.rs", "use git2::Oid;"), 1);
    assert_eq!(complaints("src/diff/a.rs", "use ::git2 as g;"), 1);
    assert_eq!(complaints("src/diff/a.rs", "fn f(x: gix_hash::ObjectId) {}"), 1);
    assert_eq!(complaints("src/diff/a.rs", "#[cfg(test)] mod tests { use git2::Oid; }"), 1);
    assert_eq!(complaints("src/trust/key.rs", "use ssh_key::PublicKey;"), 0);
    assert_eq!(complaints("src/trust/team.rs", "use ssh_key::PublicKey;"), 1);
}

#[test]
fn every_dependency_has_a_door() {
    clean(undecided(&text_of("Cargo.toml")));

    let manifest = "[dependencies]\nserde = \"1\"\nrand = \"0.9\"\n\n[dev-dependencies]\ninsta = \"1\"\n";
    assert_eq!(undecided(manifest).len(), 1);
}

#[test]
fn effects_stay_at_the_doors() {
    clean(effects(&under("src")));

    let complaints = |path: &str, code: &str| effects(&[file(path, code)]).len();
    assert_eq!(complaints("src/workspace/a.rs", "use std::{env, fs};"), 0);
    assert_eq!(complaints("src/gate/a.rs", "use std::{env, fs, fmt};"), 2);
    assert_eq!(complaints("src/gate/a.rs", "fn f() { let t = chrono::Utc::now(); }"), 1);
    assert_eq!(complaints("src/gate/a.rs", "fn f() { SystemTime::now() }"), 1);
    assert_eq!(complaints("src/cli/mod.rs", "use std::process::{Command, ExitCode};"), 1);
    assert_eq!(complaints("src/gate/a.rs", "#[cfg(test)] mod tests { use std::fs; }"), 0);
    let reads = file("src/gate/a.rs", "use std::fs;");
    assert_eq!(effects(&[file("src/gate/mod.rs", "#[cfg(test)]\nmod a;"), reads.clone()]).len(), 0);
    assert_eq!(effects(&[file("src/gate/mod.rs", "mod a;"), reads]).len(), 1);
}

#[test]
fn no_test_file_is_forgotten() {
    let files: Vec<_> = under("tests/it").into_iter().map(|(path, _)| path).collect();
    clean(forgotten(&text_of("tests/it/main.rs"), &files));

    let files = ["tests/it/main.rs", "tests/it/a.rs", "tests/it/b/mod.rs", "tests/it/b/c.rs"].map(String::from);
    assert_eq!(forgotten("mod a;\nmod b;", &files), Vec::<String>::new());
    assert_eq!(forgotten("mod a;", &files).len(), 1);
    assert_eq!(forgotten("// mod a;\nmod b;", &files).len(), 1);
}

#[test]
fn a_file_says_first_what_it_is_for() {
    clean(headless(&under("src")));

    assert_eq!(headless(&[file("src/a.rs", "//! What lives here.\n")]).len(), 0);
    assert_eq!(headless(&[file("src/a.rs", "use x;\n//! Too late.\n")]).len(), 1);
    assert_eq!(headless(&[file("src/a.rs", "//!\n")]).len(), 1);
}

#[test]
fn a_file_is_short_or_has_a_reason() {
    clean(too_long(&under("src"), &LONGER));

    let long = [file("src/a.rs", &"x\n".repeat(LIMIT + 1))];
    assert_eq!(too_long(&long, &[]).len(), 1);
    assert_eq!(too_long(&long, &[("src/a.rs", "a table")]).len(), 0);
    assert_eq!(too_long(&[file("src/a.rs", "x\n")], &[("src/a.rs", "a table")]).len(), 1);
}

#[test]
fn the_project_speaks_only_of_itself() {
    let files = under(".");
    assert!(files.iter().any(|(path, _)| path == "src/lib.rs"), "the walk missed src/lib.rs");
    clean(foreign_words(&files));

    for bad in [["a sess", "ion of"], ["see /wo", "rk/x"], ["in sha", "red/a"], ["Cla", "ude wrote"], ["crates.", "io"]]
    {
        assert_eq!(foreign_words(&[file("README.md", &bad.concat())]).len(), 1, "{bad:?}");
    }
    let fine = "possessions, a network/share, sess".to_owned() + "ion_input, cla" + "ude-sonnet-4";
    assert_eq!(foreign_words(&[file("README.md", &fine)]), Vec::<String>::new());
}

/// The rooms that `lib.rs` lists, in reading order.
fn rooms(lib: &str) -> Vec<String> {
    let lib = source::blank(lib);
    lib.lines().filter_map(|line| Some(line.trim().strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned())).collect()
}

/// Rooms that a file names although they stand below its own, or although they are none of its business.
fn layering(rooms: &[String], files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, code) in files {
        let Some((room, depth)) = place(path) else { continue };
        let Some(floor) = rooms.iter().position(|name| name == room) else {
            complaints.push(format!("{path}: `{room}` is not listed in src/lib.rs"));
            continue;
        };
        for found in paths(code) {
            let Some(other) = root_module(&found.segments, depth) else { continue };
            let Some(above) = rooms.iter().position(|name| name == other) else { continue };
            let door = DOORS.contains(&room);
            let aloof = door && DOORS.contains(&other) || (door || room == VERBS) && other == TELLING;
            if other != room && (above > floor || aloof) {
                let why = if above > floor { "stands below it in src/lib.rs" } else { "is not its business" };
                complaints.push(format!("{path}:{}: `{room}` names `{other}`, which {why}", found.line));
            }
        }
    }
    complaints
}

/// The room of a file, and how many modules deep the file is; `None` for `lib.rs`, `main.rs` and programs.
fn place(path: &str) -> Option<(&str, usize)> {
    let inner = path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let (room, _) = inner.split_once('/')?;
    let depth = inner.split('/').filter(|part| *part != "mod").count();
    (room != "bin").then_some((room, depth))
}

/// The module at the root of this crate that a path leads to, seen from `depth` modules down.
fn root_module(segments: &[String], depth: usize) -> Option<&str> {
    let ups = segments.iter().take_while(|segment| *segment == "super").count();
    let at = match segments[0].as_str() {
        "crate" | "joch" => 1,
        "super" if ups >= depth => ups,
        _ => return None,
    };
    segments.get(at).map(String::as_str)
}

fn doors(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, code) in files {
        for found in paths(code) {
            let Some((name, places)) = CRATES.iter().find(|(name, _)| found.starts_with(name)) else { continue };
            if !places.is_empty() && !places.iter().any(|place| path.starts_with(place)) {
                complaints.push(format!("{path}:{}: `{name}` may be named only in {}", found.line, places.join(", ")));
            }
        }
    }
    complaints
}

/// Dependencies for which the tables above have no row.
fn undecided(manifest: &str) -> Vec<String> {
    let section = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    section
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once('=')?.0.trim().replace('-', "_")))
        .filter(|name| !FREE_CRATES.contains(&name.as_str()) && !CRATES.iter().any(|(known, _)| known == name))
        .map(|name| format!("Cargo.toml: `{name}` has no row in the table of doors"))
        .collect()
}

fn effects(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, code) in files {
        if EFFECT_PLACES.iter().any(|place| path.starts_with(place)) || is_test_file(path, files) {
            continue;
        }
        for found in paths(code) {
            let harmless = found.in_tests || HARMLESS.iter().any(|harmless| found.starts_with(harmless));
            if let Some(effect) = EFFECTS.iter().find(|effect| !harmless && found.contains(effect)) {
                complaints.push(format!(
                    "{path}:{}: `{effect}` is an effect: {}",
                    found.line,
                    EFFECT_PLACES.join(", ")
                ));
            }
        }
    }
    complaints
}

/// Whether a file is a module that its `mod.rs` declares for tests only.
fn is_test_file(path: &str, files: &[File]) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let declared = format!("#[cfg(test)]\nmod {};", name.trim_end_matches(".rs"));
    files.iter().any(|(other, code)| *other == format!("{folder}/mod.rs") && code.contains(&declared))
}

/// Files and folders directly in `tests/it` that `main` does not list.
fn forgotten(main: &str, files: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in files {
        let Some(name) = path.strip_prefix("tests/it/") else { continue };
        let name = name.strip_suffix("/mod.rs").or_else(|| name.strip_suffix(".rs")).unwrap_or(name);
        let listed = main.lines().any(|line| line.trim() == format!("mod {name};"));
        if name != "main" && !name.contains('/') && !listed {
            complaints.push(format!("{path}: add `mod {name};` to tests/it/main.rs"));
        }
    }
    complaints
}

fn headless(files: &[File]) -> Vec<String> {
    let says = |text: &str| text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 4);
    let files = files.iter().filter(|(_, text)| !says(text));
    files.map(|(path, _)| format!("{path}: does not begin with `//! ` and what it is for")).collect()
}

fn too_long(files: &[File], longer: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in files {
        let (lines, reason) = (text.lines().count(), longer.iter().find(|(long, _)| long == path));
        match reason {
            None if lines > LIMIT => complaints.push(format!("{path}: {lines} lines, more than {LIMIT}")),
            Some(_) if lines <= LIMIT => complaints.push(format!("{path}: {lines} lines need no exception")),
            _ => {}
        }
    }
    complaints
}

/// Words that say where or with what the project was made instead of what it is. They stand here in halves,
/// so that this file may be searched too.
fn foreign_words(files: &[File]) -> Vec<String> {
    let places = [["sha", "red/"], ["/wo", "rk/"], ["crates.", "io"], ["npmjs.", "org"], ["pypi.", "org"]];
    let words = [["sess", "ion"], ["sess", "ions"], ["cla", "ude"], ["cop", "ilot"], ["chat", "gpt"], ["sub", "agent"]];
    // The name of a model that an agent runs on is data, and so is a field of a format that joch reads.
    let data = [["cla", "ude-"], ["sess", "ion_input"], ["mcp-sess", "ion-id"]].map(|halves| halves.concat());
    let mut complaints = Vec::new();
    for (path, text) in files {
        for (number, line) in text.lines().enumerate() {
            let line = data.iter().fold(line.to_lowercase(), |line, word| line.replace(word, ""));
            let is_word = |word: &String| line.split(|c: char| !c.is_alphanumeric()).any(|part| part == word);
            let found = places.iter().map(|halves| halves.concat()).find(|place| line.contains(place));
            let found = found.or_else(|| words.iter().map(|halves| halves.concat()).find(is_word));
            if let Some(found) = found {
                complaints.push(format!("{path}:{}: `{found}` is not the project's own word", number + 1));
            }
        }
    }
    complaints
}

/// Fails with every complaint, one a line.
fn clean(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}

fn file(path: &str, text: &str) -> File {
    (path.to_owned(), text.to_owned())
}

fn text_of(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the project")
}

/// The text files under `folder`, in order of path; Rust only where it is a folder of code.
fn under(folder: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", ".joch"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if ![".git", "Cargo.lock"].contains(&name.as_str())
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(root).expect("under the root").to_string_lossy().into_owned();
                files.push((path.trim_start_matches("./").to_owned(), text));
            }
        }
    }
    files.sort();
    files
}
