//! Cuts of the power at any call of a verb, on a disk that keeps no more than it must: the old state or the new, which the
//! next command makes whole, and all that was acknowledged.

use std::fs;

use super::disk::{Luck, Record};
use super::tracer::Tracer;
use super::trial::{State, Trial, many, report, spread};
use super::verbs::{self, Verb};

/// At how many calls the power goes: by default, and with `JOCH_TEST_LONG=1`.
const CUTS: (usize, usize) = (4, 30);

fn power_goes(verb: impl Fn(&str) -> Verb, name: &str) {
    let Some(tracer) = Tracer::here() else { return };
    let trial = Trial::begin(&tracer, verb(name));
    trial.bring_back();
    let record = Record::of(&tracer, &trial, &format!("joch {}", trial.line));
    let (count, said) = (record.calls.len(), record.said());
    let wanted = many(CUTS.0, CUTS.1);
    let each = |made: usize| {
        let dice = u64::try_from(made).expect("it fits");
        let all = [Luck::Nothing, Luck::Names, Luck::Dice(dice), Luck::Dice(dice + 1000)];
        let some = if wanted > count { 4 } else { 1 };
        all.into_iter().cycle().skip(if some == 4 { 0 } else { made % 4 }).take(some).map(move |luck| (made, luck))
    };
    let points = spread(&Vec::from_iter(1..=count), wanted);
    let acknowledged = [(said, Luck::Nothing), (said, Luck::Names), (count, Luck::Nothing)];
    let (mut new, mut wrong, mut cuts) = (0, Vec::new(), 0);
    for (made, luck) in points.into_iter().flat_map(each).chain(acknowledged) {
        trial.shell("find . -mindepth 1 -delete");
        record.cut(made, luck, &trial.lab.0.project());
        cuts += 1;
        match judge(&trial, made >= said) {
            Ok(state) => new += usize::from(state == State::New),
            Err(why) => {
                let behind = &record.calls[made - 1];
                let at = format!("{} {}", behind.name, behind.path.display());
                wrong.push(format!("{luck:?} behind {made}, {at}: {why}"));
            }
        }
    }
    let line = trial.line;
    assert!(wrong.is_empty(), "joch {line}: {} of {cuts} cuts\n{}", wrong.len(), wrong.join("\n"));
    assert!(!trial.moves() || new > 0 && new < cuts, "joch {line}: {new} of {cuts} came out new");
    report(&format!("joch {line}: {cuts} cuts of the power at {count} calls, {new} new"));
}

/// What must hold when the power is back.
fn judge(trial: &Trial, is_acknowledged: bool) -> Result<State, String> {
    if trial.ledger().exists() {
        trial.works("audit verify")?;
    }
    let state = trial.state()?;
    if is_acknowledged && trial.moves() && state != State::New {
        return Err("what was acknowledged is lost".into());
    }
    // Of a cache the old name of a file goes when that file is written next, and it may be the file that was.
    trial.shell("rm -f .joch/cache/.*.new");
    trial.works_again()?;
    Ok(state)
}

#[test]
fn a_cut_takes_what_was_not_synced_and_nothing_else() {
    let Some(tracer) = Tracer::here() else { return };
    let trial = Trial::begin(&tracer, verbs::approve("cuts-model"));
    for (line, luck, left) in [
        ("echo new >x", Luck::Nothing, "old"),
        ("echo new >x", Luck::Names, ""),
        ("echo new >x && sync x", Luck::Nothing, "new\n"),
        ("echo new >y && mv y x", Luck::Nothing, "old"),
        ("echo new >y && mv y x", Luck::Names, ""),
        ("echo new >y && sync y && mv y x", Luck::Nothing, "old"),
        ("echo new >y && sync y && mv y x", Luck::Names, "new\n"),
        ("echo new >y && sync y && mv y x && sync .", Luck::Nothing, "new\n"),
    ] {
        trial.bring_back();
        trial.lab.file("x", "old");
        let record = Record::of(&tracer, &trial, &format!("sh -c \"{line}\""));
        trial.shell("find . -mindepth 1 -delete");
        record.cut(record.calls.len(), luck, &trial.lab.0.project());
        let found = fs::read_to_string(trial.lab.path("x")).expect("it is there");
        assert_eq!(found, left, "{line}, {luck:?}");
        trial.lab.is_sound();
    }
}

#[test]
fn the_power_goes_at_any_call_of_init() {
    power_goes(verbs::init, "cuts-init");
}

#[test]
fn the_power_goes_at_any_call_of_apply() {
    power_goes(verbs::apply, "cuts-apply");
}

#[test]
fn the_power_goes_at_any_call_of_apply_to_a_packed_ledger() {
    power_goes(verbs::apply_packed, "cuts-apply-packed");
}

#[test]
fn the_power_goes_at_any_call_of_promote() {
    power_goes(verbs::promote, "cuts-promote");
}

#[test]
fn the_power_goes_at_any_call_of_approve() {
    power_goes(verbs::approve, "cuts-approve");
}

#[test]
fn the_power_goes_at_any_call_of_rollback() {
    power_goes(verbs::rollback, "cuts-rollback");
}

#[test]
fn the_power_goes_at_any_call_of_delete() {
    power_goes(verbs::delete, "cuts-delete");
}

#[test]
fn the_power_goes_at_any_call_of_gc() {
    power_goes(verbs::gc, "cuts-gc");
}

#[test]
fn the_power_goes_at_any_call_of_a_change_of_trust() {
    power_goes(verbs::trust, "cuts-trust");
}
