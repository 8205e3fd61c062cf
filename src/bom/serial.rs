//! The serial number of a bill: the same for every version of one agent in one ledger, and for nothing else.

use sha1::{Digest as _, Sha1};

use crate::resource::ResourceId;

/// The namespace of serial numbers of bills: a random UUID that never changes.
const NAMESPACE: [u8; 16] =
    [0x6b, 0x1f, 0x0a, 0x52, 0x9d, 0x3e, 0x4c, 0x77, 0x8a, 0x05, 0xd2, 0x6e, 0x41, 0x9b, 0xc8, 0x13];

/// The UUID (RFC 9562, version 5) of the name `<ledger>/<namespace>/<agent>`, where `ledger` is the ledger's own UUID.
#[must_use]
pub(super) fn of(ledger: &str, agent: &ResourceId) -> String {
    named(&NAMESPACE, &format!("{ledger}/{}/{}", agent.namespace, agent.name))
}

fn named(namespace: &[u8; 16], name: &str) -> String {
    let sum = Sha1::new().chain_update(namespace).chain_update(name).finalize();
    let mut bytes: [u8; 16] = std::array::from_fn(|at| sum[at]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_the_uuid_that_any_tool_makes_of_the_name() {
        // uuidgen --sha1 --namespace @dns --name www.example.com
        let dns = [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(named(&dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        let one = of("a", &ResourceId::agent("default", "x"));
        assert_ne!(one, of("b", &ResourceId::agent("default", "x")));
        assert_ne!(one, of("a", &ResourceId::agent("team-a", "x")));
    }
}
