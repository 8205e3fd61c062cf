//! How much the values of one run of a policy come to. Counted, and not timed: the same on every machine.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use regorus::unstable::{BUILTINS, BuiltinFcn, Expr, NodeRef, Span};
use regorus::{Engine, Source, Value};

use super::rego_guarded::{GUARD, KEY};
use super::rego_text::long_number;

/// How many bytes all values together may have that a policy makes or looks at, each time that it does.
pub(super) const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// How many bytes a key may have, and what is in a set: they are compared more often than they are counted.
const MOST_KEY: u64 = 64 * 1024;
/// How many digits a number may have.
const MOST_DIGITS: usize = 1000;
/// How deep lists and objects may stand in each other.
const DEEPEST: usize = 100;
/// What one value counts, beside the length of its text.
const VALUE: u64 = 16;
/// What it counts to read a pattern: as many bytes as are written in the same time.
const PATTERN: u64 = 32 * 1024;

/// What is left of what a policy may use, and why it was stopped.
#[derive(Clone)]
pub(super) struct Meter(Arc<State>);

struct State {
    left: AtomicU64,
    stopped: Mutex<Option<String>>,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self(Arc::new(State { left: AtomicU64::new(MOST_BYTES), stopped: Mutex::new(None) }))
    }

    /// Why it stopped the policy, if it did.
    pub(super) fn stopped(&self) -> Option<String> {
        self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How much was used.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        MOST_BYTES - self.0.left.load(Ordering::Relaxed)
    }

    fn stop<T>(&self, why: String) -> Result<T, String> {
        let mut stopped = self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get_or_insert_with(|| why.clone());
        Err(why)
    }

    fn take(&self, bytes: u64) -> Result<(), String> {
        let take = |left: u64| left.checked_sub(bytes);
        match self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => Ok(()),
            Err(_) => self.stop(format!("its values came to more than {MOST_BYTES} bytes, and it was stopped")),
        }
    }

    /// Counts a value, and says how large it is.
    fn look(&self, value: &Value) -> Result<u64, String> {
        self.deep(value, 0)
    }

    fn deep(&self, value: &Value, depth: usize) -> Result<u64, String> {
        if depth > DEEPEST {
            return self.stop(format!("more than {DEEPEST} of its values stood in each other, and it was stopped"));
        }
        let text = match value {
            Value::String(text) => bytes(text.len()),
            Value::Number(number) if number.as_i64().is_none() && number.as_u64().is_none() => {
                let digits = number.format_decimal().len();
                if digits > MOST_DIGITS {
                    return self.stop(format!("a number had more than {MOST_DIGITS} digits, and it was stopped"));
                }
                bytes(digits)
            }
            _ => 0,
        };
        self.take(VALUE + text)?;
        let parts: u64 = match value {
            Value::Array(items) => self.all(items.iter(), depth)?,
            Value::Set(items) => self.all(items.iter(), depth)?,
            Value::Object(fields) => self.all(fields.iter().flat_map(|(key, value)| [key, value]), depth)?,
            _ => 0,
        };
        Ok(VALUE + text + parts)
    }

    fn all<'v>(&self, items: impl Iterator<Item = &'v Value>, depth: usize) -> Result<u64, String> {
        let mut sum = 0;
        for item in items {
            sum += self.deep(item, depth + 1)?;
        }
        Ok(sum)
    }

    /// Puts every function of the engine under this meter, and adds those that guard values.
    pub(super) fn attach(&self, engine: &mut Engine) -> Result<(), String> {
        let meter = self.clone();
        add(engine, GUARD, 1, move |args| meter.value(args))?;
        let meter = self.clone();
        add(engine, KEY, 1, move |args| meter.key(args))?;
        let place = Arc::new(Place::new()?);
        for (name, function) in BUILTINS.iter() {
            let (name, function, place, meter) = (*name, *function, place.clone(), self.clone());
            add(engine, name, function.1, move |args| meter.call(name, function, &place, args))?;
        }
        Ok(())
    }

    fn value(&self, args: &[Value]) -> Result<Value, String> {
        let value = args.first().cloned().unwrap_or(Value::Undefined);
        self.look(&value)?;
        Ok(value)
    }

    fn key(&self, args: &[Value]) -> Result<Value, String> {
        let value = args.first().cloned().unwrap_or(Value::Undefined);
        if self.look(&value)? > MOST_KEY {
            return self
                .stop(format!("a key, or what is in a set, had more than {MOST_KEY} bytes, and it was stopped"));
        }
        Ok(value)
    }

    fn call(&self, name: &str, function: BuiltinFcn, place: &Place, args: &[Value]) -> Result<Value, String> {
        if is_shallow(name) {
            self.take(VALUE)?;
        } else {
            let mut sizes = Vec::new();
            for arg in args {
                sizes.push(self.look(arg)?);
            }
            self.take(beside(name, args, &sizes))?;
        }
        if name == "product" && digits_of(&args[0]) > MOST_DIGITS {
            return self.stop(format!("a number had more than {MOST_DIGITS} digits, and it was stopped"));
        }
        if ["to_number", "json.unmarshal", "json.is_valid"].contains(&name)
            && args.iter().any(|arg| arg.as_string().is_ok_and(|text| long_number(text)))
        {
            return self.stop("a text held a number that is too long to be read, and it was stopped".into());
        }
        let value =
            (function.0)(&place.span, &place.params[..args.len()], args, true).map_err(|why| format!("{why:#}"))?;
        if !is_shallow(name) {
            self.look(&value)?;
        }
        Ok(value)
    }
}

/// Gives the engine a function of this name, before its own.
fn add(
    engine: &mut Engine,
    name: &str,
    parameters: u8,
    function: impl Fn(&[Value]) -> Result<Value, String> + Clone + Send + Sync + 'static,
) -> Result<(), String> {
    let function = move |args: Vec<Value>| function(&args).map_err(|why| std::io::Error::other(why).into());
    engine.add_extension(name.to_owned(), parameters, Box::new(function)).map_err(|why| why.to_string())
}

/// Where the engine is told that a call stands; the caller knows better.
struct Place {
    span: Span,
    params: Vec<NodeRef<Expr>>,
}

impl Place {
    fn new() -> Result<Self, String> {
        let source = Source::from_contents("call".into(), String::new()).map_err(|why| why.to_string())?;
        let span = Span { source, line: 1, col: 1, start: 0, end: 0 };
        let param = || NodeRef::new(Expr::Null { span: span.clone(), value: Value::Null, eidx: 0 });
        Ok(Self { params: (0..=u8::MAX).map(|_| param()).collect(), span })
    }
}

/// Whether a function looks at no more than the outside of a value, and gives no more than a part of it.
fn is_shallow(name: &str) -> bool {
    name == "count" || name == "object.get" || name == "type_name" || name.starts_with("is_")
}

/// What a call comes to beside its arguments and before its answer is there, in bytes: `sizes` are those of the arguments.
fn beside(name: &str, args: &[Value], sizes: &[u64]) -> u64 {
    let text = |at: usize| args.get(at).and_then(|arg| arg.as_string().ok());
    let length = |at: usize| text(at).map_or(0, |text| bytes(text.len()));
    let size = |at: usize| sizes.get(at).copied().unwrap_or(0);
    let items = |at: usize| args.get(at).map_or(0, count);
    match name {
        "concat" => items(1).saturating_mul(length(0)),
        "replace" => {
            let found = text(0).zip(text(1)).map_or(0, |(text, old)| bytes(text.matches(old.as_ref()).count()));
            found.saturating_mul(length(2))
        }
        "split" => length(0).saturating_mul(VALUE + 8),
        "indexof" | "indexof_n" | "strings.count" => {
            length(0).saturating_mul(VALUE) + length(0).saturating_mul(length(1)) / 16
        }
        "trim" | "trim_left" | "trim_right" => length(0).saturating_mul(length(1)),
        "strings.any_prefix_match" | "strings.any_suffix_match" => items(0).max(1).saturating_mul(size(1)),
        "union" | "intersection" | "object.union_n" => items(0).saturating_mul(size(0)),
        "json.filter" | "object.filter" | "object.remove" | "object.subset" => {
            (1 + items(1)).saturating_mul(size(0)) + items(0).saturating_mul(size(1)) / 16
        }
        _ if name.starts_with("regex.") => {
            let groups = text(0).map_or(1, |pattern| 1 + bytes(pattern.matches('(').count()));
            PATTERN + length(1).saturating_mul(VALUE + 8).saturating_mul(groups)
        }
        _ => 0,
    }
}

fn count(value: &Value) -> u64 {
    match value {
        Value::Array(items) => bytes(items.len()),
        Value::Set(items) => bytes(items.len()),
        Value::Object(fields) => bytes(fields.len()),
        _ => 1,
    }
}

/// How many digits the numbers in a list or a set have together.
fn digits_of(numbers: &Value) -> usize {
    let digits = |value: &Value| match value {
        Value::Number(number) => number.format_decimal().len(),
        _ => 0,
    };
    match numbers {
        Value::Array(items) => items.iter().map(digits).sum(),
        Value::Set(items) => items.iter().map(digits).sum(),
        _ => 0,
    }
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
