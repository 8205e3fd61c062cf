//! Regions, and whether one lies within another.

/// Whether `region` lies within `allowed`: the same, or a part of it. `eu-central-1` lies within `eu`, and `eu` not
/// within `eu-central-1`. Upper and lower case are one.
pub(super) fn lies_within(region: &str, allowed: &str) -> bool {
    let (region, allowed) = (region.trim().to_ascii_lowercase(), allowed.trim().to_ascii_lowercase());
    let part = region.strip_prefix(allowed.as_str());
    !allowed.is_empty() && part.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.', '/']))
}

/// Whether it lies within any of them.
pub(super) fn lies_within_any<S: AsRef<str>>(region: &str, allowed: &[S]) -> bool {
    allowed.iter().any(|allowed| lies_within(region, allowed.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_region_lies_within_it_and_not_the_other_way_round() {
        assert!(lies_within("eu-central-1", "EU") && lies_within("EU", "eu"));
        assert!(!lies_within("eu", "eu-central-1"));
        assert!(!lies_within("europe-west2", "eu") && !lies_within("us-east-1", "eu"));
        assert!(!lies_within("", "eu") && !lies_within("eu", ""));
    }
}
