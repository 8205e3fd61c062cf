//! Tables: a row of column names, then one case a row.

use serde_json::{Map, Value, json};

use super::fields::FieldMap;
use super::record::{Seen, case};
use super::trouble::{Slip, quoted};
use super::{LARGEST_RECORD, Placed};

/// One row: the line on which it begins, and its cells by column. An empty cell says nothing.
pub(super) type Row = (usize, Vec<(String, String)>);

pub(super) fn read(text: &str, fields: &FieldMap) -> Result<Vec<Placed>, Slip> {
    let (columns, rows) = rows(text)?;
    for (field, name) in fields.pairs() {
        if !columns.iter().any(|column| column == name) {
            let what = format!("there is no column {}, which `spec.dataset.fields` names for `{field}`", quoted(name));
            return Err(Slip::new(what, format!("mend the name; there are {}", told(&columns))).on(1));
        }
        if name != field && columns.iter().any(|column| column == field) {
            let what = format!("there are both the columns `{field}` and {}, which is to be `{field}`", quoted(name));
            return Err(Slip::new(what, "rename one of the two, or mend `spec.dataset.fields`").on(1));
        }
    }
    let mut seen = Seen::default();
    let mut cases = Vec::with_capacity(rows.len());
    for (line, cells) in rows {
        let record = record(cells, fields).map_err(|slip| slip.on(line))?;
        let case = case(record, &FieldMap::default(), &mut seen).map_err(|slip| slip.on(line))?;
        cases.push((Some(line), case));
    }
    Ok(cases)
}

/// The names of the columns, and the rows.
pub(super) fn rows(text: &str) -> Result<(Vec<String>, Vec<Row>), Slip> {
    check_quotes(text)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut columns: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|why| Slip::new(format!("this is no CSV: {why}"), "save the table as CSV anew"))?;
        let line = record.position().map_or(1, |at| usize::try_from(at.line()).unwrap_or(usize::MAX));
        if record.as_slice().len() > LARGEST_RECORD {
            let what = format!("this row has {} bytes, more than {LARGEST_RECORD}", record.as_slice().len());
            return Err(Slip::new(what, "shorten it, or split it into several cases").on(line));
        }
        if columns.is_empty() {
            columns = record.iter().map(|name| name.trim().to_owned()).collect();
            check_columns(&columns).map_err(|slip| slip.on(line))?;
            continue;
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != columns.len() {
            let what = format!("this row has {} cells, and there are {} columns", record.len(), columns.len());
            return Err(Slip::new(what, "put a cell with a comma or a line break in it between double quotes").on(line));
        }
        let cells = columns.iter().cloned().zip(record.iter().map(str::to_owned));
        rows.push((line, cells.filter(|(_, cell)| !cell.trim().is_empty()).collect()));
    }
    Ok((columns, rows))
}

/// The first names, for a message.
fn told(columns: &[String]) -> String {
    columns.iter().take(12).map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}

fn check_columns(columns: &[String]) -> Result<(), Slip> {
    for (index, column) in columns.iter().enumerate() {
        if column.is_empty() {
            return Err(Slip::new(format!("column {} has no name", index + 1), "write one, or remove the column"));
        }
        if columns[..index].contains(column) {
            return Err(Slip::new(format!("two columns are called {}", quoted(column)), "rename one of the two"));
        }
        if columns.len() == 1 && column.contains([';', '\t']) {
            return Err(Slip::new("the columns are not separated by commas", "save the table with commas"));
        }
    }
    Ok(())
}

/// The record that a row says, as JSON has it.
fn record(cells: Vec<(String, String)>, fields: &FieldMap) -> Result<Map<String, Value>, Slip> {
    let mut record = Map::new();
    let mut metadata = Map::new();
    for (column, cell) in cells {
        let field = fields.pairs().find(|(_, name)| *name == column).map(|(field, _)| field);
        let field = field.unwrap_or(if column == "expectedTools" { "expected_tools" } else { &column });
        let value = match field {
            "tags" => Value::Array(listed(&cell)),
            "expected_tools" if cell.trim_start().starts_with('[') => parsed(&cell, &column)?,
            "expected_tools" => Value::Array(listed(&cell)),
            "messages" | "metadata" => parsed(&cell, &column)?,
            _ => json!(cell),
        };
        if let Some(key) = field.strip_prefix("metadata.") {
            metadata.insert(key.to_owned(), value);
        } else if record.insert(field.to_owned(), value).is_some() {
            return Err(Slip::new(format!("two columns mean `{field}`"), "remove one of the two"));
        }
    }
    match record.get_mut("metadata") {
        None if metadata.is_empty() => {}
        None => drop(record.insert("metadata".into(), metadata.into())),
        Some(_) if metadata.is_empty() => {}
        Some(_) => {
            let what = "`metadata` and `metadata.…` are columns both";
            return Err(Slip::new(what, "take the one or the other"));
        }
    }
    Ok(record)
}

/// What stands between semicolons.
fn listed(cell: &str) -> Vec<Value> {
    cell.split(';').map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect()
}

fn parsed(cell: &str, column: &str) -> Result<Value, Slip> {
    // The line that counts is that of the row.
    super::json::parse(cell, 1).map_err(|slip| slip.nowhere().within(&format!("column {}", quoted(column))))
}

/// Refuses quotes that do not pair up: a reader would take the rest of the file for one cell, or drop a mark.
fn check_quotes(text: &str) -> Result<(), Slip> {
    enum At {
        Start,
        Plain,
        Quoted(usize),
        Closed,
    }
    let (mut at, mut line) = (At::Start, 1);
    for byte in text.bytes() {
        at = match (at, byte) {
            (At::Start, b'"') => At::Quoted(line),
            (At::Quoted(from), b'"') => {
                let _: usize = from;
                At::Closed
            }
            (At::Closed, b'"') => At::Quoted(line),
            (At::Quoted(from), _) => At::Quoted(from),
            (_, b',' | b'\n' | b'\r') => At::Start,
            (At::Closed, _) => {
                return Err(Slip::new(
                    "something follows the quote that ends a cell",
                    "write a quote in a cell twice: `\"\"`",
                )
                .on(line));
            }
            (At::Plain, b'"') => {
                let next = "put the whole cell between double quotes, and write the one in it twice: `\"\"`";
                return Err(Slip::new("a quote stands within a cell that does not begin with one", next).on(line));
            }
            (At::Start | At::Plain, _) => At::Plain,
        };
        line += usize::from(byte == b'\n');
    }
    match at {
        At::Quoted(from) => {
            Err(Slip::new("a cell that begins with a quote does not end", "close it with `\"`").on(from))
        }
        _ => Ok(()),
    }
}
