//! `joch init`: makes the ledger, with the caller's key as its first admin.

use anyhow::Result;
use chrono::{DateTime, SubsecRound as _, Utc};
use serde_json::json;

use crate::ledger::{
    CommitDraft, Draft, Edit, GitSettings, ObjectId, Person, Repository, Signer, Transaction, new_uuid,
};
use crate::release::layout;
use crate::resource::{Resource, Value};
use crate::trust::{AllowedSigners, Ladder, LedgerSettings, PublicKey};
use crate::workspace::Project;

use super::caller::Caller;
use super::desk::{Desk, open_signer};
use super::failure::Failure;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The rungs, lowest first; local, dev, staging, prod where none are named.
    pub ladder: Option<Vec<String>>,
    /// The first admin; Git's `user.email` where none is named.
    pub operator: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Whether there was a ledger already.
    pub already: bool,
    /// Where it is.
    pub ledger: String,
    /// The first commit of its trust branch.
    pub trust_root: String,
    /// The first admin's name, where the ledger is new.
    pub admin: Option<String>,
    /// The admin's key.
    pub fingerprint: Option<String>,
    /// The rungs.
    pub ladder: Vec<String>,
}

/// The team that `init` makes.
const ADMINS: &str = "admins";

/// Makes the ledger, or says that there is one.
///
/// # Errors
/// There is no key or name for the first admin; the project pins a ledger that is gone; the ladder is none.
pub fn run(request: &Request, caller: &mut Caller<'_>) -> Result<Outcome> {
    let project = Project::find(&caller.directory)?;
    let path = project.ledger(caller.variable("JOCH_LEDGER"), &caller.directory);
    if path.exists() {
        let repository = Repository::open(&path)?;
        repository.heal()?;
        if repository.snapshot()?.branch(layout::TRUST).is_some() {
            return already(request, &project, caller);
        }
        // An empty repository that somebody put there: the ledger begins in it.
    } else if project.config.trust_root.is_some() {
        return Desk::open(caller).and(Err(Failure::could_not("no-ledger", "the pinned ledger is gone").into()));
    }
    let ladder = match &request.ladder {
        Some(rungs) => Ladder::new(rungs.clone()).map_err(Failure::usage)?,
        None => Ladder::default(),
    };
    let signer = open_signer(caller)?;
    let first = First { admin: admin(request, caller)?, ladder, now: caller.now.trunc_subsecs(0) };
    let root = if path.exists() {
        first.write(&Repository::open(&path)?, &signer)?
    } else {
        match Draft::begin(&path, first.ladder.last()) {
            Ok(draft) => {
                let root = first.write(draft.repository(), &signer)?;
                draft.publish()?;
                root
            }
            // Somebody else was quicker.
            Err(_) if path.exists() => return already(request, &project, caller),
            Err(why) => return Err(why.into()),
        }
    };
    project.shelter_ledger(&path)?;
    project.pin(&root.to_string())?;
    Ok(Outcome {
        already: false,
        ledger: path.display().to_string(),
        trust_root: root.to_string(),
        admin: Some(first.admin),
        fingerprint: Some(signer.public_key().fingerprint()),
        ladder: first.ladder.rungs().to_vec(),
    })
}

/// What a ledger begins with.
struct First {
    admin: String,
    ladder: Ladder,
    now: DateTime<Utc>,
}

impl First {
    /// Writes the first commit of trust and the one at which all other branches begin, and gives the former.
    fn write(&self, repository: &Repository, signer: &Signer) -> Result<ObjectId> {
        let admin = &self.admin;
        let email = if admin.contains('@') { admin.clone() } else { format!("{admin}@joch.invalid") };
        let mut transaction = repository.begin()?;
        let settings = LedgerSettings {
            canonical_form: LedgerSettings::CANONICAL_FORM,
            ladder: self.ladder.clone(),
            quorum: 1,
            uuid: new_uuid(),
        };
        let team = first_team(admin, signer.public_key())?;
        let signers = AllowedSigners::default().follow(&[(admin.clone(), signer.public_key().clone())], self.now);
        let seen = json!({ "schema": "joch.dev/seen/v1", "tips": {} });
        let files = vec![
            (layout::SETTINGS.to_owned(), settings.to_yaml()),
            (layout::on_trust(team.id()), team.canonical()),
            (layout::SIGNERS.to_owned(), signers.to_string()),
            (layout::SEEN.to_owned(), format!("{seen:#}\n")),
        ];
        let draft = |branch: &str, edits: Vec<(String, Edit)>, message: String| CommitDraft {
            branch: branch.to_owned(),
            parent: None,
            edits,
            message,
            author: Person::new(admin.clone(), email.clone()),
            time: self.now,
        };
        let edits = files.into_iter().map(|(path, text)| (path, Edit::Put(text.into_bytes()))).collect();
        let message = format!("trust {admin} as the first admin\n\nJoch-Event: trust\nJoch-Operator: {admin}\n");
        let root = transaction.commit(signer, &draft(layout::TRUST, edits, message))?.id;
        let message =
            format!("begin every branch here\n\nJoch-Event: genesis\nJoch-Trust: {root}\nJoch-Operator: {admin}\n");
        let genesis = transaction.commit(signer, &draft(layout::EVIDENCE, Vec::new(), message))?.id;
        point_rungs(&mut transaction, &self.ladder, genesis)?;
        transaction.finish()?;
        Ok(root)
    }
}

/// All environments begin at the one empty commit; the last rung is written last.
fn point_rungs(transaction: &mut Transaction<'_>, ladder: &Ladder, genesis: ObjectId) -> Result<()> {
    for rung in ladder.rungs() {
        transaction.point_branch(rung, genesis)?;
    }
    Ok(())
}

/// There is a ledger: what a first `init` may have been killed before is done, and nothing else.
fn already(request: &Request, project: &Project, caller: &mut Caller<'_>) -> Result<Outcome> {
    let desk = Desk::open(caller)?;
    let reader = desk.reader()?;
    let ladder = reader.trust()?.ladder().rungs().to_vec();
    if request.ladder.as_ref().is_some_and(|wanted| *wanted != ladder) {
        let message = format!("there is a ledger already, and its ladder is {}", ladder.join(","));
        return Err(Failure::refused("ladder", message).next("leave `--ladder` out, or begin another project").into());
    }
    let root = Desk::trust_root(&reader)?.to_string();
    project.shelter_ledger(&desk.path)?;
    if project.config.trust_root.is_none() {
        project.pin(&root)?;
    }
    Ok(Outcome {
        already: true,
        ledger: desk.path.display().to_string(),
        trust_root: root,
        admin: None,
        fingerprint: None,
        ladder,
    })
}

fn admin(request: &Request, caller: &Caller<'_>) -> Result<String, Failure> {
    let email = || GitSettings::read(|name| caller.variables.get(name).cloned()).email;
    request.operator.clone().or_else(email).filter(|name| !name.is_empty()).ok_or_else(|| {
        Failure::usage("the first admin needs a name")
            .next("name one with `--operator YOU@EXAMPLE.COM`, or set Git's `user.email`")
    })
}

fn first_team(admin: &str, key: &PublicKey) -> Result<Resource, Failure> {
    let team = json!({
        "apiVersion": "joch.dev/v1alpha1",
        "kind": "Team",
        "metadata": { "name": ADMINS },
        "spec": { "members": [{ "user": admin, "role": "admin", "keys": [key.to_string()] }] },
    });
    let team = Value::try_from(team).and_then(Resource::from_value).map_err(Failure::usage)?;
    crate::trust::check_members(&team)
        .map_err(|why| Failure::usage(why).next("name the first admin with `--operator`"))?;
    Ok(team)
}
