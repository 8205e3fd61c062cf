//! The state of the trust branch at one commit: ladder, environments and their gates, teams, keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::resource::name::DEFAULT_NAMESPACE;
use crate::resource::view::{self, Role};
use crate::resource::{Kind, Resource, ResourceId, Target, Value};

use super::key::PublicKey;
use super::ladder::Ladder;
use super::principal::{Member, Principal};
use super::signers::AllowedSigners;

/// `ledger.yaml`: what holds for the ledger as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LedgerSettings {
    /// The canonical form in which resources are stored.
    pub canonical_form: u32,
    /// The rungs, lowest first.
    pub ladder: Ladder,
    /// How many admins must sign a change of trust, once there are that many.
    pub quorum: u32,
    /// A random id, so that two ledgers are never taken for one.
    pub uuid: String,
}

impl LedgerSettings {
    /// The canonical form that this joch writes and reads.
    pub const CANONICAL_FORM: u32 = 1;

    /// Reads `ledger.yaml`.
    ///
    /// # Errors
    /// What is not a ledger's settings, or a form that this joch does not read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value = crate::resource::yaml::from_stored(text)?;
        let json = serde_json::to_value(&value).map_err(|why| why.to_string())?;
        let settings: Self = serde_json::from_value(json).map_err(|why| why.to_string())?;
        if settings.canonical_form != Self::CANONICAL_FORM {
            return Err(format!("canonical form {} is newer than this joch: upgrade joch", settings.canonical_form));
        }
        Ladder::new(settings.ladder.rungs().to_vec())?;
        Ok(settings)
    }

    /// As it is stored.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let json = serde_json::to_value(self).expect("plain fields");
        crate::resource::canonical::canonical(&Value::try_from(json).expect("plain fields"))
    }
}

/// Trust at one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The commit.
    pub commit: String,
    /// What holds for the whole ledger.
    pub settings: LedgerSettings,
    /// Environments, teams, and the policies and budgets that these impose.
    pub resources: BTreeMap<ResourceId, Arc<Resource>>,
    /// Whose keys counted, now and before.
    pub signers: AllowedSigners,
    members: Vec<Member>,
}

impl Trust {
    /// Trust with these parts.
    ///
    /// # Errors
    /// A team whose members cannot be told apart: a key of two people, a name that is a pattern; two records of
    /// one environment.
    pub fn new(
        commit: String,
        settings: LedgerSettings,
        resources: BTreeMap<ResourceId, Arc<Resource>>,
        signers: AllowedSigners,
    ) -> Result<Self, String> {
        let spaced = |id: &&ResourceId| id.kind.is_trust() && id.namespace != DEFAULT_NAMESPACE;
        if let Some(id) = resources.keys().find(spaced) {
            return Err(format!("{id}: environments and teams have no namespace; leave `metadata.namespace` out"));
        }
        let teams = resources.values().filter(|resource| resource.id().kind == Kind::Team);
        let mut members = Vec::new();
        for team in teams {
            members.extend(members_of(team)?);
        }
        check_keys(&members)?;
        Ok(Self { commit, settings, resources, signers, members })
    }

    /// The same trust, as this commit holds it.
    #[must_use]
    pub fn at(mut self, commit: String) -> Self {
        self.commit = commit;
        self
    }

    /// The ladder.
    #[must_use]
    pub fn ladder(&self) -> &Ladder {
        &self.settings.ladder
    }

    /// The principal that `key` proves, if trust lists it now.
    #[must_use]
    pub fn principal(&self, key: &PublicKey) -> Option<Principal> {
        let holder = self.members.iter().find(|member| member.keys.contains(key))?;
        let automation = self.members.iter().any(|member| member.user == holder.user && member.automation);
        Some(Principal { name: holder.user.clone(), automation })
    }

    /// Every principal with its keys, as `allowed_signers` lists them.
    #[must_use]
    pub fn keys(&self) -> Vec<(String, PublicKey)> {
        let mut keys: Vec<(String, PublicKey)> = Vec::new();
        for member in &self.members {
            for key in &member.keys {
                if !keys.iter().any(|(_, listed)| listed == key) {
                    keys.push((member.user.clone(), key.clone()));
                }
            }
        }
        keys
    }

    /// People who can sign: at least one key, and not a machine.
    #[must_use]
    pub fn people(&self) -> BTreeSet<&str> {
        let machines: BTreeSet<_> = self.members.iter().filter(|m| m.automation).map(|m| m.user.as_str()).collect();
        let with_key = self.members.iter().filter(|m| !m.keys.is_empty()).map(|m| m.user.as_str());
        with_key.filter(|user| !machines.contains(user)).collect()
    }

    /// The admins who can sign.
    #[must_use]
    pub fn admins(&self) -> BTreeSet<&str> {
        let admins = self.members.iter().filter(|member| member.role == Role::Admin).map(|member| member.user.as_str());
        let people = self.people();
        admins.filter(|user| people.contains(user)).collect()
    }

    /// How many admins must sign a change of trust: what trust says, never more than there are.
    #[must_use]
    pub fn quorum(&self) -> usize {
        (self.settings.quorum as usize).clamp(1, self.admins().len().max(1))
    }

    /// Whether the principal is an admin.
    #[must_use]
    pub fn is_admin(&self, principal: &Principal) -> bool {
        self.holds(principal, Role::Admin)
    }

    /// Whether the principal does more than read: operates, approves or administers.
    #[must_use]
    pub fn works(&self, principal: &Principal) -> bool {
        [Role::Admin, Role::Operator, Role::Approver].into_iter().any(|role| self.holds(principal, role))
    }

    /// Whether `environment` takes results of evals that this principal signed: as its `evalRunners` say, else from
    /// every operator and admin.
    ///
    /// # Errors
    /// The Environment cannot be read, so that nobody knows whom it takes results from.
    pub fn takes_evals_of(&self, principal: &Principal, environment: &str) -> Result<bool, String> {
        let named = match self.environment(environment) {
            Some(record) => {
                view::Environment::of(record).map_err(|why| format!("{}: {why}", record.id()))?.eval_runners
            }
            None => Vec::new(),
        };
        if named.is_empty() {
            return Ok(self.operates(principal));
        }
        let user = principal.name.as_str();
        Ok(named.iter().any(|runner| match runner.strip_prefix("team:") {
            Some(team) => self.approvers(team).is_some_and(|members| members.contains(user)),
            None => runner == user,
        }))
    }

    /// Everybody with a key of whom `environment` takes results of evals; none where nobody can tell.
    #[must_use]
    pub fn eval_runners(&self, environment: &str) -> BTreeSet<&str> {
        self.with_key(|principal| self.takes_evals_of(principal, environment).unwrap_or(false))
    }

    /// Everybody with a key who may write to `environment`.
    #[must_use]
    pub fn writers(&self, environment: &str) -> BTreeSet<&str> {
        self.with_key(|principal| self.check_writer(principal, environment).is_ok())
    }

    fn with_key(&self, may: impl Fn(&Principal) -> bool) -> BTreeSet<&str> {
        let keyed = self.members.iter().filter(|member| !member.keys.is_empty());
        let principal = |member: &&Member| Principal { name: member.user.clone(), automation: member.automation };
        keyed.filter(|member| may(&principal(member))).map(|member| member.user.as_str()).collect()
    }

    /// Whether any environment takes results of evals that this principal signed.
    #[must_use]
    pub fn may_run_evals(&self, principal: &Principal) -> bool {
        let takes = |rung: &String| self.takes_evals_of(principal, rung).unwrap_or(false);
        self.operates(principal) || self.ladder().rungs().iter().any(takes)
    }

    fn operates(&self, principal: &Principal) -> bool {
        [Role::Admin, Role::Operator].into_iter().any(|role| self.holds(principal, role))
    }

    /// Checks that the principal may write to `environment`.
    ///
    /// An admin may everywhere, an operator where the membership says: every rung but the last unless it
    /// names some.
    ///
    /// # Errors
    /// What is missing, and the line of the Team that would grant it.
    pub fn check_writer(&self, principal: &Principal, environment: &str) -> Result<(), String> {
        let mine = || self.members.iter().filter(|member| member.user == principal.name);
        let may = |member: &Member| match (member.role, &member.environments) {
            (Role::Admin, _) => true,
            (Role::Operator, Some(named)) => named.iter().any(|name| name == environment),
            (Role::Operator, None) => environment != self.ladder().last(),
            _ => false,
        };
        if mine().any(may) {
            return Ok(());
        }
        let team = mine().map(|member| member.team.as_str()).next().unwrap_or("operators");
        Err(format!(
            "`{principal}` may not write to `{environment}`; an admin grants it with this line under `spec.members` of Team `{team}`: \
             `- {{user: {principal}, role: operator, environments: [{environment}]}}`"
        ))
    }

    /// The members of a team whose approval counts: everybody in it but viewers and auditors.
    /// `None` if there is no such team.
    #[must_use]
    pub fn approvers(&self, team: &str) -> Option<BTreeSet<&str>> {
        self.team(team)?;
        let counts = |role| !matches!(role, Role::Viewer | Role::Auditor);
        let members = self.members.iter().filter(|member| member.team == team && counts(member.role));
        Some(members.map(|member| member.user.as_str()).collect())
    }

    /// The names of all teams.
    pub fn teams(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.of_kind(&Kind::Team)
    }

    /// The teams that an agent draws on: the one that its label `team` names, and those that answer for its namespace.
    #[must_use]
    pub fn teams_of(&self, agent: &Resource) -> BTreeSet<String> {
        let namespace = agent.id().namespace.as_str();
        let answers = |team: &&Arc<Resource>| {
            team.spec().get("namespaces").is_some_and(|namespaces| namespaces.texts().contains(&namespace))
        };
        let mut teams: BTreeSet<_> = self.teams().filter(answers).map(|team| team.id().name.clone()).collect();
        teams.extend(agent.labels().remove("team"));
        teams
    }

    /// The Environment record of a rung, if one was applied.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<&Arc<Resource>> {
        self.of_kind(&Kind::Environment).find(|environment| environment.id().name == name)
    }

    /// The team of this name.
    #[must_use]
    pub fn team(&self, name: &str) -> Option<&Arc<Resource>> {
        self.teams().find(|team| team.id().name == name)
    }

    /// Policies and budgets that an environment, or a team that holds `namespace`, imposes beside every
    /// closure.
    #[must_use]
    pub fn imposed(&self, environment: &str, namespace: &str) -> Vec<&Arc<Resource>> {
        let holds =
            |team: &&Arc<Resource>| team.spec().get("namespaces").is_some_and(|list| list.texts().contains(&namespace));
        let mut imposed = BTreeMap::new();
        for team in self.teams().filter(holds) {
            self.named_by(team, &["defaultPolicies", "budgetRefs"], &mut imposed);
        }
        if let Some(environment) = self.environment(environment) {
            self.named_by(environment, &["policies", "budgetRefs"], &mut imposed);
        }
        imposed.into_values().collect()
    }

    fn named_by<'a>(
        &'a self,
        resource: &Resource,
        fields: &[&str],
        into: &mut BTreeMap<&'a ResourceId, &'a Arc<Resource>>,
    ) {
        for mention in resource.mentions() {
            let field = mention.path.strip_prefix("spec.").unwrap_or_default();
            let Target::Resource(reference) = mention.target else { continue };
            if !fields
                .iter()
                .any(|named| field.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with('[')))
            {
                continue;
            }
            for id in reference.candidates(&resource.id().namespace) {
                if let Some((id, found)) = self.resources.get_key_value(&id) {
                    into.insert(id, found);
                    break;
                }
            }
        }
    }

    pub(super) fn holds(&self, principal: &Principal, role: Role) -> bool {
        self.members.iter().any(|member| member.user == principal.name && member.role == role)
    }

    fn of_kind<'a>(&'a self, kind: &Kind) -> impl Iterator<Item = &'a Arc<Resource>> {
        let kind = kind.clone();
        self.resources.values().filter(move |resource| resource.id().kind == kind)
    }
}

/// Checks that the members of a Team can be read.
///
/// # Errors
/// The member that cannot, and why.
pub fn check_members(team: &Resource) -> Result<(), String> {
    check_keys(&members_of(team)?)
}

fn members_of(team: &Resource) -> Result<Vec<Member>, String> {
    let Some(view) = view::Team::of(team) else { return Ok(Vec::new()) };
    view.members.into_iter().map(|member| read_member(&view.name, member)).collect()
}

fn read_member(team: &str, member: view::Member) -> Result<Member, String> {
    let refuse = |why: String| format!("Team `{team}`, member `{}`: {why}", member.user);
    // What would be a pattern, a comment or an option of `allowed_signers`, and what nobody can see.
    let pattern = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || "#*?!,\"<>".contains(c)
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if member.user.is_empty() || member.user.contains(pattern) {
        return Err(refuse("a principal is one visible word without # * ? ! , \" < >".into()));
    }
    let keys = member.keys.iter().map(|key| key.parse().map_err(refuse)).collect::<Result<_, _>>()?;
    let view::Member { user, role, automation, environments, .. } = member;
    Ok(Member { team: team.to_owned(), user, role, automation, keys, environments })
}

/// One key proves one principal.
fn check_keys(members: &[Member]) -> Result<(), String> {
    let mut holders: BTreeMap<&PublicKey, &str> = BTreeMap::new();
    for member in members {
        for key in &member.keys {
            let holder = holders.entry(key).or_insert(&member.user);
            if *holder != member.user {
                return Err(format!(
                    "the key {} is listed for both `{holder}` and `{}`",
                    key.fingerprint(),
                    member.user
                ));
            }
        }
    }
    Ok(())
}
