//! Payment cards: a number that an issuer may give out, with the right check digit, grouped as cards are.

use super::around::{alone, digit_after, digit_before};
use super::digits::{Group, chain, digits};
use super::find::Finding;

/// How digits are grouped on cards.
const SHAPES: [&[usize]; 9] = [
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4, 2],
    &[4, 4, 4, 3],
    &[4, 4, 4, 1],
    &[8, 8],
    &[6, 13],
];
const LONGEST: usize = 19;

pub(super) fn find(text: &str, groups: &[Group], found: &mut Vec<Finding>) {
    let mut at = 0;
    while at < groups.len() {
        match card(text, &groups[at..]) {
            Some(count) => {
                let (start, end) = (groups[at].start, groups[at + count - 1].end);
                found.push(Finding { detector: "credit-card", start, end });
                at += count;
            }
            None => at += 1,
        }
    }
}

/// Of how many of these groups, from the first on, a card is made; the longest that is one.
fn card(text: &str, groups: &[Group]) -> Option<usize> {
    // Nothing is grouped like that.
    if !matches!(groups[0].len(), 1 | 4 | 6 | 8 | 13..=LONGEST) {
        return None;
    }
    // A row of single digits is a card only where it is long enough.
    let single = |group: &Group| group.len() == 1;
    if single(&groups[0]) && groups.iter().take(13).filter(|group| single(group)).count() < 13 {
        return None;
    }
    let most = chain(text, groups, &[" ", "-", "."], LONGEST);
    (1..=most).rev().find(|count| {
        let groups = &groups[..*count];
        let (start, end) = (groups[0].start, groups[count - 1].end);
        let lengths = || groups.iter().map(|group| group.len());
        let shape = match count {
            1 => (13..=LONGEST).contains(&groups[0].len()),
            13.. => lengths().all(|length| length == 1),
            _ => SHAPES.iter().any(|shape| lengths().eq(shape.iter().copied())),
        };
        shape
            && is_card(&digits(text, groups))
            && alone(text, start, end)
            && !digit_before(text, start, &['.'])
            && !digit_after(text, end, &['.'])
    })
}

fn is_card(digits: &[u8]) -> bool {
    let begins = |length: usize| digits[..length].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let issued = match (digits[0], digits.len()) {
        // UATP.
        (1, 15) => true,
        (2, 16) => (2221..=2720).contains(&begins(4)),
        // American Express; Diners Club; JCB.
        (3, 15) => matches!(begins(2), 34 | 37),
        (3, 14) => matches!(begins(2), 30 | 36 | 38 | 39),
        (3, 16..=19) => (3528..=3589).contains(&begins(4)) || matches!(begins(2), 30 | 36 | 38 | 39),
        (4, 13 | 16 | 19) => true,
        // Mastercard; Maestro.
        (5, 16) => true,
        (5, _) => matches!(begins(2), 50 | 56..=58),
        (6, _) => true,
        _ => false,
    };
    issued && digits.iter().any(|digit| *digit != digits[0]) && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().rev().enumerate().fold(0, |sum, (place, digit)| {
        let doubled = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
        sum + doubled / 10 + doubled % 10
    });
    sum.is_multiple_of(10)
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
    fn cards_are_found() {
        for card in [
            "4111111111111111",
            "4242 4242 4242 4242",
            "4012-8888-8888-1881",
            "4012.8888.8888.1881",
            "4222222222222",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "3782 822463 10005",
            "30569309025904",
            "3056 930902 5904",
            "6011111111111117",
            "3530111333300000",
            "122000000000003",
            "5019717010103742",
            "6759649826438453",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        ] {
            for text in [card.to_owned(), format!("card: {card}."), format!("({card}, 12/27)"), format!("は{card}は")]
            {
                assert_eq!(found(&text), [card], "{text}");
            }
        }
        assert_eq!(found("1) 4111 1111 1111 1111 123"), ["4111 1111 1111 1111"]);
        assert_eq!(found("7 4111 1111 1111 1111"), ["4111 1111 1111 1111"]);
        let three = "4012888888881881 4012-8888-8888-1881 4012 8888 8888 1881";
        assert_eq!(found(three), ["4012888888881881", "4012-8888-8888-1881", "4012 8888 8888 1881"]);
        assert_eq!(found("17,4111111111111111,joe"), ["4111111111111111"]);
    }

    #[test]
    fn what_only_looks_like_a_card_is_not_found() {
        for text in [
            "4111111111111112",
            "36168002586008",
            "4111 1111 1111 1112",
            "0000000000000000",
            "4444444444444444",
            "1700000000000",
            "1700000000000000000",
            "x4111111111111111",
            "4111111111111111x",
            "_4111111111111111",
            "41111111111111111111111",
            "0.4111111111111111",
            "4111111111111111.50",
            "41 1111 111111 1111",
            "4111 1111-1111 1111",
            "4111  1111  1111  1111",
            "41111111-1111-1111-1111-111111111111",
            "9999999999999995",
            "411111111111111а",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
