//! The executors that the suite runs with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos::concurrent::futures::{Future, FutureError, Map, RuntimeError, ThreadPoolExecutor};
use hilos::threading::Event;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many workers most tests have.
pub(crate) const WORKERS: usize = 5;

/// What may be given to a call and come back from it, wherever that runs.
pub(crate) trait Travels: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Travels for T {}

/// An executor, called in the same way whatever its calls look like.
pub(crate) trait Backend {
    /// The executor.
    type Executor;
    /// Keeps calls of [`pass`](Self::pass) blocked until it is opened.
    type Gate: Clone + Travels;

    fn executor(max_workers: usize) -> Self::Executor;

    fn submit<A: Travels, R: Travels>(
        executor: &Self::Executor,
        function: fn(A) -> R,
        args: A,
    ) -> Result<Future<R>, RuntimeError>;

    fn try_submit<A: Travels, R: Travels>(
        executor: &Self::Executor,
        function: fn(A) -> Result<R, String>,
        args: A,
    ) -> Result<Future<R>, RuntimeError>;

    fn try_map<A: Travels, R: Travels>(
        executor: &Self::Executor,
        function: fn(A) -> Result<R, String>,
        items: Vec<A>,
    ) -> Result<Map<'static, R>, RuntimeError>;

    fn map_buffersize<A, R, I>(
        executor: &Self::Executor,
        function: fn(A) -> R,
        items: I,
        buffersize: usize,
    ) -> Result<Map<'static, R>, FutureError>
    where
        A: Travels,
        R: Travels,
        I: Iterator<Item = A> + Send + 'static;

    fn shutdown(executor: &Self::Executor, wait: bool);

    fn shutdown_cancel_futures(executor: &Self::Executor, wait: bool);

    fn gate() -> Self::Gate;

    fn open(gate: &Self::Gate);

    /// Blocks until the gate is open, in a worker.
    fn pass(gate: Self::Gate) -> i32;
}

/// `ThreadPoolExecutor`.
pub(crate) struct Threads;

impl Backend for Threads {
    type Executor = ThreadPoolExecutor;
    type Gate = ThreadGate;

    fn executor(max_workers: usize) -> ThreadPoolExecutor {
        ThreadPoolExecutor::new(max_workers).unwrap()
    }

    fn submit<A: Travels, R: Travels>(
        executor: &ThreadPoolExecutor,
        function: fn(A) -> R,
        args: A,
    ) -> Result<Future<R>, RuntimeError> {
        executor.submit(move || function(args))
    }

    fn try_submit<A: Travels, R: Travels>(
        executor: &ThreadPoolExecutor,
        function: fn(A) -> Result<R, String>,
        args: A,
    ) -> Result<Future<R>, RuntimeError> {
        executor.try_submit(move || function(args))
    }

    fn try_map<A: Travels, R: Travels>(
        executor: &ThreadPoolExecutor,
        function: fn(A) -> Result<R, String>,
        items: Vec<A>,
    ) -> Result<Map<'static, R>, RuntimeError> {
        executor.try_map(function, items)
    }

    fn map_buffersize<A, R, I>(
        executor: &ThreadPoolExecutor,
        function: fn(A) -> R,
        items: I,
        buffersize: usize,
    ) -> Result<Map<'static, R>, FutureError>
    where
        A: Travels,
        R: Travels,
        I: Iterator<Item = A> + Send + 'static,
    {
        executor.map_buffersize(function, items, buffersize)
    }

    fn shutdown(executor: &ThreadPoolExecutor, wait: bool) {
        executor.shutdown(wait);
    }

    fn shutdown_cancel_futures(executor: &ThreadPoolExecutor, wait: bool) {
        executor.shutdown_cancel_futures(wait);
    }

    fn gate() -> ThreadGate {
        ThreadGate::default()
    }

    fn open(gate: &ThreadGate) {
        gate.0.set();
    }

    fn pass(gate: ThreadGate) -> i32 {
        assert!(gate.0.wait(DEADLINE), "nobody opened the gate");
        0
    }
}

/// An event that never leaves the process.
#[derive(Clone, Default)]
pub(crate) struct ThreadGate(Arc<Event>);

impl Serialize for ThreadGate {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it stays here"))
    }
}

impl<'de> Deserialize<'de> for ThreadGate {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it never went anywhere"))
    }
}

/// `ProcessPoolExecutor`, whose processes are started in one of three ways.
#[cfg(target_os = "linux")]
pub(crate) struct Processes<const METHOD: u8>;

#[cfg(target_os = "linux")]
mod processes {
    use hilos::concurrent::futures::ProcessPoolExecutor;
    use hilos::multiprocessing::{Event, StartMethod};

    use super::*;

    pub(crate) const FORKSERVER: u8 = 0;
    pub(crate) const SPAWN: u8 = 1;
    pub(crate) const FORK: u8 = 2;

    const fn method(number: u8) -> StartMethod {
        match number {
            FORKSERVER => StartMethod::ForkServer,
            SPAWN => StartMethod::Spawn,
            _ => StartMethod::Fork,
        }
    }

    impl<const METHOD: u8> Backend for Processes<METHOD> {
        type Executor = ProcessPoolExecutor;
        type Gate = Event;

        fn executor(max_workers: usize) -> ProcessPoolExecutor {
            let executor = ProcessPoolExecutor::new(max_workers).unwrap();
            executor.with_start_method(method(METHOD)).unwrap()
        }

        fn submit<A: Travels, R: Travels>(
            executor: &ProcessPoolExecutor,
            function: fn(A) -> R,
            args: A,
        ) -> Result<Future<R>, RuntimeError> {
            executor.submit_fn(function, args)
        }

        fn try_submit<A: Travels, R: Travels>(
            executor: &ProcessPoolExecutor,
            function: fn(A) -> Result<R, String>,
            args: A,
        ) -> Result<Future<R>, RuntimeError> {
            executor.try_submit_fn(function, args)
        }

        fn try_map<A: Travels, R: Travels>(
            executor: &ProcessPoolExecutor,
            function: fn(A) -> Result<R, String>,
            items: Vec<A>,
        ) -> Result<Map<'static, R>, RuntimeError> {
            executor.try_map(function, items)
        }

        fn map_buffersize<A, R, I>(
            executor: &ProcessPoolExecutor,
            function: fn(A) -> R,
            items: I,
            buffersize: usize,
        ) -> Result<Map<'static, R>, FutureError>
        where
            A: Travels,
            R: Travels,
            I: Iterator<Item = A> + Send + 'static,
        {
            executor.map_buffersize(function, items, buffersize)
        }

        fn shutdown(executor: &ProcessPoolExecutor, wait: bool) {
            executor.shutdown(wait);
        }

        fn shutdown_cancel_futures(executor: &ProcessPoolExecutor, wait: bool) {
            executor.shutdown_cancel_futures(wait);
        }

        fn gate() -> Event {
            Event::new().unwrap()
        }

        fn open(gate: &Event) {
            gate.set();
        }

        fn pass(gate: Event) -> i32 {
            assert!(gate.wait(DEADLINE), "nobody opened the gate");
            0
        }
    }

    /// Runs a test in a process of its own that has one thread, so that it can fork.
    pub(crate) fn with_one_thread(test: hilos::multiprocessing::Process) {
        let test = test.with_start_method(StartMethod::ForkServer);
        test.start().unwrap();
        test.join(DEADLINE).unwrap();
        assert_eq!(test.result(), Some(Ok(())), "it failed in its process");
    }
}
#[cfg(target_os = "linux")]
pub(crate) use processes::{FORK, FORKSERVER, SPAWN, with_one_thread};

/// Makes tests out of functions that are generic over the backend.
macro_rules! for_each_backend {
    ($($test:ident)*) => {
        mod threads {
            $(
                #[test]
                fn $test() {
                    super::$test::<crate::backend::Threads>();
                }
            )*
        }
        #[cfg(target_os = "linux")]
        mod forkserver {
            $(
                #[test]
                fn $test() {
                    super::$test::<crate::backend::Processes<{ crate::backend::FORKSERVER }>>();
                }
            )*
        }
        #[cfg(target_os = "linux")]
        mod spawn {
            $(
                #[test]
                fn $test() {
                    super::$test::<crate::backend::Processes<{ crate::backend::SPAWN }>>();
                }
            )*
        }
        #[cfg(target_os = "linux")]
        mod fork {
            $(
                #[test]
                fn $test() {
                    type Forked = crate::backend::Processes<{ crate::backend::FORK }>;
                    let test = || super::$test::<Forked>();
                    crate::backend::with_one_thread(hilos::multiprocessing::Process::new(test, ()));
                }
            )*
        }
    };
}
pub(crate) use for_each_backend;

/// Long enough for anything that is going to happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn poll_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "it never came true");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A call with arguments and a result.
pub(crate) fn mul((x, y): (i32, i32)) -> i32 {
    x * y
}

/// A call that may fail, as Python's `divmod` does.
pub(crate) fn divmod((x, y): (i32, i32)) -> Result<(i32, i32), String> {
    let quotient = x.checked_div(y).ok_or("division by zero")?;
    Ok((quotient, x % y))
}

/// A call that fails.
pub(crate) fn fail(text: String) -> Result<i32, String> {
    Err(text)
}

/// Makes tests out of functions that are given a way to start processes.
macro_rules! for_each_start_method {
    ($($test:ident)*) => {
        mod forkserver {
            $(
                #[test]
                fn $test() {
                    super::$test(hilos::multiprocessing::StartMethod::ForkServer);
                }
            )*
        }
        mod spawn {
            $(
                #[test]
                fn $test() {
                    super::$test(hilos::multiprocessing::StartMethod::Spawn);
                }
            )*
        }
        mod fork {
            $(
                #[test]
                fn $test() {
                    let test = || super::$test(hilos::multiprocessing::StartMethod::Fork);
                    crate::backend::with_one_thread(hilos::multiprocessing::Process::new(test, ()));
                }
            )*
        }
    };
}
#[cfg(target_os = "linux")]
pub(crate) use for_each_start_method;
