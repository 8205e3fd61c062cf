//! How an error is told: what, where, why, and the next command.

use std::io::Write;

use crate::ledger::Error;
use crate::ops::Failure;
use crate::render::escape;
use crate::render::view::ErrorResult;
use crate::workspace::Trouble;

use super::global::Output;

/// Prints what was worth saying and then the error on standard error; as one JSON object where that was asked for.
///
/// # Errors
/// Standard error cannot be written.
pub(super) fn tell(
    error: &anyhow::Error,
    notices: &[String],
    format: Output,
    stderr: &mut dyn Write,
) -> std::io::Result<()> {
    let failure = error.downcast_ref::<Failure>();
    let next = failure
        .and_then(|failure| failure.next.clone())
        .or_else(|| error.downcast_ref::<Error>().and_then(Error::next))
        .or_else(|| error.downcast_ref::<Trouble>().and_then(|trouble| trouble.next.clone()));
    let findings = failure.map(|failure| failure.findings.as_slice()).unwrap_or_default();
    if format == Output::Json {
        let (code, message) = (code(error).to_owned(), format!("{error:#}"));
        let view = ErrorResult { code, message, next, findings: findings.to_vec(), notices: notices.to_vec() };
        return stderr.write_all(crate::render::json(&view).as_bytes());
    }
    for notice in notices {
        writeln!(stderr, "note: {}", escape(notice))?;
    }
    for finding in findings {
        for line in finding.to_string().lines() {
            writeln!(stderr, "{}", escape(line))?;
        }
    }
    let mut lines = error.to_string();
    for cause in error.chain().skip(1) {
        lines.push_str(&format!("\n  because: {cause}"));
    }
    let mut lines = lines.lines();
    writeln!(stderr, "error: {}", escape(lines.next().unwrap_or_default()))?;
    for line in lines {
        writeln!(stderr, "{}", escape(line))?;
    }
    if let Some(next) = next {
        let mut lines = next.lines();
        writeln!(stderr, "next: {}", escape(lines.next().unwrap_or_default()))?;
        for line in lines {
            // Further in than any line that begins a message: what others wrote cannot pose as one.
            writeln!(stderr, "  {}", escape(line))?;
        }
    }
    Ok(())
}

/// A stable code for machines.
fn code(error: &anyhow::Error) -> &'static str {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.code;
    }
    match error.downcast_ref::<Error>() {
        Some(Error::NotALedger { .. }) => "no-ledger",
        Some(Error::Refused { .. }) => "repository-refused",
        Some(Error::Locked { .. }) => "locked",
        Some(Error::Moved { .. }) => "moved",
        Some(Error::Missing { .. }) => "object-missing",
        Some(Error::Damaged { .. } | Error::BrokenReference { .. }) => "object-damaged",
        Some(Error::Invalid { .. }) => "object-invalid",
        Some(Error::BadSignature { .. }) => "bad-signature",
        Some(Error::Signing { .. }) => "signing",
        Some(Error::Io { .. }) => "io",
        Some(Error::Unconfirmed { .. }) => "unconfirmed",
        Some(Error::Git { .. }) => "git",
        None if error.downcast_ref::<Trouble>().is_some() => "file",
        None => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_step_of_several_lines_is_told_as_lines() {
        let next = "add this:\n  kind: Deployment\n  spec: {}\u{1b}[2J\nerror: no";
        let failure = Failure::could_not("unreachable", "nothing says how").next(next);
        let mut told = Vec::new();
        tell(&failure.into(), &[], Output::Table, &mut told).expect("memory takes all");
        let expected =
            "error: nothing says how\nnext: add this:\n    kind: Deployment\n    spec: {}\\u{1b}[2J\n  error: no\n";
        assert_eq!(String::from_utf8(told).expect("text"), expected);
    }
}
