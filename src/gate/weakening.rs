//! The weakening gate: a control that would ask for less needs as many admins as a change of trust does.
//!
//! Whoever lowers a threshold, shrinks a dataset or drops a rule would otherwise decide what every later promotion
//! must reach. It always stands where anything is demanded, and nobody has to demand it.

use std::collections::{BTreeMap, BTreeSet};

use crate::bom::risk::{Loosened, component};
use crate::diff::{Change, Weakening, is_control};
use crate::resource::Kind;
use crate::trust::Trust;

use super::approval::{Counted, count_no, lapsed, why};
use super::evidence::{Evidence, Subject};
use super::statement::{Decision, Vote};
use super::verdict::{GateResult, Verdict};

/// How many steps a reason tells; the diff has all of them.
const TOLD: usize = 3;

/// Judges what the subject does to controls; nothing where none asks for less, or where nothing is demanded.
pub(super) fn judge(subject: &Subject, evidence: &Evidence<'_>) -> Option<GateResult> {
    let weaker: Vec<&Weakening> = evidence.weakenings.iter().filter(|step| step.is_weaker()).collect();
    if weaker.is_empty() || !evidence.gated {
        return None;
    }
    let mut result = GateResult {
        threshold: Some(format!("{} of the admins", evidence.trust.quorum())),
        demanded_by: vec!["every environment".into()],
        ..GateResult::new("weakening", "", Verdict::Pass)
    };
    let said = told(&weaker);
    // Trust as it was counts too: nobody who comes with the change lets it through.
    for trust in [Some(evidence.trust), evidence.earlier_trust].into_iter().flatten() {
        let count = Count::of(trust, subject, evidence);
        let yes: Vec<_> = count.yes.iter().map(String::as_str).collect();
        result.observed = Some(format!("{} of {}", yes.len(), trust.quorum()));
        result.evidence.clone_from(&count.evidence);
        if let Some(who) = count.no.first() {
            result.verdict = Verdict::Fail;
            result.reason = format!("{said}; the admin {who} rejected it");
            result.next = Some("leave the control as it is, or have the same person approve it after all".into());
            return Some(result);
        }
        if yes.len() < trust.quorum() {
            let aside = match count.void.as_slice() {
                [] => String::new(),
                void => format!("; not counted: {}", void.join("; ")),
            };
            result.verdict = Verdict::Pending;
            result.reason = format!("{said}; {} of {} admins agree{aside}", yes.len(), trust.quorum());
            result.who = able(trust, &count.yes);
            result.next = Some(match result.who.as_slice() {
                [] => "nobody can agree: there is no other admin with a key".to_owned(),
                able => format!("{} can agree as admin; or leave the control as it is", able.join(" or ")),
            });
            return Some(result);
        }
        result.reason = format!("{said}; {} agree{}", yes.join(", "), if yes.len() == 1 { "s" } else { "" });
    }
    Some(result)
}

/// What a bill of materials tells of it: controls that ask for less in the same change in which something else moves,
/// so that nobody lowers a bar on the way over it. A policy has rules of its own there.
pub(super) fn loosened(evidence: &Evidence<'_>) -> Vec<Loosened> {
    let beside = |change: &Change| {
        let limits = change.resource.kind == Kind::Agent && change.path.starts_with("spec.budgets");
        !is_control(&change.resource.kind) && !limits
    };
    if !evidence.diff.iter().any(beside) {
        return Vec::new();
    }
    let weaker = evidence.weakenings.iter().filter(|step| step.is_weaker() && step.resource.kind != Kind::Policy);
    weaker.map(|step| Loosened { component: component(&step.resource), reason: step.sentence.clone() }).collect()
}

fn told(weaker: &[&Weakening]) -> String {
    let mut parts: Vec<_> =
        weaker.iter().take(TOLD).map(|step| format!("{}: {}", step.resource, step.sentence)).collect();
    if weaker.len() > TOLD {
        parts.push(format!("and {} more", weaker.len() - TOLD));
    }
    format!("it weakens a control: {}", parts.join("; "))
}

/// The admins who have not agreed yet; whoever asks for the change agrees to it.
fn able(trust: &Trust, agreed: &BTreeSet<String>) -> Vec<String> {
    trust.admins().into_iter().filter(|admin| !agreed.contains(*admin)).map(str::to_owned).collect()
}

/// How the admins of one trust spoke; each person once, whatever number of keys they have.
#[derive(Default)]
struct Count {
    yes: BTreeSet<String>,
    no: Vec<String>,
    void: Vec<String>,
    evidence: Vec<String>,
}

impl Count {
    fn of(trust: &Trust, subject: &Subject, evidence: &Evidence<'_>) -> Self {
        let mut count = Self::default();
        let admins = trust.admins();
        let is_admin = |name: &str| admins.contains(name);
        let mut last: BTreeMap<String, bool> = BTreeMap::new();
        for vote in &evidence.votes {
            let Some(person) = trust.principal(&vote.key).filter(|person| is_admin(&person.name)) else { continue };
            count.evidence.push(vote.id.clone());
            match spoken(vote, subject, evidence) {
                Ok(yes) => drop(last.insert(person.name, yes)),
                Err(counted) => count.void.extend(why(&counted).map(|why| format!("{person}: {why}"))),
            }
        }
        for (name, yes) in last {
            if yes {
                count.yes.insert(name);
            } else {
                count.no.push(name);
            }
        }
        if is_admin(&evidence.operator.name) && !count.no.contains(&evidence.operator.name) {
            count.yes.insert(evidence.operator.name.clone());
        }
        count
    }
}

/// Whether a statement says yes or no to exactly this.
fn spoken(vote: &Vote, subject: &Subject, evidence: &Evidence<'_>) -> Result<bool, Counted> {
    match vote.predicate.decision {
        Some(Decision::Approve) => lapsed(vote, subject, evidence).map_or(Ok(true), Err),
        Some(Decision::Reject) => match count_no(vote, subject, evidence) {
            Counted::No => Ok(false),
            other => Err(other),
        },
        None => Err(Counted::Void("not a decision".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Strength;
    use crate::gate::tests::Scene;
    use crate::resource::ResourceId;
    use crate::trust::sample::{team, trust};

    /// Ana, Ben and Cleo are admins, Ben with two keys; Olga only operates; two admins must agree.
    fn scene(strength: Strength) -> Scene {
        let people =
            ["olga operator 1", "ana admin 2", "ben admin 3,4", "cleo admin 5", "bot admin 7 automation: true"];
        let mut scene = Scene::new();
        scene.trust = trust([team("t", &people)]);
        scene.demands = Vec::new();
        scene.weakenings = vec![Weakening {
            resource: ResourceId::agent("default", "x"),
            path: "spec.budgets".into(),
            strength,
            sentence: "it asks for less".into(),
        }];
        scene
    }

    fn told(scene: &Scene) -> String {
        let results = scene.results();
        let found: Vec<_> = results.iter().filter(|result| result.gate == "weakening").collect();
        found.first().map_or("nothing".to_owned(), |result| format!("{} {}", result.verdict.word(), result.reason))
    }

    const SAID: &str = "it weakens a control: agent/x: it asks for less";

    #[test]
    fn what_asks_for_as_much_or_happens_where_nothing_is_demanded_needs_nobody() {
        assert_eq!(told(&scene(Strength::Stronger)), "nothing");
        assert_eq!(told(&scene(Strength::Neutral)), "nothing");
        let mut free = scene(Strength::Weaker);
        free.gated = false;
        assert_eq!(told(&free), "nothing");
    }

    #[test]
    fn as_many_admins_as_trust_says_must_agree_and_each_person_once() {
        let mut scene = scene(Strength::Weaker);
        assert_eq!(told(&scene), format!("WAIT {SAID}; 0 of 2 admins agree"));
        scene.says(3, Decision::Approve, |_| {});
        scene.says(4, Decision::Approve, |_| {});
        assert_eq!(told(&scene), format!("WAIT {SAID}; 1 of 2 admins agree"), "one person with two keys");
        scene.says(1, Decision::Approve, |_| {});
        scene.says(7, Decision::Approve, |_| {});
        assert_eq!(told(&scene), format!("WAIT {SAID}; 1 of 2 admins agree"), "no admin, and a machine");
        let next = scene.results().into_iter().find_map(|result| result.next).expect("a next step");
        assert!(next.starts_with("ana or cleo can agree as admin"), "{next}");
        scene.says(2, Decision::Approve, |_| {});
        assert_eq!(told(&scene), format!("PASS {SAID}; ana, ben agree"));
    }

    #[test]
    fn an_operator_who_is_admin_counts_as_one() {
        let mut scene = scene(Strength::Weaker);
        scene.operator = "ana".into();
        assert_eq!(told(&scene), format!("WAIT {SAID}; 1 of 2 admins agree"));
        scene.says(2, Decision::Approve, |_| {});
        assert_eq!(told(&scene), format!("WAIT {SAID}; 1 of 2 admins agree"), "and not twice");
        let who = scene.results().into_iter().find(|result| result.gate == "weakening").expect("the gate").who;
        assert_eq!(who, ["ben", "cleo"], "who agreed by asking for it is not asked again");
        scene.says(5, Decision::Approve, |_| {});
        assert_eq!(told(&scene), format!("PASS {SAID}; ana, cleo agree"));
    }

    #[test]
    fn an_approval_of_another_change_is_none() {
        let mut scene = scene(Strength::Weaker);
        scene.operator = "ana".into();
        scene.says(5, Decision::Approve, |said| said.changes[0].writes = crate::resource::Digest::of("other"));
        let why = "not counted: cleo: stale, what else the change writes is different";
        assert_eq!(told(&scene), format!("WAIT {SAID}; 1 of 2 admins agree; {why}"));
    }

    #[test]
    fn the_no_of_one_admin_outweighs_the_rest_until_the_same_person_says_yes() {
        let mut scene = scene(Strength::Weaker);
        scene.operator = "ana".into();
        scene.says(3, Decision::Approve, |_| {});
        scene.says(5, Decision::Reject, |_| {});
        assert_eq!(told(&scene), format!("FAIL {SAID}; the admin cleo rejected it"));
        scene.says(5, Decision::Approve, |_| {});
        assert_eq!(told(&scene), format!("PASS {SAID}; ana, ben, cleo agree"));
    }

    #[test]
    fn an_admin_who_comes_with_the_change_does_not_let_it_through() {
        let mut scene = scene(Strength::Weaker);
        scene.operator = "ana".into();
        scene.says(5, Decision::Approve, |_| {});
        scene.earlier = Some(trust([team("t", &["olga operator 1", "ana admin 2", "ben admin 3,4"])]));
        assert_eq!(told(&scene), format!("WAIT {SAID}; 1 of 2 admins agree"));
    }
}
