//! `joch eval ls`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::eval::Verdict;
use crate::render::report::figures;
use crate::render::{Page, View};
use crate::resource::ResourceId;

use super::words;

/// Evals, and what is known of each.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvalList {
    /// By environment, namespace and name.
    pub items: Vec<ListedEval>,
    /// Runs that were begun and not finished, oldest first.
    pub unfinished: Vec<UnfinishedRun>,
}

/// One Eval.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedEval {
    /// The Eval.
    pub eval: ResourceId,
    /// The environment.
    pub environment: String,
    /// The agent that it measures, if it runs there.
    pub agent: Option<ResourceId>,
    /// When it runs by itself: `onDeployment`, `nightly`.
    pub schedule: Vec<String>,
    /// Whether it is due now.
    pub due: bool,
    /// The environments into which it gates promotions.
    pub gates: Vec<String>,
    /// Its latest complete run.
    pub last: Option<LastRun>,
}

/// The latest complete run of an Eval.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// Its id.
    pub run: String,
    /// What it came to.
    pub verdict: Verdict,
    /// When it ended.
    pub time: Option<DateTime<Utc>>,
    /// The version that it measured.
    pub version: Option<u64>,
    /// Whether it is about what runs now.
    pub current: bool,
    /// If not, what changed since.
    pub stale: Option<String>,
    /// The id of the evidence.
    pub evidence: Option<String>,
}

/// A run that was begun and not finished.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnfinishedRun {
    /// Its id.
    pub run: String,
    /// The Eval.
    pub eval: ResourceId,
    /// Which part of the cases, as `2/4`; none for all of them.
    pub shard: Option<String>,
    /// When it was planned.
    pub time: DateTime<Utc>,
    /// Trials that are done.
    pub done: u64,
    /// Trials in all.
    pub planned: u64,
    /// The command that goes on with it.
    pub command: String,
}

impl View for EvalList {
    fn kind(&self) -> &'static str {
        "EvalList"
    }

    fn fields(&self) -> serde_json::Value {
        super::fields_of(self)
    }

    fn text(&self, page: &mut Page, wide: bool) {
        if self.items.is_empty() && self.unfinished.is_empty() {
            page.line("there are no evals");
            return;
        }
        if !self.items.is_empty() {
            let mut headings = vec!["ENVIRONMENT", "EVAL", "AGENT", "SCHEDULE", "LAST", "STATE", "TIME"];
            headings.extend(wide.then_some(["VERSION", "GATES", "RUN", "EVIDENCE"]).into_iter().flatten());
            let rows: Vec<_> = self.items.iter().map(|item| item.row(wide)).collect();
            page.table(&headings, &rows);
        }
        for item in &self.items {
            if let Some(why) = item.last.as_ref().and_then(|last| last.stale.as_ref()) {
                page.line(format!("{} in {} is stale: {why}", words::name(&item.eval), item.environment));
            }
        }
        if !self.unfinished.is_empty() {
            page.gap();
            page.line("Not finished");
            let rows: Vec<_> = self.unfinished.iter().map(UnfinishedRun::row).collect();
            page.indented_table(2, &[], &rows);
        }
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(|item| item.eval.to_string()).collect()
    }
}

impl ListedEval {
    fn row(&self, wide: bool) -> Vec<String> {
        let last = self.last.as_ref();
        let state = match last {
            None => "never ran",
            Some(last) if last.current => "current",
            Some(_) => "stale",
        };
        let state = if self.due { format!("{state}, due") } else { state.to_owned() };
        let mut row = vec![
            self.environment.clone(),
            words::name(&self.eval),
            words::or_none(self.agent.as_ref().map(words::name)),
            if self.schedule.is_empty() { "manual".to_owned() } else { self.schedule.join(", ") },
            words::or_none(last.map(|last| figures::verdict(last.verdict))),
            state,
            words::or_none(last.and_then(|last| last.time).map(words::time)),
        ];
        if wide {
            row.push(words::version(last.and_then(|last| last.version)));
            row.push(words::or_none((!self.gates.is_empty()).then(|| self.gates.join(", "))));
            row.push(words::or_none(last.map(|last| last.run.clone())));
            row.push(words::or_none(last.and_then(|last| last.evidence.clone())));
        }
        row
    }
}

impl UnfinishedRun {
    fn row(&self) -> Vec<String> {
        let shard = self.shard.as_ref().map_or_else(String::new, |shard| format!(" shard {shard}"));
        vec![
            format!("{}{shard}", words::name(&self.eval)),
            format!("{} of {} done", self.done, self.planned),
            words::time(self.time),
            self.command.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::render::report::sample::moment;
    use crate::render::table;
    use crate::resource::Kind;

    use super::*;

    fn eval(name: &str, last: Option<LastRun>) -> ListedEval {
        ListedEval {
            eval: ResourceId::new(Kind::Eval, "default", name),
            environment: "staging".into(),
            agent: Some(ResourceId::agent("default", "support-triage")),
            schedule: if last.is_some() { vec!["onDeployment".into(), "nightly".into()] } else { Vec::new() },
            due: last.is_some(),
            gates: vec!["prod".into()],
            last,
        }
    }

    #[test]
    fn a_list_tells_what_is_stale_and_what_can_go_on() {
        let last = LastRun {
            run: "4f1c".into(),
            verdict: Verdict::Passed,
            time: Some(moment("02:04:12")),
            version: Some(7),
            current: false,
            stale: Some("the agent is v8 now".into()),
            evidence: None,
        };
        let unfinished = UnfinishedRun {
            run: "99aa".into(),
            eval: ResourceId::new(Kind::Eval, "default", "quality"),
            shard: Some("2/4".into()),
            time: moment("03:00:00"),
            done: 12,
            planned: 30,
            command: "joch eval run quality --target staging --resume 99aa".into(),
        };
        let list =
            EvalList { items: vec![eval("quality", Some(last)), eval("tone", None)], unfinished: vec![unfinished] };
        let expected = "\
ENVIRONMENT  EVAL     AGENT           SCHEDULE               LAST    STATE       TIME
staging      quality  support-triage  onDeployment, nightly  passed  stale, due  2026-05-10T02:04:12Z
staging      tone     support-triage  manual                 -       never ran   -
quality in staging is stale: the agent is v8 now

Not finished
  quality shard 2/4  12 of 30 done  2026-05-10T03:00:00Z  joch eval run quality --target staging --resume 99aa
";
        assert_eq!(table(&list, false), expected);
    }
}
