//! Tables as dead processes leave them, and moments that are hard to meet.

use super::*;
use crate::handle::Handle;

fn table() -> Handle<Waiters> {
    Handle::new().unwrap()
}

fn fill(table: &Waiters, life: Life) {
    for place in &table.places {
        place.life.store(life.to_bits(), Ordering::Relaxed);
        place.state.store(WAITING, Ordering::Relaxed);
    }
    table.top.store(PLACES as u32, Ordering::Relaxed);
}

#[test]
fn there_is_no_room_among_the_living() {
    let table = table();
    fill(&table, Life::process());
    assert_eq!(table.count(), PLACES);
    assert!(table.enter().is_none());
}

#[test]
fn the_dead_make_room() {
    let table = table();
    fill(&table, Life::over());
    assert!(!table.enter().unwrap().wait(Deadline::PAST));
    assert_eq!(table.count(), PLACES - 1);
}

#[test]
fn who_inherits_and_is_notified_passes_one_on() {
    let table = table();
    let [dead, first, second] = [(); 3].map(|()| table.enter().unwrap());
    let life = Life::over().to_bits();
    dead.place.life.store(life, Ordering::Relaxed);
    table.notify(1);
    assert!(first.block(Deadline::NEVER), "the dead one's");
    table.notify(1);
    assert!(first.leave(true));
    assert!(second.wait(Deadline::PAST));
    assert_eq!(table.count(), 0);
}

#[test]
fn who_comes_later_does_not_inherit() {
    let table = table();
    let dead = table.enter().unwrap();
    let life = Life::over().to_bits();
    dead.place.life.store(life, Ordering::Relaxed);
    // Also where the count begins again.
    table.tickets.store(u32::MAX, Ordering::Relaxed);
    let first = table.enter().unwrap();
    table.notify(1);
    let later = table.enter().unwrap();
    assert!(!later.block(Deadline::after(std::time::Duration::from_millis(200))));
    assert!(first.wait(Deadline::NEVER));
}
