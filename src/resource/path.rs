//! Where a value stands in a document: `spec.metrics[1].type`, `metadata.labels["a.b/c"]`.

/// The path of the entry `key` of the map at `parent`; the document itself has the empty path.
#[must_use]
pub fn entry(parent: &str, key: &str) -> String {
    let plain =
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '\u{c0}'..));
    match (plain, parent.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{parent}.{key}"),
        (false, _) => format!("{parent}[\"{}\"]", escaped(key)),
    }
}

/// The path of the item `index` (from 0) of the list at `parent`.
#[must_use]
pub fn item(parent: &str, index: usize) -> String {
    format!("{parent}[{index}]")
}

/// The path of the map or list that holds the value at `path`, or `None` for the document itself.
#[must_use]
pub fn parent(path: &str) -> Option<&str> {
    if path.is_empty() {
        return None;
    }
    let end = if path.ends_with("\"]") { path.rfind("[\"") } else { path.rfind(['.', '[']) };
    Some(&path[..end.unwrap_or(0)])
}

/// A key between quotes. An opening bracket is escaped too, so that the last `["` of a path always opens its
/// last segment. Paths stand in records, so this depends on no compiler's tables of characters.
fn escaped(key: &str) -> String {
    let mut out = String::new();
    for char in key.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '[' => out.push_str("\\u{5b}"),
            control if control.is_control() => out.extend(control.escape_unicode()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_leads_back_to_its_parent() {
        for path in ["spec", "spec.tools", "spec[\"a\"]"] {
            for key in ["name", "a.b/c", "", "[", "a[\"", "\"]", "Größe"] {
                assert_eq!(parent(&entry(path, key)), Some(path), "{key}");
            }
            assert_eq!(parent(&item(path, 3)), Some(path));
        }
        assert_eq!(parent("spec"), Some(""));
        assert_eq!(parent(""), None);
    }
}
