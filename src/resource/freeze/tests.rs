//! Freezes over nights, the ends of years and changes of clocks, and everything that cannot be read.

use super::*;
use crate::resource::yaml::{Found, read};

fn value(freeze: &str) -> Value {
    let text = format!("apiVersion: joch.dev/v1alpha1\nkind: Environment\nmetadata: {{name: prod}}\nspec: {freeze}");
    let mut read = read("x.yaml", &text, Found::Named);
    assert!(!read.documents.is_empty(), "{text} {:?}", read.findings);
    read.documents.remove(0).resource.spec().clone()
}

fn freeze(when: &str) -> Freeze {
    Freeze::read(&value(&format!("{{{when}, reason: year's end, owner: ops@example.com}}"))).expect(when)
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("a moment").to_utc()
}

/// When it ends, if it holds then.
fn until(freeze: &Freeze, now: &str) -> String {
    match freeze.holds(at(now)) {
        None => "open".into(),
        Some(Until::Lifted) => "lifted".into(),
        Some(Until::Moment(end)) => end.format("%m-%dT%H:%MZ").to_string(),
    }
}

#[test]
fn a_window_holds_from_its_first_moment_until_before_its_last() {
    let window = freeze("from: 2026-12-20T18:00, to: 2027-01-02T06:00, timeZone: Europe/Berlin");
    for (now, expected) in [
        ("2026-12-20T16:59:59Z", "open"),
        ("2026-12-20T17:00:00Z", "01-02T05:00Z"),
        ("2026-12-31T23:30:00Z", "01-02T05:00Z"),
        ("2027-01-02T04:59:59Z", "01-02T05:00Z"),
        ("2027-01-02T05:00:00Z", "open"),
    ] {
        assert_eq!(until(&window, now), expected, "{now}");
    }
    assert_eq!(window.told(at("2027-01-02T05:00:00Z")), "2027-01-02 06:00 Europe/Berlin (2027-01-02 05:00 UTC)");
    assert_eq!(freeze("since: 2026-01-01T00:00Z").told(at("2027-01-02T05:00:00Z")), "2027-01-02 05:00 UTC");
}

#[test]
fn a_day_alone_is_all_of_it_at_both_ends() {
    let window = freeze("from: 2026-12-24, to: 2026-12-26, timeZone: America/New_York");
    assert_eq!(until(&window, "2026-12-24T04:59:00Z"), "open");
    assert_eq!(until(&window, "2026-12-24T05:00:00Z"), "12-27T05:00Z");
    assert_eq!(until(&window, "2026-12-27T04:59:00Z"), "12-27T05:00Z");
}

#[test]
fn a_moment_with_an_offset_of_its_own_needs_no_zone() {
    let window = freeze("from: \"2026-06-01T00:00+02:00\", to: \"2026-06-02T00:00:00Z\"");
    assert_eq!(until(&window, "2026-05-31T22:00:00Z"), "06-02T00:00Z");
    assert_eq!(until(&window, "2026-05-31T21:59:59Z"), "open");
}

#[test]
fn a_time_that_a_clock_shows_twice_freezes_from_the_first_to_the_second() {
    // In Berlin 02:00 to 03:00 comes twice on 25 October 2026: at 00:00Z and at 01:00Z.
    let from = freeze("from: 2026-10-25T02:30, to: 2026-10-26T00:00, timeZone: Europe/Berlin");
    assert_eq!(until(&from, "2026-10-25T00:29:00Z"), "open");
    assert_eq!(until(&from, "2026-10-25T00:30:00Z"), "10-25T23:00Z");
    let to = freeze("from: 2026-10-24T00:00, to: 2026-10-25T02:30, timeZone: Europe/Berlin");
    assert_eq!(until(&to, "2026-10-25T01:29:00Z"), "10-25T01:30Z");
    assert_eq!(until(&to, "2026-10-25T01:30:00Z"), "open");
}

#[test]
fn a_time_that_a_clock_leaves_out_freezes_as_long_as_either_reading_does() {
    // In Berlin 02:00 to 03:00 is left out on 29 March 2026, at 01:00Z.
    let from = freeze("from: 2026-03-29T02:30, to: 2026-03-30T00:00, timeZone: Europe/Berlin");
    assert_eq!(until(&from, "2026-03-29T00:29:00Z"), "open");
    assert_eq!(until(&from, "2026-03-29T00:30:00Z"), "03-29T22:00Z");
    let to = freeze("from: 2026-03-28T00:00, to: 2026-03-29T02:30, timeZone: Europe/Berlin");
    assert_eq!(until(&to, "2026-03-29T01:29:00Z"), "03-29T01:30Z");
    assert_eq!(until(&to, "2026-03-29T01:30:00Z"), "open");
}

#[test]
fn weekly_hours_run_over_midnight_and_into_the_next_day() {
    let nights = freeze("weekly: {days: [fri], hours: \"22:00-06:00\"}, timeZone: Europe/Berlin");
    // 27 November 2026 is a Friday.
    for (now, expected) in [
        ("2026-11-27T20:59:00Z", "open"),
        ("2026-11-27T21:00:00Z", "11-28T05:00Z"),
        ("2026-11-28T04:59:00Z", "11-28T05:00Z"),
        ("2026-11-28T05:00:00Z", "open"),
        ("2026-11-28T21:30:00Z", "open"),
        ("2026-11-27T00:00:00Z", "open"),
    ] {
        assert_eq!(until(&nights, now), expected, "{now}");
    }
}

#[test]
fn days_in_a_row_end_where_the_last_of_them_does_also_over_the_end_of_a_year() {
    let weekends =
        freeze("weekly: {days: [friday, Sat, SUN], hours: [\"00:00-12:00\", \"12:00-24:00\"]}, timeZone: UTC");
    // 1 January 2027 is a Friday.
    assert_eq!(until(&weekends, "2026-12-31T23:59:59Z"), "open");
    assert_eq!(until(&weekends, "2027-01-01T00:00:00Z"), "01-04T00:00Z");
    let always = freeze("weekly: {days: [mon, tue, wed, thu, fri, sat, sun]}, timeZone: Asia/Kolkata");
    assert_eq!(until(&always, "2026-12-31T23:59:59Z"), "lifted");
}

#[test]
fn a_weekly_window_over_a_change_of_clocks_has_no_hole() {
    let night = freeze("weekly: {days: sunday, hours: \"01:00-02:30\"}, timeZone: Europe/Berlin");
    for minute in 0..150 {
        let now = at("2026-10-24T23:00:00Z") + TimeDelta::minutes(minute);
        assert!(night.holds(now).is_some(), "{now}");
    }
    assert_eq!(until(&night, "2026-10-25T01:30:00Z"), "open");
    // The hours that the clock leaves out are not free either.
    let gap = freeze("weekly: {days: sunday, hours: \"02:00-03:00\"}, timeZone: Europe/Berlin");
    assert_eq!(until(&gap, "2026-03-29T00:30:00Z"), "03-29T01:00Z");
}

#[test]
fn a_zone_that_left_out_a_day_freezes_around_it() {
    // Samoa went from 29 to 31 December 2011.
    let window = freeze("from: 2011-12-30T10:00, to: 2011-12-30T12:00, timeZone: Pacific/Apia");
    assert_eq!(until(&window, "2011-12-30T10:00:00Z"), "12-30T22:00Z");
}

#[test]
fn a_lock_holds_until_it_runs_out_or_somebody_lifts_it() {
    let since = "since: \"2026-05-01T00:00Z\"";
    assert_eq!(until(&freeze(since), "2026-04-30T23:59:00Z"), "open");
    assert_eq!(until(&freeze(since), "2036-05-01T00:00:00Z"), "lifted");
    let lock = freeze(&format!("{since}, expires: \"2026-05-02T00:00Z\""));
    assert_eq!(until(&lock, "2026-05-01T23:59:59Z"), "05-02T00:00Z");
    assert_eq!(until(&lock, "2026-05-02T00:00:00Z"), "open");
    let bare = Freeze::read(&value("{reason: r, owner: o}")).expect("a lock from now on");
    assert_eq!(until(&bare, "1970-01-01T00:00:00Z"), "lifted");
}

#[test]
fn what_cannot_be_read_says_what_is_wrong() {
    let ends = "from: 2026-12-20T00:00, to: 2026-12-21T00:00, timeZone: Europe/Berlin";
    for (freeze, says) in [
        (format!("{{{ends}, owner: o}}"), "it names no `reason`"),
        (format!("{{{ends}, reason: r}}"), "it names no `owner`"),
        (format!("{{{ends}, reason: '  ', owner: o}}"), "it names no `reason`"),
        (format!("{{{ends}, reason: 5, owner: o}}"), "its `reason` is a number"),
        ("{reason: r, owner: o, form: 2026-12-20}".into(), "`form` is no field of a freeze: did you mean `from`?"),
        ("{reason: r, owner: o, from: 2026-12-20T00:00Z}".into(), "a window has `from` and `to`"),
        ("{reason: r, owner: o, from: 2026-12-20T00:00, to: 2026-12-21T00:00}".into(), "names no `timeZone`"),
        ("{reason: r, owner: o, from: soon, to: later, timeZone: UTC}".into(), "its `from` is no moment"),
        ("{reason: r, owner: o, from: 2026-02-30, to: 2026-03-01, timeZone: UTC}".into(), "its `from` is no moment"),
        ("{reason: r, owner: o, from: 99999-01-01, to: 99999-01-02, timeZone: UTC}".into(), "its `from` is no moment"),
        ("{reason: r, owner: o, from: 5, to: 6}".into(), "its `from` is no moment"),
        ("{reason: r, owner: o, from: 2026-12-21T00:00Z, to: 2026-12-20T00:00Z}".into(), "its `to` is not after"),
        ("{reason: r, owner: o, since: 2026-12-21T00:00Z, expires: 2026-12-20T00:00Z}".into(), "its `expires` is not"),
        ("{reason: r, owner: o, since: 2026-12-21T00:00Z, to: 2026-12-20T00:00Z}".into(), "one of three"),
        ("{reason: r, owner: o, timeZone: Europe/Berln}".into(), "did you mean `Europe/Berlin`?"),
        ("{reason: r, owner: o, timeZone: CEST}".into(), "no time zone is called `CEST`"),
        ("{reason: r, owner: o, timeZone: 2}".into(), "its `timeZone` is a number"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: {hours: \"00:00-01:00\"}}".into(), "names no `days`"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: {days: []}}".into(), "names no `days`"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: {days: [fr]}}".into(), "`fr` is no day"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: {days: [fri], hours: []}}".into(), "its `hours` are 0 spans"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: {days: [fri], hours: 9-17}}".into(), "are no hours"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: {days: [fri], hours: \"09:00-09:00\"}}".into(), "are no hours"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: {days: [fri], hours: \"09:00-25:00\"}}".into(), "are no hours"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: {day: fri}}".into(), "`day` is no field of `weekly`"),
        ("{reason: r, owner: o, timeZone: UTC, weekly: friday}".into(), "its `weekly` is text"),
        ("{reason: r, owner: o, weekly: {days: fri}}".into(), "names no `timeZone`"),
    ] {
        let why = Freeze::read(&value(&freeze)).expect_err(&freeze);
        assert!(why.contains(says), "{freeze}: {why}");
    }
    assert!(Freeze::read(&"friday".into()).is_err());
    let told: Vec<_> = read_all(Some(&"always".into())).into_iter().map(|read| read.is_err()).collect();
    assert_eq!(told, [true], "what is no list is not no freeze");
    assert!(read_all(Some(&Value::Null)).is_empty() && read_all(None).is_empty());
}
