//! Container images: pinned, and from where.

use crate::resource::{Kind, Risk};

use super::Terms;
use super::found::{Found, shown};
use super::whole::{Part, Whole};

/// The parts of `registry/repository:tag@digest`.
#[derive(Debug, PartialEq, Eq)]
struct Image {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Image {
    fn read(text: &str) -> Self {
        let text = text.trim();
        let text = ["docker://", "oci://", "https://"].iter().find_map(|lead| text.strip_prefix(lead)).unwrap_or(text);
        let (name, digest) =
            text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest.to_owned())));
        let slash = name.rfind('/').map_or(0, |at| at + 1);
        let colon = name[slash..].rfind(':').map(|at| slash + at);
        let (name, tag) = colon.map_or((name, None), |at| (&name[..at], Some(name[at + 1..].to_owned())));
        // As every client reads it: the first part is a registry if it looks like a host.
        let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if is_host(first) => (first.to_ascii_lowercase(), rest.to_owned()),
            Some(_) => ("docker.io".to_owned(), name.to_owned()),
            None => ("docker.io".to_owned(), format!("library/{name}")),
        };
        let registry = if registry == "index.docker.io" { "docker.io".to_owned() } else { registry };
        Self { registry, repository, tag, digest }
    }

    fn is_pinned(&self) -> bool {
        let digits = self.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:"));
        digits.is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}

/// Where images stand, kind by kind.
const PLACES: [(Kind, &[&str]); 4] = [
    (Kind::Agent, &["framework", "image"]),
    (Kind::FrameworkAdapter, &["adapterImage"]),
    (Kind::McpServer, &["image"]),
    (Kind::Tool, &["image"]),
];

pub(super) fn judge(whole: &Whole, terms: &Terms<'_>, found: &mut Found) {
    for (kind, path) in &PLACES {
        for part in whole.of_kind(kind).filter(|part| part.at(path).is_some()) {
            let Some(text) = part.text(path) else {
                let why = format!("`{}` is not filled in", path.join("."));
                found.raise("AGB-IMG-001", part.component(), Risk::High, why);
                continue;
            };
            let image = Image::read(text);
            pinned(part, text, &image, terms, found);
            let listed = |allowed: &[String]| allowed.iter().any(|known| is_from(&image, known));
            if terms.image_registries.is_some_and(|allowed| !listed(allowed)) {
                let why = format!("`{}` does not list the registry of {}", terms.environment, shown(text));
                found.raise("AGB-IMG-002", part.component(), Risk::High, why);
            }
        }
    }
}

/// Whether an image comes from a registry, or from a part of one: `ghcr.io/acme`.
fn is_from(image: &Image, place: &str) -> bool {
    let name = format!("{}/{}", image.registry, image.repository);
    let place = place.trim().trim_end_matches('/');
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let place =
        if path.is_empty() { host.to_ascii_lowercase() } else { format!("{}/{path}", host.to_ascii_lowercase()) };
    name.strip_prefix(place.as_str()).is_some_and(|rest| rest.starts_with('/') || rest.is_empty() && !path.is_empty())
}

fn pinned(part: &Part, text: &str, image: &Image, terms: &Terms<'_>, found: &mut Found) {
    if image.is_pinned() {
        return;
    }
    let (severity, what) = match (&image.digest, image.tag.as_deref()) {
        (Some(_), _) => (Risk::High, "has a digest that is no `sha256:` of 64 digits"),
        (None, None) => (Risk::High, "has neither a tag nor a digest"),
        (None, Some("latest")) => (Risk::High, "is whatever is latest"),
        (None, Some(_)) if terms.require_image_digest => (Risk::High, "has a tag and no digest"),
        (None, Some(_)) => (Risk::Medium, "has a tag and no digest"),
    };
    found.raise("AGB-IMG-001", part.component(), severity, format!("{} {what}", shown(text)));
}

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    for (kind, path) in &PLACES {
        for (was, part) in after.changed(before, kind) {
            let (Some(old), new) = (was.text(path), part.text(path)) else { continue };
            let name = |text: &str| {
                let image = Image::read(text);
                (image.registry, image.repository)
            };
            if new.is_some_and(|new| name(new) != name(old)) {
                let why = format!("the image was {} and is {}", shown(old), shown(new.unwrap_or_default()));
                found.raise("AGB-IMG-002", part.component(), Risk::High, why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_a_client_reads_it() {
        let image = Image::read("registry.example.com:5000/joch/adapter:1.6");
        assert_eq!((image.registry.as_str(), image.repository.as_str()), ("registry.example.com:5000", "joch/adapter"));
        assert_eq!(image.tag.as_deref(), Some("1.6"));
        let image = Image::read("registry.example.com:5000/joch/adapter");
        assert_eq!(image.tag, None);
        assert_eq!(Image::read("nginx"), Image::read("docker.io/library/nginx"));
        assert!(Image::read(&format!("a/b:1@sha256:{}", "0".repeat(64))).is_pinned());
        assert!(!Image::read("a/b@sha256:12").is_pinned() && !Image::read("a/b@md5:12").is_pinned());
    }

    #[test]
    fn a_registry_may_be_listed_with_a_part_of_it() {
        let image = Image::read("ghcr.io/acme/adapter:1");
        assert!(is_from(&image, "ghcr.io") && is_from(&image, "GHCR.io/acme/"));
        assert!(!is_from(&image, "ghcr.io/ac") && !is_from(&image, "ghcr") && !is_from(&image, ""));
    }
}
