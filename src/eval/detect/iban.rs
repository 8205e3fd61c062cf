//! Account numbers as IBAN: the length of the country, and the check digits.

use super::around::{after, glued, glues};
use super::find::Finding;

/// The countries, and how long their IBANs are.
const LENGTHS: &str = "
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27
    DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28
    IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22
    MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24
    SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
";

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut past = 0;
    for (at, window) in bytes.windows(4).enumerate() {
        let [a, b, c, d] = window else { continue };
        let begins = a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit();
        if !begins || at < past || glued(text, at) {
            continue;
        }
        let country = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
        if let Some(end) = length(country).and_then(|length| account(bytes, at, length))
            && !after(text, end).is_some_and(glues)
        {
            past = end;
            found.push(Finding { detector: "iban", start: at, end });
        }
    }
}

fn length(country: [u8; 2]) -> Option<usize> {
    let known = LENGTHS.split_ascii_whitespace().find(|known| known.as_bytes()[..2] == country)?;
    known[2..].parse().ok()
}

/// Where the account of `length` letters and digits that begins at `start` ends, if it is one.
fn account(bytes: &[u8], start: usize, length: usize) -> Option<usize> {
    let (mut at, mut said) = (start, Vec::with_capacity(length));
    let mut mark = None;
    while said.len() < length {
        let byte = *bytes.get(at)?;
        if byte.is_ascii_alphanumeric() {
            said.push(byte.to_ascii_uppercase());
        } else if (byte == b' ' || byte == b'-') && said.len() % 4 == 0 && *mark.get_or_insert(byte) == byte {
            // A group ends here; two marks in a row end the number.
            if !bytes.get(at + 1)?.is_ascii_alphanumeric() {
                return None;
            }
        } else {
            return None;
        }
        at += 1;
    }
    let digits = said.iter().filter(|byte| byte.is_ascii_digit()).count();
    (digits * 2 >= length && checks(&said)).then_some(at)
}

/// ISO 7064: with the first four behind the others and letters as 10 to 35, the number leaves 1 of 97.
fn checks(said: &[u8]) -> bool {
    let (head, tail) = said.split_at(4);
    let rest = tail.iter().chain(head).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        find(text, &mut found);
        found.into_iter().map(|finding| &text[finding.start..finding.end]).collect()
    }

    #[test]
    fn accounts_are_found() {
        for iban in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "DE89-3704-0044-0532-0130-00",
            "de89370400440532013000",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
            "ES9121000418450200051332",
            "IT60X0542811101000000123456",
            "NL91ABNA0417164300",
            "AT611904300234573201",
            "CH9300762011623852957",
            "NO9386011117947",
            "BE68539007547034",
            "AL47 2121 1009 0000 0002 3569 8741",
            "AD12 0001 2030 2003 5910 0100",
            "BY13 NBRB 3600 9000 0000 2Z00 AB00",
            "HU42 1177 3016 1111 1018 0000 0000",
            "LI21 0881 0000 2324 013A A",
            "MU17 BOMM 0101 1010 3030 0200 000M UR",
            "QA58 DOHB 0000 1234 5678 90AB CDEF G",
            "RO49 AAAA 1B31 0075 9384 0000",
            "SE45 5000 0000 0583 9825 7466",
            "TR33 0006 1005 1978 6457 8413 26",
            "PK36SCBL0000001123456702",
            "MT84MALT011000012345MTLCAST001S",
            "LC55HEMM000100010012001200023015",
            "BR1800360305000010009795493C1",
            "SC18SSCB11010000000000001497USD",
        ] {
            for text in [iban.to_owned(), format!("IBAN: {iban}."), format!("from ({iban}) to"), format!("は{iban}は")]
            {
                assert_eq!(found(&text), [iban], "{text}");
            }
        }
        assert_eq!(found("DE89 3704 0044 0532 0130 00 12"), ["DE89 3704 0044 0532 0130 00"]);
    }

    #[test]
    fn what_only_looks_like_an_account_is_not_found() {
        for text in [
            "AL47 212A 1009 0000 0002 3569 8741",
            "G T82 TRAJ 0102 0000 0012 1002 9690",
            "EE38 2200 2210  014 5686",
            "DE88370400440532013000",
            "DE8937040044053201300",
            "DE893704004405320130001",
            "XX89370400440532013000",
            "xDE89370400440532013000",
            "DE89370400440532013000x",
            "DE89 37 0400 4405 3201 3000",
            "DE89  3704 0044 0532 0130 00",
            "DE89 3704-0044 0532 0130 00",
            "no 12 apples are in the tree today",
            "ДЕ89370400440532013000",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn the_countries_stand_in_order_and_once() {
        let known: Vec<&str> = LENGTHS.split_ascii_whitespace().collect();
        assert!(known.is_sorted_by(|a, b| a[..2] < b[..2]), "{known:?}");
        assert!(known.iter().all(|known| known[2..].parse().is_ok_and(|length: usize| (15..=34).contains(&length))));
    }
}
