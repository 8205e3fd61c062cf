//! Attacks by name: what somebody with plain Git, a key or the disk does to a ledger, the rule that tells it, the object
//! that is named, and the way back. An id begins each name, so that no attack is lost unseen (`count.rs`).

mod clock;
mod config;
mod count;
mod files;
mod grammar;
mod names;
mod refs;
mod stored;
mod tips;
mod trees;

use serde_json::Value;

use crate::audit::forge::{forge, forget, sh, shared, verify};
use crate::support::needs;
use crate::support::world::World;

/// More functions for forgers.
const MORE: &str = r#"
# bare: the tip of `local` without its signature, as bytes
bare() { git cat-file commit "$old" | sed '/^gpgsig/,/END SSH SIGNATURE/d'; }
# move COMMIT: it takes the place of the tip of `local`, with its tags
move() {
    git update-ref refs/heads/local "$1"; git tag -f -s -m x release/local/2 "$1" > "$TMPDIR/out"
    for tag in $(git for-each-ref --format='%(refname)' --points-at="$old" refs/tags/agent); do git update-ref "$tag" "$1"; done
}
# stand TREE: the tip of `local` again, with that tree
stand() { move "$(bare | sed "1s/.*/tree $1/" | seal git)"; }
# twenty TYPE MODE ID: the bytes of an id
twenty() { printf '%s %s %s\tx\n' "$2" "$1" "$3" | git mktree --missing | xargs git cat-file tree | tail -c 20; }
# entry MODE NAME: an entry of a tree as bytes, of that mode and name, with the content of a file that is there
entry() { printf "$1 $2\0"; twenty blob 100644 "$(git rev-parse "$old:release.json")"; }
# tree: the tree on standard input, as bytes, is written
tree() { cat > "$TMPDIR/tree"; git hash-object -t tree -w --literally "$TMPDIR/tree"; }
# root: the tree of the tip of `local`, as bytes
root() { git cat-file tree "$old^{tree}"; }
# tagged: the raw tag on standard input is signed, and takes the place of that of `local/2`
tagged() {
    cat > "$TMPDIR/t"; rm -f "$TMPDIR/t.sig"; ssh-keygen -q -Y sign -f "$JOCH_SIGNING_KEY" -n git "$TMPDIR/t"
    cat "$TMPDIR/t" "$TMPDIR/t.sig" > "$TMPDIR/t2"; printf "${1:-}" >> "$TMPDIR/t2"
    git update-ref refs/tags/release/local/2 "$(git hash-object -t tag -w --literally "$TMPDIR/t2")"
}
# untagged: the tag of `local/2` without its signature, as bytes
untagged() { git cat-file tag tags/release/local/2 | sed '/^-----BEGIN SSH/,$d'; }
take local
"#;

/// An attack: its id, the rule that tells it, the object that is named (words for a shell), and what is done.
type Attack = (&'static str, &'static str, &'static str, &'static str);

/// That each attack of Mallory's, on a ledger of its own, is told under its rule, with its object and a way back.
fn told(attacks: &[Attack]) {
    if !needs(&["ssh-keygen"]) {
        return;
    }
    for (id, rule, object, script) in attacks {
        let world = shared(id);
        forget(&world);
        forge(&world, "mallory", &format!("{MORE}\n{script}"));
        names(&world, id, rule, object);
    }
}

/// That the audit of this ledger finds the rule broken, names the object and a way back.
fn names(world: &World, id: &str, rule: &str, object: &str) {
    let object = sh(world, "alice", &format!("export GIT_DIR=.joch/ledger.git; printf %s \"{object}\""));
    let (code, result) = verify(world);
    assert_eq!(code, 2, "{id}: {result:#}");
    let findings = result["findings"].as_array().expect("findings");
    let text = |finding: &Value, key: &str| finding[key].as_str().expect("text").to_owned();
    for finding in findings {
        let message = text(finding, "message");
        assert!(message.contains(';'), "{id}: no way back: {message}");
    }
    let found =
        findings.iter().any(|finding| text(finding, "rule") == *rule && text(finding, "object").contains(&object));
    assert!(found, "{id}: expected `{rule}` of `{object}`: {result:#}");
}
