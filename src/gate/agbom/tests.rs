//! The gate at work: what stops a change, what is let through, and what is said of it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::bom::OBSERVATION_SCHEMA;
use crate::closure::{Shelf, Unreadable};
use crate::gate::{Held, Hold, HoldAction, Holds, Measured, Measurements, Observations, Results, evaluate};
use crate::resource::Digest;
use crate::resource::sample::one;
use crate::trust::Principal;
use crate::trust::sample::{key, team, trust};

/// A change of `x` in prod, asked for by Olga; Carol answers for exceptions.
struct Scene {
    from: Option<Closure>,
    to: Closure,
    environment: &'static str,
    /// The values that what runs was decided with.
    values: Option<Map>,
    earlier: Option<&'static str>,
    demands: Vec<Demand>,
    observed: Vec<Observed>,
    held: Vec<Held>,
    broken: bool,
}

const SOUND: &str = "{type: rest, sideEffects: {level: read_only}}";
const RISKY: &str = "{type: rest, sideEffects: {level: external_write}}";
const WORSE: &str = "{type: rest, sideEffects: {level: financial}}";
const SERVER: &str = "{transport: streamable_http, endpoint: {url: 'https://mcp.example'}, security: {pinServerVersion: true, \
                      pinnedVersion: '1.0.0', trustedPublisher: acme, minTrustScore: 0.5}}";

fn now() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().expect("a moment")
}

fn closure(members: &[(&str, &str)]) -> Closure {
    let members: BTreeMap<_, _> =
        members.iter().map(|(head, spec)| one(head, spec)).map(|member| (member.id().clone(), member)).collect();
    Closure::new(one("Agent x", "{instructions: Help.}"), members, BTreeMap::new())
}

fn demand(text: &str) -> Demand {
    Demand::new(text.parse().expect("a gate"), "Environment/prod")
}

impl Scene {
    fn new(from: Option<&[(&str, &str)]>, to: &[(&str, &str)]) -> Self {
        Self {
            from: from.map(closure),
            to: closure(to),
            environment: "{}",
            values: None,
            earlier: None,
            demands: vec![demand("agbom")],
            observed: Vec::new(),
            held: Vec::new(),
            broken: false,
        }
    }

    /// Who holds this key saw the server, so many hours ago; the ledger took it in an hour later.
    fn saw(&mut self, seed: u8, hours: i64, score: f64, tools: &str, earlier: bool) -> &mut Self {
        let server = self.to.members().values().find(|part| part.id().kind == Kind::McpServer).expect("a server");
        let observed_at = now() - TimeDelta::hours(hours);
        let observation = Observation {
            schema: OBSERVATION_SCHEMA.into(),
            server: server.id().clone(),
            digest: server.digest(),
            observed_at,
            transport: "file".into(),
            server_name: None,
            server_version: None,
            protocol_version: None,
            instructions: None,
            tools: Vec::new(),
            tools_digest: Digest::of(tools),
            trust_score: Some(serde_json::from_str(&score.to_string()).expect("a number")),
            trust_source: None,
        };
        let people = people();
        self.observed.push(Observed {
            id: format!("seen-{}", self.observed.len()),
            principal: people.principal(&key(seed)),
            key: key(seed),
            observation: Arc::new(observation),
            carried_at: observed_at + TimeDelta::hours(1),
            earlier,
        });
        self
    }

    fn results(&self) -> Vec<GateResult> {
        let trusts: Vec<Trust> = [Some(self.environment), self.earlier].into_iter().flatten().map(with).collect();
        let digest = |closure: &Closure| closure.digest();
        let subject = Subject {
            resource: self.to.id().clone(),
            from: self.from.as_ref().map(digest),
            to: Some(digest(&self.to)),
            writes: Digest::of("writes"),
        };
        let operator = Principal { name: "olga".into(), automation: false };
        let evidence = Evidence {
            environment: "prod",
            gated: true,
            now: now(),
            trust: &trusts[0],
            earlier_trust: trusts.get(1),
            operator: &operator,
            authors: [].into(),
            gate_rules: Digest::of("rules"),
            votes: Vec::new(),
            regressions: Vec::new(),
            allowed_regressions: Vec::new(),
            candidate: Some(&self.to),
            running: self.from.as_ref(),
            diff: &[],
            is_rollback: false,
            standing: self,
            running_in_source_since: None,
            last_release: None,
            last_evidence: self.from.as_ref().map(|_| "earlier"),
            last_decided_at: self.from.as_ref().map(|_| now() - TimeDelta::days(20)),
            last_values: self.values.as_ref(),
            observations: self,
            holds: self,
            along: Vec::new(),
            overrides: &[],
            broken: &Vec::<crate::gate::Broken>::new(),
            measurements: Measurements {
                results: self,
                records: &[],
                source: None,
                target: self,
                default_judge: None,
                agents: Vec::new(),
                together: [].into(),
            },
            weakenings: &[],
        };
        evaluate(&self.demands, &subject, &evidence).into_iter().filter(|result| result.gate == "agbom").collect()
    }

    fn result(&self) -> GateResult {
        self.results().remove(0)
    }

    /// Verdict, what was observed, and why.
    fn told(&self) -> String {
        let result = self.result();
        format!("{} [{}] {}", result.verdict.word(), result.observed.unwrap_or_default(), result.reason)
    }
}

fn people() -> Trust {
    with("{}")
}

fn with(environment: &str) -> Trust {
    let team = team(
        "t",
        &[
            "olga operator 1",
            "carol approver 2",
            "bot approver 3 automation: true",
            "vera viewer 4",
            "dan operator 5",
            "ada admin 6",
        ],
    );
    trust([team, one("Environment prod", environment)])
}

impl Observations for Scene {
    fn of_server(&self, _: &ResourceId, _: Option<&str>) -> Result<Vec<Observed>, Unreadable> {
        if self.broken { Err(Unreadable("an observation is damaged".into())) } else { Ok(self.observed.clone()) }
    }
}

impl Holds for Scene {
    fn on(&self, _: &ResourceId, digest: Digest) -> Result<Vec<Held>, Unreadable> {
        Ok(self.held.iter().filter(|held| held.hold.digest == digest).cloned().collect())
    }
}

impl Results for Scene {
    fn of(&self, _: &ResourceId, _: Option<Digest>) -> Result<Vec<Measured>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Shelf for Scene {
    fn get(&self, _: &ResourceId) -> Result<Option<Arc<Resource>>, Unreadable> {
        Ok(None)
    }

    fn of_kind(&self, _: &Kind) -> Result<Vec<Arc<Resource>>, Unreadable> {
        Ok(Vec::new())
    }
}

const FOUND: &str = "AGB-TOOL-003 (high) joch:tool/default/post: its side effects are `external_write`, \
                     and no call of it waits for a person";

#[test]
fn what_the_change_brings_stops_it_and_what_stood_there_does_not() {
    let (sound, risky) = ([("Tool post", SOUND)], [("Tool post", RISKY)]);
    assert_eq!(Scene::new(Some(&sound), &sound).told(), "PASS [nothing found] the change brings no risk");
    let first = Scene::new(None, &risky);
    assert_eq!(first.told(), format!("FAIL [1 new of high or above] {FOUND}"));
    let next = first.result().next.expect("a next step");
    assert!(next.starts_with("write `sideEffects.requiresApproval: true`"), "{next}");
    assert_eq!(first.result().findings.len(), 1);
    assert_eq!(
        Scene::new(Some(&risky), &risky).told(),
        format!("PASS [1 older] the change brings no risk; older debt: {FOUND}")
    );
    let worse = Scene::new(Some(&risky), &[("Tool post", WORSE)]).result();
    assert_eq!(worse.verdict, Verdict::Fail);
    assert!(worse.reason.starts_with("AGB-TOOL-001 (critical)") && worse.reason.contains("AGB-TOOL-003 (critical)"));
}

#[test]
fn the_severity_is_the_demands_else_the_gates_else_high_and_each_demand_answers_for_itself() {
    let mut scene = Scene::new(None, &[("Tool post", RISKY)]);
    scene.demands = vec![demand("agbom:critical"), demand("agbom:low"), demand("agbom")];
    let told: Vec<_> = scene.results().into_iter().map(|result| (result.label(), result.verdict)).collect();
    let expected = [("agbom:critical", Verdict::Pass), ("agbom:low", Verdict::Fail), ("agbom", Verdict::Fail)];
    assert_eq!(told, expected.map(|(label, verdict)| (label.to_owned(), verdict)));
    let setting = |text: &str| serde_json::from_str::<Value>(text).expect("written here");
    let critical = setting(r#"{"gate": "agbom", "failOn": "critical"}"#);
    scene.demands = vec![Demand { settings: vec![critical.clone()], ..demand("agbom") }];
    assert_eq!(scene.result().threshold.as_deref(), Some("nothing new of critical or above"));
    scene.demands[0].settings.push(setting(r#"{"gate": "agbom", "failOn": "medium"}"#));
    assert_eq!(scene.result().threshold.as_deref(), Some("nothing new of medium or above"));
    scene.demands = vec![Demand { settings: vec![setting(r#"{"failOn": "severe"}"#)], ..demand("agbom") }];
    assert_eq!(scene.result().verdict, Verdict::Error);
}

#[test]
fn a_value_of_the_environment_that_changed_since_is_a_change_like_any_other() {
    let tool = "{type: rest, endpoint: {method: GET, url: {fromEnvironment: URL}}, \
                sideEffects: {level: {fromEnvironment: LEVEL}}}";
    let tool = [("Tool post", tool)];
    let mut scene = Scene::new(Some(&tool), &tool);
    scene.environment = "{defaults: {URL: 'https://evil.example/x', LEVEL: external_write}}";
    let values = |url: &str, level: &str| {
        Some(Map::from([("URL".to_owned(), Value::from(url)), ("LEVEL".to_owned(), Value::from(level))]))
    };
    scene.values = values("https://evil.example/x", "external_write");
    assert_eq!(scene.told(), format!("PASS [1 older] the change brings no risk; older debt: {FOUND}"));
    scene.values = values("https://shop.example/x", "read_only");
    let result = scene.result();
    assert_eq!(result.verdict, Verdict::Fail);
    let new: Vec<_> =
        result.findings.iter().filter(|found| found.introduced).map(|found| found.rule.as_str()).collect();
    assert_eq!(new, ["AGB-NET-001", "AGB-TOOL-001", "AGB-TOOL-003"]);
    scene.values = Some(Map::new());
    assert_eq!(scene.result().verdict, Verdict::Fail, "what it was is not known");
}

#[test]
fn an_exception_lets_one_finding_through_and_is_always_told() {
    let mut scene = Scene::new(None, &[("Tool post", RISKY)]);
    scene.environment = "{exceptions: [{rule: AGB-TOOL-003, component: 'joch:tool/default/post', reason: a ticket queue, \
                         expires: '2026-07-01', approver: carol}]}";
    assert_eq!(
        scene.told(),
        "PASS [1 excepted] the change brings no risk; 1 of 1 exceptions used: `AGB-TOOL-003` for `joch:tool/default/post`"
    );
    assert_eq!(
        scene.result().findings[0].exception.as_deref(),
        Some("excepted by carol until 2026-07-02: a ticket queue")
    );
    scene.environment = "{exceptions: [{rule: AGB-TOOL-003, component: 'joch:tool/default/post', reason: a ticket queue, \
                         expires: '2026-05-01', approver: carol}]}";
    let told = scene.told();
    assert!(told.starts_with("FAIL") && told.ends_with("does not count: it expired on 2026-05-02"), "{told}");
    scene.environment = "{exceptions: [{rule: AGB-TOOL-003, component: 'joch:tool/default/post', reason: x, \
                         expires: '2026-07-01', approver: bot}]}";
    assert!(scene.told().ends_with("its approver `bot` is no person that trust knows"), "{}", scene.told());
}

#[test]
fn an_exception_or_a_list_that_comes_with_the_change_does_not_help_it() {
    let mut scene = Scene::new(None, &[("Tool post", RISKY)]);
    scene.environment = "{exceptions: [{rule: AGB-TOOL-003, component: 'joch:tool/default/post', reason: x, \
                         expires: '2026-07-01', approver: carol}]}";
    scene.earlier = Some("{}");
    assert_eq!(scene.result().verdict, Verdict::Fail);
    let model = [("Model m", "{provider: acme, model: m-2026-01-01, routing: {regions: [eu]}}")];
    let mut scene = Scene::new(None, &model);
    scene.environment = "{allowlists: {modelProviders: [acme]}}";
    assert_eq!(scene.result().verdict, Verdict::Pass);
    scene.earlier = Some("{allowlists: {modelProviders: [openai]}}");
    let told = scene.told();
    assert!(told.contains("AGB-MODEL-001 (critical)") && told.starts_with("FAIL"), "{told}");
}

#[test]
fn a_server_counts_as_seen_by_whoever_works_here_and_lately() {
    let server = [("MCPServer docs", SERVER)];
    let told = |see: &dyn Fn(&mut Scene)| {
        let mut scene = Scene::new(None, &server);
        see(&mut scene);
        let mut rules: Vec<_> = scene.result().findings.into_iter().map(|finding| finding.rule).collect();
        rules.dedup();
        rules
    };
    let missing = ["AGB-MCP-002", "AGB-MCP-003"];
    assert_eq!(told(&|_| {}), missing);
    assert_eq!(
        told(&|scene| {
            scene.saw(2, 2, 0.9, "a", false);
        }),
        [""; 0]
    );
    assert_eq!(
        told(&|scene| {
            scene.saw(4, 2, 0.9, "a", false);
        }),
        missing,
        "a viewer"
    );
    assert_eq!(
        told(&|scene| {
            scene.saw(9, 2, 0.9, "a", false);
        }),
        missing,
        "nobody"
    );
    assert_eq!(
        told(&|scene| {
            scene.saw(2, 200, 0.9, "a", false);
        }),
        missing,
        "eight days ago"
    );
    assert_eq!(
        told(&|scene| {
            scene.saw(2, -2, 0.9, "a", false);
        }),
        missing,
        "tomorrow"
    );
    assert_eq!(
        told(&|scene| {
            scene.saw(2, 2, 0.4, "a", false);
        }),
        ["AGB-MCP-003"]
    );
}

#[test]
fn a_score_counts_of_a_person_who_may_say_so_and_has_no_part_in_the_change_and_the_lowest_counts() {
    let server = [("MCPServer docs", SERVER)];
    let told = |scores: &[(u8, i64, f64)]| {
        let mut scene = Scene::new(None, &server);
        for (who, hours, score) in scores {
            scene.saw(*who, *hours, *score, "a", false);
        }
        scene.told()
    };
    let nobody = "nobody whose score counts scored how far it is trusted";
    for (who, why) in [(1, "who asks"), (5, "an operator of lower rungs"), (3, "an automation")] {
        let told = told(&[(who, 2, 0.9)]);
        assert!(told.contains("AGB-MCP-003") && told.contains(nobody), "{why}: {told}");
    }
    assert_eq!(told(&[(6, 2, 0.9)]), "PASS [nothing found] the change brings no risk");
    let low = "its trust score is 0.1, and `its record` demands 0.5";
    for good in [5, 2] {
        let told = told(&[(6, 3, 0.1), (good, 2, 1.0)]);
        assert!(told.contains("AGB-MCP-003") && told.contains(low), "{told}");
    }
    assert!(told(&[(6, 3, 0.9), (5, 2, 0.1)]).starts_with("PASS"), "a low word of no weight");
    assert!(told(&[(6, 200, 0.1), (2, 2, 0.9)]).starts_with("PASS"), "an old word");
}

#[test]
fn tools_that_changed_since_the_running_version_was_decided_stop_the_change() {
    let server = [("MCPServer docs", SERVER)];
    let mut scene = Scene::new(Some(&server), &server);
    scene.saw(2, 24 * 21, 0.9, "a", true).saw(2, 2, 0.9, "a", false);
    assert_eq!(scene.told(), "PASS [nothing found] the change brings no risk");
    scene.saw(2, 1, 0.9, "b", false);
    let result = scene.result();
    assert_eq!(result.verdict, Verdict::Fail);
    assert!(result.reason.starts_with("AGB-MCP-002 (critical)"), "{}", result.reason);
    assert_eq!(result.evidence, ["seen-2"]);
}

#[test]
fn a_server_on_hold_stops_the_change() {
    let server = [("MCPServer docs", SERVER)];
    let mut scene = Scene::new(Some(&server), &server);
    scene.saw(2, 24 * 21, 0.9, "a", true).saw(2, 2, 0.9, "a", false);
    let resource = scene.to.members().values().next().expect("a server").clone();
    let held = |action, seed: u8| Held {
        id: "hold".into(),
        principal: people().principal(&key(seed)),
        key: key(seed),
        hold: Hold {
            schema: crate::gate::HOLD_SCHEMA.into(),
            action,
            resource: resource.id().clone(),
            digest: resource.digest(),
            version: None,
            environment: None,
            reason: Some("it asks for keys".into()),
            release: None,
            stated_at: now(),
            ledger: None,
        },
        carried_at: now(),
    };
    scene.held = vec![held(HoldAction::Hold, 9)];
    assert_eq!(scene.result().verdict, Verdict::Pass, "nobody that trust knows holds it");
    scene.held = vec![held(HoldAction::Hold, 2)];
    assert!(scene.told().contains("AGB-MCP-010 (critical)"), "{}", scene.told());
    scene.environment = "{exceptions: [{rule: AGB-MCP-010, component: 'joch:mcp-server/default/docs', reason: x, \
                         expires: '2026-07-01', approver: carol}]}";
    let mild = "the exception of `AGB-MCP-010` for `joch:mcp-server/default/docs` reaches less far";
    assert!(scene.told().starts_with("FAIL") && scene.told().contains(mild), "{}", scene.told());
    scene.environment = "{exceptions: [{rule: AGB-MCP-010, component: 'joch:mcp-server/default/docs', reason: x, \
                         expires: '2026-07-01', approver: carol, severity: critical}]}";
    assert!(scene.told().starts_with("PASS"), "{}", scene.told());
    scene.environment = "{}";
    scene.held.push(held(HoldAction::Lift, 2));
    assert_eq!(scene.result().verdict, Verdict::Pass);
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_pass() {
    let server = [("MCPServer docs", SERVER)];
    let mut scene = Scene::new(None, &server);
    scene.broken = true;
    assert_eq!(scene.told(), "ERROR [] the risk cannot be judged: an observation is damaged");
    let mut scene = Scene::new(None, &[("Tool post", SOUND)]);
    scene.environment = "{minTrustScore: high}";
    assert!(scene.told().starts_with("ERROR"), "{}", scene.told());
}

#[test]
fn what_is_open_in_a_place_is_told_without_a_change() {
    let mut scene = Scene::new(None, &[("MCPServer docs", SERVER), ("Tool post", RISKY)]);
    let open = |scene: &Scene, environment: &str| {
        let trust = with(environment);
        let place = Place { environment: "prod", trust: &trust, now: now(), observations: scene, holds: scene };
        let found = open_findings(&scene.to, &place).expect("all can be read");
        found.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(open(&scene, "{}"), ["AGB-MCP-002", "AGB-MCP-003", "AGB-TOOL-003"]);
    scene.saw(2, 2, 0.9, "a", false);
    let listed = "{allowlists: {publishers: [other]}, exceptions: [{rule: AGB-TOOL-003, component: 'joch:tool/default/post', \
                  reason: x, expires: '2026-07-01', approver: carol}]}";
    assert_eq!(open(&scene, listed), ["AGB-MCP-005"]);
}
