//! Markdown that is a test: who does what, and what they see.
//!
//! Fences that mean something; all others are prose:
//!
//! - ```` ``` ~alice ```` or ```` ``` ~alice (exit 2) ````: lines that begin with `$ ` are run by Alice in the
//!   project, lines that begin with `> ` continue the one above, and the rest is what appears: standard
//!   output, then standard error, redacted. The exit code is that of the last command; those before it succeed.
//! - ```` ```console ````: the same for a reader of the guide. Alice acts unless `~bob` follows, and a block that
//!   shows no output at all promises only its exit code.
//! - ```` ```yaml file=agents/x.yaml ````: a file of the project, written here.
//!
//! A line `...` stands for any number of lines. `<!-- setup: COMMAND -->` is run unseen and must succeed.
//! `<!-- needs: PROGRAM -->` as the first line names what a machine may lack: without it the story is not told.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;

use similar::TextDiff;

use super::world::World;

/// What a story may do. Everything else belongs into a test of its own.
const PROGRAMS: [&str; 21] = [
    "joch",
    "git",
    "cat",
    "cd",
    "cp",
    "diff",
    "echo",
    "find",
    "grep",
    "head",
    "ls",
    "mkdir",
    "mv",
    "printf",
    "rm",
    "sed",
    "sha256sum",
    "ssh-keygen",
    "tar",
    "test",
    "touch",
];

/// What only works where OpenSSH is, by itself or because Git then calls it.
const OPENSSH: [&str; 5] = ["ssh-keygen -", "verify-commit", "verify-tag", "%G", " -S "];

/// How a telling of a story went.
pub(crate) struct Telling {
    /// Where it differs from what happened; empty if it is true.
    pub(crate) problems: Vec<String>,
    /// The story as it should read.
    pub(crate) corrected: String,
}

/// One step of a story.
#[derive(Debug)]
enum Step {
    Setup { line: usize, command: String },
    File { path: String, text: String },
    Scene(Scene),
}

/// A block of commands.
#[derive(Debug)]
struct Scene {
    actor: String,
    /// The exit code of the last command.
    exit: i32,
    /// Whether a block without any output says nothing about it.
    lenient: bool,
    /// The line of the opening fence, from 0.
    fence: usize,
    /// The lines between the fences.
    body: Range<usize>,
    commands: Vec<Line>,
}

/// A command and what it shows.
#[derive(Debug)]
struct Line {
    /// As typed, prompts included.
    typed: Vec<String>,
    /// Its line, from 0.
    number: usize,
    shown: Vec<String>,
}

/// The programs that a story says it needs beside those that every machine has.
pub(crate) fn needed(text: &str) -> Vec<&str> {
    let first = text.lines().next().unwrap_or_default();
    let names = first.strip_prefix("<!-- needs:").and_then(|rest| rest.strip_suffix("-->"));
    names.unwrap_or_default().split_whitespace().collect()
}

/// Acts the story out in a new world.
pub(crate) fn tell(name: &str, text: &str) -> Telling {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let steps = match parse(&lines) {
        Ok(steps) => steps,
        Err(problem) => return Telling { problems: vec![problem], corrected: text.to_owned() },
    };
    let world = World::new(name);
    let mut redactor = world.redactor();
    let (mut problems, mut corrections) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Setup { line, command } => {
                let outcome = world.sh("alice", &command);
                if outcome.code != 0 {
                    problems.push(format!("line {}: setup failed: {}{}", line + 1, outcome.stdout, outcome.stderr));
                }
            }
            Step::File { path, text } => {
                let path = world.project().join(path);
                fs::create_dir_all(path.parent().expect("it is in the project")).expect("a folder");
                fs::write(path, text).expect("a file of the project");
            }
            Step::Scene(scene) => {
                let silent = scene.lenient && scene.commands.iter().all(|line| line.shown.is_empty());
                let mut body = Vec::new();
                let mut exit = scene.exit;
                for (at, line) in scene.commands.iter().enumerate() {
                    let outcome = world.sh(&scene.actor, &line.command());
                    let shown = redactor.redact(&outcome.stdout) + &redactor.redact(&outcome.stderr);
                    let shown: Vec<_> = shown.lines().map(str::to_owned).collect();
                    let last = at + 1 == scene.commands.len();
                    let expected = if last { scene.exit } else { 0 };
                    if last {
                        exit = outcome.code;
                    }
                    if outcome.code != expected {
                        let what = format!("exit {}, not {expected}", outcome.code);
                        problems.push(line.complaint(&what, &shown));
                    } else if !silent && !agrees(&line.shown, &shown) {
                        problems.push(line.complaint("shows something else", &shown));
                    }
                    body.extend(line.typed.iter().cloned());
                    if !silent {
                        let true_enough = agrees(&line.shown, &shown);
                        body.extend(if true_enough { line.shown.clone() } else { shown });
                    }
                }
                corrections.push((scene.fence, with_exit(&lines[scene.fence], exit), scene.body, body));
            }
        }
    }
    for (fence, opening, range, body) in corrections.into_iter().rev() {
        lines.splice(range, body);
        lines[fence] = opening;
    }
    Telling { problems, corrected: lines.join("\n") + "\n" }
}

fn parse(lines: &[String]) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let (line, start) = (lines[at].as_str(), at);
        at += 1;
        if let Some(command) = line.strip_prefix("<!-- setup:").and_then(|rest| rest.strip_suffix("-->")) {
            steps.push(Step::Setup { line: start, command: command.trim().to_owned() });
        }
        let ticks = line.bytes().take_while(|b| *b == b'`').count();
        if ticks < 3 {
            continue;
        }
        let closes = |line: &String| line.len() >= ticks && line.bytes().all(|b| b == b'`');
        let length = lines[at..].iter().position(closes);
        let body = at..at + length.ok_or_else(|| format!("line {at}: this fence is never closed"))?;
        at = body.end + 1;
        let words: Vec<_> = line[ticks..].split_whitespace().collect();
        if let Some(path) = words.iter().find_map(|word| word.strip_prefix("file=")) {
            if path.starts_with('/') || path.split('/').any(|part| part == "..") {
                return Err(format!("line {}: `{path}` leads out of the project", start + 1));
            }
            let text = lines[body].iter().map(|line| line.to_owned() + "\n").collect();
            steps.push(Step::File { path: path.to_owned(), text });
        } else if let Some(scene) = scene(&words, start, body, lines)? {
            scene.commands.iter().try_for_each(|line| line.is_declared(&lines[0]))?;
            steps.push(Step::Scene(scene));
        }
    }
    Ok(steps)
}

/// The scene behind a fence whose opening says `words`, if it is one.
fn scene(words: &[&str], fence: usize, body: Range<usize>, lines: &[String]) -> Result<Option<Scene>, String> {
    let wrong = |what: &str| Err(format!("line {}: {what}", fence + 1));
    let lenient = words.first() == Some(&"console");
    let rest = &words[usize::from(lenient)..];
    let (actor, rest) = match rest.split_first() {
        Some((first, rest)) if first.starts_with('~') => (&first[1..], rest),
        _ if lenient => ("alice", rest),
        _ => return Ok(None),
    };
    let exit = match rest {
        [] => 0,
        ["(exit", code] => match code.strip_suffix(')').map(str::parse) {
            Some(Ok(code)) => code,
            _ => return wrong("write `(exit 2)`"),
        },
        _ => return wrong("after the actor only `(exit 2)` may follow"),
    };
    let mut commands: Vec<Line> = Vec::new();
    for number in body.clone() {
        let text = &lines[number];
        if text.starts_with("$ ") {
            commands.push(Line { typed: vec![text.clone()], number, shown: Vec::new() });
            continue;
        }
        let Some(command) = commands.last_mut() else {
            return wrong("a scene begins with a command: `$ joch …`");
        };
        if command.shown.is_empty() && (text == ">" || text.starts_with("> ")) {
            command.typed.push(text.clone());
        } else {
            command.shown.push(text.clone());
        }
    }
    for command in &commands {
        let program = command.typed[0].split_whitespace().nth(1).unwrap_or_default();
        if !PROGRAMS.contains(&program) {
            return Err(format!("line {}: a story does not run `{program}`", command.number + 1));
        }
    }
    Ok(Some(Scene { actor: actor.to_owned(), exit, lenient, fence, body, commands }))
}

impl Line {
    /// What a shell gets to read.
    fn command(&self) -> String {
        let typed: Vec<_> = self.typed.iter().map(|line| line.get(2..).unwrap_or_default()).collect();
        typed.join("\n")
    }

    /// Checks that a story which needs OpenSSH says so in its `first` line.
    fn is_declared(&self, first: &str) -> Result<(), String> {
        let command = self.command();
        match OPENSSH.iter().find(|word| command.contains(**word)) {
            Some(word) if !needed(first).contains(&"ssh-keygen") => {
                Err(format!("line {}: `{word}` wants `<!-- needs: ssh-keygen -->` as the first line", self.number + 1))
            }
            _ => Ok(()),
        }
    }

    fn complaint(&self, what: &str, shown: &[String]) -> String {
        let mut text = format!("line {}: {what}\n    {}\n", self.number + 1, self.typed.join("\n    "));
        let (expected, actual) = (self.shown.join("\n") + "\n", shown.join("\n") + "\n");
        for change in TextDiff::from_lines(&expected, &actual).iter_all_changes() {
            write!(text, "  {} {change}", change.tag()).expect("a string takes all");
        }
        text
    }
}

/// Whether `actual` reads as `expected`, in which `...` is any number of lines.
fn agrees(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, rest)) if first == "..." => (0..=actual.len()).any(|skip| agrees(rest, &actual[skip..])),
        Some((first, rest)) => actual.split_first().is_some_and(|(line, more)| line == first && agrees(rest, more)),
    }
}

/// The opening fence with this exit code.
fn with_exit(opening: &str, exit: i32) -> String {
    let plain = opening.split(" (exit").next().unwrap_or(opening);
    if exit == 0 { plain.to_owned() } else { format!("{plain} (exit {exit})") }
}

#[cfg(test)]
mod tests {
    use super::{agrees, tell};

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn three_dots_stand_for_any_lines() {
        let seen = lines("a\nb\nc");
        for fine in ["a\nb\nc", "...", "a\n...", "...\nc", "a\n...\nc", "a\nb\nc\n...", "...\nb\n..."] {
            assert!(agrees(&lines(fine), &seen), "{fine}");
        }
        for wrong in ["a\nb", "...\nb", "a\n...\nd", ""] {
            assert!(!agrees(&lines(wrong), &seen), "{wrong}");
        }
    }

    #[test]
    fn a_false_story_is_corrected() {
        let told = tell("false", "# A\n\n``` ~bob\n$ echo one\ntwo\n$ cat missing\n```\n\nEnd.\n");
        assert_eq!(told.problems.len(), 2, "{:?}", told.problems);
        assert!(told.problems[0].starts_with("line 4: shows something else"), "{}", told.problems[0]);
        assert!(told.problems[1].starts_with("line 6: exit 1, not 0"), "{}", told.problems[1]);
        let corrected = "# A\n\n``` ~bob (exit 1)\n$ echo one\none\n$ cat missing\ncat: missing: No such file or \
                         directory\n```\n\nEnd.\n";
        assert_eq!(told.corrected, corrected);
        assert_eq!(tell("corrected", corrected).problems, Vec::<String>::new());
    }

    #[test]
    fn a_command_before_the_last_must_succeed() {
        let told = tell("early", "``` ~bob (exit 1)\n$ test -e no\n$ test -e no\n```\n");
        assert_eq!(told.problems.len(), 1, "{:?}", told.problems);
    }

    #[test]
    fn a_guide_may_leave_output_out_but_not_show_it_wrongly() {
        let problems = |text: &str| tell("guide", text).problems.len();
        assert_eq!(problems("```console\n$ echo one\n```\n"), 0);
        assert_eq!(problems("```console\n$ test -e no\n```\n"), 1);
        assert_eq!(problems("```console (exit 1)\n$ test -e no\n```\n"), 0);
        assert_eq!(problems("```console\n$ echo one\n$ echo two\ntwo\n```\n"), 1);
        assert_eq!(problems("``` ~alice\n$ echo one\n```\n"), 1);
        assert_eq!(problems("```sh\n$ rm nothing\n```\n"), 0);
    }

    #[test]
    fn a_story_that_cannot_be_read_says_where() {
        let problem = |text: &str| tell("unread", text).problems.concat();
        assert_eq!(problem("a\n``` ~bob\n$ echo\n"), "line 2: this fence is never closed");
        assert_eq!(problem("``` ~bob\nhello\n```\n"), "line 1: a scene begins with a command: `$ joch …`");
        assert_eq!(problem("``` ~bob (no)\n```\n"), "line 1: after the actor only `(exit 2)` may follow");
        assert_eq!(problem("``` ~bob\n$ curl x\n```\n"), "line 2: a story does not run `curl`");
        assert_eq!(problem("```yaml file=../x\n```\n"), "line 1: `../x` leads out of the project");
        let undeclared = "line 2: `%G` wants `<!-- needs: ssh-keygen -->` as the first line";
        assert_eq!(problem("``` ~bob\n$ git log --format=%G?\n```\n"), undeclared);
    }
}
