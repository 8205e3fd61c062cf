//! Texts that want as much memory or time as they can get, and texts that want nothing of the sort.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::found::{REGO_COMPILE, REGO_RUNAWAY};
use super::rego::{Answer, Broken, ask_under};
use super::rego_meter::{MOST_BYTES, Meter};

fn asked(body: &str, input: &str) -> (Result<Answer, Broken>, Duration, u64) {
    let meter = Meter::new();
    let text = format!("package joch.release\nimport rego.v1\n{body}\n");
    let start = Instant::now();
    let said = ask_under(&meter, &text, input);
    (said, start.elapsed(), meter.used())
}

/// `v0 := first`, and so often `next` of the one before, which is `@`.
fn chain(first: &str, next: &str, most: usize) -> String {
    let steps: String =
        (1..=most).map(|n| format!("\tv{n} := {}\n", next.replace('@', &format!("v{}", n - 1)))).collect();
    format!("deny contains \"x\" if {{\n\tv0 := {first}\n{steps}\tv{most} != 1\n}}")
}

/// Far more than a slow machine needs for what is allowed.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn whatever_grows_is_stopped_and_told_why() {
    let (bytes, digits, deep) = ("values came to more than", "a number had more than", "stood in each other");
    let numbers = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
    let rows = [
        (chain("\"0123456789abcdef\"", "concat(\"\", [@, @])", 60), bytes),
        (chain("\"0123456789abcdef\"", "concat(@, [\"a\", \"b\", \"c\"])", 60), bytes),
        (chain("\"aa\"", "replace(@, \"a\", @)", 9), bytes),
        (chain("\"aa\"", "replace(@, \"\", @)", 9), bytes),
        (chain("\"aa\"", "sprintf(\"%s%s\", [@, @])", 60), bytes),
        (chain("\"aa\"", "sprintf(\"%v%v\", [@, @])", 60), bytes),
        (chain("\"aa\"", "json.marshal([@, @])", 60), bytes),
        (chain("\"aa\"", "concat(\"a\", split(concat(\"\", [@, @]), \"\"))", 60), bytes),
        (chain("[1]", "array.concat(@, @)", 60), bytes),
        (chain("[1]", "[@, @]", 60), bytes),
        (chain("[1]", "{\"a\": @, \"b\": [@]}", 60), bytes),
        (chain("[1]", "[@ | some _ in [1, 2]]", 60), bytes),
        (chain("[1]", "{n: @ | some n in [1, 2]}", 60), bytes),
        (chain("[1]", "f(@)", 60) + "\nf(x) := [x, x]", bytes),
        (chain("[1]", "[@]", 200), deep),
        (chain("[1]", "{[@, n] | some n in [1, 2]}", 60), "a key, or what is in a set"),
        (chain("{1}", "@ | {[@]}", 60), "a key, or what is in a set"),
        (chain("99", "@ * @", 60), digits),
        (chain("99", "(@ * @) - 1", 60), digits),
        (chain("99", "product([@, @])", 60), digits),
        (chain("99", "f(@)", 60) + "\nf(x) := x * x", digits),
        (chain("1", "to_number(\"1e999999999\")", 1), "too long to be read"),
        (chain("1", "json.unmarshal(\"[1e999999999]\")", 1), "too long to be read"),
        (chain("1", "json.is_valid(\"1E+999999999\")", 1), "too long to be read"),
        (chain("1", "1e999999999", 1), "too long to be written out"),
        (chain("1", "1.5E+999999999", 1), "too long to be written out"),
        (chain("1", "numbers.range(1, 999999999)", 1), "`numbers` is not to be had"),
        (chain("1", "strings.replace_n({\"a\": \"aaaa\"}, \"aa\")", 1), "`strings.replace_n` is not to be had"),
        (chain("1", "json.marshal_with_options([1], {\"prefix\": \"aaaa\"})", 1), "is not to be had"),
        (chain("1", "sprintf(\"%999999999d\", [@])", 1), "3 digits at most"),
        (chain("1", "joch__value(@)", 1), "joch's own"),
        (chain("1", "joch__key(@)", 1) + "\njoch__value(x) := 1", "joch's own"),
        (chain("1", "http.send ({})", 1), "no function `http.send`"),
        ("deny contains \"x\" if { x = [1]; x[0] == 1 }".into(), "write `==` or `:=`"),
        (
            format!(
                "l := {numbers}\ndeny contains \"x\" if {{ some a in l; some b in l; some c in l; some d in l; \
                  some e in l; some f in l; a + b + c + d + e + f < 0 }}"
            ),
            "more than 1000000 steps",
        ),
        (
            format!(
                "l := {numbers}\ns := {{[a, b, c, d, e, f] | some a in l; some b in l; some c in l; some d in l; \
                  some e in l; some f in l}}\ndeny contains \"x\" if count(s) < 0"
            ),
            "more than 1000000 steps",
        ),
        (
            format!(
                "l := {numbers}\ndeny contains \"x\" if {{ some a in l; some b in l; some c in l; some d in l; \
                  regex.match(\"a{{300}}\", sprintf(\"%d%d%d%d\", [a, b, c, d])) }}"
            ),
            bytes,
        ),
        (
            format!(
                "l := {numbers}\ndeny contains \"x\" if {{ some a in l; some b in l; some c in l; some d in l; \
                  input.text == concat(\"\", [input.text, \"x\"]) }}"
            ),
            bytes,
        ),
    ];
    let input = format!("{{\"text\": \"{}\"}}", "a".repeat(100_000));
    for (body, says) in &rows {
        let (said, took, _) = asked(body, &input);
        let broken = said.expect_err(body);
        assert!([REGO_COMPILE, REGO_RUNAWAY].contains(&broken.id), "{body}: {}: {}", broken.id, broken.message);
        assert!(broken.message.contains(says), "{body}: {}", broken.message);
        assert!(took < LONG, "{body}: {took:?}");
    }
}

#[test]
fn a_number_of_the_input_is_not_written_out() {
    let broken = asked("deny contains \"x\" if input.n > 1", "{\"n\": 1e999999999}").0.expect_err("too long");
    assert!(broken.message.contains("too long to be read"), "{}", broken.message);
}

#[test]
fn what_was_stopped_gives_no_answer_however_it_is_asked() {
    for body in [
        "grown if { x := [1 | some a in input.l; some b in input.l; some c in input.l]; y := [x | some a in input.l; some b in input.l; some c in input.l]; y != 1 }\ndeny contains \"x\" if not grown",
        "f(x) := 1 if { y := concat(\"\", [x | some a in input.l; some b in input.l; some c in input.l; some d in input.l]); y != \"\" }\nf(x) := 1 if true\ndeny contains \"x\" if f(concat(\"\", [\"0123456789012345678901234567890123456789\" | some a in input.l; some b in input.l; some c in input.l])) == 1",
    ] {
        let list: Vec<u32> = (0..20).collect();
        let broken = asked(body, &format!("{{\"l\": {list:?}}}")).0.expect_err(body);
        assert_eq!(broken.id, REGO_RUNAWAY, "{body}: {}", broken.message);
        assert!(broken.message.contains("values came to more than"), "{body}: {}", broken.message);
    }
}

/// Ordinary policies, and whether each denies the input below.
const HONEST: [(&str, usize); 12] = [
    (
        "deny contains msg if { some m in input.object.models; not m.spec.provider in input.params.providers; \
      msg := sprintf(\"%s is served by %s\", [m.name, m.spec.provider]) }",
        1,
    ),
    (
        "deny contains {\"id\": \"T-1\", \"severity\": \"low\", \"msg\": msg} if { some i; t := input.object.tools[i]; \
      not startswith(t.name, \"acme-\"); msg := concat(\" \", [t.name, \"is not ours\"]) }",
        1,
    ),
    (
        "new := {t.name | some t in input.object.tools} - {t.name | some t in input.oldObject.tools}\n\
      deny contains sprintf(\"%d new tools: %v\", [count(new), new]) if count(new) > 0",
        1,
    ),
    (
        "default ok := false\nok if { count(input.object.tools) <= 5; every t in input.object.tools { t.name != \"\" } }\n\
      deny contains \"too many\" if not ok",
        0,
    ),
    (
        "deny contains \"dear\" if { sum([(c.usd * c.calls) | some c in input.facts.costs]) > 10.5; [({1} | {2}), 3] == [{1, 2}, 3] }",
        1,
    ),
    (
        "cost(c) := c.usd * c.calls if c.calls > 0 else := 0\n\
      deny contains \"dear\" if { some c in input.facts.costs; cost(c) / 2 >= 100 - 1 }",
        0,
    ),
    (
        "by_name[n] := t if { some t in input.object.tools; n := t.name }\n\
      deny contains n if { some n, t in by_name; t.sideEffect in {\"financial\", \"privileged\"}; not t.requiresApproval }",
        1,
    ),
    ("deny contains t.name if { some t in input.object.tools; regex.match(`^[a-z]+\\.[a-z]+$`, t.name) }", 0),
    (
        "warn contains \"renamed\" if input.object.name != input.oldObject.name\n\
      deny contains \"shrunk\" if { a := {m.name | some m in input.object.models}; b := {\"gpt\", \"mistral\"}; \
      count(a & b) == 0; count(a | b) > 1 }",
        1,
    ),
    (
        "levels := {\"low\": 1, \"high\": 3}\ndeny contains \"risky\" if { levels[input.object.risk] - -1 > 3; \
      [first, _] := split(\"a-b\", \"-\"); first == \"a\" }",
        1,
    ),
    (
        "import input.object as agent\ndeny contains upper(agent.name) if { agent.tools[_].name == \"pay\"; \
      object.get(agent, [\"labels\", \"team\"], \"none\") == \"none\"; \"tools\" in object.keys(agent) }",
        1,
    ),
    (
        "deny contains \"first\" if { print(\"seen\", input.object.tools[0]); some i, t in input.object.tools; i == 0; \
      0, t in input.object.tools; max([1, 2]) % 2 == 0; [1, 2] == [x | some x in [1, 2]] }",
        1,
    ),
];

#[test]
fn ordinary_policies_come_to_what_they_say() {
    let input = r#"{"params": {"providers": ["openai"]}, "facts": {"costs": [{"usd": 0.5, "calls": 30}, {"usd": 2, "calls": 0}]},
        "object": {"name": "a", "risk": "high", "tools": [{"name": "pay", "sideEffect": "financial"}, {"name": "acme-x"}],
                   "models": [{"name": "m", "spec": {"provider": "other"}}]},
        "oldObject": {"name": "b", "tools": [{"name": "acme-x"}]}}"#;
    for (body, denied) in HONEST {
        let (said, _, used) = asked(body, input);
        let said = said.unwrap_or_else(|broken| panic!("{body}: {:?}: {}", broken.line, broken.message));
        assert_eq!(said.denied.len(), denied, "{body}: {:?}", said.denied);
        assert!(used < 200_000, "{body}: {used}");
    }
}

#[test]
fn what_the_engine_says_of_a_line_is_true_of_the_text() {
    let body =
        "l := [\n\t1,\n\t2,\n]\n\ndeny contains \"x\" if {\n\tsome n in l\n\n\t# a comment\n\tto_number(\"a\") > n\n}";
    let broken = asked(body, "{}").0.expect_err("no number");
    assert_eq!(broken.line, Some(12), "{}", broken.message);
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    /// A statement that makes a text, a list, a number or a set of what was made before: `made` says how many of each.
    fn statement(&mut self, made: &mut [usize; 4]) -> String {
        const KINDS: [char; 4] = ['t', 'l', 'n', 's'];
        const SHAPES: [(usize, &str); 26] = [
            (0, "concat(T, [T, T])"),
            (0, "concat(T, [x | some x in split(T, \"a\")])"),
            (0, "replace(T, \"a\", T)"),
            (0, "replace(T, T, T)"),
            (0, "sprintf(\"%s%v\", [T, A])"),
            (0, "sprintf(\"%999d\", [N])"),
            (0, "json.marshal([A, A])"),
            (0, "upper(trim(T, \"b\"))"),
            (0, "format_int(N, 2)"),
            (1, "[A, A]"),
            (1, "array.concat(L, L)"),
            (1, "split(T, \"\")"),
            (1, "f(A)"),
            (1, "[A | some _ in input.l]"),
            (1, "[[x, y] | some x in L; some y in L]"),
            (1, "[{\"k\": A, \"m\": {\"n\": A}}]"),
            (1, "regex.find_n(\"a+\", T, -1)"),
            (1, "[A == A, A in L, A < A, N != N]"),
            (2, "N * N"),
            (2, "N + (N * 3)"),
            (2, "count(L) - N"),
            (2, "product([N, N, N])"),
            (3, "S | {A}"),
            (3, "{[A, x] | some x in input.l}"),
            (3, "union({S, S})"),
            (3, "{x | some x in L} & S"),
        ];
        let (kind, shape) = SHAPES[self.roll(SHAPES.len())];
        let mut text = format!("\t{}{} := ", KINDS[kind], made[kind]);
        for char in shape.chars() {
            let wanted = match char {
                'A' => Some(self.roll(4)),
                _ => KINDS.iter().position(|kind| kind.to_ascii_uppercase() == char),
            };
            match wanted {
                // What was made last most of the time: so it grows.
                Some(kind) => drop(write!(text, "{}{}", KINDS[kind], made[kind] - 1 - self.roll(made[kind].min(2)))),
                None => text.push(char),
            }
        }
        made[kind] += 1;
        text
    }
}

#[test]
fn no_text_of_a_small_grammar_takes_more_than_it_may() {
    let mut dice = Dice(7);
    let (mut answered, mut stopped) = (0, 0);
    for round in 0..80 {
        let mut text = "\tt0 := \"aa\"\n\tl0 := [1]\n\tn0 := 7\n\ts0 := {1}".to_owned();
        let mut made = [1; 4];
        for _ in 0..=round {
            let _ = write!(text, "\n{}", dice.statement(&mut made));
        }
        let body = format!("f(x) := [x, x]\ndeny contains \"x\" if {{\n{text}\n}}");
        let (said, took, used) = asked(&body, "{\"l\": [1, 2, 3]}");
        assert!(took < LONG && used <= MOST_BYTES, "{body}: {took:?}, {used}");
        match said {
            Ok(_) => answered += 1,
            Err(broken) => {
                stopped += usize::from(broken.id == REGO_RUNAWAY);
            }
        }
    }
    assert!(answered > 0 && stopped > 0, "{answered} answered, {stopped} stopped: a grammar that shows nothing");
}
