//! Knowledge: how confidential it is, and who guards it.

use crate::resource::{Kind, Risk};

use super::found::{Found, shown};
use super::whole::{Part, Whole};

/// The classification of a source, wherever its team writes it.
fn classification(source: &Part) -> Option<String> {
    let said = source.text(&["classification"]).or_else(|| source.text(&["sensitivity"])).map(str::to_owned);
    said.or_else(|| {
        let labels = source.resource.labels();
        labels.get("classification").or_else(|| labels.get("sensitivity")).cloned()
    })
}

/// From what everybody may read to what nobody should; a word that is not known stands beyond all.
fn rank(classification: Option<&str>) -> u8 {
    match classification.map(|word| word.trim().to_ascii_lowercase()).as_deref() {
        Some("public") => 0,
        Some("internal") => 1,
        Some("confidential" | "customer" | "customer-tier") => 2,
        Some("restricted" | "secret" | "pii" | "personal" | "phi" | "pci" | "regulated") => 3,
        _ => 4,
    }
}

/// Whether a source holds what must not get out, or nobody said that it does not.
pub(super) fn is_confidential(source: &Part) -> bool {
    rank(classification(source).as_deref()) >= 2
}

pub(super) fn judge(whole: &Whole, found: &mut Found) {
    for source in whole.of_kind(&Kind::KnowledgeSource).filter(|source| is_confidential(source)) {
        let why = match classification(source) {
            None => "how confidential it is, is not said".to_owned(),
            Some(word) if rank(Some(&word)) == 4 => {
                format!("its classification {} is none that joch knows", shown(&word))
            }
            Some(word) => format!("it is classified as {}", shown(&word)),
        };
        found.raise("AGB-KNOW-001", source.component(), Risk::High, why);
    }
}

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    for (was, source) in after.changed(before, &Kind::KnowledgeSource) {
        let (old, new) = (classification(was), classification(source));
        if rank(new.as_deref()) < rank(old.as_deref()) && old.is_some() {
            let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
            let why = format!("its classification was {} and is {}", shown(&old), shown(&new));
            found.raise("AGB-KNOW-002", source.component(), Risk::High, why);
        }
        let inherits = |part: &Part| part.text(&["permissions", "mode"]) == Some("source_inherited");
        if inherits(was) && !inherits(source) {
            let new = source.text(&["permissions", "mode"]).map_or_else(|| "not said".to_owned(), shown);
            let why = format!("`permissions.mode` was `source_inherited` and is {new}");
            found.raise("AGB-KNOW-002", source.component(), Risk::High, why);
        }
    }
    for (was, rag) in after.changed(before, &Kind::Rag) {
        for key in ["inheritFromSource", "enforceAtQueryTime"] {
            let path = ["permissions", key];
            if was.is_true(&path) && !rag.is_true(&path) {
                let why = format!("`permissions.{key}` was `true` and is not");
                found.raise("AGB-KNOW-002", rag.component(), Risk::High, why);
            }
        }
    }
}
