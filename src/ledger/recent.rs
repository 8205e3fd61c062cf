//! What was read last, kept as long as there is room: a ledger may hold more than fits into memory.

use std::collections::HashMap;
use std::hash::Hash;

/// Values by key in two generations: those that were used since the last one ended, and those of the one before. Each
/// generation has room for the same weight, so what is used again and again stays.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    newer: HashMap<K, (V, usize)>,
    older: HashMap<K, (V, usize)>,
    weight: usize,
    room: usize,
}

impl<K: Eq + Hash + Copy, V: Clone> Recent<K, V> {
    /// With so much room for each generation.
    pub(super) fn new(room: usize) -> Self {
        Self { newer: HashMap::new(), older: HashMap::new(), weight: 0, room }
    }

    /// What is kept under a key.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        if let Some((value, _)) = self.newer.get(key) {
            return Some(value.clone());
        }
        let (value, weight) = self.older.remove(key)?;
        self.put(*key, value.clone(), weight);
        Some(value)
    }

    /// Keeps one more.
    pub(super) fn put(&mut self, key: K, value: V, weight: usize) {
        self.weight += weight;
        if self.weight > self.room {
            self.older = std::mem::take(&mut self.newer);
            self.weight = weight;
        }
        if weight <= self.room {
            self.newer.insert(key, (value, weight));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_all_of_it_fits() {
        let mut recent = Recent::new(10);
        for number in 0..1000 {
            recent.put(number, number, 2);
            assert_eq!(recent.get(&0), Some(0), "after {number}");
            assert!(recent.newer.len() + recent.older.len() <= 10);
        }
        assert_eq!(recent.get(&1), None);
        recent.put(2000, 2000, 11);
        assert_eq!(recent.get(&2000), None);
    }
}
