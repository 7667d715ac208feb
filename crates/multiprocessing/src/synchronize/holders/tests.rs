//! Full tables.

use super::*;
use crate::handle::Handle;

fn full_of(life: Life) -> Handle<Holders> {
    let table = Handle::<Holders>::new().unwrap();
    for place in &table.places {
        place.life.store(life.to_bits(), Ordering::Relaxed);
    }
    table
}

#[test]
fn there_is_no_room_among_the_living() {
    // The first process of all.
    let (table, hint) = (full_of(Life::unknown(1)), Hint::default());
    assert!(!table.add(&hint) && !table.remove(&hint));
    assert_eq!(table.total(), 0);
}

#[test]
fn the_dead_make_room_if_they_hold_nothing() {
    let (table, hint) = (full_of(Life::over()), Hint::default());
    for place in &table.places[..PLACES - 1] {
        place.held.store(2, Ordering::Relaxed);
    }
    assert!(table.add(&hint));
    assert!(table.remove(&hint) && !table.remove(&hint));
    assert!(table.remove_of_dead());
    assert_eq!(table.bury(), 2 * (PLACES as u32 - 1) - 1);
    assert!(table.dead().is_none() && !table.remove_of_dead());
}

#[test]
fn one_with_two_places_gives_back_from_both() {
    let (table, hint) = (full_of(Life::unknown(1)), Hint::default());
    for place in &table.places[7..9] {
        let me = Life::process().to_bits();
        place.life.store(me, Ordering::Relaxed);
        place.held.store(1, Ordering::Relaxed);
    }
    assert!(table.add(&hint));
    assert!((0..3).all(|_| table.remove(&hint)));
    assert!(!table.remove(&hint));
    assert_eq!(table.total(), 0);
}
