//! What is forged does not count, and an audit names it.

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
begins() { old=$(git rev-parse heads/evidence); git read-tree "$old"; time=$(git show -s --format=%ct "$old"); }
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
    bench.stopped(REFUSED, &["MISSING", "eval/quality has not run about agent/a"]);
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
                  git update-index --force-remove $f; done; ends";
    assert_eq!(rules_after(&bench, "ci", &bench.scores(0.9), script), ["evidence-changed"]);
}

/// A release that joch would have stopped, made with the ledger's own tools: `prod` holds what a promotion would have
/// written, had this result been an honest pass.
fn landed_on(name: &str, lie: impl Fn(&mut RunResult)) -> (Bench, Vec<String>) {
    let bench = Bench::staged(name);
    bench.passes();
    // Both the honest and the forged ledger get the same promotion; in the second, the result is exchanged before it.
    let mut forged = bench.scores(0.9);
    lie(&mut forged);
    bench.does("ci", "promote a --from staging --to prod");
    let id = bench.records(&forged);
    let script = format!(
        "{TOOLS}\nrecord=agents/default/a/record.json\nold=$(git rev-parse heads/prod); git read-tree $old\n\
         time=$(git show -s --format=%ct $old); git cat-file blob $old:$record > $TMPDIR/record\n\
         was=$(grep -o '[0-9a-f]\\{{64\\}}' $TMPDIR/record | sort | uniq -c | sort -rn | head -0; \
               sed -n '/evalResults/,/\\]/s/.*\"evidence\": \"\\([0-9a-f]*\\)\".*/\\1/p' $TMPDIR/record)\n\
         sed -i \"s/$was/{id}/\" $TMPDIR/record; blob $record $TMPDIR/record\n\
         export GIT_AUTHOR_DATE=\"$time +0000\" GIT_COMMITTER_DATE=\"$time +0000\"\n\
         new=$(git log -1 --format=%B $old | git commit-tree -S -p $old^ $(git write-tree))\n\
         git update-ref refs/heads/prod $new\n"
    );
    fs::write(bench.0.project().join("../forge.sh"), script).expect("own file");
    let outcome = bench.0.sh("ci", "sh ../forge.sh && rm .joch/seen.json");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let found = rules(&bench);
    (bench, found)
}

#[test]
fn a_record_that_cites_another_result_than_the_one_that_decides_is_named() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let (_, found) = landed_on("forged-record", |result| result.metrics[0].value = "0.3".parse().ok());
    assert!(found.contains(&"gate-verdict".to_owned()), "{found:?}");
}
