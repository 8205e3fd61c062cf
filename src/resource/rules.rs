//! Every rule that a file may break: its id, which is stable, and what it means. Documentation is made from
//! this table.

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its id, as in findings.
    pub id: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

/// The rule of this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Every rule, by id.
pub const RULES: &[Rule] = &[
    Rule { id: "agent-cycle", meaning: "An agent runs itself through its `children`, so it has no closure." },
    Rule {
        id: "ambiguous-document",
        meaning: "Two YAML readers do not agree about where the documents of a file end, or whether one can be read at all.",
    },
    Rule {
        id: "ambiguous-reference",
        meaning: "More than one Model serves a `provider:model`, and none has the model's name.",
    },
    Rule { id: "ambiguous-scalar", meaning: "Two YAML readers see different values at one place." },
    Rule { id: "api-version", meaning: "The apiVersion is of a joch group, in a version that joch does not read." },
    Rule {
        id: "change-class",
        meaning: "The `changeClasses` of an Environment name what is no class of change, so that nothing can be decided there.",
    },
    Rule { id: "contradiction", meaning: "Two fields of one resource cannot both be meant." },
    Rule {
        id: "dataset",
        meaning: "The dataset of an Eval is not there, lies outside the project, or cannot be read as a whole.",
    },
    Rule { id: "duplicate-key", meaning: "A key stands twice in one map." },
    Rule { id: "duplicate-metric", meaning: "A metric stands twice in one Eval." },
    Rule { id: "duplicate-resource", meaning: "A resource stands twice in one set." },
    Rule { id: "envelope", meaning: "`apiVersion`, `kind` or `metadata` is missing or of the wrong type." },
    Rule { id: "eval-cannot-run", meaning: "An Eval is sound as a record, and `joch eval run` would refuse it." },
    Rule {
        id: "exception",
        meaning: "An exception of an Environment lets nothing through: it is not in full, has run out, or lasts too long.",
    },
    Rule { id: "field-range", meaning: "A number is outside of what its field takes." },
    Rule { id: "field-required", meaning: "A field is missing without which the resource means nothing." },
    Rule { id: "field-type", meaning: "A field holds a value of the wrong type." },
    Rule {
        id: "field-unread",
        meaning: "A Budget says something that joch does not read, so that nobody knows whom or what it limits.",
    },
    Rule { id: "field-word", meaning: "A field takes one of several words, and holds another." },
    Rule {
        id: "foreign-resource",
        meaning: "The document is no resource of joch: an error if the file was named, a notice if it was walked to.",
    },
    Rule { id: "freeze", meaning: "A freeze of an Environment cannot be read, and so would be in force for ever." },
    Rule { id: "gate-setting", meaning: "A gate is given a setting that it does not read." },
    Rule { id: "gate-syntax", meaning: "A gate is not written as joch reads it." },
    Rule { id: "json-syntax", meaning: "The file is not JSON." },
    Rule { id: "key-not-text", meaning: "A key is not text." },
    Rule { id: "kind", meaning: "The kind is misspelt, or cannot be the name of a kind." },
    Rule { id: "limit-aliases", meaning: "The file holds too many aliases." },
    Rule { id: "limit-depth", meaning: "Values are nested too deep." },
    Rule { id: "limit-documents", meaning: "The file holds too many documents." },
    Rule { id: "limit-nodes", meaning: "The file holds too many values." },
    Rule { id: "limit-number", meaning: "A whole number does not fit into 64 bits." },
    Rule { id: "limit-size", meaning: "The file is too large." },
    Rule { id: "metric-unknown", meaning: "Nobody can compute a metric of an Eval, so the Eval cannot be run." },
    Rule { id: "missing-reference", meaning: "A resource that is named is nowhere to be found." },
    Rule { id: "name-blank", meaning: "A name in a list of an Environment or Team is blank, and so means nobody." },
    Rule { id: "name-environment", meaning: "The name cannot name an environment." },
    Rule { id: "name-namespace", meaning: "The name cannot name a namespace." },
    Rule { id: "name-resource", meaning: "The name cannot name a resource." },
    Rule { id: "non-finite-number", meaning: "A number is infinite or none at all." },
    Rule {
        id: "policy-malformed",
        meaning: "A Policy asks about what does not exist, or for what joch does not know.",
    },
    Rule { id: "policy-rego", meaning: "The Rego of a Policy cannot be read, or has nothing that is asked." },
    Rule { id: "policy-without-effect", meaning: "A rule of a Policy neither acts nor requires anything." },
    Rule { id: "team-key", meaning: "A key of a Team's member is no SSH public key that joch takes." },
    Rule { id: "threshold", meaning: "A threshold is neither a number nor a comparison." },
    Rule { id: "threshold-backwards", meaning: "A threshold passes worse scores and stops better ones." },
    Rule {
        id: "threshold-direction",
        meaning: "A threshold is a bare number, and nobody knows which way its metric is better.",
    },
    Rule { id: "threshold-metric", meaning: "A threshold is set for a metric that the Eval does not measure." },
    Rule { id: "threshold-missing", meaning: "An Eval guards promotions and has no threshold, so it always passes." },
    Rule { id: "threshold-range", meaning: "A threshold is a number that its metric never has." },
    Rule { id: "unknown-field", meaning: "A field is nearly spelt like one that joch knows; it is kept as data." },
    Rule { id: "unknown-kind", meaning: "joch does not know the kind; the resource is versioned and diffed as data." },
    Rule { id: "unknown-price", meaning: "A hosted model has a price of 0, which means unknown, not free." },
    Rule {
        id: "unverified-reference",
        meaning: "A name stands for a resource that is nowhere to be found, and need not be.",
    },
    Rule { id: "version-not-text", meaning: "A version is written as a number: `1.10` is read as 1.1." },
    Rule { id: "yaml-directive", meaning: "A line is a YAML directive." },
    Rule { id: "yaml-line-separator", meaning: "A character ends a line for one YAML reader and not for another." },
    Rule { id: "yaml-merge", meaning: "A merge key `<<` holds something other than maps." },
    Rule { id: "yaml-syntax", meaning: "The file is not YAML." },
    Rule { id: "yaml-tag", meaning: "A value has a tag that is not one of YAML's own." },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_in_order_and_told_apart() {
        assert!(RULES.is_sorted_by(|a, b| a.id < b.id));
        assert!(find("duplicate-key").is_some());
    }
}
