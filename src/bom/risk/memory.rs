//! Memories compared with what ran before.

use crate::resource::{Kind, Risk};

use super::found::Found;
use super::mcp_change::grown;
use super::whole::Whole;

pub(super) fn compare(before: &Whole, after: &Whole, found: &mut Found) {
    for (was, memory) in after.changed(before, &Kind::Memory) {
        for path in
            [&["privacy", "encryption"][..], &["privacy", "piiHandling"], &["privacy", "piiMode"], &["encryption"]]
        {
            if was.is_on(path) && !memory.is_on(path) {
                let why = format!("`{}` was on and is not", path.join("."));
                found.raise("AGB-MEM-001", memory.component(), Risk::High, why);
            }
        }
        for path in [["access", "readableBy"], ["access", "writableBy"]] {
            grown(was, memory, &path, &mut |why| {
                found.raise("AGB-MEM-001", memory.component(), Risk::Medium, why);
            });
        }
    }
}
