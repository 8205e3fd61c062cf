//! The network, and programs that answer like it: targets, judges, collectors, MCP servers; pace, repeated attempts, limits.

mod attempts;
mod client;
mod credentials;
mod disguise;
#[cfg(test)]
mod hostile;
mod judge;
#[cfg(test)]
mod judging;
pub mod loopback;
#[cfg(test)]
mod masking;
pub mod mcp;
mod measure;
#[cfg(test)]
mod measuring;
pub mod otlp;
mod pace;
#[cfg(test)]
mod patience;
mod program;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod refusing;
mod setting;
#[cfg(test)]
mod speaking;
#[cfg(test)]
mod stage;
pub mod target;

use crate::eval::{Fault, FaultKind};

pub use client::Client;
pub use credentials::Credentials;
pub use judge::JudgeClient;
pub use measure::{Criteria, Ended, Left, LeftOfUnit, Seat, Told, Work, measure};
pub use program::Program;
pub use setting::{Limits, Proxy, Setting};
pub use target::Target;

/// Runs a future on a runtime of this thread's own.
///
/// # Errors
/// The machine gives no runtime: it has no file descriptors left, say.
fn block_on<F: Future>(future: F) -> Result<F::Output, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|why| {
        Fault::new(
            FaultKind::Connection,
            format!("this machine lets joch make no calls: {why}; close what holds files open"),
        )
    })?;
    Ok(runtime.block_on(future))
}
