//! When an environment stands still: windows by a zone's own clock, once or every week, and locks that somebody lifts.
//!
//! What cannot be read is an error and never an open door; where a clock shows a time twice or leaves it out, the
//! window is as wide as any reading makes it.

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc, Weekday,
};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::name::nearest;
use super::value::{Map, Value};

/// The fields of a freeze; another key is refused, for it may have been meant as one of these.
pub const FIELDS: [&str; 8] = ["from", "to", "weekly", "since", "expires", "timeZone", "reason", "owner"];

/// Why and when an environment stands still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Why.
    pub reason: String,
    /// Who can be asked.
    pub owner: String,
    zone: Tz,
    when: When,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    /// From the first moment until before the second.
    Once(DateTime<Utc>, DateTime<Utc>),
    /// The days of a week and the hours of each, in minutes from its midnight; the end may lie in the next day.
    Weekly(Vec<Weekday>, Vec<(u32, u32)>),
    /// Since a moment, until it runs out or somebody lifts it.
    Lock(Option<DateTime<Utc>>, Option<DateTime<Utc>>),
}

/// Until when a freeze holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// This moment, at which it is over.
    Moment(DateTime<Utc>),
    /// Somebody lifts it.
    Lifted,
}

/// How many windows in a row are followed to find when a weekly freeze ends: more than a week holds.
const MOST_WINDOWS: usize = 8 * MOST_SPANS;
/// How many spans of hours one freeze may have.
const MOST_SPANS: usize = 24;
/// The minutes of a day.
const DAY: u32 = 24 * 60;

impl Freeze {
    /// Reads one entry of `spec.freezes`.
    ///
    /// # Errors
    /// What is missing or cannot be understood. Whoever asks must take that for a freeze.
    pub fn read(value: &Value) -> Result<Self, String> {
        let map = value.as_map().ok_or_else(|| format!("a freeze is a map, not {}", value.type_name()))?;
        if let Some(key) = map.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let meant = nearest(key, FIELDS)
                .map_or_else(|| format!("it has {}", FIELDS.join(", ")), |meant| format!("did you mean `{meant}`?"));
            return Err(format!("`{key}` is no field of a freeze: {meant}"));
        }
        let (reason, owner) = (said(map, "reason")?, said(map, "owner")?);
        let zone = zone(map)?;
        let has = |key: &str| !matches!(map.get(key), None | Some(Value::Null));
        let moment = |key: &str, end: Side| map.get(key).filter(|_| has(key)).map(|at| moment(key, at, zone, end));
        let when = match (has("weekly"), has("from") || has("to"), has("since") || has("expires")) {
            (true, false, false) => weekly(&map["weekly"])?,
            (false, true, false) => {
                let (Some(from), Some(to)) = (moment("from", Side::Early), moment("to", Side::Late)) else {
                    return Err("a window has `from` and `to`; a lock has `since` and `expires`, or neither".into());
                };
                let (from, to) = (from?, to?);
                if to <= from {
                    return Err("its `to` is not after its `from`".into());
                }
                When::Once(from, to)
            }
            (false, false, _) => {
                let (since, expires) = (moment("since", Side::Early), moment("expires", Side::Late));
                let (since, expires) = (since.transpose()?, expires.transpose()?);
                if since.zip(expires).is_some_and(|(since, expires)| expires <= since) {
                    return Err("its `expires` is not after its `since`".into());
                }
                When::Lock(since, expires)
            }
            _ => return Err("a freeze is one of three: `from` and `to`; `weekly`; or `since` and `expires`".into()),
        };
        let local = matches!(when, When::Weekly(..));
        if local && !has("timeZone") {
            return Err(needs_zone("weekly"));
        }
        Ok(Self { reason, owner, zone: zone.unwrap_or(Tz::UTC), when })
    }

    /// Until when it holds, if it holds at this moment.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> Option<Until> {
        match &self.when {
            When::Once(from, to) => (*from <= now && now < *to).then_some(Until::Moment(*to)),
            When::Lock(since, expires) => {
                let begun = since.is_none_or(|since| since <= now);
                match expires {
                    Some(expires) => (begun && now < *expires).then_some(Until::Moment(*expires)),
                    None => begun.then_some(Until::Lifted),
                }
            }
            When::Weekly(days, hours) => {
                let mut end = self.window(days, hours, now)?;
                for _ in 0..MOST_WINDOWS {
                    match self.window(days, hours, end) {
                        Some(later) => end = later,
                        None => return Some(Until::Moment(end)),
                    }
                }
                Some(Until::Lifted)
            }
        }
    }

    /// When the latest of the windows ends that a moment lies in.
    fn window(&self, days: &[Weekday], hours: &[(u32, u32)], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = now.with_timezone(&self.zone).date_naive();
        // A window reaches into the next day, and a clock is never set by more than a day.
        let near = (0..=4).filter_map(|back| today.checked_add_days(Days::new(2))?.checked_sub_days(Days::new(back)));
        let windows =
            near.filter(|day| days.contains(&day.weekday())).flat_map(|day| hours.iter().map(move |h| (day, h)));
        let ends = windows.filter_map(|(day, (from, to))| {
            let at = |minutes: u32| Some(day.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes.into()));
            let from = instant(at(*from)?, self.zone, Side::Early)?;
            let to = instant(at(*to)?, self.zone, Side::Late)?;
            (from <= now && now < to).then_some(to)
        });
        ends.max()
    }

    /// A moment as its own clock shows it, and in UTC.
    #[must_use]
    pub fn told(&self, moment: DateTime<Utc>) -> String {
        const FORM: &str = "%Y-%m-%d %H:%M";
        let utc = format!("{} UTC", moment.format(FORM));
        if self.zone == Tz::UTC {
            return utc;
        }
        format!("{} {} ({utc})", moment.with_timezone(&self.zone).format(FORM), self.zone.name())
    }
}

/// Reads `spec.freezes`, each entry on its own. What is no list is one entry that cannot be read.
#[must_use]
pub fn read_all(value: Option<&Value>) -> Vec<Result<Freeze, String>> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items.iter().map(Freeze::read).collect(),
        Some(one) => vec![Freeze::read(one)],
    }
}

/// Which of the readings of a clock's time counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The earliest: something begins.
    Early,
    /// The latest: something ends.
    Late,
}

fn said(map: &Map, key: &str) -> Result<String, String> {
    match map.get(key) {
        Some(Value::Text(text)) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        None | Some(Value::Null | Value::Text(_)) => Err(format!("it names no `{key}`")),
        Some(other) => Err(format!("its `{key}` is {}, and must be text", other.type_name())),
    }
}

fn zone(map: &Map) -> Result<Option<Tz>, String> {
    let name = match map.get("timeZone") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Text(name)) => name,
        Some(other) => return Err(format!("its `timeZone` is {}, and must be text", other.type_name())),
    };
    name.parse().map(Some).map_err(|_| {
        let meant = nearest(name, TZ_VARIANTS.iter().map(|zone| zone.name()));
        let meant =
            meant.map_or_else(|| "write a name such as `Europe/Berlin`".into(), |m| format!("did you mean `{m}`?"));
        format!("no time zone is called `{}`: {meant}", name.chars().take(60).collect::<String>())
    })
}

fn needs_zone(what: &str) -> String {
    format!("its `{what}` is by a clock, and it names no `timeZone`, such as `Europe/Berlin`")
}

/// A moment: with an offset of its own, or by the clock of the zone. A day alone is all of it.
fn moment(key: &str, value: &Value, zone: Option<Tz>, side: Side) -> Result<DateTime<Utc>, String> {
    let wrong =
        || format!("its `{key}` is no moment: write `2026-12-20T18:00` with a `timeZone`, or `2026-12-20T18:00Z`");
    let text = value.as_text().ok_or_else(wrong)?;
    // So far people plan, and no arithmetic of a calendar overflows.
    let near = |date: NaiveDate| (1970..=9998).contains(&date.year());
    let whole = text.strip_suffix('Z').map_or_else(|| text.to_owned(), |rest| format!("{rest}+00:00"));
    for form in ["%Y-%m-%dT%H:%M:%S%:z", "%Y-%m-%dT%H:%M%:z"] {
        if let Ok(moment) = DateTime::parse_from_str(&whole, form) {
            return Some(moment.to_utc()).filter(|moment| near(moment.date_naive())).ok_or_else(wrong);
        }
    }
    let clock = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let shown = clock.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let shown = shown.or_else(|| {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| near(*day))?;
        let day = if side == Side::Late { day.succ_opt()? } else { day };
        Some(day.and_time(NaiveTime::MIN))
    });
    let shown = shown.filter(|shown| near(shown.date())).ok_or_else(wrong)?;
    let zone = zone.ok_or_else(|| needs_zone(key))?;
    instant(shown, zone, side).ok_or_else(wrong)
}

/// The moment at which the clock of a zone shows a time. Where it shows it twice, the side decides; where it leaves it
/// out, it is read by the clock before the change and by the one after it, and the side decides too.
fn instant(shown: NaiveDateTime, zone: Tz, side: Side) -> Option<DateTime<Utc>> {
    let read = zone.from_local_datetime(&shown);
    let by = |around: TimeDelta| {
        let near = shown.checked_add_signed(around)?;
        let offset = zone.offset_from_utc_datetime(&near).fix();
        Some(shown.checked_sub_offset(offset)?.and_utc())
    };
    let readings = match (read.earliest(), read.latest()) {
        (Some(one), Some(other)) => [one.to_utc(), other.to_utc()],
        _ => [by(TimeDelta::days(-1))?, by(TimeDelta::days(1))?],
    };
    match side {
        Side::Early => readings.into_iter().min(),
        Side::Late => readings.into_iter().max(),
    }
}

fn weekly(value: &Value) -> Result<When, String> {
    let map = value.as_map().ok_or_else(|| format!("its `weekly` is {}, and must be a map", value.type_name()))?;
    if let Some(key) = map.keys().find(|key| !["days", "hours"].contains(&key.as_str())) {
        return Err(format!("`{key}` is no field of `weekly`: it has days, hours"));
    }
    let days = map.get("days").ok_or("its `weekly` names no `days`")?;
    let days = each(days, "days")?.into_iter().map(weekday).collect::<Result<Vec<_>, _>>()?;
    if days.is_empty() || days.len() > 7 {
        return Err("its `weekly` names no `days`, or more than a week has".into());
    }
    let hours = match map.get("hours") {
        None | Some(Value::Null) => vec![(0, DAY)],
        Some(hours) => each(hours, "hours")?.into_iter().map(span).collect::<Result<Vec<_>, _>>()?,
    };
    if hours.is_empty() || hours.len() > MOST_SPANS {
        return Err(format!("its `hours` are {} spans, and may be 1 to {MOST_SPANS}", hours.len()));
    }
    Ok(When::Weekly(days, hours))
}

fn each<'v>(value: &'v Value, key: &str) -> Result<Vec<&'v str>, String> {
    let wrong = |other: &Value| format!("its `{key}` holds {}, and must hold text", other.type_name());
    match value {
        Value::Text(one) => Ok(vec![one]),
        Value::List(items) => items.iter().map(|item| item.as_text().ok_or_else(|| wrong(item))).collect(),
        other => Err(wrong(other)),
    }
}

fn weekday(word: &str) -> Result<Weekday, String> {
    const WORDS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let lower = word.to_ascii_lowercase();
    let known = WORDS.contains(&lower.as_str()) || WORDS.iter().any(|full| full[..3] == *lower);
    let day = Some(lower).filter(|_| known).and_then(|lower| lower.parse().ok());
    day.ok_or_else(|| {
        format!("`{}` is no day: write one of {}", word.chars().take(40).collect::<String>(), WORDS.join(", "))
    })
}

/// `18:00-24:00`, or `22:00-06:00` into the next day.
fn span(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("`{}` are no hours: write, say, `18:00-24:00`", text.chars().take(40).collect::<String>());
    let minutes = |text: &str| {
        let (hours, minutes) = text.trim().split_once(':')?;
        let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() == 2 && !text.starts_with('+'));
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        (minutes < 60 && hours * 60 + minutes <= DAY).then_some(hours * 60 + minutes)
    };
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let (from, to) = (minutes(from).ok_or_else(wrong)?, minutes(to).ok_or_else(wrong)?);
    match to {
        _ if from == to || from == DAY => Err(wrong()),
        to if to < from => Ok((from, to + DAY)),
        to => Ok((from, to)),
    }
}

#[cfg(test)]
mod tests;
