//! What is left of conditions and barriers.

use hilos::multiprocessing::{Barrier, Condition, Error, Event, Process, StartMethod, Value};

use super::{hold_on, kill_when_holding};
use crate::support::{LONG, each_start_method, wait_until};

each_start_method! {
    fn while_it_waits_at_a_barrier(method: StartMethod) {
        let barrier = Barrier::new(3).unwrap();
        let wait = |barrier: Barrier| barrier.wait(None).map(drop);
        let [first, second] = [(); 2].map(|()| {
            Process::new(wait, (barrier.clone(),)).with_start_method(method)
        });
        first.start().unwrap();
        second.start().unwrap();
        wait_until("both are inside", || barrier.n_waiting() == 2);
        second.kill().unwrap();
        first.join(LONG).unwrap();
        assert_eq!(first.exitcode(), Some(1));
        assert!(barrier.broken());
        barrier.reset().unwrap();
        assert!(!barrier.broken());
        assert_eq!(barrier.n_waiting(), 0);
    }
}

#[test]
fn a_notification_is_not_lost_with_its_receiver() {
    fn wait(condition: Condition, inside: Value<i32>) -> Result<(), Error> {
        let _held = condition.lock()?;
        inside.update(|n| *n += 1)?;
        assert!(condition.wait(LONG)?);
        Ok(())
    }
    let (condition, inside) = (Condition::new().unwrap(), Value::new(0).unwrap());
    let [first, second] = [(); 2].map(|()| Process::new(wait, (condition.clone(), inside.clone())));
    first.start().unwrap();
    wait_until("the first one waits", || inside.get().unwrap() == 1);
    second.start().unwrap();
    wait_until("both wait", || inside.get().unwrap() == 2);
    // The first to come is the first to be notified, but it is no more.
    let held = condition.lock().unwrap();
    first.kill().unwrap();
    first.join(LONG).unwrap();
    condition.notify(1).unwrap();
    drop(held);
    second.join(LONG).unwrap();
    assert_eq!(second.exitcode(), Some(0));
}

#[test]
fn an_action_s_death_breaks_the_barrier() {
    let holding = Event::new().unwrap();
    let barrier = Barrier::new(2)
        .unwrap()
        .with_action(|holding: Event| hold_on(&holding), (holding.clone(),))
        .unwrap();
    let wait = |barrier: Barrier| barrier.wait(None).map(drop);
    let first = Process::new(wait, (barrier.clone(),));
    first.start().unwrap();
    wait_until("the first one is inside", || barrier.n_waiting() == 1);
    let second = Process::new(wait, (barrier.clone(),));
    kill_when_holding(&second, &holding);
    first.join(LONG).unwrap();
    assert_eq!(first.exitcode(), Some(1));
    assert!(barrier.broken());
}

#[test]
fn a_notification_is_inherited_only_by_those_who_waited_then() {
    let (condition, inside) = (Condition::new().unwrap(), Value::new(0).unwrap());
    let wait = |condition: Condition, inside: Value<i32>| {
        let _held = condition.lock().unwrap();
        inside.set(1).unwrap();
        condition.wait(None).unwrap();
    };
    let process = Process::new(wait, (condition.clone(), inside.clone()));
    process.start().unwrap();
    wait_until("it waits", || inside.get().unwrap() == 1);
    let _held = condition.lock().unwrap();
    process.kill().unwrap();
    process.join(LONG).unwrap();
    condition.notify_all().unwrap();
    assert!(
        !condition.wait(0.5).unwrap(),
        "nobody has notified this one"
    );
}

#[test]
fn a_barrier_with_a_dead_one_inside_can_be_reset() {
    let barrier = Barrier::new(3).unwrap();
    let wait = |barrier: Barrier| barrier.wait(None).map(drop);
    let process = Process::new(wait, (barrier.clone(),));
    process.start().unwrap();
    wait_until("it is inside", || barrier.n_waiting() == 1);
    process.kill().unwrap();
    process.join(LONG).unwrap();
    barrier.reset().unwrap();
    assert_eq!((barrier.n_waiting(), barrier.broken()), (0, false));
    let processes = [(); 2].map(|()| Process::new(wait, (barrier.clone(),)));
    processes
        .iter()
        .for_each(|process| process.start().unwrap());
    barrier.wait(LONG).unwrap();
    for process in processes {
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
    }
}
