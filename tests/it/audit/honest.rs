//! Every verb leaves a ledger that `audit verify` takes.

use crate::support::world::World;

use super::forge::{sh, shared, verify};

#[test]
fn every_verb_leaves_a_clean_ledger() {
    let world = shared("audit-honest");
    let policy = "sed -i 's/of others/of other people/' policies/pii-redaction.yaml";
    let deployment = "sed -i 's/replicas: 3/replicas: 4/' deployments/support-triage-prod.yaml";
    for (person, line) in [
        ("mallory", "joch promote support-triage --from local --to dev --reason 'line\n\nJoch-Operator: eve'"),
        ("alice", "joch promote support-triage --from dev --to staging"),
        ("bob", "joch reject support-triage --from staging --to prod --rationale 'not yet'"),
        ("alice", "joch promote support-triage --from staging --to prod; test $? = 2"),
        ("bob", "sleep 1; joch approve support-triage --from staging --to prod --rationale 'now then'"),
        ("alice", "joch promote support-triage --from staging --to prod"),
        ("alice", "joch rollback agent support-triage --env prod --reason oops"),
        ("alice", policy),
        ("alice", "joch apply -f policies/pii-redaction.yaml"),
        ("alice", "joch promote policy/pii-redaction --from local --to dev"),
        ("alice", "joch promote policy/pii-redaction --from dev --to staging"),
        ("bob", "joch approve policy/pii-redaction --from staging --to prod"),
        ("alice", "joch promote policy/pii-redaction --from staging --to prod"),
        ("alice", "joch rollback policy pii-redaction --env prod"),
        ("alice", "joch lift policy pii-redaction --version 2 --env prod --reason mended"),
        ("alice", "joch rollback policy pii-redaction --env dev"),
        ("alice", deployment),
        ("alice", "joch apply -f deployments"),
        ("alice", "joch promote deployment/support-triage-prod --from local --to dev"),
        ("alice", "joch promote deployment/support-triage-prod --from dev --to staging"),
        ("bob", "joch approve deployment/support-triage-prod --from staging --to prod"),
        ("alice", "joch promote deployment/support-triage-prod --from staging --to prod"),
        ("alice", "joch lift policy pii-redaction --version 2 --env dev --reason mended"),
        ("alice", "joch apply -f . --env dev"),
        ("alice", "joch promote -f agents -f policies --from dev --to staging --allow-regression agent/support-triage"),
        ("alice", "joch promote support-triage --from staging --to prod --require approval:interns; test $? = 3"),
        ("alice", "joch delete deployment support-triage-prod --env local"),
        ("alice", "joch delete policy customer-facing-side-effects --env local"),
        ("alice", "joch delete agent support-triage --env local"),
        ("alice", "joch apply -f ."),
        (
            "alice",
            "sed -i /mallory/d teams/interns.yaml && sed -i 's/members:/members: []/' teams/interns.yaml && joch apply -f teams",
        ),
    ] {
        sh(&world, person, line);
        let (code, result) = verify(&world);
        assert_eq!((code, &result["verdict"]), (0, &"clean".into()), "after `{line}`: {result:#}");
    }
}

/// An agent with a child in another namespace, and a policy there that selects the child.
const FAMILY: &str = r#"
rm deployments/*
cat > agents/child.yaml <<END
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: child, namespace: team-a, labels: { tier: customer-facing } }
spec:
  description: A child.
  framework: { adapterRef: { name: openai-agents } }
  modelRoute: { routeRef: { name: support-balanced } }
  policies: [ { name: pii-redaction } ]
END
cat > agents/parent.yaml <<END
apiVersion: joch.dev/v1alpha1
kind: Agent
metadata: { name: parent }
spec:
  description: A parent.
  framework: { adapterRef: { name: openai-agents } }
  modelRoute: { routeRef: { name: support-balanced } }
  children: [ { name: child, namespace: team-a } ]
END
cat > policies/extra.yaml <<END
apiVersion: joch.dev/v1alpha1
kind: Policy
metadata: { name: extra, namespace: team-a }
spec:
  selector: { matchLabels: { tier: customer-facing } }
  rules: [ { when: { data.contains: x }, action: { redact: true } } ]
END
"#;

#[test]
fn sets_children_and_namespaces_leave_a_clean_ledger() {
    let world = World::new("audit-family");
    for line in [
        "cp -r $FIXTURES/support-triage/. . && joch init --operator alice@example.com",
        FAMILY,
        "joch apply -f .",
        "joch promote -f agents -f policies --from local --to dev",
        "sed -i 's/A child/One child/' agents/child.yaml && joch apply -f agents/child.yaml",
        "joch promote child -n team-a --from local --to dev",
        "joch promote parent --from local --to dev",
        "sed -i 's/others/other people/' policies/pii-redaction.yaml && joch apply -f policies -f agents/child.yaml",
        "joch promote policy/pii-redaction --from local --to dev",
        "joch rollback policy pii-redaction --env dev",
        "joch lift policy pii-redaction --version 2 --env dev --reason mended",
        "joch promote -f agents -f policies --from local --to dev",
        "joch promote -f agents --from dev --to staging",
        "sed -i '/rules/i\\  description: extra' policies/extra.yaml && joch apply -f policies/extra.yaml",
        "joch promote -f policies --from local --to dev",
        "joch promote -f policies -f agents --from dev --to staging",
        "joch delete policy extra -n team-a --env dev",
        "joch delete agent parent --env dev",
        "joch rollback agent parent --env dev",
    ] {
        sh(&world, "alice", line);
    }
    let (code, result) = verify(&world);
    assert_eq!((code, &result["verdict"]), (0, &"clean".into()), "{result:#}");
}
