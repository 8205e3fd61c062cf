//! A model as judge: what it is asked about one answer, and how its verdict is read without believing anything else.

mod request;

pub use request::{JudgeReply, JudgeRequest};
