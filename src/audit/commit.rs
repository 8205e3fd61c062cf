//! What every commit and every release tag must be: of one form, signed, and named for whoever signed.

use chrono::{DateTime, TimeDelta, Utc};

use crate::release::fold;
use crate::trust::{Principal, PublicKey, Trust};

use super::finding::{Finding, Rule};
use super::trailers::trailer;

/// How far the clocks of two machines may be apart.
pub const SKEW: TimeDelta = TimeDelta::minutes(5);

/// The key whose signature stands on something, or why none counts.
pub type Signature = Result<PublicKey, Fault>;

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The rule that it breaks.
    pub rule: Rule,
    /// In words.
    pub why: String,
}

/// What is known of one commit, or of one annotated tag.
#[derive(Debug, Clone)]
pub struct CommitFact {
    /// Its id, or the ref of a tag.
    pub object: String,
    /// The branch, or the release of a tag.
    pub of: String,
    /// How many parents it has.
    pub parents: usize,
    /// The first of them.
    pub parent: Option<String>,
    /// When it was committed.
    pub time: DateTime<Utc>,
    /// When it was made, as Git shows it.
    pub authored: DateTime<Utc>,
    /// The names and addresses on it: author and committer, or tagger.
    pub people: Vec<(String, String)>,
    /// The names of its headers beside tree, parent, author and committer.
    pub other_headers: Vec<String>,
    /// What it says.
    pub message: String,
    /// Whose signature stands on it.
    pub signature: Signature,
}

impl CommitFact {
    /// How the commit is taken off its branch again.
    #[must_use]
    pub fn way_back(&self) -> String {
        match &self.parent {
            Some(parent) => format!(
                "whoever may, takes it off with `git update-ref refs/heads/{} {parent} {}` and does the same with joch",
                self.of, self.object
            ),
            None => "bring the branch back from a clone that has it as it was".to_owned(),
        }
    }

    /// A finding about this commit.
    #[must_use]
    pub fn finding(&self, rule: Rule, wrong: impl AsRef<str>) -> Finding {
        let message = format!("on `{}`: {}; {}", self.of, wrong.as_ref(), self.way_back());
        Finding::new(rule, &self.object, message)
    }

    /// Checks form and order: one signature header and nothing beside, one parent, time not before that of the
    /// commit before.
    #[must_use]
    pub fn check_form(&self, before: Option<DateTime<Utc>>, first: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        let extra: Vec<_> = self.other_headers.iter().filter(|header| *header != "gpgsig").cloned().collect();
        if !extra.is_empty() {
            let wrong = format!("it has headers that joch does not write and Git hides: {}", extra.join(", "));
            findings.push(self.finding(Rule::CommitForm, wrong));
        }
        if self.parents != usize::from(!first) {
            let expected = if first { "none, being the first" } else { "one" };
            findings.push(self.finding(Rule::OneParent, format!("it has {} parents, not {expected}", self.parents)));
        }
        if self.authored != self.time {
            let (shown, time) = (self.authored.to_rfc3339(), self.time.to_rfc3339());
            let wrong = format!("Git shows it as made at {shown}, and it was committed at {time}");
            findings.push(self.finding(Rule::CommitForm, wrong));
        }
        if let Some(before) = before.filter(|before| *before > self.time) {
            let wrong = format!(
                "it says it was made at {}, before its parent at {}",
                self.time.to_rfc3339(),
                before.to_rfc3339()
            );
            findings.push(self.finding(Rule::TimeBackwards, wrong));
        }
        findings
    }

    /// Checks that it was not made later than `now`, as far as clocks differ. `above` are the commits that build on it.
    #[must_use]
    pub fn check_ahead(&self, now: DateTime<Utc>, above: usize) -> Option<Finding> {
        let ahead = self.time > now + SKEW;
        let built = if above == 0 { String::new() } else { format!(", and {above} more build on it") };
        let wrong = || {
            format!(
                "it says it was made at {}, and this machine's clock says {}{built}; set the clock if that is wrong, else",
                self.time.to_rfc3339(),
                now.to_rfc3339()
            )
        };
        ahead.then(|| self.finding(Rule::TimeAhead, wrong()))
    }

    /// Who signed, as `trust` knows the key; `may` says whether that principal was allowed to.
    ///
    /// # Errors
    /// Why the signature does not carry the commit.
    pub fn check_signer(
        &self,
        trust: &Trust,
        may: impl Fn(&Principal) -> Result<(), String>,
    ) -> Result<Principal, Finding> {
        let key = self
            .signature
            .as_ref()
            .map_err(|fault| self.finding(fault.rule, format!("the signature does not count: {}", fault.why)))?;
        let short = &trust.commit[..trust.commit.len().min(10)];
        let principal = trust.principal(key).ok_or_else(|| {
            let wrong = format!("it is signed by {}, a key that trust {short} does not list", key.fingerprint());
            self.finding(Rule::KeyUnlisted, wrong)
        })?;
        if let Some(since) = trust.signers.outside(key, self.time) {
            let wrong = format!(
                "it is signed by {} and dated {}, and trust {short} lists that key since {}: plain Git does not take it",
                key.fingerprint(),
                self.time.to_rfc3339(),
                since.to_rfc3339()
            );
            return Err(self.finding(Rule::KeyUnlisted, wrong));
        }
        may(&principal).map_err(|why| self.finding(Rule::Role, format!("under trust {short}, {why}")))?;
        Ok(principal)
    }

    /// Checks that the names on it, and its trailer, are those of whoever signed: Git shows names, never keys.
    #[must_use]
    pub fn check_names(&self, principal: &Principal) -> Vec<Finding> {
        let name = &principal.name;
        let email = if name.contains('@') { name.clone() } else { format!("{name}@joch.invalid") };
        let mut findings = Vec::new();
        if let Some((shown, address)) = self.people.iter().find(|person| **person != (name.clone(), email.clone())) {
            let wrong = format!("Git shows it as made by `{shown} <{address}>`, and `{name}` signed it");
            findings.push(self.finding(Rule::Identity, wrong));
        }
        match trailer(&self.message, "Joch-Operator") {
            Some(said) if said != fold(name) => {
                let wrong = format!("its message names `{said}` as the operator, and `{name}` signed it");
                findings.push(self.finding(Rule::Operator, wrong));
            }
            _ => {}
        }
        findings
    }
}
