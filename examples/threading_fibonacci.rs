//! C5: work for the processor, in turn and in two threads that really run side by side.
//!
//! Python's threads take turns at the interpreter (the GIL), so two of them are no faster than one.
//! Here the shorter of the two calls costs nothing, which makes the threads up to 1.62 times as
//! fast. The Python twin, `examples/python/fibonacci.py`, runs for comparison; at the default n of
//! 40 it takes a minute or two.
//!
//! Run: cargo run --release --example threading_fibonacci -- 40
//! CI: 27

use std::error::Error;
use std::time::Instant;

use hilos::threading::{self, Thread};

#[path = "common/python.rs"]
mod python;

fn fib(n: u32) -> u64 {
    if n == 1 {
        0
    } else if n == 2 {
        1
    } else {
        fib(n - 1) + fib(n - 2)
    }
}

fn print_fib(numero: u32) {
    let valor = fib(numero);
    println!("fib({numero}) is {valor}");
    if valor != expected(numero) {
        // A panic would end this thread alone, as an exception does in Python.
        threading::os_exit(1);
    }
}

fn fibs_no_threading(n: u32) {
    print_fib(n);
    print_fib(n + 1);
}

fn fibs_con_threads(n: u32) -> Result<(), threading::Error> {
    let thread_40 = Thread::with_args(print_fib, (n,));
    let thread_41 = Thread::with_args(print_fib, (n + 1,));

    thread_40.start()?;
    thread_41.start()?;

    thread_40.join(None)?;
    thread_41.join(None)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let n = match std::env::args().nth(1) {
        Some(n) => n.parse()?,
        None => 40,
    };
    if !(1..=90).contains(&n) {
        return Err("n must be from 1 to 90".into());
    }

    let inicio = Instant::now();
    fibs_no_threading(n);
    let en_turno = inicio.elapsed().as_secs_f64();
    println!("Completado en {en_turno:.4} segundos.");

    let inicio_threads = Instant::now();
    fibs_con_threads(n)?;
    let con_threads = inicio_threads.elapsed().as_secs_f64();
    println!("Threads toman {con_threads:.4} seconds.");

    let python = python::run("fibonacci.py", &[&n.to_string()])?;
    let ways = ["in turn", "two threads"];
    python::compare(&ways, &[en_turno, con_threads], python.as_deref());
    Ok(())
}

/// The same number by adding.
fn expected(n: u32) -> u64 {
    (1..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}
