//! Names that are paths, refs, options, markup or other letters than they look.

use joch::release::layout::Tag;
use joch::resource::name::{check_environment, check_name, check_namespace};

/// Parts that make a name hostile wherever they stand in it.
const PARTS: [&str; 52] = [
    "/",
    "\\",
    "..",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2028}",
    "\u{2066}",
    "\u{feff}",
    "\u{e0041}",
    "~",
    "^",
    ":",
    "?",
    "*",
    "[",
    "]",
    "@{",
    "@",
    "{",
    "}",
    "<",
    ">",
    "|",
    "&",
    ";",
    "$",
    "`",
    "\"",
    "'",
    "(",
    ")",
    "#",
    "%",
    "+",
    ",",
    "=",
    "!",
    "é",
    "а",
    "ſ",
    "🚀",
];

/// Names that are hostile as a whole.
const WHOLE: [&str; 46] = [
    "",
    ".",
    "..",
    "...",
    ".git",
    ".GIT",
    ".gitmodules",
    "git~1",
    "-",
    "--help",
    "-x",
    "x-",
    "_x",
    "x_",
    ".x",
    "x.",
    "x..y",
    "x.lock",
    "x.yaml",
    "x.json",
    "HEAD",
    "FETCH_HEAD",
    "@",
    "~",
    "/etc/passwd",
    "../x",
    "x/..",
    "x/./y",
    "C:",
    "CON",
    "x:y",
    "X",
    "Prod",
    "PROD",
    "prod ",
    " prod",
    "prod\n",
    "ｐrod",
    "рrod",
    "prod\u{301}",
    "ﬁx",
    "İ",
    "ı",
    "null\0",
    "refs/heads/prod",
    "heads/prod",
];

#[test]
fn b20_names_that_mean_something_else() {
    let mut names: Vec<String> = WHOLE.iter().map(|name| (*name).to_owned()).collect();
    for part in PARTS {
        names.extend([format!("a{part}b"), format!("{part}a"), format!("a{part}")]);
    }
    names.extend([129, 256, 4096, 1 << 20].map(|length| "a".repeat(length)));
    assert!(names.len() >= 200, "{}", names.len());
    for name in &names {
        let refused = check_name(name).expect_err(name);
        assert!(refused.starts_with("a name "), "{name:?}: {refused}");
        assert!(!refused.contains(|c: char| c.is_control()), "{name:?}: {refused:?}");
        assert!(check_namespace(name).is_err() && check_environment(name).is_err(), "{name:?}");
        assert_eq!(Tag::parse(&format!("agent/default/{name}/v1")), None, "{name:?}");
        assert_eq!(Tag::parse(&format!("agent/{name}/x/v1")), None, "{name:?}");
        assert_eq!(Tag::parse(&format!("release/{name}/1")), None, "{name:?}");
    }
    for branch in ["trust", "evidence", "heads", "tags", "release", "head", "remotes", "proposal-1"] {
        assert!(check_environment(branch).is_err(), "{branch}");
    }
}
