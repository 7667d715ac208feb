//! Random numbers that are the same everywhere.

/// Steele's SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn pick(&mut self, names: &[&'static str]) -> &'static str {
        names[self.below(names.len())]
    }

    pub(crate) fn among(&mut self, numbers: &[i64]) -> i64 {
        numbers[self.below(numbers.len())]
    }

    pub(crate) fn weighted(&mut self, table: &[(&'static str, usize)]) -> &'static str {
        let total = table.iter().map(|(_, weight)| weight).sum();
        let mut place = self.below(total);
        for (name, weight) in table {
            match place.checked_sub(*weight) {
                Some(rest) => place = rest,
                None => return name,
            }
        }
        unreachable!("the place is below the total")
    }
}
