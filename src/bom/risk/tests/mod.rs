//! One test per rule: a change that it must see, and a twin that it must not.

mod laws;
mod mcp;
mod records;
mod tools;
mod world;

use std::collections::BTreeSet;

use super::RULES;
use crate::resource::Risk;
use world::World;

/// One rule shown at work.
struct Case {
    rule: &'static str,
    severity: Risk,
    component: &'static str,
    /// What stands in the reason.
    says: &'static str,
    fires: fn(&mut World),
    quiet: fn(&mut World),
}

/// A test for each case, and all of them in one table.
macro_rules! cases {
    ($($name:ident: $rule:literal $severity:ident $component:literal $says:literal, $fires:expr, $quiet:expr;)*) => {
        pub(super) static CASES: &[super::Case] = &[$(super::Case {
            rule: $rule,
            severity: crate::resource::Risk::$severity,
            component: $component,
            says: $says,
            fires: $fires,
            quiet: $quiet,
        }),*];
        super::each_case!(0usize; $($name)*);
    };
}

/// The nth test is about the nth case.
macro_rules! each_case {
    ($nth:expr;) => {};
    ($nth:expr; $name:ident $($rest:ident)*) => {
        #[test]
        fn $name() {
            super::check(&CASES[$nth]);
        }
        super::each_case!($nth + 1; $($rest)*);
    };
}

use {cases, each_case};

/// The change is seen, with severity, component and value; the twin is not.
fn check(case: &Case) {
    let mut world = World::new();
    (case.fires)(&mut world);
    let found = world.findings();
    let of_rule: Vec<_> = found.iter().filter(|finding| finding.rule == case.rule).collect();
    let told = of_rule.iter().any(|finding| {
        finding.introduced
            && finding.severity == case.severity
            && finding.component == case.component
            && finding.reason.contains(case.says)
    });
    assert!(told, "{} {} is not said of {}: {found:#?}", case.rule, case.severity.word(), case.component);
    let mut world = World::new();
    (case.quiet)(&mut world);
    let found = world.findings();
    let told = found
        .iter()
        .any(|finding| finding.rule == case.rule && finding.severity == case.severity && finding.introduced);
    assert!(!told, "{} is said of the twin: {found:#?}", case.rule);
}

#[test]
fn every_rule_is_shown_at_every_severity_it_has() {
    let shown: BTreeSet<_> = [mcp::CASES, tools::CASES, records::CASES]
        .into_iter()
        .flatten()
        .map(|case| (case.rule, case.severity))
        .collect();
    let listed: BTreeSet<_> =
        RULES.iter().flat_map(|rule| rule.severities.iter().map(|severity| (rule.id, *severity))).collect();
    assert_eq!(shown, listed);
}
