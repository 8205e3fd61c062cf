//! The bill of materials beside a closure, held against the one that its version was cut with or that is derived again.

use crate::bom::Graph;
use crate::bom::cyclonedx::{Bill, agrees};
use crate::resource::Digest;

use super::commit::CommitFact;
use super::finding::{Finding, Rule};

/// A bill as it stands, and as it has to be.
#[derive(Debug, Clone, Copy)]
pub struct BillFact<'a> {
    /// Where it stands.
    pub path: &'a str,
    /// The digest that the record beside it names.
    pub named: Option<Digest>,
    /// What stands there.
    pub stands: Option<&'a [u8]>,
    /// What the closure makes of it, or what its version was cut with; none for an agent that is gone.
    pub derived: Option<&'a [u8]>,
    /// Whether there must be one: an earlier release of the environment has one, or the version was cut with one.
    pub demanded: bool,
}

/// The findings about one bill.
#[must_use]
pub fn check_bill(commit: &CommitFact, bill: &BillFact<'_>) -> Vec<Finding> {
    let find = |rule: Rule, wrong: String| {
        let mut finding = commit.finding(rule, format!("`{}`: {wrong}", bill.path));
        finding.object = format!("{}:{}", commit.object, bill.path);
        vec![finding]
    };
    let (stands, named) = match (bill.stands, bill.named) {
        (None, None) if bill.demanded && bill.derived.is_some() => {
            let wrong = "the version or an earlier release here has a bill of materials, and this release has none";
            return find(Rule::BomMissing, wrong.to_owned());
        }
        (None, None) => return Vec::new(),
        (None, Some(_)) => return find(Rule::BomMissing, "the record names a bill that is not there".to_owned()),
        (Some(_), None) => return find(Rule::BomDigest, "a bill stands there that no record names".to_owned()),
        (Some(stands), Some(named)) => (stands, named),
    };
    if Digest::of(stands) != named {
        return find(Rule::BomDigest, format!("it is {}, and the record names {named}", Digest::of(stands)));
    }
    let Some(derived) = bill.derived else { return Vec::new() };
    if agrees(stands, derived) {
        return Vec::new();
    }
    let wrong = match Bill::from_json(stands) {
        Err(why) => format!("it is no bill that joch writes: {why}"),
        Ok(other) if other.form().is_some_and(|form| form > Graph::FORM) => {
            "it is of a form that is newer than this joch: upgrade joch".to_owned()
        }
        Ok(_) => "it is neither the bill that its version was cut with nor what its closure makes".to_owned(),
    };
    find(Rule::BomContent, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::commit::Fault;

    fn rules(bill: &BillFact<'_>) -> Vec<&'static str> {
        let commit = CommitFact {
            object: "c0ffee".into(),
            of: "prod".into(),
            parents: 1,
            parent: Some("decaf".into()),
            time: chrono::DateTime::UNIX_EPOCH,
            authored: chrono::DateTime::UNIX_EPOCH,
            people: Vec::new(),
            other_headers: Vec::new(),
            message: String::new(),
            signature: Err(Fault { rule: Rule::Unsigned, why: String::new() }),
        };
        check_bill(&commit, bill).iter().map(|finding| finding.rule.id()).collect()
    }

    #[test]
    fn a_bill_is_demanded_once_an_environment_has_one() {
        let none = BillFact { path: "bom", named: None, stands: None, derived: Some(b"x"), demanded: false };
        assert_eq!(rules(&none), Vec::<&str>::new());
        assert_eq!(rules(&BillFact { demanded: true, ..none }), ["bom-missing"]);
        assert_eq!(rules(&BillFact { demanded: true, derived: None, ..none }), Vec::<&str>::new(), "the agent is gone");
    }

    #[test]
    fn a_bill_and_its_record_stand_and_fall_together() {
        let both = BillFact {
            path: "bom",
            named: Some(Digest::of("x")),
            stands: Some(b"x"),
            derived: Some(b"x"),
            demanded: true,
        };
        assert_eq!(rules(&both), Vec::<&str>::new());
        assert_eq!(rules(&BillFact { stands: None, ..both }), ["bom-missing"]);
        assert_eq!(rules(&BillFact { named: None, ..both }), ["bom-digest"]);
        assert_eq!(rules(&BillFact { stands: Some(b"y"), ..both }), ["bom-digest"]);
        assert_eq!(rules(&BillFact { derived: Some(b"y"), ..both }), ["bom-content"]);
    }
}
