//! What calls are made with, beside who is called: the run, where programs find themselves, and the limits.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::client::Client;

/// What calls are made with. Cheap to clone; a judge gets a clone with a concurrency of its own.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The id of the run: requests of another run are never taken for repetitions of this one's.
    pub run: String,
    /// The one client of the run.
    pub client: Client,
    /// Calls at a time; what the target itself says counts too.
    pub concurrency: u32,
    /// How often a failed call is repeated.
    pub retries: u32,
    /// Requests per second, of this process; none means as many as there are.
    pub per_second: Option<f64>,
    /// Where the pauses between attempts begin to be drawn.
    pub seed: u64,
    /// What is too much, and too long.
    pub limits: Limits,
    /// The project: where programs run.
    pub project: PathBuf,
    /// `PATH` and `HOME` of programs.
    pub variables: Vec<(OsString, OsString)>,
    /// The recording, for a `replay` target.
    pub recording: Option<Arc<[u8]>>,
}

/// What is too much, and too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of an agent's answer, unpacked.
    pub answer: usize,
    /// Most bytes of a judge's answer, unpacked.
    pub judgement: usize,
    /// The first pause after a failed attempt is at most this long, the next twice as much, …
    pub first_pause: Duration,
    /// … up to this.
    pub longest_pause: Duration,
    /// How long a call waits in all for an endpoint that asks for patience, before it gives up.
    pub patience: Duration,
}

/// Where https goes through. Plain http never goes through a proxy, and nothing that stays on this machine.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxy {
    /// The proxy of `HTTPS_PROXY`.
    pub https: Option<String>,
    /// Hosts that are reached without it, as in `NO_PROXY`.
    pub except: Option<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: 4 << 20,
            judgement: 1 << 20,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            patience: Duration::from_secs(300),
        }
    }
}

/// The address of a proxy may hold a password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("https", &self.https.is_some()).field("except", &self.except).finish()
    }
}
