//! Closures that capture, on their way to another process.

/// Makes a function and the values that it captures, which travel beside it.
///
/// The values are named in brackets and moved; the closure gets references to them. What it uses
/// and does not name is an error of the compiler's, which says its name. The two parts go to
/// [`Process::with_context`](crate::Process::with_context), or to
/// [`Pool::map_with`](crate::Pool::map_with), which sends the values once to each worker.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Pool, Process, capture};
///
/// let (greeting, times) = ("hello".to_string(), 2);
/// let (context, f) = capture!([greeting, times] || println!("{}", greeting.repeat(*times)));
/// let process = Process::with_context(context, f);
/// process.start()?;
/// process.join(None)?;
/// assert_eq!(process.exitcode(), Some(0));
///
/// let k = 3;
/// let (context, f) = capture!([k] |x: i32| x * k);
/// let pool = Pool::new(1)?;
/// assert_eq!(pool.map_with(context, f, 0..4).unwrap(), [0, 3, 6, 9]);
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// ```compile_fail
/// let (k, forgotten) = (3, 4);
/// let (context, f) = hilos_multiprocessing::capture!([k] |x: i32| x * k * forgotten);
/// ```
#[macro_export]
macro_rules! capture {
    ([$($value:ident),* $(,)?] || $body:expr) => {
        $crate::capture::alone(($($value,)*), |($($value,)*)| $body)
    };
    ([$($value:ident),* $(,)?] |$argument:ident $(: $type:ty)?| $body:expr) => {
        $crate::capture::of_one(($($value,)*), |($($value,)*), $argument $(: $type)?| $body)
    };
}

/// Has the compiler see what a closure is given, and that it captures nothing.
#[doc(hidden)]
pub fn alone<C, R>(context: C, function: fn(&C) -> R) -> (C, fn(&C) -> R) {
    (context, function)
}

/// As [`alone`], with an argument.
#[doc(hidden)]
pub fn of_one<C, A, R>(context: C, function: fn(&C, A) -> R) -> (C, fn(&C, A) -> R) {
    (context, function)
}
