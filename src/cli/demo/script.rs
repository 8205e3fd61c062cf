//! What the demo plays.

/// Who types a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    /// The operator; also the first admin.
    Alice,
    /// The release manager.
    Bob,
}

impl Actor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
        }
    }
}

/// One step.
pub(super) enum Step {
    /// A heading.
    Chapter(&'static str),
    /// Somebody edits a file.
    Edit { file: &'static str, what: &'static str, from: &'static str, to: &'static str },
    /// Somebody types a command, which must exit with this code.
    Run { actor: Actor, command: &'static str, expect: i32 },
}

const fn alice(command: &'static str) -> Step {
    Step::Run { actor: Actor::Alice, command, expect: 0 }
}

const fn bob(command: &'static str) -> Step {
    Step::Run { actor: Actor::Bob, command, expect: 0 }
}

const fn stops(command: &'static str, expect: i32) -> Step {
    Step::Run { actor: Actor::Alice, command, expect }
}

/// The script.
pub(super) const SCRIPT: &[Step] = &[
    Step::Chapter("A ledger beside the project: a Git repository whose branches are the environments"),
    alice("joch init --operator alice@example.com"),
    Step::Edit {
        file: "teams/release-manager.yaml",
        what: "alice lists the key of bob, the release manager",
        from: "role: approver",
        to: "role: approver\n      keys: [\"BOBS-KEY\"]",
    },
    Step::Edit {
        file: "teams/support.yaml",
        what: "and grants herself, as operator, production too",
        from: "role: operator\n    - user: ci@example.com",
        to: "role: operator\n      environments: [local, dev, staging, prod]\n    - user: ci@example.com",
    },
    Step::Edit {
        file: "evals/support-triage-quality.yaml",
        what: "names a judge for the eval",
        from: "type: llm_judge",
        to: "type: llm_judge\n      judgeModelRef: { name: judge }",
    },
    Step::Edit {
        file: "evals/support-triage-quality.yaml",
        what: "and lets it guard production",
        from: "  thresholds:",
        to: "  releaseGate:\n    enabled: true\n    blocksPromotionTo: [prod]\n  thresholds:",
    },
    alice("joch validate -f ."),
    alice("joch apply -f . --reason \"first version\""),
    Step::Chapter(
        "Up the ladder: one rung at a time; in staging the agent can be reached, and the eval runs on arrival",
    ),
    alice("joch promote support-triage --from local --to dev"),
    alice("joch promote support-triage --from dev --to staging"),
    stops("joch promote support-triage --from dev --to prod", 2),
    alice("joch eval show support-triage-quality --target staging"),
    Step::Chapter(
        "Production asks for the eval, which it has, and for a person: its Deployment requires the release manager",
    ),
    stops("joch promote support-triage --from staging --to prod", 3),
    alice("joch explain support-triage --from staging --to prod"),
    stops("joch approve support-triage --from staging --to prod", 4),
    bob("joch approve support-triage --from staging --to prod --rationale \"read it, tried it\""),
    alice(
        "joch promote support-triage --from staging --to prod --require approval:release-manager --reason \"go live\"",
    ),
    Step::Chapter("A tempting change: a livelier prompt, and a tool that needs no approval any more"),
    Step::Edit {
        file: "agents/support-triage.yaml",
        what: "alice makes the agent livelier",
        from: "Tone: calm, brief and concrete.",
        to: "Tone: cheerful and quick. Surprise people!",
    },
    Step::Edit {
        file: "tools/billing.yaml",
        what: "and lets it give credit on its own",
        from: "requiresApproval: true",
        to: "requiresApproval: false",
    },
    alice("joch apply -f . --reason \"livelier\""),
    alice("joch promote support-triage --from local --to dev"),
    alice("joch promote support-triage --from dev --to staging"),
    alice("joch diff agent support-triage --from prod --to staging"),
    Step::Chapter("What was measured on arrival says no; measuring again does not help, and nor does a person's yes"),
    stops("joch promote support-triage --from staging --to prod", 2),
    stops("joch eval run support-triage-quality --target staging", 2),
    bob("joch approve support-triage --from staging --to prod --rationale \"I like it\""),
    stops("joch promote support-triage --from staging --to prod --reason \"spring campaign\"", 2),
    Step::Chapter("Mended: warm instead of wild, and a second pair of eyes for credit"),
    Step::Edit {
        file: "agents/support-triage.yaml",
        what: "alice tones it down",
        from: "Tone: cheerful and quick. Surprise people!",
        to: "Tone: warm, brief and concrete.",
    },
    Step::Edit {
        file: "tools/billing.yaml",
        what: "and has credit approved again",
        from: "requiresApproval: false",
        to: "requiresApproval: true",
    },
    alice("joch apply -f . --reason \"warm, not wild\""),
    alice("joch promote support-triage --from local --to dev"),
    alice("joch promote support-triage --from dev --to staging"),
    bob("joch approve support-triage --from staging --to prod --rationale \"that is better\""),
    alice("joch promote support-triage --from staging --to prod --reason \"spring campaign\""),
    Step::Chapter("And back, with one command"),
    alice("joch rollback agent support-triage --to-version 1 --reason \"the campaign is over\""),
    alice("joch get agents support-triage --history"),
    Step::Chapter("Prove it"),
    alice("joch audit log"),
    alice("joch audit prove agent support-triage --env prod"),
    alice("joch audit verify"),
    Step::Chapter("Without joch: every step is a signed commit and tag in plain Git"),
    alice(
        "git -C .joch/ledger.git log --first-parent heads/prod --format=\"%h %cs %(trailers:key=Joch-Release,valueonly,separator=%x20)  %s\"",
    ),
    alice("git -C .joch/ledger.git fsck --strict --no-progress"),
    Step::Chapter("And nobody rewrites it unseen: a release tag is moved by hand"),
    alice("git -C .joch/ledger.git tag --force kept release/prod/2"),
    alice("git -C .joch/ledger.git update-ref refs/tags/release/prod/2 refs/tags/release/prod/1"),
    alice("git -C .joch/ledger.git tag --delete release/prod/1"),
    stops("joch audit verify", 2),
    alice("git -C .joch/ledger.git update-ref refs/tags/release/prod/1 refs/tags/release/prod/2"),
    alice("git -C .joch/ledger.git update-ref refs/tags/release/prod/2 refs/tags/kept"),
    alice("git -C .joch/ledger.git tag --delete kept"),
    alice("joch audit verify"),
];
