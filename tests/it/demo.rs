//! The demo plays to its end, and what its story says is what joch printed.

use crate::support::world::World;

#[test]
fn the_demo_plays_to_its_end() {
    let world = World::new("demo");
    let outcome = world.sh("alice", "joch demo --dir stage");
    assert_eq!(outcome.code, 0, "{}{}", outcome.stdout, outcome.stderr);
    // The tempting version is stopped by what the eval measured, in spite of a person's yes.
    let blocked: Vec<_> = outcome.stdout.split("FAIL  eval:").skip(1).collect();
    assert_eq!(blocked.len(), 2, "{}", outcome.stdout);
    for said in ["task_success is 0.7083 and must be >= 0.85", "tone_consistency is 0.5 and must be >= 0.9"] {
        assert!(blocked.iter().all(|line| line.contains(said)), "{said}: {blocked:?}");
    }
}
