//! Which part of a dataset a case belongs to when a run is spread over several machines.

use crate::resource::Digest;

/// The shard of a case, from 1 to `shards`: the first eight bytes of the SHA-256 of its id, as a big-endian number,
/// modulo `shards`, and 1. It does not depend on where in the dataset the case stands. With no shards it is 1.
#[must_use]
pub fn shard_of(case: &str, shards: u32) -> u32 {
    let number = u64::from_str_radix(&Digest::of(case).short(), 16).expect("sixteen hex digits are a u64");
    let index = number % u64::from(shards.max(1));
    u32::try_from(index).expect("less than a u32") + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_the_shard_that_its_id_gives() {
        // printf a | sha256sum | cut -c1-16: ca978112ca1bbdca
        assert_eq!(shard_of("a", 2), 1);
        assert_eq!(shard_of("a", 1000), u32::try_from(0xca97_8112_ca1b_bdca_u64 % 1000).expect("small") + 1);
        assert_eq!(shard_of("a", 1), 1);
        assert_eq!(shard_of("a", 0), 1);
    }

    #[test]
    fn shards_are_about_equally_large() {
        let mut sizes = [0; 4];
        for case in 0..4000 {
            sizes[shard_of(&format!("case-{case}"), 4) as usize - 1] += 1;
        }
        assert!(sizes.iter().all(|size| (900..1100).contains(size)), "{sizes:?}");
    }
}
