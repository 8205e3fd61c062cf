//! The laws of `allowed_signers`, over lives of few people with few keys: keys come, go, change hands and return.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::sample::key;
use super::{AllowedSigners, PublicKey};

/// Who holds which key, one after the other; a key is held by one person at a time.
fn lives() -> impl Strategy<Value = Vec<Vec<(String, PublicKey)>>> {
    let holder = prop::option::of(prop::sample::select(vec!["ana", "ben@example.com", "bot"]));
    let moment = prop::collection::vec(holder, 3).prop_map(|holders| {
        let held = holders.into_iter().enumerate().filter_map(|(at, holder)| Some((holder?, at)));
        held.map(|(holder, at)| (holder.to_owned(), key(u8::try_from(at).expect("three keys")))).collect()
    });
    prop::collection::vec(moment, 1..6)
}

/// The file after each moment.
fn files(life: &[Vec<(String, PublicKey)>]) -> Vec<AllowedSigners> {
    let mut signers = AllowedSigners::default();
    let mut time = DateTime::<Utc>::UNIX_EPOCH;
    let mut files = Vec::new();
    for current in life {
        time += TimeDelta::hours(1);
        signers = signers.follow(current, time);
        files.push(signers.clone());
    }
    files
}

fn lines(signers: &AllowedSigners) -> Vec<String> {
    signers.to_string().lines().map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_is_read_as_it_was_written(life in lives()) {
        for signers in files(&life) {
            prop_assert_eq!(AllowedSigners::parse(&signers.to_string()), Ok(signers));
        }
    }

    #[test]
    fn each_file_extends_all_before_it_and_a_closed_line_stays_as_it_is(life in lives()) {
        let files = files(&life);
        for (at, later) in files.iter().enumerate() {
            for earlier in &files[..at] {
                prop_assert!(later.extends(earlier));
                prop_assert!(later == earlier || !earlier.extends(later), "what was said is not taken back");
                for (old, new) in lines(earlier).iter().zip(lines(later)) {
                    prop_assert!(!old.contains("valid-before") || *old == new);
                }
            }
        }
    }

    #[test]
    fn open_are_exactly_the_keys_that_count_now(life in lives()) {
        for (current, signers) in life.iter().zip(files(&life)) {
            let mut open: Vec<_> = lines(&signers).into_iter().filter(|line| !line.contains("valid-before")).collect();
            let namespaces = "namespaces=\"git,joch-evidence@v1\"";
            let mut expected: Vec<_> = current.iter().map(|(who, key)| format!("{who} {namespaces} {key}")).collect();
            for line in &mut open {
                let since = line.find(",valid-after=").expect("each says since when");
                line.replace_range(since..since + ",valid-after=\"19700101010000Z\"".len(), "");
            }
            open.sort();
            expected.sort();
            prop_assert_eq!(open, expected);
            prop_assert_eq!(signers.follow(current, DateTime::<Utc>::MAX_UTC), signers, "nothing new changes nothing");
        }
    }

    #[test]
    fn a_key_counts_in_the_hours_in_which_somebody_held_it_and_in_no_other(life in lives()) {
        let files = files(&life);
        let last = files.last().expect("a life has a moment");
        for key in (0..3).map(key) {
            for half in 0..2 * life.len() + 2 {
                let time = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(30 * i64::try_from(half).expect("few"));
                let held = |hour: usize| {
                    let at = hour.checked_sub(1).map(|at| at.min(life.len() - 1));
                    at.is_some_and(|at| life[at].iter().any(|(_, held)| *held == key))
                };
                // At the moment of a change both who held it and who holds it count: Git has no shorter time.
                let expected = held(half / 2) || half % 2 == 0 && half / 2 <= life.len() && held((half / 2).saturating_sub(1));
                prop_assert_eq!(last.covers(&key, time), expected, "{} {}", half, last);
            }
        }
    }
}

#[test]
fn a_ledger_that_began_without_valid_after_goes_on() {
    let old = |lines: &[&str]| AllowedSigners::parse(&lines.concat()).expect("an older file");
    let time = DateTime::<Utc>::UNIX_EPOCH;
    let line =
        |who: &str, seed: u8, more: &str| format!("{who} namespaces=\"git,joch-evidence@v1\"{more} {}\n", key(seed));
    let (ana, ben) = (("ana".to_owned(), key(1)), ("ben".to_owned(), key(2)));
    let (after, before) = (",valid-after=\"19700101000000Z\"", ",valid-before=\"19700101000000Z\"");
    let first = old(&[&line("ana", 1, "")]);
    assert!(first.covers(&key(1), DateTime::<Utc>::MIN_UTC));
    let undated = old(&[&line("ana", 1, before), &line("ben", 2, "")]);
    let dated = old(&[&line("ana", 1, before), &line("ben", 2, after)]);
    for next in [&undated, &dated] {
        assert!(next.follows(&first, std::slice::from_ref(&ben), time) && next.extends(&first));
    }
    assert_eq!(first.follow(std::slice::from_ref(&ben), time), dated);
    let both = [ben, ana];
    let back = |more: &str| old(&[&line("ana", 1, before), &line("ben", 2, after), &line("ana", 1, more)]);
    assert!(back(after).follows(&dated, &both, time));
    assert!(!back("").follows(&dated, &both, time), "once a line says since when, each new one does");
    assert!(!back(",valid-after=\"19690101000000Z\"").follows(&dated, &both, time), "nobody counts from before");
    assert!(!old(&[&line("ana", 1, after)]).extends(&first), "an old line gets no other beginning");
}

#[test]
fn what_joch_does_not_write_is_refused() {
    let key = key(1);
    let namespaces = "namespaces=\"git,joch-evidence@v1\"";
    assert!(AllowedSigners::parse(&format!("# a note\n\nana {namespaces} {key}\n")).is_ok());
    for line in [
        format!("* {namespaces} {key}"),
        format!("ana,ben {namespaces} {key}"),
        format!("!ana {namespaces} {key}"),
        format!("\"ana\" {namespaces} {key}"),
        format!("ana cert-authority {key}"),
        format!("ana namespaces=\"git\" {key}"),
        format!("ana namespaces=\"*\" {key}"),
        format!("ana {namespaces},cert-authority {key}"),
        format!("ana {namespaces},valid-before=\"20240101000000Z\",valid-after=\"20230101000000Z\" {key}"),
        format!("ana {namespaces},valid-after=\"20240101000000Z\",valid-after=\"20240101000000Z\" {key}"),
        format!("ana {namespaces},valid-after=\"20240101000000Z {key}"),
        format!("ana {namespaces},valid-after=\"20240101000000\" {key}"),
        format!("ana {namespaces},valid-after=\"20240101000000Z\"x {key}"),
        format!("ana {namespaces},valid-after=\"20241301000000Z\" {key}"),
        format!("ana {namespaces},valid-after=\"+2024101000000Z\" {key}"),
        format!("ana {namespaces},valid-before=\"20240101\" {key}"),
        format!("ana {key}"),
        "ana".to_owned(),
    ] {
        assert!(AllowedSigners::parse(&line).is_err(), "{line}");
    }
}

#[test]
fn a_line_dropped_reopened_or_put_elsewhere_does_not_extend() {
    let (open, closed) = (
        "ana namespaces=\"git,joch-evidence@v1\"",
        "ana namespaces=\"git,joch-evidence@v1\",valid-before=\"20240101000000Z\"",
    );
    let read = |lines: &[String]| AllowedSigners::parse(&lines.join("\n")).expect("of joch's form");
    let line = |options: &str, seed: u8| format!("{options} {}", key(seed));
    let earlier = read(&[line(closed, 1), line(open, 2)]);
    assert!(read(&[line(closed, 1), line(closed, 2), line(open, 1)]).extends(&earlier));
    for later in [
        vec![line(closed, 1)],
        vec![line(open, 1), line(open, 2)],
        vec![line(open, 2), line(closed, 1)],
        vec![line(&closed.replace("2024", "2023"), 1), line(open, 2)],
        vec![line(&closed.replace("ana", "ben"), 1), line(open, 2)],
    ] {
        assert!(!read(&later).extends(&earlier), "{later:?}");
    }
}
