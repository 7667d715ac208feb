//! The executors that the suite runs with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hilos::concurrent::futures::{Future, FutureError, Map, RuntimeError, ThreadPoolExecutor};
use hilos::threading::Event;

/// How many workers most tests have.
pub(crate) const WORKERS: usize = 5;

/// An executor, called in the same way whatever its calls look like.
pub(crate) trait Backend {
    /// The executor.
    type Executor;
    /// Keeps calls of [`pass`](Self::pass) blocked until it is opened.
    type Gate: Clone + Send + 'static;

    fn executor(max_workers: usize) -> Self::Executor;

    fn submit<A: Send + 'static, R: Send + 'static>(
        executor: &Self::Executor,
        function: fn(A) -> R,
        args: A,
    ) -> Result<Future<R>, RuntimeError>;

    fn try_submit<A: Send + 'static, R: Send + 'static>(
        executor: &Self::Executor,
        function: fn(A) -> Result<R, String>,
        args: A,
    ) -> Result<Future<R>, RuntimeError>;

    fn try_map<A: Send + 'static, R: Send + 'static>(
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
        A: Send + 'static,
        R: Send + 'static,
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
    type Gate = Arc<Event>;

    fn executor(max_workers: usize) -> ThreadPoolExecutor {
        ThreadPoolExecutor::new(max_workers).unwrap()
    }

    fn submit<A: Send + 'static, R: Send + 'static>(
        executor: &ThreadPoolExecutor,
        function: fn(A) -> R,
        args: A,
    ) -> Result<Future<R>, RuntimeError> {
        executor.submit(move || function(args))
    }

    fn try_submit<A: Send + 'static, R: Send + 'static>(
        executor: &ThreadPoolExecutor,
        function: fn(A) -> Result<R, String>,
        args: A,
    ) -> Result<Future<R>, RuntimeError> {
        executor.try_submit(move || function(args))
    }

    fn try_map<A: Send + 'static, R: Send + 'static>(
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
        A: Send + 'static,
        R: Send + 'static,
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

    fn gate() -> Arc<Event> {
        Arc::default()
    }

    fn open(gate: &Arc<Event>) {
        gate.set();
    }

    fn pass(gate: Arc<Event>) -> i32 {
        assert!(gate.wait(DEADLINE), "nobody opened the gate");
        0
    }
}

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
pub(crate) fn fail(text: &'static str) -> Result<i32, String> {
    Err(text.to_owned())
}
