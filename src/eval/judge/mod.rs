//! A model as judge: what it is asked about one answer, and how its verdict is read without believing anything else.
//!
//! A judge decides single criteria, and gives no score: the runner counts. `docs/evals/judge.md` has the protocol.

mod canary;
mod criteria;
mod material;
mod question;
mod request;
mod verdict;
mod words;

pub use canary::{Canary, canaries};
pub use criteria::{Asked, asked, criteria_for};
pub use question::{Question, request};
pub use request::{JudgeReply, JudgeRequest};
pub use verdict::read;
pub use words::{PROTOCOL, protocol_digest};
