//! Signatures on commits, tags and files: cut from what they sign, and checked here, without any other program.
//!
//! The format is OpenSSH's SSHSIG (`PROTOCOL.sshsig`); where Git puts it is in `gitformat-signature(5)`.

use std::fmt;

use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, SshSig};

use crate::trust::PublicKey;

use super::header::Headers;

/// The namespace in which Git signs commits and tags.
pub const GIT: &str = "git";

const SSH: &str = "-----BEGIN SSH SIGNATURE-----";
const SSH_END: &str = "-----END SSH SIGNATURE-----";
const OPENPGP: [&str; 2] = ["-----BEGIN PGP SIGNATURE-----", "-----BEGIN PGP MESSAGE-----"];
const X509: &str = "-----BEGIN SIGNED MESSAGE-----";

/// The bit that a security key sets when someone touched it (FIDO CTAP, user presence).
const TOUCHED: u8 = 1;

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadSignature {
    /// There is none.
    Absent,
    /// It is an OpenPGP signature.
    OpenPgp,
    /// It is an X.509 signature.
    X509,
    /// It cannot be read, or could be read two ways.
    Unreadable(String),
    /// It was made for another purpose.
    Namespace {
        /// The purpose that was asked for.
        expected: String,
        /// The purpose that it was made for.
        found: String,
    },
    /// Its key is of a kind that joch cannot check, or forbids.
    Key(String),
    /// The security key that made it was not touched.
    Untouched,
    /// What it signs was changed, or it was made by another key than it says.
    Mismatch,
}

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is none"),
            Self::OpenPgp => f.write_str("it is an OpenPGP signature, and joch knows SSH signatures only"),
            Self::X509 => f.write_str("it is an X.509 signature, and joch knows SSH signatures only"),
            Self::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Self::Namespace { expected, found } => write!(f, "it was made for `{found}` and not for `{expected}`"),
            Self::Key(why) => f.write_str(why),
            Self::Untouched => f.write_str("it was made by a security key that nobody touched"),
            Self::Mismatch => f.write_str("what it signs was changed since"),
        }
    }
}

impl std::error::Error for BadSignature {}

/// Something signed: the bytes that were signed, and the armored signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub payload: Vec<u8>,
    /// The signature, from its first line to its last.
    pub armor: String,
}

/// Cuts the signature out of a raw commit.
///
/// # Errors
/// There is none, there are two, or the commit can be read two ways.
pub fn split_commit(raw: &[u8]) -> Result<Signed, BadSignature> {
    let headers = Headers::parse(raw).map_err(BadSignature::Unreadable)?;
    let (signatures, kept): (Vec<_>, Vec<_>) =
        headers.lines.iter().partition(|line| line.key.to_ascii_lowercase().starts_with("gpgsig"));
    let armor = match signatures.as_slice() {
        [] => return Err(BadSignature::Absent),
        [one] if one.key == "gpgsig" => one.value().map_err(BadSignature::Unreadable)?,
        _ => {
            return Err(BadSignature::Unreadable(
                "the commit has another signature header than one `gpgsig`".to_owned(),
            ));
        }
    };
    let mut payload = kept.iter().flat_map(|line| line.raw).copied().collect::<Vec<u8>>();
    payload.push(b'\n');
    payload.extend_from_slice(headers.body);
    Ok(Signed { payload, armor })
}

/// Cuts the signature off the end of a raw tag.
///
/// # Errors
/// There is none, something follows it, or the tag can be read two ways.
pub fn split_tag(raw: &[u8]) -> Result<Signed, BadSignature> {
    let unreadable = |why: &str| BadSignature::Unreadable(why.to_owned());
    let headers = Headers::parse(raw).map_err(BadSignature::Unreadable)?;
    if headers.lines.iter().any(|line| line.key.to_ascii_lowercase().starts_with("gpgsig")) {
        return Err(unreadable("the tag has a signature header beside its own"));
    }
    let text = std::str::from_utf8(raw).map_err(|_| unreadable("the tag is not UTF-8"))?;
    let mut begins = Vec::new();
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        if begins_armor(line) {
            begins.push(position);
        }
        position += line.len();
    }
    let begin = match begins.as_slice() {
        [] => return Err(BadSignature::Absent),
        [one] => *one,
        _ => return Err(unreadable("the tag has several signatures")),
    };
    Ok(Signed { payload: raw[..begin].to_vec(), armor: text[begin..].trim_end_matches('\n').to_owned() })
}

/// Whether a line would begin a signature, so that a message which holds it could be cut in the wrong place.
pub(super) fn begins_armor(line: &str) -> bool {
    [SSH, OPENPGP[0], OPENPGP[1], X509].iter().any(|armor| line.starts_with(armor))
}

/// The key that signed `payload` for the purpose `namespace`.
///
/// # Errors
/// Why the signature does not count; see [`BadSignature`].
pub fn verify(armor: &str, namespace: &str, payload: &[u8]) -> Result<PublicKey, BadSignature> {
    let armor = armor.trim_end();
    if OPENPGP.iter().any(|begin| armor.starts_with(begin)) {
        return Err(BadSignature::OpenPgp);
    }
    if armor.starts_with(X509) {
        return Err(BadSignature::X509);
    }
    if armor.lines().next() != Some(SSH)
        || armor.lines().last() != Some(SSH_END)
        || armor.matches("-----BEGIN").count() != 1
    {
        return Err(BadSignature::Unreadable("it is not one SSH signature".to_owned()));
    }
    // Readers differ in what white space they pass over.
    if armor.contains(|c: char| c.is_whitespace() && c != '\n' && c != ' ') {
        return Err(BadSignature::Unreadable("it holds white space other than ends of lines".to_owned()));
    }
    // The parser cannot read certificates and says so in words that help nobody.
    let signature = SshSig::from_pem(armor).map_err(|error| {
        BadSignature::Unreadable(format!("{error} (signatures by SSH certificates are not supported)"))
    })?;
    // The parser believes lengths that do not fit, which other readers refuse: only what it would write itself is taken.
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    if !signature.to_pem(LineEnding::LF).is_ok_and(|again| letters(&again) == letters(armor)) {
        return Err(BadSignature::Unreadable("it is not written as OpenSSH would write it".to_owned()));
    }
    if signature.version() != SshSig::VERSION {
        return Err(BadSignature::Unreadable(format!("its version is {}", signature.version())));
    }
    if !matches!(signature.hash_alg(), HashAlg::Sha256 | HashAlg::Sha512) {
        return Err(BadSignature::Unreadable("its hash is neither sha256 nor sha512".to_owned()));
    }
    if signature.namespace() != namespace {
        let found = signature.namespace().to_owned();
        return Err(BadSignature::Namespace { expected: namespace.to_owned(), found });
    }
    let data = signature.public_key();
    let key = PublicKey::from_data(data).map_err(BadSignature::Key)?;
    ssh_key::PublicKey::from(data.clone())
        .verify(namespace, payload, &signature)
        .map_err(|_| BadSignature::Mismatch)?;
    if matches!(data, KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_)) && !was_touched(&signature) {
        return Err(BadSignature::Untouched);
    }
    Ok(key)
}

/// A security key's signature ends with a byte of flags and a counter of four bytes.
fn was_touched(signature: &SshSig) -> bool {
    let bytes = signature.signature_bytes();
    bytes.len() > 5 && bytes[bytes.len() - 5] & TOUCHED != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_cut_as_git_cuts_it() {
        let raw = b"tree t\nauthor a\ngpgsig -----BEGIN\n x\n -----END\nextra e\n\nmessage\n gpgsig y\n";
        let signed = split_commit(raw).expect("a signature");
        assert_eq!(signed.payload, b"tree t\nauthor a\nextra e\n\nmessage\n gpgsig y\n");
        assert_eq!(signed.armor, "-----BEGIN\nx\n-----END");
    }

    #[test]
    fn two_signatures_are_none() {
        let twice = b"tree t\ngpgsig a\ngpgsig b\n\nm\n";
        assert!(matches!(split_commit(twice), Err(BadSignature::Unreadable(_))));
        let other = b"tree t\ngpgsig a\ngpgsig-sha256 b\n\nm\n";
        assert!(matches!(split_commit(other), Err(BadSignature::Unreadable(_))));
        assert_eq!(split_commit(b"tree t\n\ngpgsig in the message\n"), Err(BadSignature::Absent));
    }

    #[test]
    fn a_tag_with_two_signatures_or_none_is_refused() {
        let tag = |body: &str| split_tag(format!("object o\ntype commit\ntag t\ntagger x\n\n{body}").as_bytes());
        let signed = tag(&format!("m\n{SSH}\nx\n{SSH_END}\n")).expect("a signature");
        assert!(signed.payload.ends_with(b"\n\nm\n"));
        assert_eq!(signed.armor, format!("{SSH}\nx\n{SSH_END}"));
        assert_eq!(tag("m\n"), Err(BadSignature::Absent));
        assert!(matches!(tag(&format!("m\n{SSH}\n{SSH}\n")), Err(BadSignature::Unreadable(_))));
    }

    #[test]
    fn what_is_no_ssh_signature_is_named() {
        assert_eq!(verify("-----BEGIN PGP SIGNATURE-----\n", GIT, b""), Err(BadSignature::OpenPgp));
        assert_eq!(verify("-----BEGIN SIGNED MESSAGE-----\n", GIT, b""), Err(BadSignature::X509));
        assert!(matches!(verify("hello", GIT, b""), Err(BadSignature::Unreadable(_))));
        let returned = verify(&format!("{SSH}\nAAAA\r\n{SSH_END}"), GIT, b"");
        assert!(returned.is_err_and(|why| why.to_string().contains("white space")));
        assert!(matches!(verify(&format!("{SSH}\nAAAA\n{SSH_END}"), GIT, b""), Err(BadSignature::Unreadable(_))));
    }
}
