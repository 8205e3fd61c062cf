//! What is forged does not count, and an audit names it.

use joch::resource::Digest;

use crate::support::needs;

use super::*;

/// What somebody who may push can do with plain Git: `appends PATH FILE` signs a file as evidence with their own key
/// and puts it there, `puts PATH FILE` only the file.
const TOOLS: &str = r#"
set -e
export GIT_DIR="$PWD/.joch/ledger.git" GIT_INDEX_FILE="$TMPDIR/index"
who=$(basename "$HOME")@example.com
export GIT_AUTHOR_NAME=$who GIT_AUTHOR_EMAIL=$who GIT_COMMITTER_NAME=$who GIT_COMMITTER_EMAIL=$who
blob() { git update-index --add --cacheinfo "100644,$(git hash-object -w "$2"),$1"; }
begins() { old=$(git rev-parse heads/evidence); git read-tree "$old"; time=$(git show -s --format=%ct "$old" heads/trust | sort -n | tail -1); }
ends() {
    export GIT_AUTHOR_DATE="$time +0000" GIT_COMMITTER_DATE="$time +0000"
    new=$(printf 'forged\n\nJoch-Event: eval\nJoch-Operator: %s\n' "$who" | git commit-tree -S -p "$old" "$(git write-tree)")
    git update-ref refs/heads/evidence "$new"
}
signs() { rm -f "$1.sig"; ssh-keygen -q -Y sign -f "$JOCH_SIGNING_KEY" -n joch-evidence@v1 "$1"; }
appends() { begins; signs "$2"; blob "$1" "$2"; blob "$1.sig" "$2.sig"; ends; }
"#;

/// Runs a forger's script with a result at `$FORGED`, and tells the rules that an audit then finds broken.
fn rules_after(bench: &Bench, person: &str, result: &RunResult, script: &str) -> Vec<String> {
    let bytes = serde_json::to_vec(result).expect("JSON");
    fs::write(bench.0.project().join("../forged.json"), bytes).expect("own file");
    let digest = result.subject.digest.short();
    let script = format!(
        "{TOOLS}\nFORGED=../forged.json\nid=$(sha256sum \"$FORGED\" | cut -d' ' -f1)\nplace=evals/default/a/{digest}\n{script}\n"
    );
    fs::write(bench.0.project().join("../forge.sh"), script).expect("own file");
    let outcome = bench.0.sh(person, "sh ../forge.sh");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    rules(bench)
}

fn rules(bench: &Bench) -> Vec<String> {
    let outcome = bench.0.sh("alice", "joch audit verify -o json");
    let told: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let findings = told["findings"].as_array().expect("findings").iter();
    let mut rules: Vec<_> = findings.map(|finding| finding["rule"].as_str().expect("a rule").to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn a_result_signed_by_hand_is_one_like_any_other() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::staged("forged-honest");
    assert_eq!(rules_after(&bench, "ci", &bench.scores(0.9), "appends $place/$id.json $FORGED"), [""; 0]);
    bench.opens();
}

#[test]
fn a_result_of_somebody_without_the_role_is_named_and_does_not_count() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::staged("forged-role");
    assert_eq!(rules_after(&bench, "bob", &bench.scores(0.9), "appends $place/$id.json $FORGED"), ["role"]);
    bench.stopped(REFUSED, &["MISSING", "`bob@example.com` signed it, of whom `prod` takes no results"]);
}

#[test]
fn a_result_about_another_closure_moved_beside_the_candidate_is_named_and_does_not_count() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::staged("forged-moved");
    let mut other = bench.scores(0.9);
    let place = format!("evals/default/a/{}", other.subject.digest.short());
    other.subject.digest = joch::resource::Digest::of("another closure");
    let script = format!("appends {place}/$id.json $FORGED");
    assert_eq!(rules_after(&bench, "ci", &other, &script), ["evidence-name"]);
    bench.stopped(REFUSED, &["`evidence` is not built on", "(evidence-name)"]);
}

#[test]
fn a_result_that_was_changed_after_it_was_signed_is_named_and_nothing_is_decided_on_it() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::staged("forged-edited");
    let script = "signs $FORGED; mv $FORGED.sig sig; sed -i 's/0.9/1.0/' $FORGED; id=$(sha256sum $FORGED | cut -d' ' -f1)\n\
                  begins; blob $place/$id.json $FORGED; blob $place/$id.json.sig sig; ends";
    assert_eq!(rules_after(&bench, "ci", &bench.scores(0.9), script), ["evidence-signature"]);
    let outcome = bench.asks();
    assert_ne!(outcome.code, 0, "{}", outcome.stdout);
    let bench = Bench::staged("forged-renamed");
    bench.passes();
    let script = "begins; git ls-tree -r --name-only $old $place | while read f; do \
                  printf '0 %040d\\t%s\\n' 0 $f; done | git update-index --index-info; ends";
    assert_eq!(rules_after(&bench, "ci", &bench.scores(0.9), script), ["evidence-changed"]);
}

/// A ledger whose only release into `prod` was decided on this result in place of the honest one: everything that names
/// it says so, is signed by whoever may, and stands where it belongs. Tells which rules an audit finds broken.
fn decided_on(name: &str, lie: impl Fn(&mut RunResult)) -> Vec<String> {
    let bench = Bench::staged(name);
    let measured = bench.scores(0.9);
    let honest = bench.records(&measured);
    bench.does("ci", "promote a --from staging --to prod");
    // The same run with another journal, so that the record says of it what it said of the other.
    let mut forged = measured.clone();
    forged.runner.journal = Digest::of("another journal");
    lie(&mut forged);
    let script = format!("was={honest}\n{EXCHANGE}");
    rules_after(&bench, "ci", &forged, &script)
}

const EXCHANGE: &str = r#"
decided=$(git rev-parse heads/evidence); measured=$(git rev-parse heads/evidence^); released=$(git rev-parse heads/prod)
at() { export GIT_AUTHOR_DATE="$(git show -s --format=%ct "$1") +0000"; export GIT_COMMITTER_DATE="$GIT_AUTHOR_DATE"; }
says() { git cat-file commit "$1" | sed '1,/^$/d'; }
tells() { sed "s/$measured/$result/g; s/$was/$id/g"; }
git read-tree $measured^; signs $FORGED; blob $place/$id.json $FORGED; blob $place/$id.json.sig $FORGED.sig; at $measured
result=$(says $measured | git commit-tree -S -p $measured^ $(git write-tree))
record=agents/default/a/record.json
git cat-file blob $released:$record | tells > $TMPDIR/record; signs $TMPDIR/record
decision=decisions/prod/1-$(sha256sum $TMPDIR/record | cut -d' ' -f1).json
git read-tree $result; blob $decision $TMPDIR/record; blob $decision.sig $TMPDIR/record.sig; at $decided
git update-ref refs/heads/evidence $(says $decided | git commit-tree -S -p $result $(git write-tree))
git read-tree $released; blob $record $TMPDIR/record
git cat-file blob $released:release.json | tells > $TMPDIR/manifest; blob release.json $TMPDIR/manifest; at $released
release=$(says $released | tells | git commit-tree -S -p $released^ $(git write-tree))
git update-ref refs/heads/prod $release
for tag in $(git for-each-ref --format='%(refname)' --points-at=$released refs/tags); do
    case $tag in
        refs/tags/release/*) git tag -f -s -m release ${tag#refs/tags/} $release > $TMPDIR/out ;;
        *) git update-ref $tag $release ;;
    esac
done
rm $OLDPWD/.joch/seen.json 2> $TMPDIR/err || rm .joch/seen.json
"#;

#[test]
fn a_release_on_a_result_that_says_no_by_its_own_numbers_is_named() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    assert_eq!(decided_on("forged-none", |_| {}), [""; 0], "another honest result");
    assert_eq!(decided_on("forged-value", |result| result.metrics[0].value = "0.3".parse().ok()), ["gate-verdict"]);
    assert_eq!(decided_on("forged-cases", |result| drop(result.cases.pop())), ["gate-verdict"]);
}

#[test]
fn a_release_on_a_result_from_another_time_place_or_eval_is_named() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let later = |days| {
        move |result: &mut RunResult| {
            let times = [&mut result.runner.started_at, &mut result.runner.finished_at];
            times.into_iter().flatten().for_each(|time| *time += chrono::TimeDelta::days(days));
        }
    };
    assert_eq!(decided_on("forged-future", later(30)), ["gate-verdict"]);
    assert_eq!(decided_on("forged-past", later(-30)), ["gate-verdict"]);
    assert_eq!(decided_on("forged-place", |result| result.subject.environment = "dev".into()), ["gate-verdict"]);
    let other = || joch::resource::Digest::of("other");
    assert_eq!(decided_on("forged-eval", |result| result.eval.digest = other()), ["gate-verdict"]);
    assert_eq!(decided_on("forged-judge", |result| result.judges[0].asked.digest = other()), ["gate-verdict"]);
    assert_eq!(decided_on("forged-reach", |result| result.reach.digest = other()), ["gate-verdict"]);
    assert_eq!(decided_on("forged-live", |result| result.reach.live = false), ["gate-verdict"]);
}
