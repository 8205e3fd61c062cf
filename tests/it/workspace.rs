//! Files: which are meant by a path, where a project and its ledger are, and which cases an Eval has. In directories
//! made for one test each.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use joch::resource::yaml::{Found, read};
use joch::resource::{Digest, Resource, Severity};
use joch::workspace::{Config, Project, Sources, Trouble, dataset, discover};

/// A directory that goes with the value, unless the test panics.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("places/{}-{count}", std::process::id()));
        fs::create_dir_all(&root).expect("a directory");
        Self(root.canonicalize().expect("it was just made"))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("it stands in a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    fn discover(&self, paths: &[&str]) -> Result<Sources, Trouble> {
        self.discover_with(paths, "")
    }

    fn discover_with(&self, paths: &[&str], stdin: &str) -> Result<Sources, Trouble> {
        let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
        discover(&paths, &self.0, &mut stdin.as_bytes())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            fs::remove_dir_all(&self.0).ok();
        }
    }
}

fn tool(name: &str) -> String {
    format!("apiVersion: joch.dev/v1alpha1\nkind: Tool\nmetadata: {{name: {name}}}\n")
}

/// `file: name` of everything that was read.
fn told(sources: &Sources) -> Vec<String> {
    let documents = sources.documents.iter();
    documents.map(|document| format!("{}: {}", document.file, document.resource.id().name)).collect()
}

const FOREIGN: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\n";

#[test]
fn a_walk_takes_resource_files_and_leaves_out_what_is_hidden_or_ignored() {
    let place = Place::new();
    for path in
        ["a.yaml", "b.yml", "sub/c.yaml", ".hidden/d.yaml", "ignored/e.yaml", "left/f.yaml", "g.txt", "h.yaml.bak"]
    {
        place.write(path, &tool(path.split(['/', '.']).rev().nth(1).expect("a stem")));
    }
    place.write("i.json", r#"{"apiVersion": "joch.dev/v1alpha1", "kind": "Tool", "metadata": {"name": "i"}}"#);
    place.write("joch.yaml", "trustRoot: none\n");
    place.write("sub/joch.yaml", "trustRoot: none\n");
    place.write(".gitignore", "ignored/\n");
    place.write(".jochignore", "left\n");
    let sources = place.discover(&["."]).expect("readable");
    assert_eq!(told(&sources), ["a.yaml: a", "b.yml: b", "i.json: i", "sub/c.yaml: c"]);
    assert_eq!((sources.files, sources.findings.len()), (4, 0));
}

#[test]
fn an_ignored_file_that_is_named_was_meant() {
    let place = Place::new();
    place.write(".gitignore", "*.yaml\n");
    place.write("a.yaml", &tool("a"));
    assert_eq!(told(&place.discover(&["."]).expect("readable")), [""; 0]);
    assert_eq!(told(&place.discover(&["a.yaml"]).expect("readable")), ["a.yaml: a"]);
}

#[test]
fn paths_are_told_as_they_were_written_and_read_once() {
    let place = Place::new();
    place.write("tools/a.yaml", &tool("a"));
    for (paths, file) in [
        (vec!["."], "tools/a.yaml"),
        (vec!["tools"], "tools/a.yaml"),
        (vec!["./tools/"], "tools/a.yaml"),
        (vec!["tools/a.yaml", "tools", "."], "tools/a.yaml"),
        (vec!["tools/../tools"], "tools/../tools/a.yaml"),
    ] {
        assert_eq!(told(&place.discover(&paths).expect("readable")), [format!("{file}: a")], "{paths:?}");
    }
    let absolute = place.path("tools").display().to_string();
    assert_eq!(told(&place.discover(&[&absolute]).expect("readable")), [format!("{absolute}/a.yaml: a")]);
}

#[test]
fn standard_input_is_a_file_called_dash() {
    let place = Place::new();
    let sources = place.discover_with(&["-"], &tool("a")).expect("readable");
    assert_eq!(told(&sources), ["-: a"]);
}

#[test]
fn a_foreign_document_is_an_error_only_where_its_file_was_named() {
    let place = Place::new();
    place.write("job.yaml", FOREIGN);
    let severity = |path| place.discover(&[path]).expect("readable").findings[0].severity;
    assert_eq!((severity("."), severity("job.yaml")), (Severity::Notice, Severity::Error));
}

#[test]
fn a_path_that_is_not_there_or_no_text_is_said_by_name() {
    let place = Place::new();
    let why = place.discover(&["nowhere.yaml"]).expect_err("it is not there");
    assert!(why.what.contains("`nowhere.yaml`"), "{why}");
    fs::write(place.path("latin.yaml"), b"kind: \xe4").expect("a file");
    let found = place.discover(&["."]).expect("one file at fault stops no other");
    assert_eq!(
        found.findings[0].to_string().lines().next(),
        Some("latin.yaml:1:1: error: the file is not UTF-8 text [yaml-syntax]")
    );
}

#[test]
fn a_project_is_the_nearest_directory_upwards_with_settings() {
    let place = Place::new();
    place.write("joch.yaml", "trustRoot: abc\n");
    place.write("deep/inner/x.yaml", "");
    let project = Project::find(&place.path("deep/inner")).expect("settings");
    assert_eq!((project.root, project.configured), (place.0.clone(), true));
    assert_eq!(project.config.trust_root.as_deref(), Some("abc"));
    place.write("deep/joch.yaml", "");
    assert_eq!(Project::find(&place.path("deep/inner")).expect("settings").root, place.path("deep"));
}

#[test]
fn the_ledger_is_where_the_nearest_setting_says() {
    let place = Place::new();
    place.write("joch.yaml", "ledger: ../ledgers/x.git\n");
    let project = Project::find(&place.0).expect("settings");
    assert_eq!(project.ledger(None, Path::new("/")), place.path("../ledgers/x.git"));
    assert_eq!(project.ledger(Some("/elsewhere.git"), Path::new("/")), Path::new("/elsewhere.git"));
    assert_eq!(project.ledger(Some(""), Path::new("/")), place.path("../ledgers/x.git"));
    place.write("joch.yaml", "");
    assert_eq!(Project::find(&place.0).expect("settings").ledger(None, Path::new("/")), place.path(".joch/ledger.git"));
}

#[test]
fn a_linked_worktree_uses_the_ledger_of_the_main_one() {
    let place = Place::new();
    place.write("main/agents/joch.yaml", "trustRoot: abc\n");
    place.write("main/.git/worktrees/side/commondir", "../..\n");
    place.write("side/agents/joch.yaml", "trustRoot: abc\n");
    place.write("side/.git", &format!("gitdir: {}\n", place.path("main/.git/worktrees/side").display()));
    let project = Project::find(&place.path("side/agents")).expect("settings");
    // As long as neither has one, it would be made here.
    assert_eq!(project.ledger(None, Path::new("/")), place.path("side/agents/.joch/ledger.git"));
    place.write("main/agents/.joch/ledger.git/HEAD", "");
    assert_eq!(project.ledger(None, Path::new("/")), place.path("main/agents/.joch/ledger.git"));
    place.write("side/agents/.joch/ledger.git/HEAD", "");
    assert_eq!(project.ledger(None, Path::new("/")), place.path("side/agents/.joch/ledger.git"));
}

#[test]
fn a_ledger_is_sheltered_from_the_outer_git_once() {
    let place = Place::new();
    place.write(".gitignore", "/target");
    let project = Project::find(&place.0).expect("no settings");
    for _ in 0..2 {
        project.shelter_ledger(&place.path(".joch/ledger.git")).expect("writable");
    }
    let text = |path: &str| fs::read_to_string(place.path(path)).expect("a file");
    assert_eq!(text(".gitignore"), "/target\n/.joch/\n");
    assert_eq!(text(".joch/.git"), "gitdir: ledger.git\n");
}

#[test]
fn a_pin_is_added_to_the_settings_that_are_there() {
    let place = Place::new();
    place.write("joch.yaml", "remote: git@example.com:ledger.git");
    Project::find(&place.0).expect("settings").pin("abc").expect("writable");
    let config = Project::find(&place.0).expect("settings").config;
    assert_eq!(config.remote.as_deref(), Some("git@example.com:ledger.git"));
    assert_eq!(config.trust_root.as_deref(), Some("abc"));
}

#[test]
fn settings_that_are_misspelt_are_refused_with_what_was_meant() {
    for (text, says) in [
        ("trustroot: x", "`trustroot` is no setting; did you mean `trustRoot`?"),
        ("whatever: x", "`whatever` is no setting"),
        ("ledger: 1", "`ledger` is text, not"),
        ("[]", "a map of settings is expected"),
        ("contexts: {eu: {ledger: x.git}}", "`contexts.eu` names no `environment`"),
        ("ledger: a\nledger: b", "ledger"),
    ] {
        let why = Config::parse(text).expect_err(text);
        assert!(why.contains(says), "{why}");
    }
    let config = Config::parse("contexts: {eu: {ledger: x.git, environment: prod}}").expect("fine");
    assert_eq!(config.contexts["eu"].environment, "prod");
}

/// The dataset of an Eval that says this about it.
fn dataset_of(says: &str, root: &Path, eval_file: &Path) -> Result<dataset::Dataset, Trouble> {
    let eval = eval(says);
    dataset::read(&eval, root, eval_file).map(|data| data.expect("it names a file"))
}

fn eval(says: &str) -> Resource {
    let text =
        format!("apiVersion: joch.dev/v1alpha1\nkind: Eval\nmetadata: {{name: e}}\nspec: {{dataset: {{{says}}}}}\n");
    read("e.yaml", &text, Found::Named).documents.remove(0).resource
}

#[test]
fn a_dataset_is_looked_for_in_the_project_and_then_beside_its_eval() {
    let place = Place::new();
    place.write("evals/cases.jsonl", "{\"input\": 1}\n\n{\"input\": 2}\n");
    let from = |uri: &str| dataset_of(&format!("uri: {uri}"), &place.0, &place.path("evals/quality.yaml"));
    assert!(from("cases.jsonl").is_ok());
    assert!(from("./evals/cases.jsonl").is_ok());
    place.write("cases.jsonl", "{\"input\": 3}\n");
    assert_eq!(from("cases.jsonl").expect("a dataset").travels(), Some(b"{\"input\": 3}\n".to_vec()));
    let why = from("none.jsonl").expect_err("it is not there");
    assert!(why.what.contains("`none.jsonl`") && why.next.is_some(), "{why}");
}

#[test]
fn a_dataset_is_bound_by_digest_size_and_number_of_cases() {
    let place = Place::new();
    place.write("cases.jsonl", "{\"input\": 1}\n\n{\"input\": 2}\n");
    let eval = eval("uri: cases.jsonl");
    let data = dataset::read(&eval, &place.0, &place.path("e.yaml")).expect("a dataset").expect("a file");
    assert_eq!(data.uri, "cases.jsonl");
    let bound = dataset::describe(&eval, &data).expect("an Eval").canonical();
    assert!(bound.contains("\n    cases: 2\n") && bound.contains("\n    size: 27\n"), "{bound}");
}

#[test]
fn a_dataset_without_cases_is_none() {
    let place = Place::new();
    place.write("cases.jsonl", "\n  \n");
    let why = dataset_of("uri: cases.jsonl", &place.0, &place.path("e.yaml")).expect_err("it is empty");
    assert!(why.what.contains("holds no case"), "{why}");
}

#[test]
fn a_dataset_does_not_lead_out_of_the_project() {
    let place = Place::new();
    place.write("secret.jsonl", "{}\n");
    place.write("project/e.yaml", "");
    symlink(place.path("secret.jsonl"), place.path("project/link.jsonl")).expect("a link");
    let absolute = place.path("secret.jsonl").display().to_string();
    for uri in ["../secret.jsonl", "link.jsonl", &absolute] {
        let says = format!("uri: {uri}");
        let why = dataset_of(&says, &place.path("project"), &place.path("project/e.yaml")).expect_err(uri);
        assert!(why.what.contains("outside the project"), "{why}");
    }
}

#[test]
fn a_dataset_is_the_one_whose_digest_the_eval_names() {
    let place = Place::new();
    let text = "{\"input\": \"hi\"}\n";
    place.write("cases.jsonl", text);
    let digest = Digest::of(text).hex();
    let of =
        |digest: &str| dataset_of(&format!("uri: cases.jsonl, sha256: \"{digest}\""), &place.0, &place.path("e.yaml"));
    assert!(of(&digest).is_ok() && of(&format!("sha256:{digest}")).is_ok());
    place.write("cases.jsonl", "{\"input\": \"bye\"}\n");
    let why = of(&digest).expect_err("other cases");
    assert!(why.what.starts_with("cases.jsonl: this is not the dataset whose digest"), "{why}");
}

#[test]
fn a_bad_line_of_a_dataset_is_told_by_file_and_line() {
    let place = Place::new();
    place.write("evals/cases.jsonl", "{\"input\": \"hi\"}\n\n{\"input\": \"ho\"\n");
    let why = dataset_of("uri: evals/cases.jsonl", &place.0, &place.path("e.yaml")).expect_err("it is half a line");
    assert!(why.what.starts_with("evals/cases.jsonl:3: this is not JSON"), "{why}");
    place.write("evals/cases.data", "{\"input\": \"hi\"}\n");
    let why = dataset_of("uri: evals/cases.data", &place.0, &place.path("e.yaml")).expect_err("which format?");
    assert!(why.what.contains("write `format:`"), "{why}");
    assert!(dataset_of("uri: evals/cases.data, format: joch", &place.0, &place.path("e.yaml")).is_ok());
}

#[test]
fn the_cases_that_travel_are_read_again_as_they_were() {
    let place = Place::new();
    place.write("cases.csv", "id,question\r\na,\"Where, please?\"\r\n");
    let eval = eval("uri: cases.csv, fields: {input: question}");
    let data = dataset::read(&eval, &place.0, &place.path("e.yaml")).expect("a dataset").expect("a file");
    let stored = dataset::describe(&eval, &data).expect("an Eval");
    let bytes = data.travels().expect("it is small");
    assert_eq!(joch::eval::dataset::of_eval(&stored, &bytes, "the ledger"), Ok(data.cases));
    assert!(joch::eval::dataset::of_eval(&stored, b"id,question\na,b\n", "the ledger").is_err());
}
