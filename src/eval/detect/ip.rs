//! Addresses of machines on the public internet, IPv4 and IPv6.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::around::{after, alone, before, digit_after, leads};
use super::digits::{Group, chain};
use super::find::Finding;

/// Words before what is a version and no address.
const VERSIONS: [&str; 10] =
    ["version", "versions", "ver", "release", "build", "firmware", "driver", "upgrade", "section", "chapter"];
/// Nothing that is longer is an address.
const LONGEST: usize = 64;

pub(super) fn find(text: &str, groups: &[Group], found: &mut Vec<Finding>) {
    let mut at = 0;
    while at < groups.len() {
        if chain(text, &groups[at..], &["."], 5) == 4 && v4(text, &groups[at..at + 4]) {
            found.push(Finding { detector: "ip-address", start: groups[at].start, end: groups[at + 3].end });
            at += 4;
        } else {
            at += 1;
        }
    }
    v6(text, found);
}

fn v4(text: &str, groups: &[Group]) -> bool {
    let (start, end) = (groups[0].start, groups[3].end);
    if !alone(text, start, end) || end - start > 15 || digit_after(text, end, &['.']) {
        return false;
    }
    // `name-1.2.3.4` and `name==1.2.3.4` are versions.
    let joined = text[..start].ends_with("==")
        || before(text, start) == Some('.')
        || before(text, start).is_some_and(|c| c == '-' || c == '@')
            && text[..start - 1].ends_with(|c: char| c.is_alphanumeric());
    let address: Option<Ipv4Addr> = text[start..end].parse().ok();
    address.is_some_and(is_public_v4) && !joined && !leads(text, start, 14, &VERSIONS)
}

fn v6(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut past = 0;
    for (at, _) in text.match_indices(':') {
        if at < past {
            continue;
        }
        let part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        let start = at - bytes[past..at].iter().rev().take_while(|byte| part(byte)).count();
        let run = bytes[at..].iter().take_while(|byte| part(byte)).count();
        past = at + run;
        let mut end = at + run;
        if text[start..end].ends_with('.') || text[start..end].ends_with(':') && !text[start..end].ends_with("::") {
            end -= 1;
        }
        let candidate = &text[start..end];
        if candidate.len() <= LONGEST
            && candidate.parse().is_ok_and(|address| is_public_v6(address, candidate))
            && alone(text, start, end)
            && before(text, start) != Some(':')
            && !(end == past && after(text, end) == Some(':'))
        {
            found.push(Finding { detector: "ip-address", start, end });
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || a == 100 && (64..128).contains(&b)
        || a == 192 && b == 0 && c == 0
        || a == 198 && (18..20).contains(&b))
}

/// Whether an address is one of the whole internet; those given out begin with 2 or 3. Others count where all eight
/// groups are written: `ad::cafe` is a name in a program.
fn is_public_v6(address: Ipv6Addr, written: &str) -> bool {
    let segments = address.segments();
    let documentation = segments[0] == 0x2001 && segments[1] == 0xdb8 || segments[0] == 0x3fff && segments[1] < 0x1000;
    let special = address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some();
    let assigned = segments[0] & 0xe000 == 0x2000;
    !documentation && !special && (assigned || written.matches(':').count() == 7)
}

#[cfg(test)]
mod tests {
    use super::super::digits::groups;
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text, &groups(text), &mut found);
        found.into_iter().map(|finding| &text[finding.start..finding.end]).collect()
    }

    #[test]
    fn addresses_are_found() {
        for (text, address) in [
            ("from 8.8.8.8.", "8.8.8.8"),
            ("http://93.184.216.34:8080/x", "93.184.216.34"),
            ("8.8.4.0/24", "8.8.4.0"),
            ("::ffff:8.8.8.8", "8.8.8.8"),
            ("2606:2800:220:1:248:1893:25c8:1946", "2606:2800:220:1:248:1893:25c8:1946"),
            ("at 2001:4860:4860::8888.", "2001:4860:4860::8888"),
            ("[2A00:1450:4001:81B::200E]:443", "2A00:1450:4001:81B::200E"),
            ("from 684D:1111:222:3333:4444:5555:6:77", "684D:1111:222:3333:4444:5555:6:77"),
            ("0:0:0:0:0:FFFF:129.144.52.38", "129.144.52.38"),
            ("host: 2a00:1450::", "2a00:1450::"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_address_or_is_nobodys_is_not_found() {
        for text in [
            "127.0.0.1 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.1.1",
            "192.0.2.1 198.51.100.7 203.0.113.9 224.0.0.1 255.255.255.255 100.64.0.1",
            "256.1.1.1",
            "08.8.8.8",
            "v1.2.3.4",
            "version 1.2.3.4",
            "Version: 4.18.0.1",
            "tool-4.18.0.1",
            "tool==4.18.0.1",
            "tool@4.18.0.1",
            "1.3.6.1.4.1.311",
            "8.8.8",
            "8.8.8.8a",
            "12:30:45",
            "2024-01-15T10:30:00",
            "00:1A:2B:3C:4D:5E",
            ":: ::1 fe80::1 fc00::1 2001:db8::1 ff02::1",
            "std::abs a::b ad::cafe",
            "2001::x",
            "0:0:0:0:0:0:0:1 fe80:0:0:0:1:2:3:4 fd00:1:2:3:4:5:6:7",
            "123:abc Ratio 1:2:3:4 :::",
            "foo2001:4860::8888",
            "2:1",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
