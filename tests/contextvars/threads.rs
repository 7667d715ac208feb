//! Contexts of several threads.

use std::sync::Barrier;
use std::thread;

use hilos::contextvars::ContextVar;

use super::isolated_context;

// cpython: test_context.py::ContextTest::test_context_threads_1
#[test]
fn threads_set_a_variable_each_for_itself() {
    const THREADS: usize = 10;
    static CVAR: ContextVar<usize> = ContextVar::new("cvar");
    isolated_context(|| {
        let all = Barrier::new(THREADS);
        let sub = |num| {
            for i in 0..10 {
                CVAR.set(num + i);
                all.wait();
                let got = CVAR.get();
                all.wait();
                assert_eq!(got, Ok(num + i));
            }
            num
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|num| scope.spawn(move || sub(num)))
                .collect();
            for (num, thread) in threads.into_iter().enumerate() {
                assert_eq!(thread.join().unwrap(), num);
            }
        });
        assert!(CVAR.get().is_err());
    });
}

// cpython: test_context.py::ContextTest::test_context_thread_inherit
#[cfg(feature = "threading")]
#[test]
fn a_thread_runs_in_the_context_it_is_given() {
    use std::sync::Mutex;

    use hilos::contextvars::{Context, copy_context};
    use hilos::threading::Thread;

    static CVAR: ContextVar<i32> = ContextVar::new("cvar");
    static SEEN: Mutex<Vec<Option<i32>>> = Mutex::new(vec![]);
    let look = || Thread::new(|| SEEN.lock().unwrap().push(CVAR.get().ok()));
    let run = |thread: Thread| {
        thread.start().unwrap();
        thread.join(None).unwrap();
        SEEN.lock().unwrap().pop().unwrap()
    };
    isolated_context(|| {
        CVAR.set(1);
        // CPython's default, without the flag thread_inherit_context.
        assert_eq!(run(look()), None);

        let custom = Context::new();
        custom.run(|| CVAR.set(2).old_value()).unwrap();
        assert_eq!(run(look().with_context(custom)), Some(2));
        assert_eq!(run(look().with_context(copy_context())), Some(1));
        assert_eq!(run(look().with_context(Context::new())), None);
    });
}
