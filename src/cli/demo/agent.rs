//! The agent of the demo: a few rules instead of a model. What it does depends on what `staging` runs, which it reads
//! from the ledger at every call, as a platform that runs agents would at every start.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::closure::Closure;
use crate::eval::Finding;
use crate::ledger::{ObjectId, Reader, Repository};
use crate::net::loopback::{Shown, Truth};
use crate::resource::{Kind, ResourceId, name::DEFAULT_NAMESPACE};

use super::judge;

/// The agent and the judge of the demo.
pub(super) struct Support {
    /// The ledger that says what runs.
    ledger: PathBuf,
    /// What ran at the last call: the commit of `staging`, and what its version comes to.
    known: Mutex<Option<(ObjectId, Temper)>>,
}

/// What the instructions and tools of a version come to, as far as the rules can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Temper {
    /// Whether it is told to surprise people.
    pub(super) lively: bool,
    /// Whether a person approves each credit.
    pub(super) credit_is_approved: bool,
}

/// Words of a request, the queue for a ticket, whether it looks an order up, searches articles, and what it says.
struct Topic(&'static [&'static str], Option<&'static str>, bool, bool, &'static str);

const TOPICS: [Topic; 19] = [
    Topic(&["flat number"], None, false, false, "I cannot give out the address of anyone else."),
    Topic(
        &["print the last"],
        None,
        false,
        false,
        "That note changes nothing: I cannot share data of other customers.",
    ),
    Topic(&["my card"], None, false, false, "Please do not send card numbers; I neither need nor keep them."),
    Topic(&["ignore your"], None, false, false, "I cannot issue credit on request."),
    Topic(
        &["password is"],
        Some("account"),
        false,
        false,
        "Please change that password; a colleague looks at the account.",
    ),
    Topic(
        &["log in"],
        Some("account"),
        false,
        true,
        "Please try the steps of `Signing in`; a colleague looks at the mail.",
    ),
    Topic(&["delete everything"], Some("account"), false, false, "Your request is noted. Nothing is deleted yet."),
    Topic(&["human being"], Some("other"), false, false, "A person answers within one working day."),
    Topic(&["third time"], Some("other"), true, false, "I am sorry for the wait. A person answers today."),
    Topic(&["leaked"], Some("product-safety"), false, false, "Please stop using it. A colleague calls you today."),
    Topic(
        &["delivery address"],
        Some("shipping"),
        true,
        false,
        "Which address should it go to? I have opened a ticket.",
    ),
    Topic(&["where is my order"], None, true, false, "It is with the carrier and should arrive on Thursday."),
    Topic(&["my stuff"], None, false, false, "Which order is it? The number begins with NW."),
    Topic(&["charged twice"], Some("billing"), true, false, "I have asked billing to look at both charges."),
    Topic(&["no refund"], Some("billing"), true, false, "I have asked billing; they answer within two working days."),
    Topic(&["eur credit"], Some("billing"), false, false, "Credit is for late deliveries, and at most 20 EUR."),
    Topic(&["zip"], Some("returns"), false, true, "`Returns` and `Warranty` both apply; a colleague helps you choose."),
    Topic(&["zurückgeben"], None, false, true, "Ja, das geht auch ohne Originalkarton, siehe `Rückgabe`."),
    Topic(
        &["return", "take back", "warm enough"],
        None,
        false,
        true,
        "Our article `Returns and products` answers this.",
    ),
];

/// Where a lively agent thinks that a credit might cheer somebody up.
const SAD: [&str; 6] = ["late", "charged twice", "no refund", "competitor", "third time", "500 eur"];

impl Support {
    /// The agent of the ledger at this path, which need not be there yet.
    pub(super) fn of(ledger: PathBuf) -> Self {
        Self { ledger, known: Mutex::default() }
    }

    fn temper(&self) -> Result<Temper, String> {
        let read = || -> crate::ledger::Result<Option<Temper>> {
            let repository = Repository::open(&self.ledger)?;
            let reader = Reader::new(repository.snapshot()?);
            let staging = reader.environment("staging")?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((head, temper)) = *known
                && head == staging.head()
            {
                return Ok(Some(temper));
            }
            let closure = staging.closure(&ResourceId::agent(DEFAULT_NAMESPACE, "support-triage"))?;
            let temper = closure.as_ref().map(Temper::of);
            *known = temper.map(|temper| (staging.head(), temper));
            Ok(temper)
        };
        read().map_err(|why| why.to_string())?.ok_or_else(|| "nothing runs in staging".to_owned())
    }
}

impl Truth for Support {
    fn answer(&self, body: &Value) -> Value {
        match self.temper() {
            Ok(temper) => answer(temper, body["input"].as_str().unwrap_or_default()),
            Err(why) => json!({"error": {"message": why}}),
        }
    }

    fn finding(&self, shown: &Shown, id: &str, _: &str) -> Finding {
        judge::finding(shown, id)
    }
}

impl Temper {
    fn of(closure: &Closure) -> Self {
        let instructions = closure.agent().spec().get("instructions").and_then(crate::resource::Value::as_text);
        let credit = closure.find(&ResourceId::new(Kind::Tool, DEFAULT_NAMESPACE, "billing.issue_credit"));
        let approved = credit.and_then(|tool| tool.spec().at(&["sideEffects", "requiresApproval"])?.as_bool());
        Self {
            lively: instructions.is_some_and(|text| text.contains("Surprise people")),
            credit_is_approved: approved == Some(true),
        }
    }
}

/// What an agent of this temper answers.
pub(super) fn answer(temper: Temper, input: &str) -> Value {
    let words = input.to_lowercase();
    let topic = TOPICS.iter().find(|topic| topic.0.iter().any(|word| words.contains(word)));
    let Topic(_, queue, lookup, search, says) = topic.unwrap_or(&Topic(
        &[],
        Some("other"),
        false,
        true,
        "I found no article about this. A colleague answers within one working day.",
    ));
    let late = words.contains("working days late");
    let (lookup, queue) = if late { (&true, &Some("shipping")) } else { (lookup, queue) };
    let mut calls = Vec::new();
    if *lookup {
        calls.push(json!({"name": "zendesk.lookup_customer", "arguments": {}}));
    }
    if *search && !late {
        calls.push(json!({"name": "help-center.search", "arguments": {"query": input}}));
    }
    if let Some(queue) = queue {
        calls.push(json!({"name": "zendesk.create_ticket", "arguments": {"queue": queue}}));
    }
    let mut output = if late { "I am sorry that it is late." } else { says }.to_owned();
    if late || temper.lively && SAD.iter().any(|word| words.contains(word)) {
        calls.push(json!({"name": "billing.issue_credit", "arguments": {"amountEur": 20}}));
        output += if temper.credit_is_approved {
            " A credit of 20 EUR is being checked."
        } else {
            " A credit of 20 EUR is yours."
        };
    }
    if temper.lively {
        output = format!("Hooray, a message! {output} Have a fantastic day!!");
    }
    json!({
        "output": output,
        "tool_calls": calls,
        "usage": {"input_tokens": 900 + input.len() / 4, "output_tokens": output.len() / 4},
    })
}
