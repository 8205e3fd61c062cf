//! Observations that somebody makes by hand: they count exactly where joch would have made them, and an audit names the
//! others.

use crate::support::needs;

use super::*;

/// What somebody who may push can do with plain Git: `appends PATH FILE` signs a file as evidence with their own key and
/// puts it there.
const TOOLS: &str = r#"
set -e
export GIT_DIR="$PWD/.joch/ledger.git" GIT_INDEX_FILE="$TMPDIR/index"
who=$(basename "$HOME")@example.com
export GIT_AUTHOR_NAME=$who GIT_AUTHOR_EMAIL=$who GIT_COMMITTER_NAME=$who GIT_COMMITTER_EMAIL=$who
blob() { git update-index --add --cacheinfo "100644,$(git hash-object -w "$2"),$1"; }
appends() {
    old=$(git rev-parse heads/evidence); git read-tree "$old"; time=$(git show -s --format=%ct "$old" heads/trust | sort -n | tail -1)
    rm -f "$2.sig"; ssh-keygen -q -Y sign -f "$JOCH_SIGNING_KEY" -n joch-evidence@v1 "$2"
    blob "$1" "$2"; blob "$1.sig" "$2.sig"
    export GIT_AUTHOR_DATE="$time +0000" GIT_COMMITTER_DATE="$time +0000"
    new=$(printf 'forged\n\nJoch-Event: observation\nJoch-Operator: %s\n' "$who" | git commit-tree -S -p "$old" "$(git write-tree)")
    git update-ref refs/heads/evidence "$new"
}
"#;

/// Signs a changed observation and puts it where it belongs, or at another place; the rules that an audit then finds
/// broken.
fn rules_after(bench: &Bench, person: &str, change: impl Fn(&mut Value), place: Option<&str>) -> Vec<String> {
    let mut seen = bench.json("alice", "mcp record help-center --dry-run")["observation"].take();
    let recorded = bench.world.sh("alice", "git -C .joch/ledger.git show -s --format=%cI heads/evidence").stdout;
    seen["observedAt"] = recorded.trim().into();
    change(&mut seen);
    fs::write(bench.world.project().join("../forged.json"), seen.to_string()).expect("own file");
    let digest = seen["digest"].as_str().expect("a digest").trim_start_matches("sha256:")[..16].to_owned();
    let place = place.map_or_else(|| format!("observations/mcp-server/default/help-center/{digest}"), str::to_owned);
    let script = format!(
        "{TOOLS}\nid=$(sha256sum ../forged.json | cut -d' ' -f1)\nappends \"{place}/$id.json\" ../forged.json\n"
    );
    fs::write(bench.world.project().join("../forge.sh"), script).expect("own file");
    let outcome = bench.world.sh(person, "sh ../forge.sh");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    let told: Value = serde_json::from_str(&bench.world.sh("alice", "joch audit verify -o json").stdout).expect("JSON");
    let findings = told["findings"].as_array().expect("findings").iter();
    let mut rules: Vec<_> = findings.map(|finding| finding["rule"].as_str().expect("a rule").to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

/// How many observations count.
fn count(bench: &Bench) -> u64 {
    let outcome = bench.world.sh("alice", "joch mcp show help-center -o json");
    let told: Option<Value> = serde_json::from_str(&outcome.stdout).ok();
    told.and_then(|told| told["count"].as_u64()).unwrap_or(0)
}

#[test]
fn an_observation_made_by_hand_is_one_like_any_other() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("mcp-by-hand");
    assert_eq!(rules_after(&bench, "bob", |_| {}, None), [""; 0]);
    assert_eq!(count(&bench), 1);
}

#[test]
fn a_viewer_s_observation_is_named_and_does_not_count() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("mcp-viewer");
    assert_eq!(rules_after(&bench, "mallory", |_| {}, None), ["role"]);
    assert_eq!(count(&bench), 0);
}

#[test]
fn an_observation_that_stands_elsewhere_is_named_and_does_not_count() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("mcp-elsewhere");
    let place = "observations/mcp-server/default/help-center/0123456789abcdef";
    assert_eq!(rules_after(&bench, "bob", |_| {}, Some(place)), ["evidence-name"]);
    assert_eq!(count(&bench), 0);
}

#[test]
fn an_observation_that_is_dated_later_than_the_ledger_took_it_in_does_not_count() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("mcp-later");
    let later = |seen: &mut Value| seen["observedAt"] = "2999-01-01T00:00:00Z".into();
    assert_eq!(rules_after(&bench, "bob", later, None), ["evidence-name"]);
    assert_eq!(count(&bench), 0);
}

#[test]
fn an_observation_whose_words_are_not_those_of_its_digest_is_named() {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    let bench = Bench::new("mcp-words");
    let reworded = |seen: &mut Value| seen["tools"][0]["description"] = "Searches.".into();
    assert_eq!(rules_after(&bench, "bob", reworded, None), ["evidence-name"]);
    let outcome = bench.world.sh("alice", "joch mcp show help-center");
    assert_eq!(outcome.code, COULD_NOT);
    assert!(outcome.stderr.contains("`toolsDigest` is"), "{}", outcome.stderr);
}
