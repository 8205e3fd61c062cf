//! What the user's and the system's Git configuration say about identity and signing. A repository's own
//! configuration is never asked: whoever wrote it must not choose keys or programs.

use std::ffi::OsString;
use std::path::PathBuf;

/// The settings that joch takes from Git.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitSettings {
    /// `user.email`.
    pub email: Option<String>,
    /// `user.signingKey`.
    pub signing_key: Option<String>,
    /// `gpg.format`; Git takes `openpgp` where there is none.
    pub format: Option<String>,
    /// `gpg.ssh.program`: what Git calls in place of `ssh-keygen`.
    pub program: Option<String>,
    /// `gpg.ssh.defaultKeyCommand`: what Git asks for a key where none is named.
    pub default_key_command: Option<String>,
}

impl GitSettings {
    /// Reads the files that Git would read for this user: the system's, then the user's.
    pub fn read(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut files: Vec<PathBuf> = Vec::new();
        let no_system = get("GIT_CONFIG_NOSYSTEM").is_some_and(|value| value != "0" && !value.is_empty());
        if !no_system {
            files.push(get("GIT_CONFIG_SYSTEM").map_or_else(|| "/etc/gitconfig".into(), PathBuf::from));
        }
        if let Some(global) = get("GIT_CONFIG_GLOBAL") {
            files.push(global.into());
        } else if let Some(home) = get("HOME").map(PathBuf::from) {
            let xdg = get("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
            files.push(xdg.join("git/config"));
            files.push(home.join(".gitconfig"));
        }
        let mut settings = Self::default();
        for file in files.iter().filter(|file| file.is_file()) {
            settings.add(file);
        }
        settings
    }

    /// A file that cannot be read says nothing, as for Git's own optional files. What it includes is read with it
    /// (`include.path`), but for what it includes for one repository.
    fn add(&mut self, file: &std::path::Path) {
        let Ok(config) = git2::Config::open(file).and_then(|mut config| config.snapshot()) else { return };
        let text = |key: &str| config.get_str(key).ok().filter(|value| !value.is_empty()).map(str::to_owned);
        self.email = text("user.email").or(self.email.take());
        self.signing_key = text("user.signingkey").or(self.signing_key.take());
        self.format = text("gpg.format").or(self.format.take());
        self.program = text("gpg.ssh.program").or(self.program.take());
        self.default_key_command = text("gpg.ssh.defaultkeycommand").or(self.default_key_command.take());
    }
}
