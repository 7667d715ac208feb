//! `ThreadTests`.

use std::collections::HashSet;
use std::sync::Arc;

use hilos::threading::{
    self, Event, Mutex, Returning, Run, Semaphore, Thread, active_count, current_thread, enumerate,
    get_ident, get_native_id, main_thread, set_stack_size,
};

use crate::support::{LONG, run, start, wait_until, waiting_thread};

fn worker() {}

// cpython: test_threading.py::ThreadTests::test_name
#[test]
fn names_are_given_or_numbered() {
    assert_eq!(Thread::new(worker).with_name("myname1").name(), "myname1");
    assert_eq!(Thread::new(worker).with_name("").name(), "");
    let numbered = |name: String, end: &str| {
        let number = name
            .strip_prefix("Thread-")
            .and_then(|rest| rest.strip_suffix(end));
        number
            .unwrap_or_else(|| panic!("{name}"))
            .parse::<u64>()
            .unwrap()
    };
    let first = numbered(Thread::new(worker).name(), " (worker)");
    assert!(numbered(Thread::new(worker).name(), " (worker)") > first);
    numbered(Thread::new(|| ()).name(), " (<lambda>)");
    struct Nothing;
    impl Run for Nothing {
        fn run(&mut self) {}
    }
    let subclass = Thread::from_run(Nothing);
    numbered(subclass.name(), "");
    assert!(subclass.to_string().starts_with("<Nothing(Thread-"));
}

// cpython: test_threading.py::ThreadTests::test_args_argument
#[test]
fn arguments_travel_in_a_tuple_or_in_the_closure() {
    fn check(first: i32, second: &str, seen: Arc<Mutex<String>>) -> Result<(), String> {
        *seen.lock() = format!("{first} {second}");
        Ok(())
    }
    let seen = Arc::new(Mutex::new(String::new()));
    let thread = Thread::with_args(check, (5, "five", seen.clone()));
    assert!(thread.name().ends_with(" (check)"), "{thread}");
    thread.start().unwrap();
    thread.join(LONG).unwrap();
    assert_eq!(*seen.lock(), "5 five");

    for args in [vec![1], vec![1, 2, 3], vec![]] {
        let expected: i32 = args.iter().sum();
        let total = Arc::new(Mutex::new(-1));
        let theirs = total.clone();
        let thread = Thread::new(move || *theirs.lock() = args.into_iter().sum());
        thread.start().unwrap();
        thread.join(LONG).unwrap();
        assert_eq!(*total.lock(), expected);
    }
}

/// Ten threads, of which three at a time are inside.
fn check_various_ops() {
    let shared = Arc::new((Semaphore::new(3), Mutex::new(0)));
    let make = |number: usize| {
        let shared = shared.clone();
        let thread = Thread::returning(move || {
            let (semaphore, running) = &*shared;
            let _inside = semaphore.lock();
            *running.lock() += 1;
            assert!(*running.lock() <= 3);
            // Something that needs a stack.
            let sum = std::hint::black_box([number; 100]).iter().sum::<usize>();
            *running.lock() -= 1;
            sum
        });
        let thread = thread.with_name(format!("<thread {number}>"));
        assert!(thread.ident().is_none() && thread.native_id().is_none());
        assert_eq!(
            thread.to_string(),
            format!("<Thread(<thread {number}>, initial daemon)>")
        );
        thread.start().unwrap();
        thread
    };
    let threads: Vec<Returning<usize>> = (0..10).map(make).collect();
    for (number, thread) in threads.iter().enumerate() {
        assert_eq!(thread.join(LONG).unwrap(), number * 100);
        assert!(!thread.is_alive());
        assert_ne!(thread.ident(), Some(0));
        assert!(thread.to_string().contains(", stopped daemon "), "{thread}");
    }
    assert_eq!(*shared.1.lock(), 0);
}

// cpython: test_threading.py::ThreadTests::test_various_ops
// cpython: test_threading.py::ThreadTests::test_various_ops_small_stack
// cpython: test_threading.py::ThreadTests::test_various_ops_large_stack
#[test]
fn many_threads_on_stacks_of_any_size() {
    check_various_ops();
    for size in [256 * 1024, 1024 * 1024] {
        assert_eq!(set_stack_size(size).unwrap(), 0);
        assert_eq!(threading::stack_size(), size);
        check_various_ops();
        assert_eq!(set_stack_size(0).unwrap(), size);
    }
}

// cpython: test_threading.py::ThreadTests::test_ident_of_no_threading_threads
// cpython: test_threading.py::ThreadTests::test_foreign_thread
#[test]
fn a_foreign_thread_has_a_dummy_while_it_lives() {
    let dummy = std::thread::spawn(|| {
        let me = current_thread();
        assert!(me == current_thread(), "the same each time");
        assert_eq!(me.ident(), Some(get_ident()));
        assert_eq!(me.native_id(), Some(get_native_id()));
        assert!(me.name().starts_with("Dummy-") && me.daemon() && me.is_alive());
        assert!(me.to_string().starts_with("<_DummyThread(Dummy-"));
        assert!(enumerate().contains(&me));
        assert!(me.start().is_err() && me.set_daemon(false).is_err());
        assert!(Thread::new(worker).daemon(), "inherited");
        me
    });
    let dummy = dummy.join().unwrap();
    wait_until("the dummy to be gone", || !enumerate().contains(&dummy));
    assert!(!dummy.is_alive());
}

#[test]
fn a_dummy_cannot_be_joined_while_it_lives() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let foreign = std::thread::spawn(move || {
        sender.send(current_thread()).unwrap();
        let _ = wait.recv();
    });
    let dummy = receiver.recv().unwrap();
    assert_eq!(
        dummy.join(None).unwrap_err().to_string(),
        "cannot join a dummy thread"
    );
    drop(done);
    foreign.join().unwrap();
}

// cpython: test_threading.py::ThreadTests::test_enumerate_after_join
#[test]
fn a_thread_that_was_joined_is_not_listed() {
    for _ in 0..1000 {
        let thread = Thread::new(worker);
        thread.start().unwrap();
        thread.join(None).unwrap();
        assert!(!enumerate().contains(&thread));
    }
}

#[test]
fn a_thread_is_listed_from_its_start_to_its_end() {
    let (thread, event) = waiting_thread();
    assert!(!enumerate().contains(&thread) && !thread.is_alive());
    thread.start().unwrap();
    assert!(enumerate().contains(&thread) && thread.is_alive());
    assert!(active_count() >= 2);
    event.set();
    thread.join(None).unwrap();
    assert!(!enumerate().contains(&thread) && !thread.is_alive());
}

// cpython: test_threading.py::ThreadTests::test_join_from_multiple_threads
#[test]
fn several_threads_may_join_one() {
    let (thread, event) = waiting_thread();
    thread.start().unwrap();
    let join = |timeout: Option<f64>| {
        let thread = thread.clone();
        start(move || {
            match timeout {
                None => thread.join(None).unwrap(),
                Some(timeout) => thread.join(timeout).unwrap(),
            }
            thread.is_alive()
        })
    };
    let joiners = [join(None), join(Some(LONG)), join(None), join(Some(LONG))];
    event.set();
    for joiner in joiners {
        assert!(!joiner.join(LONG).unwrap());
    }
    thread.join(None).unwrap();
}

// cpython: test_threading.py::ThreadTests::test_join_with_timeout
#[test]
fn a_timeout_limits_the_join() {
    let (thread, event) = waiting_thread();
    thread.start().unwrap();
    let begun = std::time::Instant::now();
    Thread::join(&thread, 0.05).unwrap();
    assert!(begun.elapsed().as_secs_f64() >= 0.05);
    for at_once in [0.0, -1.0, -1e9] {
        Thread::join(&thread, at_once).unwrap();
    }
    assert!(thread.is_alive());
    event.set();
    thread.join(LONG).unwrap();
    assert!(!thread.is_alive());
}

// cpython: test_threading.py::ThreadTests::test_repr_daemon
// cpython: test_threading.py::ThreadTests::test_repr_stopped
#[test]
fn it_prints_as_in_python() {
    let (thread, event) = waiting_thread();
    let thread = thread.with_name("T").with_daemon(false);
    assert_eq!(thread.to_string(), "<Thread(T, initial)>");
    let thread = thread.with_daemon(true);
    assert_eq!(format!("{thread:?}"), "<Thread(T, initial daemon)>");
    thread.start().unwrap();
    let ident = thread.ident().unwrap();
    assert_eq!(
        thread.to_string(),
        format!("<Thread(T, started daemon {ident})>")
    );
    event.set();
    thread.join(LONG).unwrap();
    assert_eq!(
        thread.to_string(),
        format!("<Thread(T, stopped daemon {ident})>")
    );
}

// cpython: test_threading.py::ThreadTests::test_daemon_param
#[test]
fn daemon_is_given_or_inherited() {
    assert!(!Thread::new(worker).with_daemon(false).daemon());
    assert!(Thread::new(worker).with_daemon(true).daemon());
    for daemon in [false, true] {
        let inherits = Thread::returning(|| Thread::new(worker).daemon()).with_daemon(daemon);
        inherits.start().unwrap();
        assert_eq!(inherits.join(LONG).unwrap(), daemon);
    }
}

// cpython: test_threading.py::ThreadTests::test_main_thread
#[test]
fn the_main_thread_is_known_everywhere() {
    let main = main_thread();
    assert_eq!(main.name(), "MainThread");
    assert!(main.is_alive() && !main.daemon());
    assert_eq!(main.native_id(), Some(u64::from(std::process::id())));
    assert!(
        main.to_string()
            .starts_with("<_MainThread(MainThread, started ")
    );
    assert_ne!(
        main.ident(),
        Some(get_ident()),
        "tests run in other threads"
    );
    run(move || assert!(main == main_thread() && main != current_thread()));
}

// cpython: test_threading.py::ThreadTests::test_leak_without_join
#[test]
fn a_thread_that_nobody_joins_ends_all_the_same() {
    let ended = Arc::new(Event::new());
    let theirs = ended.clone();
    Thread::new(move || theirs.set()).start().unwrap();
    assert!(ended.wait(LONG));
    wait_until("the closure to be dropped", || {
        Arc::strong_count(&ended) == 1
    });
}

#[test]
fn the_current_thread_is_the_one_that_was_started() {
    let thread = start(|| {
        let me = current_thread();
        assert_eq!(
            (me.ident(), me.native_id()),
            (Some(get_ident()), Some(get_native_id()))
        );
        me
    });
    assert!(thread.join(LONG).unwrap() == *thread);
}

#[test]
#[expect(
    clippy::mutable_key_type,
    reason = "a thread's hash is its identity, which never changes"
)]
fn threads_are_told_apart_as_objects() {
    let (one, other) = (Thread::new(worker), Thread::new(worker));
    let set: HashSet<Thread> = [one.clone(), one.clone(), other.clone()].into();
    assert_eq!(set.len(), 2);
    assert!(one == one.clone() && one != other);
}

#[test]
fn a_function_that_never_returns_is_a_target() {
    let spins = Thread::new(|| {
        loop {
            std::thread::park();
        }
    });
    let spins = spins.with_daemon(true);
    spins.start().unwrap();
    assert!(spins.is_alive());
}
