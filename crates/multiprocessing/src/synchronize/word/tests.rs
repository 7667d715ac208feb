//! Words as somebody leaves them who is killed between two instructions.

use super::*;

/// The number of a thread that has ended.
fn ended() -> u32 {
    Life::over().id()
}

fn word(thread: u32, owner: u64) -> OwnedWord {
    OwnedWord {
        word: AtomicU32::new(thread),
        depth: AtomicU32::new(0),
        owner: AtomicU64::new(owner),
    }
}

fn try_acquire(word: &OwnedWord) -> Result<bool, Error> {
    word.acquire_until(Life::thread(), Life::process(), Deadline::PAST)
}

fn recover(word: &OwnedWord) -> bool {
    word.recover(Life::thread(), Life::process())
}

#[test]
fn acquired_and_not_yet_signed() {
    let thread = ended();
    for waited in [0, WAITED] {
        let word = word(thread | waited, 0);
        assert!(matches!(try_acquire(&word), Err(Error::OwnerDied(id)) if id == thread));
        assert!(recover(&word));
        assert_eq!(word.thread(), Life::thread().id());
        assert_eq!(word.owner(), Some(Life::process()));
        assert!(!recover(&word));
        assert!(word.release());
    }
    // The same moment of one that lives.
    let word = word(Life::thread().id(), 0);
    assert!(!try_acquire(&word).unwrap());
    assert!(!recover(&word));
}

#[test]
fn recovered_and_not_yet_acquired() {
    let dead = Life::unknown(ended()).to_bits();
    // Signed by one that lives: nobody else may take it.
    let half = word(ended(), Life::process().to_bits());
    assert!(!try_acquire(&half).unwrap());
    assert!(!recover(&half));
    // By one that has died at it: the next one may.
    let half = word(ended(), dead);
    assert!(matches!(try_acquire(&half), Err(Error::OwnerDied(_))));
    assert!(recover(&half));
    assert!(!recover(&half));
}
