//! `joch policy preview` and `joch gates input`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ops::policy_preview::Previewed;
use crate::policy::{Found, Input, Obligation};
use crate::render::{Page, View, escape, markdown_text};
