//! Policies in Rego, as Conftest reads them: package `joch.release`, and the sets `deny`, `violation` and `warn`.
//!
//! Nothing of the world reaches them but their input. They are bounded by steps and not by time, so that they come to the
//! same on every machine, today and in an audit.

use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use regorus::unstable::BUILTINS;
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, LimitError, PolicyLengthConfig, Value};

use crate::resource::Risk;
use crate::resource::name::nearest;

use super::found::{INPUT_SIZE, REGO_COMPILE, REGO_FAILED, REGO_RUNAWAY, REGO_SHAPE};
use super::rego_guarded::guarded;
use super::rego_meter::Meter;
use super::rego_text::{Head, heads, huge, long_number, refused, too_deep, too_nested, unknown_call, wide};

/// How long the text of a policy may be, in bytes.
pub const MOST_TEXT: usize = 64 * 1024;
/// How long the input may be as JSON, in bytes.
pub const MOST_INPUT: usize = 8 * 1024 * 1024;
/// How many steps one policy may take: about a second's worth.
pub const MOST_STEPS: u32 = 1_000_000;
/// How many findings one policy may have.
const MOST_FINDINGS: usize = 1000;
/// How long a message may be, in characters; the rest is cut off.
const MOST_MESSAGE: usize = 1000;
/// How much stack a policy may use: rules may call rules as deep as its text is long.
const STACK: usize = 256 * 1024 * 1024;

/// The package that is asked.
const PACKAGE: &str = "data.joch.release";
/// The rules that are asked, and whether what they say stands in the way.
const RULES: [(&str, bool); 3] = [("deny", true), ("violation", true), ("warn", false)];

/// What a policy says of one input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What it denies.
    pub denied: Vec<Said>,
    /// What it only says.
    pub warned: Vec<Said>,
}

/// One finding of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// The id that it gives.
    pub id: Option<String>,
    /// How grave it says it is; `high` where it does not say.
    pub severity: Risk,
    /// What it says.
    pub message: String,
}

/// Why a policy gives no answer: it neither passes nor fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The sort of error: `POL-REGO-COMPILE`, ….
    pub id: &'static str,
    /// What is wrong.
    pub message: String,
    /// The line of the text, from 1, if one is at fault.
    pub line: Option<usize>,
    /// The likely fix.
    pub help: Option<String>,
}

/// Whether a text is a policy that can be asked.
///
/// # Errors
/// Why not.
pub fn check(text: &str) -> Result<(), Broken> {
    on_own_stack(|| compile(text, &Meter::new()).map(drop))
}

/// Asks a policy.
///
/// # Errors
/// Why it gives no answer.
pub fn ask(text: &str, input: &str) -> Result<Answer, Broken> {
    ask_under(&Meter::new(), text, input)
}

pub(super) fn ask_under(meter: &Meter, text: &str, input: &str) -> Result<Answer, Broken> {
    if input.len() > MOST_INPUT {
        let message = format!("the input is {} bytes long, and {MOST_INPUT} are taken at most", input.len());
        return Err(Broken { id: INPUT_SIZE, message, line: None, help: None });
    }
    on_own_stack(|| {
        if long_number(input) {
            let message = "the input has a number that is too long to be read".into();
            return Err(Broken { id: REGO_FAILED, message, line: None, help: None });
        }
        let mut engine = compile(text, meter)?;
        let input = Value::from_json_str(input).map_err(|why| broken(REGO_FAILED, &why))?;
        engine.set_input(input);
        let heads = heads(text);
        let mut answer = Answer::default();
        for (rule, stands_in_the_way) in RULES.into_iter().filter(|(rule, _)| has(&heads, rule)) {
            let value = engine.eval_rule(format!("{PACKAGE}.{rule}"));
            // Whatever the engine made of it: what was stopped gives no answer.
            if let Some(message) = meter.stopped() {
                let line = value.err().and_then(|why| broken(REGO_RUNAWAY, &why).line);
                let help = Some("make less: a value that is put into itself, again and again, grows fast".into());
                return Err(Broken { id: REGO_RUNAWAY, message, line, help });
            }
            let value = value.map_err(|why| match why.downcast_ref::<LimitError>() {
                Some(LimitError::TimeLimitExceeded { .. }) => runaway(),
                _ => broken(REGO_FAILED, &why),
            })?;
            let said = findings(rule, &value)?;
            if stands_in_the_way { answer.denied.extend(said) } else { answer.warned.extend(said) }
        }
        answer.denied.sort();
        answer.warned.sort();
        Ok(answer)
    })
}

fn has(heads: &[Head], rule: &str) -> bool {
    heads.iter().any(|head| head.name == rule)
}

fn compile(text: &str, meter: &Meter) -> Result<Engine, Broken> {
    if text.len() > MOST_TEXT {
        let message = format!("the text is {} bytes long, and {MOST_TEXT} are read at most", text.len());
        return Err(Broken { id: REGO_COMPILE, message, line: None, help: None });
    }
    if let Some((name, why, line)) = refused(text) {
        let message = format!("`{name}` is not to be had: {why}");
        return Err(Broken { id: REGO_COMPILE, message, line: Some(line), help: None });
    }
    if let Some((line, message)) = wide(text) {
        let help = Some("write, say, `sprintf(\"%s of %5d\", [name, number])`".into());
        return Err(Broken { id: REGO_COMPILE, message, line: Some(line), help });
    }
    if let Some(line) = huge(text) {
        let message = "a number is too long to be written out here".to_owned();
        return Err(Broken { id: REGO_COMPILE, message, line: Some(line), help: None });
    }
    if let Some((line, message)) = too_nested(text) {
        return Err(Broken { id: REGO_COMPILE, message, line: Some(line), help: Some("give a name to a part".into()) });
    }
    if let Some((rule, why)) = too_deep(text) {
        return Err(Broken { id: REGO_COMPILE, message: format!("`{rule}`: {why}"), line: None, help: None });
    }
    // The engine itself says so only where it comes by.
    if let Some((name, line)) = unknown_call(text, |name| BUILTINS.contains_key(name)) {
        let message = format!("there is no function `{name}`");
        return Err(Broken { id: REGO_COMPILE, message, line: Some(line), help: None });
    }
    let mut engine = new_engine(1024, MOST_TEXT);
    let package = engine.add_policy("policy".into(), text.to_owned()).map_err(|why| broken(REGO_COMPILE, &why))?;
    if package != PACKAGE {
        let message = format!("the package is `{}`, and `joch.release` is asked", package.trim_start_matches("data."));
        return Err(Broken {
            id: REGO_SHAPE,
            message,
            line: None,
            help: Some("begin with `package joch.release`".into()),
        });
    }
    let heads = heads(text);
    for (rule, _) in RULES.iter().filter(|(rule, _)| !has(&heads, rule)) {
        // A slip of the pen in the one name that counts would make a policy that forbids nothing.
        let near = |head: &&Head| {
            nearest(&head.name, [*rule]).is_some() && !RULES.iter().any(|(known, _)| *known == head.name)
        };
        if let Some(head) = heads.iter().find(near) {
            return Err(Broken {
                id: REGO_SHAPE,
                message: format!("nobody asks for `{}`", head.name),
                line: Some(head.line),
                help: Some(format!("did you mean `{rule}`?")),
            });
        }
    }
    if !RULES.iter().any(|(rule, _)| has(&heads, rule)) {
        let message = "it has none of the rules `deny`, `violation` and `warn`".to_owned();
        let help = Some("write, say, `deny contains msg if { …; msg := \"…\" }`".into());
        return Err(Broken { id: REGO_SHAPE, message, line: None, help });
    }
    let text = guarded(text).map_err(|why| Broken {
        id: REGO_COMPILE,
        message: why.message,
        line: Some(why.line),
        help: None,
    })?;
    let most = text.len().max(1);
    let mut engine = new_engine(most, most);
    meter.attach(&mut engine).map_err(|why| broken(REGO_FAILED, &why))?;
    engine.add_policy("policy".into(), text).map_err(|why| broken(REGO_COMPILE, &why))?;
    Ok(engine)
}

/// An engine that reads lines and texts of no more than so many bytes.
fn new_engine(most_line: usize, most_text: usize) -> Engine {
    let mut engine = Engine::new();
    engine.set_rego_v0(false);
    engine.set_strict_builtin_errors(true);
    // What a policy prints is nobody's business.
    engine.set_gather_prints(true);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: u32::try_from(most_line).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX),
        max_file_bytes: NonZeroUsize::new(most_text).unwrap_or(NonZeroUsize::MIN),
        max_lines: NonZeroUsize::new(8000).expect("not zero"),
    });
    // No time at all, and looked at only after so many steps: a limit of steps.
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: Duration::ZERO,
        check_interval: NonZeroU32::new(MOST_STEPS).expect("not zero"),
    });
    engine
}

/// The findings that a rule gives: a set of texts, or of objects with `msg`.
fn findings(rule: &str, value: &Value) -> Result<Vec<Said>, Broken> {
    let wrong = |what: &str| Broken {
        id: REGO_SHAPE,
        message: format!("`{rule}` {what}"),
        line: None,
        help: Some(format!("write `{rule} contains {{\"id\": …, \"severity\": …, \"msg\": …}} if {{ … }}`")),
    };
    let Ok(set) = value.as_set() else { return Err(wrong("gives no set")) };
    if set.len() > MOST_FINDINGS {
        return Err(wrong(&format!("gives {} findings, and {MOST_FINDINGS} are taken at most", set.len())));
    }
    set.iter().map(|item| said(item).map_err(wrong)).collect()
}

fn said(item: &Value) -> Result<Said, &'static str> {
    if let Ok(text) = item.as_string() {
        return Ok(Said { id: None, severity: Risk::High, message: cut(text, MOST_MESSAGE) });
    }
    let Ok(object) = item.as_object() else { return Err("gives a finding that is neither text nor an object") };
    let get = |key: &str| object.get(&Value::from(key));
    let message = get("msg").and_then(|msg| msg.as_string().ok()).ok_or("gives a finding without a text as `msg`")?;
    let id = match get("id").map(Value::as_string) {
        None => None,
        Some(Ok(id)) if !id.is_empty() => Some(cut(id, 100)),
        Some(_) => return Err("gives a finding whose `id` is no text"),
    };
    let severity = match get("severity").map(Value::as_string) {
        None => Risk::High,
        Some(Ok(word)) => Risk::from_word(word).ok_or("gives a `severity` other than low, medium, high or critical")?,
        Some(Err(_)) => return Err("gives a finding whose `severity` is no text"),
    };
    Ok(Said { id, severity, message: cut(message, MOST_MESSAGE) })
}

/// One line of no more than so many characters.
fn cut(text: &str, most: usize) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(most).collect()
}

fn runaway() -> Broken {
    Broken {
        id: REGO_RUNAWAY,
        message: format!("it took more than {MOST_STEPS} steps and was stopped"),
        line: None,
        help: Some("quantify over less: every pair of two long lists is many steps".into()),
    }
}

/// The last line of what the engine says, and the line of the policy that it points at.
fn broken(id: &'static str, why: &dyn fmt::Display) -> Broken {
    let text = format!("{why:#}");
    let line = text.lines().find_map(|line| line.trim().strip_prefix("--> policy:")?.split(':').next()?.parse().ok());
    let said = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let message = cut(said.trim_start_matches("error: "), 300);
    Broken { id, message, line, help: None }
}

/// Runs `work` where deep rules have room, and turns a panic of the engine into an error.
fn on_own_stack<T: Send>(work: impl FnOnce() -> Result<T, Broken> + Send) -> Result<T, Broken> {
    let went_wrong = |message: &str| Broken { id: REGO_FAILED, message: message.to_owned(), line: None, help: None };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("rego".into()).stack_size(STACK).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(went_wrong("the engine gave up on it")),
            Err(_) => Err(went_wrong("there is no memory to run it in")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(body: &str) -> String {
        format!("package joch.release\nimport rego.v1\n{body}\n")
    }

    fn told(text: &str, input: &str) -> Result<Vec<String>, (&'static str, String)> {
        let answer = ask(text, input).map_err(|broken| (broken.id, broken.message))?;
        let say = |word: &str, said: Vec<Said>| -> Vec<String> {
            let one = |said: Said| {
                format!("{word} {} {} {}", said.id.unwrap_or_default(), said.severity.word(), said.message)
            };
            said.into_iter().map(one).collect()
        };
        Ok([say("deny", answer.denied), say("warn", answer.warned)].concat())
    }

    const PINNED: &str = r#"
deny contains {"id": "ORG-001", "severity": "critical", "msg": msg} if {
	some m in input.object.mcpServers
	not m.pinned
	not m.name in {o.name | some o in input.oldObject.mcpServers}
	msg := sprintf("new MCP server %s is not pinned", [m.name])
}
violation contains "always" if input.strict
warn contains {"msg": "look"} if count(input.object.mcpServers) > 1
"#;

    #[test]
    fn findings_come_as_conftest_has_them() {
        let input = r#"{"object": {"mcpServers": [{"name": "a", "pinned": false}, {"name": "b"}]},
                        "oldObject": {"mcpServers": [{"name": "b"}]}, "strict": true}"#;
        assert_eq!(
            told(&policy(PINNED), input),
            Ok(vec![
                "deny  high always".into(),
                "deny ORG-001 critical new MCP server a is not pinned".into(),
                "warn  high look".into(),
            ])
        );
        assert_eq!(told(&policy(PINNED), r#"{"object": {"mcpServers": []}}"#), Ok(vec![]));
    }

    #[test]
    fn nothing_of_the_world_can_be_asked() {
        for call in ["http.send({})", "time.now_ns()", "opa.runtime()", "uuid.rfc4122(\"\")", "nobody_knows(1)"] {
            let (id, said) = told(&policy(&format!("deny contains \"x\" if {call}")), "{}").expect_err(call);
            assert_eq!(id, REGO_COMPILE, "{call}: {said}");
        }
        for call in [
            "numbers.range(0, 9000000000000)",
            "rand.intn(\"x\", 9)",
            "bits.lsh(1, 99999999)",
            "units.parse(\"1e999999999\")",
        ] {
            let (id, said) = told(&policy(&format!("deny contains \"x\" if {call}")), "{}").expect_err(call);
            assert_eq!(id, REGO_COMPILE, "{call}: {said}");
            assert!(said.contains("not to be had"), "{said}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let broken = check(&policy("deny contains msg if {\n\tmsg :=\n}")).expect_err("half a rule");
        assert_eq!((broken.id, broken.line), (REGO_COMPILE, Some(4)), "{}", broken.message);
        let broken = check("package joch.release\ndeny[msg] { msg := 1 }").expect_err("the old syntax");
        assert_eq!((broken.id, broken.line), (REGO_COMPILE, Some(2)), "{}", broken.message);
        let broken = check("package other\ndeny contains 1 if true").expect_err("another package");
        assert_eq!(broken.id, REGO_SHAPE);
        let broken = check(&policy("dny contains \"x\" if true\nwarn contains \"x\" if true")).expect_err("a slip");
        assert_eq!((broken.id, broken.help), (REGO_SHAPE, Some("did you mean `deny`?".into())));
        assert_eq!(check(&policy("allow := true")).expect_err("no rule").id, REGO_SHAPE);
        assert_eq!(check(&"#".repeat(MOST_TEXT + 1)).expect_err("too long").id, REGO_COMPILE);
    }

    #[test]
    fn a_text_that_takes_for_ever_to_read_is_refused_before_it_is_read() {
        for (open, close) in [("[", "]"), ("{", "}"), ("{1: ", "}"), ("[(", ")]"), ("f([", "])")] {
            let text = |most| format!("{}1{}", open.repeat(most), close.repeat(most));
            let body = format!("f(x) := x\ndeny contains \"x\" if {{\n\tx := {}\n}}", text(20));
            let broken = check(&policy(&body)).expect_err(open);
            assert_eq!((broken.id, broken.line), (REGO_COMPILE, Some(5)), "{open}: {}", broken.message);
            assert!(broken.message.contains("more than 8 of `[` and `{` stand in each other"), "{}", broken.message);
            let body = format!("f(x) := x\ndeny contains \"x\" if {{\n\tx := {}\n}}", text(7));
            assert_eq!(check(&policy(&body)).map_err(|broken| broken.message), Ok(()), "{open}");
        }
    }

    #[test]
    fn a_format_is_to_be_seen_and_fills_up_little() {
        for (format, says) in [("\"%999999999d\"", "3 digits at most"), ("input.format", "as text")] {
            let text = policy(&format!("deny contains sprintf({format}, [1]) if true"));
            let (id, said) = told(&text, "{\"format\": \"%999999999d\"}").expect_err(format);
            assert!(id == REGO_COMPILE && said.contains(says), "{format}: {id}: {said}");
        }
    }

    #[test]
    fn a_function_that_would_say_nothing_and_so_pass_is_refused_with_another() {
        for (call, says) in [
            ("regex.replace(\"a\", \"(\", \"b\") != \"\"", "`concat(new, regex.split("),
            ("count(array.slice([1, 2], 0, 1.5)) > 0", "`[list[i] | "),
            ("count(array.slice([1, 2], 0, 1e30)) > 0", "`[list[i] | "),
            ("json.remove({}, [[]]) == {}", "`object.remove`"),
            ("not regex.template_match(\"}{\", \"\", \"{\", \"}\")", "`regex.match`"),
        ] {
            let (id, said) = told(&policy(&format!("deny contains \"x\" if {call}")), "{}").expect_err(call);
            assert!(id == REGO_COMPILE && said.contains("not to be had") && said.contains(says), "{call}: {said}");
        }
        // What is offered instead does the same, and is no quieter.
        let split = "deny contains concat(\"b\", regex.split(\"x+\", \"axxc\")) if true";
        assert_eq!(told(&policy(split), "{}"), Ok(vec!["deny  high abc".into()]));
        let wrong = "deny contains concat(\"b\", regex.split(\"(\", \"axxc\")) if true";
        assert_eq!(told(&policy(wrong), "{}").expect_err("no pattern").0, REGO_FAILED);
        let slice = "deny contains \"x\" if [input.l[i] | some i; input.l[i]; i >= 1; i < 2.5] == [2, 3]";
        assert_eq!(told(&policy(slice), "{\"l\": [1, 2, 3, 4]}"), Ok(vec!["deny  high x".into()]));
    }

    #[test]
    fn what_is_no_set_of_findings_is_an_error() {
        for wrong in [
            "deny := true",
            "deny := [\"x\"]",
            "deny contains 1 if true",
            "deny contains {\"id\": \"x\"} if true",
            "deny contains {\"msg\": \"x\", \"severity\": \"bad\"} if true",
            "deny contains {\"msg\": \"x\", \"id\": 3} if true",
            "deny if input.x",
        ] {
            let (id, said) = told(&policy(wrong), "{\"x\": true}").expect_err(wrong);
            assert_eq!(id, REGO_SHAPE, "{wrong}: {said}");
        }
        let (id, said) = told(&policy("deny contains \"x\" if to_number(\"a\") > 1"), "{}").expect_err("no number");
        assert_eq!(id, REGO_FAILED, "{said}");
    }

    #[test]
    fn a_runaway_is_stopped_after_so_many_steps_and_is_neither_pass_nor_fail() {
        let list: Vec<u32> = (0..2000).collect();
        let input = format!("{{\"list\": {list:?}}}");
        let loops = policy("deny contains \"x\" if { some a in input.list; some b in input.list; a + b < 0 }");
        assert_eq!(told(&loops, &input).expect_err("four million pairs").0, REGO_RUNAWAY);
        // Whatever the machine: the same number of steps.
        assert_eq!(told(&loops, &input).expect_err("again").0, REGO_RUNAWAY);
        let few = policy("deny contains \"x\" if { some a in input.list; a < 0 }");
        assert_eq!(told(&few, &input), Ok(vec![]));
    }

    #[test]
    fn rules_that_go_deep_or_in_a_ring_never_take_joch_down() {
        let chain: String =
            (1..49).map(|n| format!("r{n} := [x | some x in [r{}]; {{y | y := x}}]\n", n + 1)).collect();
        let deep = policy(&format!("{chain}r49 := 1\ndeny contains \"x\" if r1"));
        assert_eq!(told(&deep, "{}"), Ok(vec!["deny  high x".into()]));
        for ring in ["a := b\nb := a\ndeny contains \"x\" if a", "f(x) := f(x)\ndeny contains \"x\" if f(1)"] {
            let (id, said) = told(&policy(ring), "{}").expect_err(ring);
            assert_eq!(id, REGO_COMPILE, "{said}");
            assert!(said.contains("it calls itself"), "{said}");
        }
        let brackets = policy(&format!("deny contains \"x\" if {}1{}", "(".repeat(3000), ")".repeat(3000)));
        assert_eq!(told(&brackets, "{}").expect_err("too deep").0, REGO_COMPILE);
    }
}
