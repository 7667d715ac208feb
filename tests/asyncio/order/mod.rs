//! Programs whose output CPython has printed: each is a port, line by line, of the Python program
//! of the same name.

use std::cell::RefCell;
use std::fmt;

use hilos::asyncio::{self, Exception};

/// Prints a line, as Python's `print`.
macro_rules! say {
    ($($arg:tt)*) => {
        crate::order::line(format_args!($($arg)*))
    };
}

mod o01_pingpong;
mod o02_timers;
mod o03_event;
mod o04_lock;
mod o05_queue;
mod o06_gather;
mod o07_cancel;
mod o08_taskgroup;
mod o10_callsoon;

thread_local! {
    static OUTPUT: RefCell<String> = const { RefCell::new(String::new()) };
}

pub(crate) fn line(line: fmt::Arguments<'_>) {
    OUTPUT.with_borrow_mut(|output| {
        output.push_str(&line.to_string());
        output.push('\n');
    });
}

/// Runs a program and compares what it says with what CPython's has printed.
fn check<M: Future<Output = asyncio::Result<()>> + 'static>(main: M, expected: &str) {
    OUTPUT.take();
    asyncio::run(main).unwrap();
    let output = OUTPUT.take();
    for (number, (ours, theirs)) in output.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}, after\n{output}", number + 1);
    }
    assert_eq!(output, expected);
}

/// Runs `n` rounds beside a program, so that each turn of the loop is visible.
async fn tick(n: u32) -> asyncio::Result<()> {
    for i in 0..n {
        say!("tick {i}");
        asyncio::sleep(0).await?;
    }
    Ok(())
}

/// An exception under the name of one of Python's.
fn raise<T>(name: &'static str, message: &str) -> asyncio::Result<T> {
    Err(Exception::new(name, message))
}

/// `True` or `False`.
fn python(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}
