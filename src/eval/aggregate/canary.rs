//! Whether the judges were right about answers of known quality. A judge that was wrong about one, or was not asked, is
//! not believed about the others.

use crate::eval::journal::{Finding, JudgeRef};
use crate::eval::judge::canaries;
use crate::eval::result::Canaries;

use super::collect::Collected;
use super::words::brief;

/// The first canary about which a judge was wrong or said nothing, in words.
pub(super) fn first_wrong(found: &Collected) -> Option<String> {
    let known = canaries();
    let wrong = |(judge, seat): (u32, &JudgeRef)| {
        known.iter().find_map(|canary| {
            let shown = || found.canaries.iter().filter(|((name, by, _), _)| name == canary.name && *by == judge);
            let kept = || shown().flat_map(|(_, heard)| heard.values()).map(|kept| &kept.value);
            let model = &seat.model;
            if !kept().any(|heard| heard.found.is_some()) {
                let why = kept().find_map(|heard| heard.why.as_deref()).unwrap_or("it was not asked");
                return Some(format!("{model} gave no verdict on `{}`: {}", canary.name, brief(why)));
            }
            let findings = || kept().filter_map(|heard| heard.found.as_deref());
            canary.expected.iter().find_map(|(criterion, right)| {
                let said = findings().find_map(|findings| {
                    let of = findings.iter().find(|(number, _)| found.criteria.text(*number) == criterion);
                    of.map(|(_, finding)| *finding).filter(|finding| finding != right)
                })?;
                let (name, right, said) = (canary.name, word(*right), word(said));
                Some(format!("of `{name}`, {criterion} is {right}, and {model} said {said}"))
            })
        })
    };
    (0_u32..).zip(&found.plans.plan.judges).find_map(wrong)
}

fn word(finding: Finding) -> &'static str {
    match finding {
        Finding::Met => "met",
        Finding::NotMet => "not_met",
        Finding::CannotJudge => "cannot_judge",
    }
}

/// How many findings about canaries were asked for and right: of every judge every canary at least once. What several
/// shards asked counts every time, or a judge that is right by chance would hide one that is wrong.
pub(super) fn check(found: &Collected) -> Canaries {
    let mut count = Canaries::default();
    let known = canaries();
    for (judge, _) in (0_u32..).zip(&found.plans.plan.judges) {
        for canary in &known {
            let wanted = canary.expected.len() as u64;
            let shown = found.canaries.iter().filter(|((name, by, _), _)| name == canary.name && *by == judge);
            let mut asked = false;
            for (_, heard) in shown {
                asked = true;
                let spoken: Vec<_> = heard.values().filter_map(|kept| kept.value.found.as_ref()).collect();
                if spoken.is_empty() {
                    count.expected += wanted;
                }
                for findings in spoken {
                    let is = |criterion: &String| {
                        let of = findings.iter().find(|(number, _)| found.criteria.text(*number) == criterion);
                        of.map(|(_, finding)| *finding)
                    };
                    count.expected += wanted;
                    let right = canary.expected.iter().filter(|(criterion, finding)| is(criterion) == Some(**finding));
                    count.correct += right.count() as u64;
                }
            }
            if !asked {
                count.expected += wanted;
            }
        }
    }
    // A canary of which this joch does not know what is right says that something else is wrong.
    let strange = found.canaries.keys().filter(|(name, ..)| known.iter().all(|canary| canary.name != *name));
    count.expected += strange.count() as u64;
    count
}
