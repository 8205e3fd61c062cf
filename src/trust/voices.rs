//! Who may stop a version and let it go again, who may break glass, and who reviews that afterwards.

use std::collections::BTreeSet;

use crate::resource::view::{self, Role};

use super::principal::Principal;
use super::state::Trust;

impl Trust {
    /// Whether the principal's hold counts in `environment`, or in every one where none is named: whoever may write
    /// there, every approver and every admin. A machine may stop a version.
    #[must_use]
    pub fn may_hold(&self, principal: &Principal, environment: Option<&str>) -> bool {
        let writes = |rung: &str| self.check_writer(principal, rung).is_ok();
        let there = match environment {
            Some(environment) => writes(environment),
            None => self.ladder().rungs().iter().all(|rung| writes(rung)),
        };
        there || self.is_admin(principal) || self.holds(principal, Role::Approver)
    }

    /// Whether the principal may let a version go again: who may hold it, if it is a person.
    #[must_use]
    pub fn may_lift(&self, principal: &Principal, environment: Option<&str>) -> bool {
        !principal.automation && self.may_hold(principal, environment)
    }

    /// The people whom `environment` lets override a gate: those under `spec.override`, and nobody where it names none.
    ///
    /// # Errors
    /// The Environment cannot be read, so that nobody knows whom it names.
    pub fn overriders(&self, environment: &str) -> Result<BTreeSet<String>, String> {
        let Some(record) = self.environment(environment) else { return Ok(BTreeSet::new()) };
        let named = view::Environment::of(record).map_err(|why| format!("{}: {why}", record.id()))?.override_by;
        let people = self.people();
        let mut able = BTreeSet::new();
        for name in &named {
            match name.strip_prefix("team:") {
                Some(team) => able.extend(self.approvers(team).unwrap_or_default()),
                None => able.extend(people.get(name.as_str())),
            }
        }
        Ok(able.intersection(&people).map(|user| (*user).to_owned()).collect())
    }

    /// Checks that the principal may override a gate of `environment`.
    ///
    /// # Errors
    /// Why not, and who may.
    pub fn check_overrider(&self, principal: &Principal, environment: &str) -> Result<(), String> {
        if principal.automation {
            return Err(format!("`{principal}` is an automation, and an automation overrides no gate"));
        }
        let able = self.overriders(environment)?;
        if able.contains(&principal.name) {
            return Ok(());
        }
        let who = able.into_iter().collect::<Vec<_>>().join(", ");
        Err(if who.is_empty() {
            format!("nobody may override a gate of `{environment}`: `spec.override` of its Environment names no person")
        } else {
            format!(
                "`{principal}` may not override a gate of `{environment}`; `spec.override` of its Environment names {who}"
            )
        })
    }

    /// Whether the principal may review what somebody else overrode in `environment`: a person who may override there,
    /// an approver or an admin.
    #[must_use]
    pub fn may_review(&self, principal: &Principal, environment: &str) -> bool {
        let listed = || self.overriders(environment).is_ok_and(|able| able.contains(&principal.name));
        !principal.automation && (self.is_admin(principal) || self.holds(principal, Role::Approver) || listed())
    }

    /// Everybody who may review what `by` overrode in `environment`: a second person, or the only one that trust knows.
    #[must_use]
    pub fn reviewers(&self, by: &str, environment: &str) -> Vec<String> {
        let people = self.people();
        let alone = people.len() == 1;
        let able = |user: &&str| {
            (alone || *user != by)
                && self.may_review(&Principal { name: (*user).to_owned(), automation: false }, environment)
        };
        people.into_iter().filter(able).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::sample::one;
    use crate::trust::sample::{team, trust};

    fn ledger(overrides: &str) -> Trust {
        trust([
            team("admins", &["ada admin 1"]),
            team("rm", &["ana approver 2", "vera viewer 3", "bot approver 4 automation: true"]),
            team("ops", &["olga operator 5 environments: [prod]", "dan operator 6"]),
            one("Environment prod", &format!("{{override: {overrides}}}")),
        ])
    }

    fn someone(name: &str) -> Principal {
        Principal { name: name.into(), automation: name == "bot" }
    }

    #[test]
    fn writers_approvers_and_admins_hold_and_only_people_lift() {
        let trust = ledger("[]");
        let may = |name: &str, environment: Option<&str>| {
            (trust.may_hold(&someone(name), environment), trust.may_lift(&someone(name), environment))
        };
        for name in ["ada", "ana", "olga"] {
            assert_eq!(may(name, Some("prod")), (true, true), "{name}");
        }
        assert_eq!(may("bot", Some("prod")), (true, false));
        for name in ["vera", "dan", "nobody"] {
            assert_eq!(may(name, Some("prod")), (false, false), "{name}");
        }
        assert_eq!(may("olga", None), (false, false), "she may write to one rung only");
        assert_eq!(may("ada", None), (true, true));
    }

    #[test]
    fn only_people_whom_the_environment_names_override() {
        let told = |overrides: &str, name: &str| ledger(overrides).check_overrider(&someone(name), "prod");
        assert_eq!(told("[olga]", "olga"), Ok(()));
        assert_eq!(told("['team:rm']", "ana"), Ok(()));
        let listed = "`spec.override` of its Environment names";
        assert_eq!(
            told("['team:rm']", "vera"),
            Err(format!("`vera` may not override a gate of `prod`; {listed} ana")),
            "a viewer of the team"
        );
        assert_eq!(told("[olga]", "ada"), Err(format!("`ada` may not override a gate of `prod`; {listed} olga")));
        let nobody = "nobody may override a gate of `prod`: `spec.override` of its Environment names no person";
        for none in ["[]", "['team:nobody']", "[bot]", "[somebody]"] {
            assert_eq!(told(none, "ada"), Err(nobody.to_owned()), "{none}");
        }
        let machine = "`bot` is an automation, and an automation overrides no gate";
        assert_eq!(told("[bot, 'team:rm']", "bot"), Err(machine.to_owned()));
        assert!(ledger("[olga]").check_overrider(&someone("olga"), "staging").is_err(), "another environment");
    }

    #[test]
    fn a_second_person_with_a_say_reviews() {
        let trust = ledger("[olga]");
        assert_eq!(trust.reviewers("olga", "prod"), ["ada", "ana"]);
        assert_eq!(trust.reviewers("ada", "prod"), ["ana", "olga"]);
    }
}
