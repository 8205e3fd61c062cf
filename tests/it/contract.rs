//! What programs and people rely on, written down in `docs` from the tables in the code: rules, commands, exit codes,
//! schemas. `JOCH_WRITE_DOCS=1 cargo test --test it contract` writes the pages anew; read the diff before you
//! commit it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::{Arg, ArgAction, Command};
use joch::audit;
use joch::bom::risk;
use joch::cli::{self, exit};
use joch::render::contract;
use joch::resource::yaml::{Found, read};
use joch::resource::{Kind, rules, schema};

/// The directories in which every file is made from the code.
const MADE: [&str; 3] = ["docs/reference", "docs/schemas", "docs/schemas/output"];

#[test]
fn the_reference_is_what_the_code_says() {
    let pages = pages();
    let mut differing = String::new();
    for (path, text) in &pages {
        let file = project().join(path);
        if env::var_os("JOCH_WRITE_DOCS").is_some() {
            fs::create_dir_all(file.parent().expect("it stands in a directory")).expect("a directory in docs");
            fs::write(&file, text).expect("a page can be written");
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        if written != *text {
            let diff = similar::TextDiff::from_lines(&written, text);
            write!(differing, "{}", diff.unified_diff().context_radius(2).header(path, "as the code says"))
                .expect("a String takes all");
        }
    }
    let known: BTreeSet<&str> = pages.iter().map(|(path, _)| path.as_str()).collect();
    for stray in MADE.iter().flat_map(|directory| files(directory)).filter(|path| !known.contains(path.as_str())) {
        writeln!(differing, "{stray}: nothing in the code makes this page").expect("a String takes all");
    }
    let hint = "where the code is right: JOCH_WRITE_DOCS=1 cargo test --test it contract";
    assert!(differing.is_empty(), "\n{differing}\n{hint}\n");
}

#[test]
fn every_answer_has_a_published_schema() {
    let published: BTreeSet<&str> = contract::answers().into_iter().map(|(kind, _)| kind).collect();
    let mut kinds = BTreeSet::new();
    for view in files("src/render/view") {
        let text = fs::read_to_string(project().join(&view)).expect("a view");
        for body in text.split("fn kind(&self)").skip(1).filter_map(|rest| rest.split("\n    }\n").next()) {
            kinds.extend(body.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    // Never printed as JSON: what `Verbatim` holds is made for another program, and goes out as it is.
    kinds.remove("Text");
    let kinds: BTreeSet<&str> = kinds.iter().map(String::as_str).collect();
    assert_eq!(kinds, published, "what the views say, and what `render/contract.rs` lists");
}

#[test]
fn the_example_of_the_canonical_form_is_true() {
    let page = fs::read_to_string(project().join("docs/ledger-format.md")).expect("the page is there");
    let example = page.split_once("So this file").expect("the example").1;
    let mut blocks = example.split("\n\n").filter(|paragraph| paragraph.starts_with("    "));
    let mut block =
        || blocks.next().expect("a block").lines().map(|line| format!("{}\n", &line[4..])).collect::<String>();
    let (written, stored) = (block(), block());
    let read = read("budget.yaml", &written, Found::Named);
    assert_eq!(read.documents.first().expect("a resource").resource.canonical(), stored);
}

#[test]
fn every_link_in_the_docs_leads_somewhere() {
    let mut broken = Vec::new();
    for page in markdown(project()).into_iter().chain(markdown(&project().join("docs"))) {
        let text = fs::read_to_string(&page).expect("a page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            let beside = page.parent().expect("it stands in a directory").join(path);
            if !link.contains("://") && !path.is_empty() && !beside.exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The Markdown files of a directory, and below it if it is not the project itself.
fn markdown(directory: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && directory != project() {
            pages.extend(markdown(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages
}

/// Every page: its path in the project, and its text.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        ("docs/reference/cli.md".to_owned(), commands()),
        ("docs/reference/exit-codes.md".to_owned(), exit_codes()),
        ("docs/reference/risk-rules.md".to_owned(), risk_rules()),
        ("docs/reference/rules.md".to_owned(), rules()),
        ("docs/schemas/joch.json".to_owned(), format!("{:#}\n", schema::bundle())),
    ];
    pages.extend(
        Kind::known()
            .map(|kind| (format!("docs/schemas/{}.json", kind.singular()), format!("{:#}\n", schema::of_kind(&kind)))),
    );
    for (name, schema) in contract::answers().into_iter().chain(contract::stored()) {
        pages.push((format!("docs/schemas/output/{name}.json"), format!("{schema:#}\n")));
    }
    pages
}

const MADE_FROM: &str = "<!-- Made from the code by `JOCH_WRITE_DOCS=1 cargo test --test it contract`. -->";

fn rules() -> String {
    let mut page = format!(
        "# Rules\n\n{MADE_FROM}\n\n## Rules of resources\n\nWhat `joch validate` and `joch apply` check. Each finding names one of these; the ids \
         are stable.\n\n| rule | what it means |\n|---|---|\n"
    );
    for rule in rules::RULES {
        writeln!(page, "| `{}` | {} |", rule.id, cell(rule.meaning)).expect("a String takes all");
    }
    page.push_str(
        "\n## Rules of the ledger\n\nWhat `joch audit verify` checks.\n\n| rule | what it demands |\n|---|---|\n",
    );
    for rule in audit::Rule::ALL {
        writeln!(page, "| `{}` | {} |", rule.id(), cell(rule.demands())).expect("a String takes all");
    }
    page
}

fn risk_rules() -> String {
    let mut page = format!(
        "# Rules of risk\n\n{MADE_FROM}\n\nWhat the `agbom` gate looks for in an agent and all that it is made of. A rule with Δ compares a change with what \
         the target runs, and is silent where nothing runs; any other looks at one version, and its finding is new unless the \
         running version has it too. New findings of the gate's severity or above stop a change; older ones are told.\n\n\
         What may differ by environment stands in the Environment: `allowlists`, `minTrustScore`, `requireImageDigest`, \
         `compliance.dataResidency`. An entry under `exceptions` lets one finding through: exact `rule`, exact `component`, \
         `reason`, `expires` at most {} days ahead, and an `approver` who is a person that trust knows and not the operator. \
         It reaches findings up to `severity`, which is `high` unless said: one that is critical is let through only where the entry says \
         `severity: critical`.\n\n\
         | rule | severity | what is risky | when | what to do |\n|---|---|---|---|---|\n",
        risk::exception::LONGEST_EXCEPTION_DAYS
    );
    for rule in &risk::RULES {
        let severities: Vec<_> = rule.severities.iter().map(|severity| severity.word()).collect();
        let compares = if rule.compares { " Δ" } else { "" };
        let (id, severity) = (rule.id, severities.join(", "));
        let [title, when, remedy] = [rule.title, rule.when, rule.remedy].map(cell);
        writeln!(page, "| `{id}`{compares} | {severity} | {title} | {when} | {remedy} |").expect("a String takes all");
    }
    page
}

fn exit_codes() -> String {
    let mut page = format!(
        "# Exit codes\n\n{MADE_FROM}\n\nEvery command ends with one of these. The code, the printed verdict and the \
         `verdict` of the JSON come from one value.\n\n| code | meaning |\n|---|---|\n"
    );
    for (code, meaning) in exit::ALL {
        writeln!(page, "| {code} | {} |", cell(meaning)).expect("a String takes all");
    }
    page
}

fn commands() -> String {
    let mut command = cli::command();
    command.build();
    let mut page = format!("# Commands\n\n{MADE_FROM}\n\n");
    page.push_str(
        "`joch COMMAND --help` says the same. Results go to standard output, everything else to standard error. Also \
         answers to `git joch COMMAND`.\n\n## Flags of every command\n\n",
    );
    let global = command.get_arguments().filter(|arg| arg.is_global_set());
    page.extend(global.map(flag));
    for sub in command.get_subcommands() {
        tell(sub, &format!("joch {}", sub.get_name()), 2, &mut page);
    }
    page
}

/// One command, and those below it.
fn tell(command: &Command, name: &str, level: usize, page: &mut String) {
    if command.is_hide_set() {
        return;
    }
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let usage = if usage.starts_with("joch") { usage.to_owned() } else { format!("joch {usage}") };
    write!(page, "\n{} {name}\n\n{}\n\n    {usage}\n", "#".repeat(level), sentences(&about))
        .expect("a String takes all");
    let own: String =
        command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_hide_set()).map(flag).collect();
    if !own.is_empty() {
        write!(page, "\n{own}").expect("a String takes all");
    }
    for sub in command.get_subcommands() {
        tell(sub, &format!("{name} {}", sub.get_name()), level + 1, page);
    }
}

/// One flag or word of a command, as an item of a list.
fn flag(arg: &Arg) -> String {
    let takes = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    if !takes && arg.get_long().is_some_and(|long| ["help", "version"].contains(&long)) {
        return String::new();
    }
    let values: Vec<_> = arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let value = if takes { values.join(" ") } else { String::new() };
    let mut spelt: Vec<_> = arg.get_short().map(|short| format!("-{short}")).into_iter().collect();
    spelt.extend(arg.get_long().map(|long| format!("--{long}")));
    let spelt = match (spelt.is_empty(), value.is_empty()) {
        (true, _) => value,
        (false, true) => spelt.join(", "),
        (false, false) => format!("{} {value}", spelt.join(", ")),
    };
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut line = format!("- `{spelt}`: {}", help.split_whitespace().collect::<Vec<_>>().join(" "));
    let words: Vec<_> = arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    if takes && !words.is_empty() {
        write!(line, " (one of {})", words.join(", ")).expect("a String takes all");
    }
    if let ([default], true) = (arg.get_default_values(), takes) {
        write!(line, "; `{}` unless it is given", default.to_string_lossy()).expect("a String takes all");
    }
    line + "\n"
}

/// The paragraphs of a help text, each with a full stop.
fn sentences(about: &str) -> String {
    let paragraphs = about.split("\n\n").map(|paragraph| {
        let text = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.ends_with(['.', ':', '`']) { text } else { text + "." }
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The files of a directory of the project, by path.
fn files(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(project().join(directory)).into_iter().flatten();
    let files = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    files.map(|path| format!("{directory}/{}", path.file_name().unwrap_or_default().to_string_lossy())).collect()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
