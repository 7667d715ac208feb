//! Which objects a pickler has written, by identity.

use crate::Object;

/// Up to so many, a look through all addresses is as fast as an index.
const SMALL: usize = 16;

#[derive(Default)]
pub(crate) struct Identities {
    /// How many objects were written, also those that nobody asks for.
    count: usize,
    known: Vec<Known>,
    /// Places in `known` plus 1 by open addressing, 0 where there is none; empty while they are few.
    index: Vec<u32>,
}

struct Known {
    address: usize,
    number: u32,
    /// Keeps the object alive, so that no other one gets its address.
    _object: Object,
}

impl Identities {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number of the object at this address.
    #[inline]
    pub(crate) fn get(&self, address: usize) -> Option<usize> {
        if self.index.is_empty() {
            let mut known = self.known.iter();
            let found = known.find(|known| known.address == address);
            return found.map(|known| known.number as usize);
        }
        for slot in slots(address, self.index.len()) {
            match self.index[slot] as usize {
                0 => return None,
                place => match &self.known[place - 1] {
                    known if known.address == address => return Some(known.number as usize),
                    _ => {}
                },
            }
        }
        None
    }

    /// Adds an object; its number, which is how many came before.
    #[inline]
    pub(crate) fn insert(&mut self, object: Object) -> usize {
        let (number, place) = (self.skip(), self.known.len());
        if place == 0 {
            self.known.reserve(SMALL);
        }
        self.known.push(Known {
            address: object.address(),
            number: u32::try_from(number).expect("fewer objects than 32 bits can count"),
            _object: object,
        });
        if place >= SMALL {
            self.enter_index(place);
        }
        number
    }

    /// Counts an object that nobody will ask for; its number.
    #[inline]
    pub(crate) fn skip(&mut self) -> usize {
        self.count += 1;
        self.count - 1
    }

    fn enter_index(&mut self, place: usize) {
        if self.index.len() < 2 * (place + 1) {
            self.index = vec![0; (4 * (place + 1)).next_power_of_two()];
            (0..=place).for_each(|place| self.enter(place));
        } else {
            self.enter(place);
        }
    }

    fn enter(&mut self, place: usize) {
        let mut slots = slots(self.known[place].address, self.index.len());
        if let Some(free) = slots.find(|&slot| self.index[slot] == 0) {
            self.index[free] = place as u32 + 1;
        }
    }
}

/// Where to look for an address, in order.
#[inline]
fn slots(address: usize, length: usize) -> impl Iterator<Item = usize> {
    let start = (address >> 4).wrapping_mul(0x9e37_79b9) >> 7;
    (0..length).map(move |step| start.wrapping_add(step) & (length - 1))
}
