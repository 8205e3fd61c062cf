//! `--require`: gates that are demanded beside what the target demands.

use clap::Args;

use crate::ops::Failure;
use crate::resource::Requirement;

/// Gates beside those of the target: what `promote`, `explain` and `gates selftest` share
#[derive(Debug, Args)]
pub(super) struct RequireArgs {
    /// Demand a gate beside what the target demands: `eval:NAME`, `approval:TEAM[:N]`, `policy`,
    /// `agbom[:SEVERITY]`, `budget[:NAME]`, `latency[:+N%]`; may be repeated
    #[arg(long = "require", value_name = "GATE")]
    required: Vec<String>,
}

impl RequireArgs {
    pub(super) fn gates(&self) -> Result<Vec<Requirement>, Failure> {
        self.required.iter().map(|gate| gate.parse().map_err(Failure::usage)).collect()
    }
}
