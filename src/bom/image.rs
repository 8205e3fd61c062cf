//! Container images as resources name them: `registry/repository:tag@sha256:digest`.

/// What the text of an image says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Registry and repository.
    pub(super) repository: String,
    /// The tag.
    pub(super) tag: Option<String>,
    /// The SHA-256 that pins it, in hex.
    pub(super) sha256: Option<String>,
}

impl Image {
    /// Reads the text of an image. What stands behind `@` and is no SHA-256 pins nothing.
    pub(super) fn read(text: &str) -> Self {
        let (named, digest) = text.split_once('@').map_or((text, None), |(named, digest)| (named, Some(digest)));
        let is_hex = |hex: &&str| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let sha256 = digest.and_then(|digest| digest.strip_prefix("sha256:")).filter(is_hex).map(str::to_owned);
        // A colon before the last slash belongs to the registry's port.
        let (repository, tag) = match named.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag.to_owned())),
            _ => (named, None),
        };
        Self { repository: repository.to_owned(), tag, sha256 }
    }

    /// Its package URL: the last part of the repository is the name, the digest the version.
    pub(super) fn purl(&self) -> String {
        let name = self.repository.rsplit('/').next().unwrap_or_default().to_lowercase();
        let version = self.sha256.as_ref().map_or_else(String::new, |hex| format!("@sha256%3A{hex}"));
        let mut qualifiers = Vec::new();
        if self.repository.contains('/') {
            qualifiers.push(format!("repository_url={}", escaped(&self.repository)));
        }
        qualifiers.extend(self.tag.as_ref().map(|tag| format!("tag={}", escaped(tag))));
        let mark = if qualifiers.is_empty() { "" } else { "?" };
        format!("pkg:oci/{}{version}{mark}{}", escaped(&name), qualifiers.join("&"))
    }

    /// Its version as bills tell it: the tag, else the digest.
    pub(super) fn version(&self) -> Option<(&'static str, String)> {
        match (&self.tag, &self.sha256) {
            (Some(tag), None) => Some(("tag", tag.clone())),
            (Some(tag), Some(hex)) => Some(("image", format!("{tag}@sha256:{hex}"))),
            (None, Some(hex)) => Some(("digest", format!("sha256:{hex}"))),
            (None, None) => None,
        }
    }
}

/// Text in which everything but plain letters stands as `%XX`; slashes stay.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_read_with_port_tag_and_digest() {
        let hex = "5e0f3a1c9b7d42868f1e6c0a4d9b3572e8c1f06a7d5b4932810fe6c7a9d4b351";
        for (text, repository, tag, pinned) in [
            ("localhost:5000/team/x", "localhost:5000/team/x", None, false),
            ("localhost:5000/team/x:1.2", "localhost:5000/team/x", Some("1.2"), false),
            (&format!("reg.example/x:1@sha256:{hex}"), "reg.example/x", Some("1"), true),
            (&format!("x@sha256:{hex}"), "x", None, true),
            ("x:1@sha256:short", "x", Some("1"), false),
        ] {
            let image = Image::read(text);
            assert_eq!((image.repository.as_str(), image.tag.as_deref()), (repository, tag), "{text}");
            assert_eq!(image.sha256.is_some(), pinned, "{text}");
        }
    }

    #[test]
    fn a_package_url_pins_by_digest_and_never_by_tag() {
        let hex = "5e0f3a1c9b7d42868f1e6c0a4d9b3572e8c1f06a7d5b4932810fe6c7a9d4b351";
        assert_eq!(
            Image::read(&format!("reg.example/team/X:1.6@sha256:{hex}")).purl(),
            format!("pkg:oci/x@sha256%3A{hex}?repository_url=reg.example/team/X&tag=1.6")
        );
        assert_eq!(Image::read("x:a b").purl(), "pkg:oci/x?tag=a%20b");
    }
}
