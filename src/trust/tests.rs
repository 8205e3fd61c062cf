//! Who may do what, told by example.

use super::sample::{key, read, team, trust};
use super::*;
use crate::resource::sample::one;

fn person(name: &str) -> Principal {
    Principal { name: name.into(), automation: false }
}

#[test]
fn who_may_write_where() {
    let trust = trust([
        team(
            "t",
            &[
                "ana admin 1",
                "otto operator 2",
                "pat operator 3 environments: [prod]",
                "nil operator 4 environments: []",
                "vera viewer 5",
                "adam auditor 6",
                "april approver 7",
                "bot operator 8 automation: true",
                "keyless operator -",
            ],
        ),
        team("u", &["vera operator 5 environments: [dev]"]),
    ]);
    for (who, may) in [
        ("ana", "local dev staging prod"),
        ("otto", "local dev staging"),
        ("pat", "prod"),
        ("nil", ""),
        ("vera", "dev"),
        ("adam", ""),
        ("april", ""),
        ("bot", "local dev staging"),
        ("keyless", "local dev staging"),
        ("stranger", ""),
        ("Ana", ""),
    ] {
        let rungs = trust.ladder().rungs().iter().map(String::as_str);
        let found: Vec<_> = rungs.filter(|rung| trust.check_writer(&person(who), rung).is_ok()).collect();
        assert_eq!(found.join(" "), may, "{who}");
    }
}

#[test]
fn a_refused_writer_is_told_the_line_that_would_allow_it() {
    let trust = trust([team("support", &["vera viewer 5"])]);
    let refusal = trust.check_writer(&person("vera"), "prod").expect_err("a viewer");
    assert!(refusal.contains("Team `support`: `- {user: vera, role: operator, environments: [prod]}`"), "{refusal}");
    let granted = one("Team support", "{members: [{user: vera, role: operator, environments: [prod]}]}");
    assert_eq!(read([granted]).expect("readable").check_writer(&person("vera"), "prod"), Ok(()));
}

#[test]
fn a_key_proves_whoever_lists_it_and_a_machine_in_one_team_is_a_machine_in_all() {
    let trust = trust([
        team("a", &["ana admin 1,2", "bot approver 3"]),
        team("b", &["bot operator 4 automation: true", "ana viewer 1"]),
    ]);
    assert_eq!(trust.principal(&key(2)), Some(person("ana")));
    assert_eq!(trust.principal(&key(3)), Some(Principal { name: "bot".into(), automation: true }));
    assert_eq!(trust.principal(&key(9)), None);
    assert_eq!(trust.keys().len(), 4, "a key that two teams list is one");
    assert_eq!(trust.people().into_iter().collect::<Vec<_>>(), ["ana"]);
}

#[test]
fn only_people_with_a_key_count_as_people_and_admins() {
    let trust = trust([team(
        "t",
        &["ana admin 1", "ben admin -", "bot admin 3 automation: true", "carol approver 4", "dave viewer -"],
    )]);
    assert_eq!(trust.people().into_iter().collect::<Vec<_>>(), ["ana", "carol"]);
    assert_eq!(trust.admins().into_iter().collect::<Vec<_>>(), ["ana"]);
    assert!(trust.is_admin(&person("ana")) && !trust.is_admin(&person("carol")));
}

#[test]
fn the_quorum_is_never_more_than_the_admins_there_are_and_never_none() {
    let admins = ["a admin 1", "b admin 2", "c admin 3"];
    for (count, quorum) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
        assert_eq!(trust([team("t", &admins[..count])]).quorum(), quorum, "{count} admins");
    }
}

#[test]
fn viewers_and_auditors_of_a_team_do_not_approve_for_it() {
    let trust = trust([
        team("rm", &["a admin 1", "b operator 2", "c approver 3", "d viewer 4", "e auditor 5"]),
        team("other", &["d approver 4"]),
    ]);
    assert_eq!(trust.approvers("rm").expect("a team").into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(trust.approvers("nobody"), None);
}

#[test]
fn one_key_of_two_principals_is_refused() {
    for teams in [
        vec![team("t", &["ana admin 1", "ben viewer 1"])],
        vec![team("t", &["ana admin 1"]), team("u", &["ben viewer 1"])],
    ] {
        let refusal = read(teams).expect_err("a key proves one person");
        assert_eq!(refusal, format!("the key {} is listed for both `ana` and `ben`", key(1).fingerprint()));
    }
}

#[test]
fn a_name_that_ssh_would_read_as_more_than_one_name_is_refused() {
    let names = [
        "*@example.com",
        "?na",
        "!ana",
        "ana,ben",
        "a\"na",
        "ana<x>",
        "#ana",
        "a\u{a0}na",
        "a\u{200b}na",
        "a\u{202e}na",
        "",
    ];
    for name in names {
        assert!(read([team("t", &[&format!("{name} admin 1")])]).is_err(), "{name:?} is taken");
    }
    let spaced = one("Team t", "{members: [{user: 'ana ben', role: admin}]}");
    assert_eq!(
        read([spaced]).expect_err("two words"),
        "Team `t`, member `ana ben`: a principal is one visible word without # * ? ! , \" < >"
    );
}

#[test]
fn a_key_that_cannot_be_read_names_its_member() {
    let team = one("Team t", "{members: [{user: ana, role: admin, keys: [nonsense]}]}");
    let refusal = read([team]).expect_err("no key");
    assert!(refusal.starts_with("Team `t`, member `ana`: `nonsense` is no public key"), "{refusal}");
}

#[test]
fn environments_and_teams_have_no_namespace() {
    for elsewhere in [one("Environment aaa/prod", "{}"), one("Team zzz/rm", "{}")] {
        let refusal = read([elsewhere]).expect_err("which of two records counts is nobody's guess");
        assert!(
            refusal.ends_with("environments and teams have no namespace; leave `metadata.namespace` out"),
            "{refusal}"
        );
    }
}

#[test]
fn teams_and_environments_impose_what_they_name() {
    let trust = trust([
        one("Team t", "{namespaces: [default, team-a], defaultPolicies: [p], budgetRefs: [b]}"),
        one("Environment prod", "{policies: [{name: q, namespace: far}]}"),
        one("Policy p", "{}"),
        one("Policy far/q", "{}"),
        one("Policy q", "{}"),
        one("Budget b", "{}"),
    ]);
    let imposed = |environment: &str, namespace: &str| {
        let found = trust.imposed(environment, namespace);
        found.into_iter().map(|resource| resource.id().to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(imposed("prod", "team-a"), "policy/p policy/far/q budget/b");
    assert_eq!(imposed("staging", "default"), "policy/p budget/b");
    assert_eq!(imposed("prod", "elsewhere"), "policy/far/q");
}

#[test]
fn the_settings_of_a_ledger_are_read_as_they_were_written() {
    let settings = trust([]).settings;
    assert_eq!(LedgerSettings::parse(&settings.to_yaml()), Ok(settings.clone()));
    let newer = settings.to_yaml().replace("canonicalForm: 1", "canonicalForm: 2");
    assert!(LedgerSettings::parse(&newer).expect_err("newer").contains("upgrade joch"));
    let short = settings.to_yaml().replace("- dev\n", "- local\n");
    assert!(LedgerSettings::parse(&short).expect_err("a ladder").contains("`local` stands twice"));
}

#[test]
fn a_ladder_has_two_rungs_or_more_each_once_each_a_branch() {
    let ladder = |rungs: &[&str]| Ladder::new(rungs.iter().map(|rung| (*rung).to_owned()).collect());
    assert!(ladder(&["dev", "prod"]).is_ok());
    for (rungs, says) in [
        (&["prod"][..], "at least two"),
        (&["dev", "prod", "dev"], "`dev` stands twice"),
        (&["dev", "trust"], "`trust`"),
        (&["dev", "Prod"], "`Prod`"),
        (&["dev", "a/b"], "`a/b`"),
        (&["dev", ""], "``"),
    ] {
        let refusal = ladder(rungs).expect_err("refused");
        assert!(refusal.contains(says), "{refusal}");
    }
    let ladder = Ladder::default();
    assert_eq!((ladder.first(), ladder.last()), ("local", "prod"));
    assert_eq!(ladder.from("staging"), ["staging", "prod"]);
    assert!(ladder.from("elsewhere").is_empty());
}
