//! The text of a policy again, with every value that it makes or compares under [`GUARD`], and every key under [`KEY`].
//!
//! The engine counts steps, and one step may make a value as large as it likes: `x * x`, `[x, x]`, `a | b`. So its own
//! reading of the text is written down once more with a call around what grows, and the meter sees every value. Each
//! statement stays on its line, so that what the engine says of a line is true of the text.

use std::fmt::Write as _;

use regorus::Source;
use regorus::unstable::{
    ArithOp, AssignOp, BinOp, BoolOp, Expr, Literal, LiteralStmt, Parser, Query, Rule, RuleAssign, RuleBody, RuleHead,
};

/// The function that hands on a value that is not too large.
pub(super) const GUARD: &str = "joch__value";
/// The function that hands on a value that is small enough to be a key, or in a set.
pub(super) const KEY: &str = "joch__key";

/// How deep expressions may stand in each other.
const DEEPEST: usize = 64;

/// Why a text cannot be guarded, and the line that is at fault.
pub(super) struct Unguarded {
    pub(super) message: String,
    pub(super) line: usize,
}

type Done = Result<(), Unguarded>;

/// The guarded text.
///
/// # Errors
/// What stands there that cannot be guarded.
pub(super) fn guarded(text: &str) -> Result<String, Unguarded> {
    let unread = |why: &dyn std::fmt::Display| Unguarded { message: format!("it cannot be read: {why}"), line: 1 };
    let source = Source::from_contents("policy".into(), text.to_owned()).map_err(|why| unread(&why))?;
    let mut parser = Parser::new(&source).map_err(|why| unread(&why))?;
    parser.enable_rego_v1().map_err(|why| unread(&why))?;
    let module = parser.parse().map_err(|why| unread(&why))?;
    let mut writer = Writer { text: String::new(), line: 1, depth: 0 };
    writer.go_to_line(module.package.span.line);
    writer.put("package ");
    writer.bare(&module.package.refr)?;
    for import in &module.imports {
        writer.new_line(import.span.line);
        writer.put("import ");
        writer.bare(&import.refr)?;
        if let Some(name) = &import.r#as {
            writer.put(" as ");
            writer.put(name.text());
        }
    }
    for rule in &module.policy {
        writer.new_line(rule.span().line);
        writer.rule(rule)?;
    }
    writer.put("\n");
    Ok(writer.text)
}

struct Writer {
    text: String,
    line: u32,
    depth: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Goes down to a line of the text that was read.
    fn go_to_line(&mut self, line: u32) {
        while self.line < line {
            self.text.push('\n');
            self.line += 1;
        }
    }

    /// Goes to a line where something new begins.
    fn new_line(&mut self, line: u32) {
        self.go_to_line(line.max(self.line + 1));
    }

    fn rule(&mut self, rule: &Rule) -> Done {
        match rule {
            Rule::Default { refr, args, value, .. } => {
                self.put("default ");
                self.bare(refr)?;
                if !args.is_empty() {
                    self.list("(", args.iter(), ")", |this, arg| this.bare(arg))?;
                }
                self.put(" := ");
                // Nothing but a constant may stand here.
                self.bare(value)
            }
            Rule::Spec { head, bodies, .. } => {
                match head {
                    RuleHead::Compr { refr, assign, .. } => {
                        self.bare(refr)?;
                        self.assign(assign.as_ref())?;
                    }
                    RuleHead::Set { refr, key, .. } => {
                        self.bare(refr)?;
                        if let Some(key) = key {
                            self.put(" contains ");
                            self.under(KEY, key)?;
                        }
                    }
                    RuleHead::Func { refr, args, assign, .. } => {
                        self.bare(refr)?;
                        self.list("(", args.iter(), ")", |this, arg| this.bare(arg))?;
                        self.assign(assign.as_ref())?;
                    }
                }
                bodies.iter().enumerate().try_for_each(|(index, body)| self.body(index, body))
            }
        }
    }

    fn body(&mut self, index: usize, body: &RuleBody) -> Done {
        if index > 0 {
            self.put(" else");
            self.assign(body.assign.as_ref())?;
        }
        if !body.query.stmts.is_empty() {
            self.put(" if { ");
            self.query(&body.query)?;
            self.put(" }");
        }
        Ok(())
    }

    fn assign(&mut self, assign: Option<&RuleAssign>) -> Done {
        let Some(assign) = assign else { return Ok(()) };
        self.put(" := ");
        self.under(GUARD, &assign.value)
    }

    fn query(&mut self, query: &Query) -> Done {
        for (index, statement) in query.stmts.iter().enumerate() {
            if index > 0 {
                self.put("; ");
            }
            self.go_to_line(statement.span.line);
            self.statement(statement)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &LiteralStmt) -> Done {
        if !statement.with_mods.is_empty() {
            return Err(no(statement.span.line, "`with` is not to be had"));
        }
        match &statement.literal {
            Literal::SomeVars { vars, .. } => {
                let names: Vec<&str> = vars.iter().map(|var| var.text()).collect();
                let _ = write!(self.text, "some {}", names.join(", "));
                Ok(())
            }
            Literal::SomeIn { key, value, collection, .. } => {
                self.put("some ");
                if let Some(key) = key {
                    self.bare(key)?;
                    self.put(", ");
                }
                self.bare(value)?;
                self.put(" in ");
                // Every step through it is counted on its own.
                self.expression(collection)
            }
            Literal::Expr { expr, .. } => self.expression(expr),
            Literal::NotExpr { expr, .. } => {
                self.put("not ");
                self.expression(expr)
            }
            Literal::Every { key, value, domain, query, .. } => {
                self.put("every ");
                if let Some(key) = key {
                    let _ = write!(self.text, "{}, ", key.text());
                }
                let _ = write!(self.text, "{} in ", value.text());
                self.expression(domain)?;
                self.put(" { ");
                self.query(query)?;
                self.put(" }");
                Ok(())
            }
        }
    }

    /// An expression under a function, unless it is a constant.
    fn under(&mut self, function: &str, expr: &Expr) -> Done {
        if is_constant(expr) {
            return self.bare(expr);
        }
        let _ = write!(self.text, "{function}(");
        self.bare(expr)?;
        self.put(")");
        Ok(())
    }

    /// What an operator is applied to.
    fn operand(&mut self, expr: &Expr) -> Done {
        self.under(GUARD, expr)
    }

    /// An expression where a value is meant: a list, a set or an object is guarded as a whole.
    fn expression(&mut self, expr: &Expr) -> Done {
        match expr {
            Expr::Array { .. }
            | Expr::Set { .. }
            | Expr::Object { .. }
            | Expr::ArrayCompr { .. }
            | Expr::SetCompr { .. }
            | Expr::ObjectCompr { .. } => self.under(GUARD, expr),
            _ => self.bare(expr),
        }
    }

    /// What a list, an object or a comprehension holds. The brackets around an operation are gone, and `|` would be taken
    /// for the beginning of a comprehension's body.
    fn part(&mut self, expr: &Expr) -> Done {
        match expr {
            Expr::BinExpr { .. } | Expr::BoolExpr { .. } | Expr::ArithExpr { .. } => self.under(GUARD, expr),
            _ => self.bare(expr),
        }
    }

    /// An expression as it stands: also what is only a pattern of values.
    fn bare(&mut self, expr: &Expr) -> Done {
        self.depth += 1;
        if self.depth > DEEPEST {
            let why = format!("more than {DEEPEST} parts of an expression stand in each other here");
            return Err(no(expr.span().line, &why));
        }
        self.any(expr)?;
        self.depth -= 1;
        Ok(())
    }

    fn any(&mut self, expr: &Expr) -> Done {
        match expr {
            Expr::String { span, .. } => {
                let _ = write!(self.text, "\"{}\"", span.text());
            }
            Expr::RawString { value, .. } => {
                let text = value.as_string().map_or("", |text| text);
                self.put(&serde_json::Value::from(text).to_string());
            }
            Expr::Number { span, .. } if span.text().starts_with('-') => {
                let _ = write!(self.text, "({})", span.text());
            }
            Expr::Number { span, .. } | Expr::Bool { span, .. } | Expr::Null { span, .. } | Expr::Var { span, .. } => {
                self.put(span.text())
            }
            Expr::Array { items, .. } => self.list("[", items.iter(), "]", |this, item| this.part(item))?,
            Expr::Set { items, .. } if items.is_empty() => self.put("set()"),
            Expr::Set { items, .. } => self.list("{", items.iter(), "}", |this, item| this.under(KEY, item))?,
            Expr::Object { fields, .. } => self.list("{", fields.iter(), "}", |this, (_, key, value)| {
                this.under(KEY, key)?;
                this.put(": ");
                this.part(value)
            })?,
            Expr::ArrayCompr { term, query, .. } => {
                self.put("[");
                self.part(term)?;
                self.comprehension(query, "]")?;
            }
            Expr::SetCompr { term, query, .. } => {
                self.put("{");
                self.under(KEY, term)?;
                self.comprehension(query, "}")?;
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.put("{");
                self.under(KEY, key)?;
                self.put(": ");
                self.part(value)?;
                self.comprehension(query, "}")?;
            }
            // Nobody reads what it prints.
            Expr::Call { fcn, .. } if matches!(fcn.as_ref(), Expr::Var { span, .. } if span.text() == "print") => {
                self.put("true");
            }
            Expr::Call { fcn, params, .. } => {
                self.bare(fcn)?;
                self.list("(", params.iter(), ")", |this, param| this.expression(param))?;
            }
            // What follows the sign would belong to it.
            Expr::UnaryExpr { expr, .. } => {
                self.put("(-");
                self.operand(expr)?;
                self.put(")");
            }
            Expr::RefDot { refr, field, .. } => {
                self.expression(refr)?;
                let _ = write!(self.text, ".{}", field.0.text());
            }
            Expr::RefBrack { refr, index, .. } => {
                self.expression(refr)?;
                self.put("[");
                self.bare(index)?;
                self.put("]");
            }
            Expr::BinExpr { op, lhs, rhs, .. } => self.operation(lhs, binary(op), rhs)?,
            Expr::BoolExpr { op, lhs, rhs, .. } => self.operation(lhs, comparison(op), rhs)?,
            Expr::ArithExpr { op, lhs, rhs, .. } => self.operation(lhs, arithmetic(op), rhs)?,
            Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => {
                self.bare(lhs)?;
                self.put(" := ");
                self.expression(rhs)?;
            }
            Expr::AssignExpr { span, op: AssignOp::Eq, .. } => {
                return Err(no(span.line, "`=` may compare or assign; write `==` or `:=`"));
            }
            Expr::Membership { key, value, collection, .. } => {
                self.put("(");
                if let Some(key) = key {
                    self.operand(key)?;
                    self.put(", ");
                }
                self.operation(value, "in", collection)?;
                self.put(")");
            }
        }
        Ok(())
    }

    fn operation(&mut self, lhs: &Expr, sign: &str, rhs: &Expr) -> Done {
        self.operand(lhs)?;
        let _ = write!(self.text, " {sign} ");
        self.operand(rhs)
    }

    fn comprehension(&mut self, query: &Query, end: &str) -> Done {
        self.put(" | ");
        self.query(query)?;
        self.put(end);
        Ok(())
    }

    fn list<T>(
        &mut self,
        open: &str,
        items: impl Iterator<Item = T>,
        close: &str,
        one: impl Fn(&mut Self, T) -> Done,
    ) -> Done {
        self.put(open);
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.put(", ");
            }
            one(self, item)?;
        }
        self.put(close);
        Ok(())
    }
}

fn no(line: u32, message: &str) -> Unguarded {
    Unguarded { message: message.to_owned(), line: usize::try_from(line).unwrap_or(1) }
}

fn is_constant(expr: &Expr) -> bool {
    use Expr::{Bool, Null, Number, RawString, String};
    matches!(expr, String { .. } | RawString { .. } | Number { .. } | Bool { .. } | Null { .. })
}

fn binary(op: &BinOp) -> &'static str {
    match op {
        BinOp::Intersection => "&",
        BinOp::Union => "|",
    }
}

fn comparison(op: &BoolOp) -> &'static str {
    match op {
        BoolOp::Lt => "<",
        BoolOp::Le => "<=",
        BoolOp::Eq => "==",
        BoolOp::Ge => ">=",
        BoolOp::Gt => ">",
        BoolOp::Ne => "!=",
    }
}

fn arithmetic(op: &ArithOp) -> &'static str {
    match op {
        ArithOp::Add => "+",
        ArithOp::Sub => "-",
        ArithOp::Mul => "*",
        ArithOp::Div => "/",
        ArithOp::Mod => "%",
    }
}
