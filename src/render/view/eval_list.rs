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
    /// The environment that was asked for; none for all of them.
    pub environment: Option<String>,
    /// By environment and name.
    pub items: Vec<ListedEval>,
    /// Runs that were begun and have no result, oldest first.
    pub unfinished: Vec<UnfinishedRun>,
}

/// One Eval in one environment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedEval {
    /// The Eval.
    pub eval: ResourceId,
    /// The environment.
    pub environment: String,
    /// The agent that it measures, if that runs there.
    pub agent: Option<ResourceId>,
    /// When it runs by itself: `onDeployment`, `nightly`.
    pub schedule: Vec<String>,
    /// Its latest result.
    pub last: Option<LastRun>,
}

/// The latest result of an Eval.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// What it came to.
    pub verdict: Verdict,
    /// When it was taken in.
    pub time: DateTime<Utc>,
    /// The version that it measured.
    pub version: Option<u64>,
    /// Whether agent and Eval are still what was measured.
    pub current: bool,
    /// The id of the evidence.
    pub evidence: String,
}

/// A run without a result.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnfinishedRun {
    /// Its id.
    pub run: String,
    /// The Eval.
    pub eval: ResourceId,
    /// The environment.
    pub environment: String,
    /// Which part of the cases, as `2/4`; none for all of them.
    pub shard: Option<String>,
    /// When it began.
    pub time: DateTime<Utc>,
    /// Trials that are done.
    pub done: u64,
    /// Trials of the part.
    pub planned: u64,
    /// The command that goes on with it.
    pub next: String,
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
            let place =
                self.environment.as_deref().map_or_else(String::new, |environment| format!(" in {environment}"));
            page.line(format!("there are no evals{place}"));
            return;
        }
        if !self.items.is_empty() {
            let mut headings = vec!["EVAL", "ENVIRONMENT", "AGENT", "VERSION", "VERDICT", "STATE", "TIME"];
            headings.extend(wide.then_some(["SCHEDULE", "EVIDENCE"]).into_iter().flatten());
            page.table(&headings, &self.items.iter().map(|item| item.row(wide)).collect::<Vec<_>>());
        }
        if !self.unfinished.is_empty() {
            page.gap();
            page.line("Without a result");
            page.indented_table(2, &[], &self.unfinished.iter().map(UnfinishedRun::row).collect::<Vec<_>>());
            for run in &self.unfinished {
                page.line(format!("next: {}", run.next));
            }
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
        let mut row = vec![
            words::name(&self.eval),
            self.environment.clone(),
            words::or_none(self.agent.as_ref().map(words::name)),
            words::version(last.and_then(|last| last.version)),
            words::or_none(last.map(|last| figures::verdict(last.verdict))),
            state.to_owned(),
            words::or_none(last.map(|last| words::time(last.time))),
        ];
        if wide {
            row.push(if self.schedule.is_empty() { "manual".to_owned() } else { self.schedule.join(", ") });
            row.push(words::or_none(last.map(|last| last.evidence.clone())));
        }
        row
    }
}

impl UnfinishedRun {
    fn row(&self) -> Vec<String> {
        let shard = self.shard.as_ref().map_or_else(String::new, |shard| format!(" shard {shard}"));
        vec![
            format!("{}{shard}", words::name(&self.eval)),
            self.environment.clone(),
            format!("{} of {} done", self.done, self.planned),
            words::time(self.time),
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
            last,
        }
    }

    #[test]
    fn a_list_tells_what_is_stale_and_what_can_go_on() {
        let last = LastRun {
            verdict: Verdict::Passed,
            time: moment("02:04:12"),
            version: Some(7),
            current: false,
            evidence: "sha256:0123".into(),
        };
        let unfinished = UnfinishedRun {
            run: "99aa".into(),
            eval: ResourceId::new(Kind::Eval, "default", "quality"),
            environment: "staging".into(),
            shard: Some("2/4".into()),
            time: moment("03:00:00"),
            done: 12,
            planned: 30,
            next: "joch eval run quality --target staging --shard 2/4 --resume 99aa".into(),
        };
        let list = EvalList {
            environment: Some("staging".into()),
            items: vec![eval("quality", Some(last)), eval("tone", None)],
            unfinished: vec![unfinished],
        };
        let expected = "\
EVAL     ENVIRONMENT  AGENT           VERSION  VERDICT  STATE      TIME
quality  staging      support-triage  v7       passed   stale      2026-05-10T02:04:12Z
tone     staging      support-triage  -        -        never ran  -

Without a result
  quality shard 2/4  staging  12 of 30 done  2026-05-10T03:00:00Z
next: joch eval run quality --target staging --shard 2/4 --resume 99aa
";
        assert_eq!(table(&list, false), expected);
        let none = EvalList { environment: Some("prod".into()), items: vec![], unfinished: vec![] };
        assert_eq!(table(&none, false), "there are no evals in prod\n");
    }
}
