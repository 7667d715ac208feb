//! `multiprocessing.dummy`: the module over threads.

use hilos::multiprocessing::dummy::{
    Array, Barrier, Event, JoinableQueue, Lock, Pool, Process, Queue, Value, active_children,
    current_process, freeze_support, pipe,
};

use crate::support::LONG;

#[test]
fn a_process_is_a_thread_with_an_exit_code() {
    freeze_support();
    let (go, seen) = (std::sync::Arc::new(Event::new()), Queue::new(0));
    let (theirs, queue) = (go.clone(), seen.clone());
    let process = Process::new(move || {
        queue.put(current_process().name()).unwrap();
        theirs.wait(LONG);
    });
    assert_eq!(process.exitcode(), None);
    process.start().unwrap();
    assert_eq!(seen.get().unwrap(), process.name());
    assert!(process.is_alive());
    assert_eq!(process.exitcode(), None);
    let named = |child: &Process| child.name() == process.name();
    assert!(active_children().iter().any(named));
    go.set();
    process.join(LONG).unwrap();
    assert_eq!(process.exitcode(), Some(0));
    assert!(!active_children().iter().any(named));
}

#[test]
fn a_process_that_fails_has_exit_code_1() {
    let fails = Process::new(|| "seven".parse::<i32>().map(drop));
    let panics = Process::new(|| panic!("for the exit code"));
    for process in [fails, panics] {
        process.start().unwrap();
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(1));
    }
}

#[test]
fn ends_of_a_pipe_are_crossed() {
    let (one, other) = pipe();
    assert!(!one.poll(0) && !other.poll(0.01));
    one.send(1);
    assert!(other.poll(None) && !one.poll(0));
    assert_eq!(other.recv(), 1);
    let process = Process::new(move || {
        let question: i32 = other.recv();
        other.send(question * 2);
    });
    process.start().unwrap();
    one.send(21);
    assert_eq!(one.recv(), 42);
    process.join(LONG).unwrap();
}

#[test]
fn the_rest_is_what_threads_have() {
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.map(|n: i32| n * n, 0..4).unwrap(), [0, 1, 4, 9]);
    let (value, array) = (Value::new(1), Array::new([1, 2, 3]));
    let (theirs, their_array) = (value.clone(), array.clone());
    let process = Process::new(move || {
        theirs.update(|n| *n += 1);
        their_array.set(1, -2);
    });
    process.start().unwrap();
    process.join(LONG).unwrap();
    assert_eq!(
        (value.get(), array.get(1), array.to_vec()),
        (2, -2, vec![1, -2, 3])
    );
    value.set(9);
    assert_eq!(value.get(), 9);
    assert_eq!((array.len(), array.is_empty()), (3, false));
    let tasks = JoinableQueue::new(0);
    tasks.put(1).unwrap();
    tasks.get().unwrap();
    tasks.task_done().unwrap();
    tasks.join();
    assert!(Lock::new().try_acquire());
    assert_eq!(Barrier::new(1).unwrap().wait(None).unwrap(), 0);
}

#[test]
fn one_who_polls_leaves_the_value_to_one_who_receives() {
    for _ in 0..50 {
        let (one, other) = pipe();
        let polls = [(); 3]
            .map(|()| other.clone())
            .map(|end| Process::new(move || assert!(end.poll(None))));
        let (values, received) = (other.clone(), Queue::new(0));
        let theirs = received.clone();
        let receiver = Process::new(move || theirs.put(values.recv()).unwrap());
        polls
            .iter()
            .chain([&receiver])
            .for_each(|process| process.start().unwrap());
        one.send(1);
        assert_eq!(received.get_timeout(LONG).unwrap(), 1);
        one.send(2);
        polls.iter().for_each(|process| process.join(LONG).unwrap());
    }
}
