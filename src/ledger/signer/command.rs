//! The commands of the user's own Git configuration: which program signs, and which key.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::ledger::error::Result;

use super::{SignerEnvironment, expand, is_literal_key, refuse};

/// The program that a setting names: by its whole path, from `~`, or one that `PATH` finds. Any other path would be
/// another program in every directory, and in some of them somebody else's.
pub(super) fn program(setting: &str, named: &str, environment: &SignerEnvironment) -> Result<PathBuf> {
    let path = expand(named, environment.home.as_deref());
    if path.is_absolute() || path.components().count() == 1 && !named.ends_with('/') && named != ".." && named != "." {
        return Ok(path);
    }
    let why = format!("`{setting}` is `{named}`, which is another program in every directory");
    Err(refuse(why, format!("name it by its whole path: git config --global {setting} /path/to/program …")))
}

/// The key that a command names, as Git asks it (`gpg.ssh.defaultKeyCommand`): the first line that it prints.
///
/// # Errors
/// [`Error::Signing`](crate::ledger::Error::Signing): the command cannot be run, fails, or prints no key.
pub fn default_key(line: &str, environment: &SignerEnvironment) -> Result<String> {
    const SETTING: &str = "gpg.ssh.defaultKeyCommand";
    let check = || format!("check it with `{line}`, or name a key with `--key FILE` or Git's `user.signingKey`");
    let words = split(line).map_err(|why| refuse(format!("`{SETTING}` (`{line}`): {why}"), check()))?;
    let Some((name, words)) = words.split_first() else {
        return Err(refuse(format!("`{SETTING}` names no command"), check()));
    };
    let mut command = Command::new(program(SETTING, name, environment)?);
    command.args(words).env_clear().envs(environment.variables.iter().map(|(name, value)| (name, value)));
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| refuse(format!("`{SETTING}` (`{line}`) could not be started: {error}"), check()))?;
    if !output.status.success() {
        let said = super::program::one_line(&String::from_utf8_lossy(&output.stderr));
        return Err(refuse(format!("`{SETTING}` (`{line}`) failed: {said}"), check()));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    match printed.lines().next().map(str::trim) {
        Some(key) if is_literal_key(key) => Ok(key.to_owned()),
        _ => Err(refuse(format!("`{SETTING}` (`{line}`) printed no public key in its first line"), check())),
    }
}

/// Splits a line into words as Git does, which asks no shell.
fn split(line: &str) -> std::result::Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            _ if quote.is_none() && letter.is_ascii_whitespace() => words.extend(word.take()),
            '\'' | '"' if quote.is_none() => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            _ if quote == Some(letter) => quote = None,
            '\\' if quote != Some('\'') => {
                word.get_or_insert_default().push(letters.next().ok_or("it ends with a backslash")?);
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quotation mark is not closed");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_git_splits_it() {
        for (line, words) in [
            ("ssh-add -L", vec!["ssh-add", "-L"]),
            ("  a\t'b  c' \"d 'e'\" f\\ g ''  ", vec!["a", "b  c", "d 'e'", "f g", ""]),
            (r#"sh -c 'echo "$X" \n'"#, vec!["sh", "-c", r#"echo "$X" \n"#]),
            (r#"a"b"'c'd"#, vec!["abcd"]),
            ("", vec![]),
        ] {
            assert_eq!(split(line), Ok(words.into_iter().map(str::to_owned).collect()), "{line}");
        }
        assert_eq!(split("a 'b"), Err("a quotation mark is not closed"));
        assert_eq!(split("a \\"), Err("it ends with a backslash"));
    }

    #[test]
    fn a_program_is_named_whole_or_found_in_the_path() {
        let environment = SignerEnvironment { home: Some("/home/ana".into()), ..SignerEnvironment::default() };
        let named = |name: &str| program("gpg.ssh.program", name, &environment).map_err(|error| error.to_string());
        assert_eq!(named("op-ssh-sign"), Ok("op-ssh-sign".into()));
        assert_eq!(named("/opt/sign"), Ok("/opt/sign".into()));
        assert_eq!(named("~/bin/sign"), Ok("/home/ana/bin/sign".into()));
        for relative in ["./sign", "bin/sign", "../sign", "sign/", ".", ".."] {
            let why = format!(
                "nothing was signed: `gpg.ssh.program` is `{relative}`, which is another program in every directory"
            );
            assert_eq!(named(relative), Err(why));
        }
    }
}
