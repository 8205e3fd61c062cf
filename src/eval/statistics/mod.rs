//! What can be said of scores: ranks, intervals, and whether two versions differ. Chance is drawn from a seed that the
//! data give, so that the same data always say the same.

mod agreement;
mod bootstrap;
mod latency;
mod mcnemar;
mod passes;
mod rank;
mod wilson;

pub use agreement::{fleiss_kappa, raw_agreement};
pub use bootstrap::{Chance, Difference, bootstrap_mean, bootstrap_rank, paired_difference};
pub use latency::{Shift, latency_shift};
pub use mcnemar::mcnemar_exact;
pub use passes::{pass_all, pass_at};
pub use rank::{nearest_rank, rank};
pub use wilson::{quantile, wilson};
