//! Messages with a few mistakes in them.

/// Numbers that are the same in each run.
pub(crate) struct Dice(u64);

impl Dice {
    /// Begins with any number but 0.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }
}

/// Changes, removes or adds a little, some of it from another message.
pub(crate) fn mutate(message: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(message.len());
        match dice.roll(6) {
            0 => message[at] = dice.roll(256) as u8,
            1 => message[at] ^= 1 << dice.roll(8),
            2 => message.truncate(at.max(1)),
            3 => {
                message.remove(at);
                message.push(b'.');
            }
            4 => message.insert(
                at,
                *b"(]}e)u0201tsabRq.\x81\x8f\x90\x91\x92\x93\x94\x85"
                    .get(dice.roll(25))
                    .unwrap_or(&0),
            ),
            _ => {
                let from = dice.roll(other.len());
                let part = other[from..].iter().take(dice.roll(20)).copied();
                message.splice(at..at, part.collect::<Vec<_>>());
            }
        }
    }
}
