//! How fast one endpoint is called: so many calls at a time, fewer where it says that they are too many, and none while
//! it asks for a pause.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The pace of one endpoint, shared by all calls of it.
#[derive(Debug)]
pub(super) struct Pace {
    state: Mutex<State>,
    changed: Notify,
    /// Between two requests; none where there is no limit.
    interval: Option<Duration>,
    most: u32,
}

#[derive(Debug)]
struct State {
    under_way: u32,
    limit: u32,
    paused_until: Option<Instant>,
    next_request: Instant,
    limit_changed: Instant,
    /// The last answers, the newest in the lowest bit: 1 where the endpoint said that it is too much.
    answers: u32,
}

/// The right to one request. Given back when dropped.
#[derive(Debug)]
pub(super) struct Slot<'p>(&'p Pace);

/// Clean time after which one call more is let through.
const RECOVERY: Duration = Duration::from_secs(2);
/// Calls that were under way together complain together; that is one complaint.
const EPISODE: Duration = Duration::from_secs(1);
/// The answers that are looked at, the newest in the lowest bit.
const RECENT: u32 = 0xff;
/// So many complaints among these are no chance: the endpoint means everybody. One alone means the call that it answers.
const COMPLAINTS: u32 = 4;
/// Who asks for so long a pause means everybody, said once.
const LONG: Duration = Duration::from_secs(60);

impl Pace {
    pub(super) fn new(most: u32, per_second: Option<f64>) -> Self {
        let now = Instant::now();
        let most = most.max(1);
        let state =
            State { under_way: 0, limit: most, paused_until: None, next_request: now, limit_changed: now, answers: 0 };
        let interval = per_second.filter(|rate| rate.is_finite() && *rate > 0.0);
        let interval = interval.map(|rate| Duration::from_secs_f64((1.0 / rate).min(86_400.0)));
        Self { state: Mutex::new(state), changed: Notify::new(), interval, most }
    }

    /// Waits for the right to one request.
    ///
    /// # Errors
    /// How long the endpoint asks to wait, where that is longer than `patience`.
    pub(super) async fn enter(&self, patience: Duration) -> Result<Slot<'_>, Duration> {
        loop {
            // Registered before the look, so that no change between look and wait is missed.
            let changed = self.changed.notified();
            let wait = self.look();
            match wait {
                Wait::Enter(at) => {
                    let slot = Slot(self);
                    if at > Instant::now() {
                        tokio::time::sleep_until(at).await;
                        if self.is_paused() {
                            continue;
                        }
                    }
                    return Ok(slot);
                }
                Wait::Pause(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left > patience {
                        return Err(left);
                    }
                    // Whoever is woken and then waits for the pause passes the word on.
                    self.changed.notify_one();
                    tokio::time::sleep_until(until).await;
                }
                Wait::Turn => changed.await,
            }
        }
    }

    /// The endpoint said that it is too much, and how long to wait. Whoever it said that to waits in any case; where it
    /// says so to everybody, nobody sends anything for that long, and then half as many at a time.
    pub(super) fn ease(&self, wait: Option<Duration>) {
        let now = Instant::now();
        let mut state = self.lock();
        state.answers = state.answers << 1 | 1;
        let crowded = (state.answers & RECENT).count_ones() >= COMPLAINTS;
        if !crowded && wait.is_none_or(|wait| wait < LONG) {
            return;
        }
        if let Some(wait) = wait {
            let until = now + wait.min(Duration::from_secs(7 * 86_400));
            state.paused_until = Some(state.paused_until.map_or(until, |known| known.max(until)));
        }
        if state.limit == self.most || now.duration_since(state.limit_changed) >= EPISODE {
            state.limit = (state.limit / 2).max(1);
            state.limit_changed = now;
        }
    }

    /// The endpoint answered as it should.
    pub(super) fn went_well(&self) {
        let now = Instant::now();
        let mut state = self.lock();
        state.answers <<= 1;
        if state.limit < self.most && now.duration_since(state.limit_changed) >= RECOVERY {
            state.limit += 1;
            state.limit_changed = now;
            drop(state);
            self.changed.notify_one();
        }
    }

    fn look(&self) -> Wait {
        let now = Instant::now();
        let mut state = self.lock();
        match state.paused_until {
            Some(until) if until > now => return Wait::Pause(until),
            Some(_) => state.paused_until = None,
            None => {}
        }
        if state.under_way >= state.limit {
            return Wait::Turn;
        }
        state.under_way += 1;
        let at = state.next_request.max(now);
        if let Some(interval) = self.interval {
            state.next_request = at + interval;
        }
        Wait::Enter(at)
    }

    fn is_paused(&self) -> bool {
        self.lock().paused_until.is_some_and(|until| until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave a state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Wait {
    Enter(Instant),
    Pause(Instant),
    Turn,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(pace: &Pace) -> u32 {
        pace.lock().limit
    }

    /// As if this much time had passed since the limit changed.
    fn later(pace: &Pace, time: Duration) {
        let mut state = pace.lock();
        state.limit_changed = state.limit_changed.checked_sub(time).expect("a machine that runs for a while");
    }

    #[test]
    fn who_complains_again_and_again_is_asked_less_and_in_time_more() {
        let pace = Pace::new(32, None);
        for _ in 0..3 {
            pace.ease(None);
        }
        assert_eq!(limit(&pace), 32);
        pace.ease(None);
        assert_eq!(limit(&pace), 16);
        // Those that were under way with it say the same.
        for _ in 0..10 {
            pace.ease(None);
        }
        assert_eq!(limit(&pace), 16);
        later(&pace, EPISODE);
        pace.ease(None);
        assert_eq!(limit(&pace), 8);
        pace.went_well();
        assert_eq!(limit(&pace), 8);
        later(&pace, RECOVERY);
        pace.went_well();
        pace.went_well();
        assert_eq!(limit(&pace), 9);
    }

    #[test]
    fn a_complaint_now_and_then_slows_nothing_down() {
        let pace = Pace::new(32, None);
        for number in 0..200 {
            if number % 20 == 0 { pace.ease(None) } else { pace.went_well() }
        }
        assert_eq!(limit(&pace), 32);
    }

    #[test]
    fn it_never_stops_altogether() {
        let pace = Pace::new(2, None);
        for _ in 0..100 {
            later(&pace, EPISODE);
            pace.ease(None);
        }
        assert_eq!(limit(&pace), 1);
        assert_eq!(limit(&Pace::new(0, None)), 1);
    }
}
