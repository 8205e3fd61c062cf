//! The approval gate against named attacks: who says what about which change, and what comes of it, in words.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::closure::Unreadable;
use crate::resource::{Digest, Kind, ResourceId};
use crate::trust::sample::{key, team, trust};
use crate::trust::{Principal, Trust};

mod nothing;

use nothing::Nothing;

/// One judgement in the making: the release manager's team is asked about a change of `support` in `prod`.
pub(super) struct Scene {
    pub(super) trust: Trust,
    pub(super) subject: Subject,
    votes: Vec<Vote>,
    pub(super) operator: String,
    authors: Vec<&'static str>,
    pub(super) demands: Vec<&'static str>,
    pub(super) required: Vec<&'static str>,
    regressions: Vec<Regression>,
    allowed: Vec<ResourceId>,
    pub(super) gated: bool,
    pub(super) weakenings: Vec<crate::diff::Weakening>,
    pub(super) earlier: Option<Trust>,
    pub(super) rollback: bool,
    pub(super) running_in_source_since: Option<DateTime<Utc>>,
    pub(super) holds: Vec<Held>,
    pub(super) overrides: Vec<Override>,
    pub(super) broken: Vec<Broken>,
}

/// What a scene has of these.
impl Holds for Vec<Held> {
    fn on(&self, id: &ResourceId, digest: Digest) -> Result<Vec<Held>, Unreadable> {
        Ok(self.iter().filter(|held| held.hold.resource == *id && held.hold.digest == digest).cloned().collect())
    }
}

impl Overrides for Vec<Broken> {
    fn of(&self, id: &ResourceId, environment: &str) -> Result<Vec<Broken>, Unreadable> {
        let there = |broken: &&Broken| broken.glass.resource == *id && broken.glass.environment == environment;
        Ok(self.iter().filter(there).cloned().collect())
    }

    fn passed(&self, _: &ResourceId, _: &str) -> Result<Vec<Passed>, Unreadable> {
        Ok(Vec::new())
    }
}

pub(super) fn digest(text: &str) -> Digest {
    Digest::of(text)
}

pub(super) fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn agent(name: &str) -> ResourceId {
    ResourceId::agent("default", name)
}

impl Scene {
    /// Olga asks; Ana, Ben and Olga may approve, Vera views, Adam audits, Sue is of another team, and the bot is
    /// an automation. Ben has two keys.
    pub(super) fn new() -> Self {
        let manager = [
            "olga operator 1",
            "ana approver 2",
            "ben approver 3,4",
            "vera viewer 5",
            "adam auditor 6",
            "bot approver 7 automation: true",
        ];
        Self {
            trust: trust([team("rm", &manager), team("security", &["sue approver 8", "ben approver 3"])]),
            subject: Subject {
                resource: agent("support"),
                from: Some(digest("old")),
                to: Some(digest("new")),
                writes: digest("writes"),
            },
            votes: Vec::new(),
            operator: "olga".into(),
            authors: Vec::new(),
            demands: vec!["approval:rm"],
            required: Vec::new(),
            regressions: Vec::new(),
            allowed: Vec::new(),
            gated: true,
            rollback: false,
            running_in_source_since: None,
            holds: Vec::new(),
            overrides: Vec::new(),
            broken: Vec::new(),
            weakenings: Vec::new(),
            earlier: None,
        }
    }

    /// The same, where `spec.override` of the Environment says this.
    pub(super) fn where_may_override(mut self, overriders: &str) -> Self {
        let records = self.trust.resources.into_values();
        let environment = crate::resource::sample::one("Environment prod", &format!("{{override: {overriders}}}"));
        self.trust = trust(records.chain([environment]));
        self
    }

    /// The only person that trust knows, at work alone.
    fn alone() -> Self {
        Self { trust: trust([team("admins", &["olga admin 1", "bot approver 7 automation: true"])]), ..Self::new() }
    }

    /// The statement that whoever holds this key makes about the change as it stands, with a word changed.
    pub(super) fn says(&mut self, seed: u8, decision: Decision, alter: impl Fn(&mut Predicate)) {
        let mut predicate = Predicate {
            decision: Some(decision),
            team: None,
            environment: "prod".into(),
            source: Some("staging".into()),
            changes: vec![Change {
                resource: self.subject.resource.clone(),
                from: self.subject.from,
                to: self.subject.to,
                writes: self.subject.writes,
                gate_rules: digest("rules"),
                from_version: Some(7),
                to_version: Some(8),
            }],
            request: None,
            stated_at: now() - TimeDelta::hours(1),
            expires: now() + TimeDelta::hours(DEFAULT_EXPIRY_HOURS),
            rationale: None,
            proposed: Vec::new(),
        };
        alter(&mut predicate);
        let id = format!("item-{}", self.votes.len());
        let (principal, carried_at) = (self.trust.principal(&key(seed)), predicate.stated_at);
        self.votes.push(Vote { id, principal, key: key(seed), predicate, carried_at, spent: false });
    }

    fn yes(&mut self, seed: u8) {
        self.says(seed, Decision::Approve, |_| {});
    }

    pub(super) fn no(&mut self, seed: u8) {
        self.says(seed, Decision::Reject, |_| {});
    }

    pub(super) fn results(&self) -> Vec<GateResult> {
        let operator = Principal { name: self.operator.clone(), automation: self.operator == "bot" };
        let evidence = Evidence {
            environment: "prod",
            gated: self.gated,
            now: now(),
            trust: &self.trust,
            operator: &operator,
            authors: self.authors.iter().map(|name| (*name).to_owned()).collect(),
            gate_rules: digest("rules"),
            votes: self.votes.clone(),
            regressions: self.regressions.clone(),
            allowed_regressions: self.allowed.clone(),
            candidate: None,
            running: None,
            diff: &[],
            weakenings: &self.weakenings,
            earlier_trust: self.earlier.as_ref(),
            is_rollback: self.rollback,
            standing: &Nothing,
            running_in_source_since: self.running_in_source_since,
            last_release: None,
            last_evidence: None,
            last_decided_at: None,
            last_values: None,
            observations: &Nothing,
            holds: &self.holds,
            along: Vec::new(),
            overrides: &self.overrides,
            broken: &self.broken,
            measurements: Measurements {
                results: &Nothing,
                records: &[],
                source: Some(("staging", &Nothing)),
                target: &Nothing,
                default_judge: None,
                agents: vec![Moved {
                    agent: self.subject.resource.clone(),
                    from: self.subject.from,
                    to: self.subject.to,
                }],
                together: [self.subject.resource.clone()].into(),
            },
        };
        let demand = |text: &&str, origin: &str| Demand::new(text.parse().expect("a gate"), origin);
        let demands = self.demands.iter().map(|text| demand(text, "Environment/prod"));
        let demands = demands.chain(self.required.iter().map(|text| demand(text, Demand::REQUIRED)));
        evaluate(&demands.collect::<Vec<_>>(), &self.subject, &evidence)
    }

    /// The word of the one verdict, and its reason.
    fn told(&self) -> String {
        let results = self.results();
        let [result] = results.as_slice() else { panic!("one gate is asked: {results:?}") };
        format!("{} {}", result.verdict.word(), result.reason)
    }
}

/// A scene with what was done in it.
fn after(act: impl FnOnce(&mut Scene)) -> String {
    let mut scene = Scene::new();
    act(&mut scene);
    scene.told()
}

/// An approval of Ana's for something else than what would be released.
fn replayed(alter: impl Fn(&mut Predicate)) -> String {
    after(|scene| scene.says(2, Decision::Approve, alter))
}

#[test]
fn an_approval_counts_for_what_it_names_and_nothing_else() {
    let (old, new, other) = (digest("old").short(), digest("new").short(), digest("other").short());
    let wait = |why: &str| format!("WAIT 0 of 1 approvals of team rm; not counted: ana: stale, {why}");
    assert_eq!(replayed(|_| {}), "PASS approved by ana");
    assert_eq!(
        replayed(|said| said.changes[0].to = Some(digest("other"))),
        wait(&format!("the candidate was {other} and is {new}"))
    );
    assert_eq!(
        replayed(|said| said.changes[0].to = None),
        wait(&format!("the candidate was nothing and is {new}")),
        "an approved deletion"
    );
    assert_eq!(
        replayed(|said| said.changes[0].from = Some(digest("other"))),
        wait(&format!("`prod` ran {other} and runs {old}"))
    );
    assert_eq!(replayed(|said| said.changes[0].from = None), wait(&format!("`prod` ran nothing and runs {old}")));
    assert_eq!(replayed(|said| said.environment = "staging".into()), wait("it was for `staging`"));
    assert_eq!(replayed(|said| said.changes[0].resource = agent("billing")), wait("it was not about agent/support"));
    assert_eq!(
        replayed(|said| said.changes[0].resource = ResourceId::agent("team-b", "support")),
        wait("it was not about agent/support"),
        "the agent of that name in another namespace"
    );
    assert_eq!(replayed(|said| said.changes.clear()), wait("it was not about agent/support"));
    assert_eq!(
        replayed(|said| said.changes[0].writes = digest("other")),
        wait("what else the change writes is different")
    );
    assert_eq!(replayed(|said| said.changes[0].gate_rules = digest("other")), wait("the gate rules are different"));
    assert_eq!(
        replayed(|said| {
            said.environment = "dev".into();
            said.changes[0].writes = digest("other");
        }),
        wait("it was for `dev`, what else the change writes is different")
    );
    assert_eq!(
        replayed(|said| (said.changes[0].from_version, said.changes[0].to_version) = (None, Some(99))),
        "PASS approved by ana",
        "numbers are for people to read, and prove nothing"
    );
}

#[test]
fn only_a_person_of_the_team_who_neither_asks_nor_made_it_can_approve() {
    let wait = |why: &str| format!("WAIT 0 of 1 approvals of team rm; not counted: {why}");
    for (seed, why) in [
        (1, "olga: the operator's own approval does not count".to_owned()),
        (5, "vera: not an approving member of team rm".to_owned()),
        (6, "adam: not an approving member of team rm".to_owned()),
        (7, "bot: an automation's key never counts".to_owned()),
        (8, "sue: not an approving member of team rm".to_owned()),
        (99, format!("{}: signed by a key that trust does not list", key(99).fingerprint())),
    ] {
        assert_eq!(after(|scene| scene.yes(seed)), wait(&why));
    }
    let author = after(|scene| {
        scene.authors = vec!["ana"];
        scene.yes(2);
    });
    assert_eq!(author, wait("ana: an author of the change does not approve it"));
    let asked = after(|scene| scene.says(2, Decision::Approve, |said| said.decision = None));
    assert_eq!(asked, wait("ana: not a decision"), "a request is no approval");
    let elsewhere = after(|scene| scene.says(3, Decision::Approve, |said| said.team = Some("security".into())));
    assert_eq!(elsewhere, wait("ben: speaks for another team than rm"));
    let for_it = after(|scene| scene.says(3, Decision::Approve, |said| said.team = Some("rm".into())));
    assert_eq!(for_it, "PASS approved by ben");
}

#[test]
fn an_automation_that_asks_does_not_make_its_approver_the_operator() {
    let told = after(|scene| {
        scene.operator = "bot".into();
        scene.yes(1);
    });
    assert_eq!(told, "PASS approved by olga");
}

#[test]
fn people_are_counted_and_not_keys() {
    let told = |seeds: &[u8]| {
        after(|scene| {
            scene.demands = vec!["approval:rm:2"];
            seeds.iter().for_each(|seed| scene.yes(*seed));
        })
    };
    assert_eq!(told(&[]), "WAIT 0 of 2 approvals of team rm");
    assert_eq!(told(&[3, 4]), "WAIT 1 of 2 approvals of team rm", "Ben has two keys");
    assert_eq!(told(&[2, 2, 2]), "WAIT 1 of 2 approvals of team rm");
    assert_eq!(told(&[2, 3]), "PASS approved by ana, ben");
    assert_eq!(
        told(&[1, 2]),
        "WAIT 1 of 2 approvals of team rm; not counted: olga: the operator's own approval does not count"
    );
}

#[test]
fn an_approval_runs_out_at_the_instant_it_says() {
    let expires = |expires: DateTime<Utc>| replayed(move |said| said.expires = expires);
    assert_eq!(expires(now()), "WAIT 0 of 1 approvals of team rm; not counted: ana: expired");
    assert_eq!(expires(now() + TimeDelta::seconds(1)), "PASS approved by ana");
}

#[test]
fn a_rejection_blocks_until_the_same_person_approves_after_all() {
    type Act = fn(&mut Scene);
    let cases: [(&str, Act, &str); 9] = [
        ("a rejection and nothing else", |s| s.no(2), "FAIL rejected by ana"),
        (
            "approved by others",
            |s| {
                s.no(2);
                s.yes(3)
            },
            "FAIL rejected by ana",
        ),
        (
            "the same person approves",
            |s| {
                s.no(2);
                s.yes(2)
            },
            "PASS approved by ana",
        ),
        (
            "with her other key",
            |s| {
                s.no(3);
                s.yes(4)
            },
            "PASS approved by ben",
        ),
        (
            "and takes it back",
            |s| {
                s.yes(2);
                s.no(2)
            },
            "FAIL rejected by ana",
        ),
        (
            "the operator's rejection is as good as any member's",
            |s| {
                s.yes(2);
                s.no(1)
            },
            "FAIL rejected by olga",
        ),
        (
            "an author's too",
            |s| {
                s.authors = vec!["ben"];
                s.yes(2);
                s.no(3);
            },
            "FAIL rejected by ben",
        ),
        (
            "somebody else's does not count",
            |s| {
                s.yes(2);
                s.no(8);
                s.no(5)
            },
            "PASS approved by ana",
        ),
        (
            "nor a machine's",
            |s| {
                s.yes(2);
                s.no(7);
                s.no(99)
            },
            "PASS approved by ana",
        ),
    ];
    for (name, act, told) in cases {
        assert_eq!(after(act), told, "{name}");
    }
}

#[test]
fn an_operator_who_rejects_and_then_approves_has_approved_nothing() {
    let told = after(|scene| {
        scene.no(1);
        scene.yes(1);
    });
    assert_eq!(told, "FAIL rejected by olga", "what does not count takes nothing back");
}

#[test]
fn a_stale_rejection_does_not_block_and_is_shown() {
    let told = after(|scene| scene.says(2, Decision::Reject, |said| said.changes[0].to = Some(digest("other"))));
    let (other, new) = (digest("other").short(), digest("new").short());
    assert_eq!(
        told,
        format!("WAIT 0 of 1 approvals of team rm; not counted: ana: stale, the candidate was {other} and is {new}")
    );
}

#[test]
fn a_rejection_stays_until_the_same_person_says_yes() {
    let mut scene = Scene::new();
    scene.says(2, Decision::Approve, |said| said.expires = now() + TimeDelta::days(30));
    scene.says(2, Decision::Reject, |said| said.expires = now());
    assert_eq!(scene.told(), "FAIL rejected by ana", "a no does not run out");
    scene.yes(2);
    assert_eq!(scene.told(), "PASS approved by ana");
    scene.says(2, Decision::Approve, |said| said.expires = now());
    assert_eq!(scene.told(), "PASS approved by ana", "a yes that ran out takes no later one back");
}

#[test]
fn a_rejection_is_about_the_candidate_whatever_stands_beside_it() {
    let told = after(|scene| {
        scene.says(2, Decision::Reject, |said| {
            let change = &mut said.changes[0];
            (change.from, change.writes, change.gate_rules) = (None, digest("else"), digest("other rules"));
        });
    });
    assert_eq!(told, "FAIL rejected by ana");
}

#[test]
fn a_rejection_blocks_where_nobody_demands_an_approval() {
    let told = |demands: &[&'static str], seed: u8| {
        let mut scene = Scene::new();
        scene.demands = demands.to_vec();
        scene.no(seed);
        let results = scene.results();
        results.iter().map(|result| format!("{} {}", result.label(), result.reason)).collect::<Vec<_>>()
    };
    assert_eq!(told(&[], 2), ["approval rejected by ana"]);
    assert_eq!(told(&[], 8), ["approval rejected by sue"], "of any team");
    for nobody in [5, 6, 7, 99] {
        assert!(told(&[], nobody).is_empty(), "{nobody} may not approve, and so not reject");
    }
    assert_eq!(told(&["approval:security"], 2).len(), 1, "the environment asks another team");
}

#[test]
fn an_operator_does_not_get_past_a_rejection_by_asking_somebody_else() {
    let mut scene = Scene::new();
    scene.demands.clear();
    scene.required = vec!["approval:security"];
    scene.no(2);
    scene.yes(8);
    let told: Vec<_> = scene.results().iter().map(|result| result.reason.clone()).collect();
    assert_eq!(told, ["approved by sue", "rejected by ana"]);
}

#[test]
fn a_yes_dated_later_than_the_ledger_took_it_in_does_not_count() {
    let told = after(|scene| {
        scene.yes(2);
        let vote = scene.votes.last_mut().expect("just cast");
        vote.predicate.stated_at += TimeDelta::days(365);
    });
    assert_eq!(
        told,
        "WAIT 0 of 1 approvals of team rm; not counted: ana: it is dated later than the ledger took it in"
    );
}

#[test]
fn a_yes_counts_for_one_release() {
    let told = after(|scene| {
        scene.yes(2);
        scene.votes.last_mut().expect("just cast").spent = true;
    });
    assert_eq!(
        told,
        "WAIT 0 of 1 approvals of team rm; not counted: ana: stale, it was given before the latest release of this here"
    );
}

#[test]
fn the_only_person_that_trust_knows_approves_her_own_change_and_it_is_marked() {
    let mut scene = Scene::alone();
    assert_eq!(scene.told(), "WAIT 0 of 1 approvals of team rm");
    assert_eq!(scene.results()[0].next.as_deref(), Some("olga can approve"));
    scene.yes(7);
    assert!(scene.told().starts_with("WAIT"), "her machine does not count");
    scene.yes(1);
    assert_eq!(scene.told(), "PASS approved by olga (self: the only person trust knows)");
    scene.no(1);
    assert_eq!(scene.told(), "FAIL rejected by olga");
}

#[test]
fn a_team_that_trust_does_not_know_cannot_approve() {
    let told = after(|scene| {
        scene.demands = vec!["approval:nobody"];
        scene.yes(2);
    });
    assert_eq!(
        told,
        "MISSING trust knows no team `nobody`, so nobody can approve for it; not counted: ana: not an approving \
         member of team nobody"
    );
}

#[test]
fn who_can_still_approve_is_told() {
    let next = |act: &dyn Fn(&mut Scene)| {
        let mut scene = Scene::new();
        act(&mut scene);
        scene.results().remove(0).next
    };
    assert_eq!(next(&|_| {}).as_deref(), Some("ana or ben can approve"));
    assert_eq!(next(&|scene| scene.authors = vec!["ana"]).as_deref(), Some("ben can approve"));
    let nobody = next(&|scene| scene.authors = vec!["ana", "ben"]).expect("a step");
    assert!(nobody.starts_with("nobody of team rm can approve"), "{nobody}");
    assert_eq!(next(&|scene| scene.yes(2)), None);
}

#[test]
fn a_gate_without_evidence_blocks() {
    let mut scene = Scene::new();
    scene.demands = vec!["eval:quality", "policy", "agbom:high", "budget", "latency:+10%"];
    for result in scene.results() {
        assert_eq!(result.verdict, Verdict::Missing, "{}", result.label());
        assert_eq!(result.demanded_by, ["Environment/prod"]);
    }
}

#[test]
fn what_would_be_taken_back_is_allowed_by_name_and_a_policy_never() {
    let regression = |kind: Kind| Regression {
        resource: ResourceId::new(kind, "default", "r"),
        kind: RegressionKind::Older,
        target_version: Some(3),
        candidate_version: Some(2),
    };
    let mut scene = Scene::new();
    scene.demands.clear();
    scene.regressions = vec![regression(Kind::Tool), regression(Kind::Policy)];
    let told = |scene: &Scene| {
        let results = scene.results();
        results.iter().map(|result| format!("{} {}", result.verdict.word(), result.label())).collect::<Vec<_>>()
    };
    assert_eq!(told(&scene), ["FAIL regression:tool/r", "FAIL policy:policy/r"]);
    scene.allowed = scene.regressions.iter().map(|regression| regression.resource.clone()).collect();
    assert_eq!(told(&scene), ["PASS regression:tool/r", "FAIL policy:policy/r"]);
    scene.gated = false;
    assert_eq!(told(&scene), ["FAIL policy:policy/r"], "where nothing is demanded only policies are guarded");
    scene.gated = true;
    scene.allowed = vec![ResourceId::new(Kind::Tool, "team-b", "r")];
    assert_eq!(told(&scene)[0], "FAIL regression:tool/r", "the same name elsewhere");
}
