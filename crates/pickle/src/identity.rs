//! Which objects a pickler has written, by identity.

use crate::Object;

/// Up to so many, a look through all addresses is as fast as an index.
const SMALL: usize = 16;

#[derive(Default)]
pub(crate) struct Identities {
    addresses: Vec<usize>,
    /// Keeps the objects alive, so that no other one gets their address.
    objects: Vec<Object>,
    /// Numbers of objects plus 1 by open addressing, 0 where there is none; empty while they are few.
    index: Vec<u32>,
}

impl Identities {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number of the object at this address.
    #[inline]
    pub(crate) fn get(&self, address: usize) -> Option<usize> {
        if self.index.is_empty() {
            return self.addresses.iter().position(|&known| known == address);
        }
        for slot in slots(address, self.index.len()) {
            match self.index[slot] as usize {
                0 => return None,
                number if self.addresses[number - 1] == address => return Some(number - 1),
                _ => {}
            }
        }
        None
    }

    /// Adds an object; its number, which is how many came before.
    #[inline]
    pub(crate) fn insert(&mut self, object: Object) -> usize {
        let number = self.addresses.len();
        if number == 0 {
            self.addresses.reserve(SMALL);
            self.objects.reserve(SMALL);
        }
        self.addresses.push(object.address());
        self.objects.push(object);
        if number >= SMALL {
            self.enter_index(number);
        }
        number
    }

    fn enter_index(&mut self, number: usize) {
        if self.index.len() < 2 * (number + 1) {
            self.index = vec![0; (4 * (number + 1)).next_power_of_two()];
            (0..=number).for_each(|number| self.enter(number));
        } else {
            self.enter(number);
        }
    }

    fn enter(&mut self, number: usize) {
        let mut slots = slots(self.addresses[number], self.index.len());
        if let Some(free) = slots.find(|&slot| self.index[slot] == 0) {
            let number = u32::try_from(number + 1).expect("fewer objects than 32 bits can count");
            self.index[free] = number;
        }
    }
}

/// Where to look for an address, in order.
#[inline]
fn slots(address: usize, length: usize) -> impl Iterator<Item = usize> {
    let start = (address >> 4).wrapping_mul(0x9e37_79b9) >> 7;
    (0..length).map(move |step| start.wrapping_add(step) & (length - 1))
}
