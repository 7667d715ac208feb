//! M15: a number and an array in shared memory, changed by a child.
//!
//! Run: cargo run --release --example multiprocessing_shared_values

#![allow(clippy::approx_constant, reason = "the digits of the Python program")]

use hilos::multiprocessing::{self, Array, Process, Value};

fn f(n: Value<f64>, a: Array<i32>) -> Result<(), multiprocessing::Error> {
    n.set(3.1415927)?;
    for i in 0..a.len() {
        a.set(i, -a.get(i)?)?;
    }
    Ok(())
}

fn main() -> Result<(), multiprocessing::Error> {
    let num = Value::new(0.0)?;
    let arr = Array::new(0..10)?;

    let p = Process::new(f, (num.clone(), arr.clone()));
    p.start()?;
    p.join(None)?;

    println!("{}", num.get()?);
    println!("{:?}", arr.to_vec()?);
    assert_eq!(num.get()?, 3.1415927);
    assert_eq!(arr.to_vec()?, [0, -1, -2, -3, -4, -5, -6, -7, -8, -9]);
    Ok(())
}
