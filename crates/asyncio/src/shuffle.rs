//! Other orders of tasks, for tests that want to know whether the order matters.

use std::cell::Cell;
use std::rc::Rc;

use crate::ready::Ready;

/// Permutes the tasks that are ready, if it has a seed.
#[derive(Default)]
pub(crate) struct Shuffle(Cell<Option<u64>>);

impl Shuffle {
    pub(crate) fn set_seed(&self, seed: u64) {
        self.0.set(Some(seed));
    }

    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.get().is_some()
    }

    /// Permutes the steps of tasks among their places; callbacks stay where they are, because
    /// their order is documented.
    pub(crate) fn permute(&self, ready: &mut [Rc<dyn Ready>]) {
        let Some(mut state) = self.0.get() else {
            return;
        };
        let steps: Vec<usize> = (0..ready.len())
            .filter(|&place| ready[place].is_step())
            .collect();
        for end in (1..steps.len()).rev() {
            let other = random(&mut state) % (end as u64 + 1);
            ready.swap(steps[end], steps[other as usize]);
        }
        self.0.set(Some(state));
    }
}

/// The next of a sequence of numbers without a pattern: splitmix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
