//! M16: structures of the program's own in shared memory, changed by a child.
//!
//! Run: cargo run --release --example multiprocessing_sharedctypes

use hilos::multiprocessing::sharedctypes::bytemuck::{self, Pod, Zeroable};
use hilos::multiprocessing::{self, Array, Lock, Process, Value};

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[bytemuck(crate = "bytemuck")]
#[repr(C)]
struct Point {
    x: f64,
    y: f64,
}

/// A number and a text that share a lock, and points with one of their own.
type Shared = (Value<i32, Lock>, Array<u8, Lock>, Array<Point>);

fn modify((n, s, points): Shared) -> Result<(), multiprocessing::Error> {
    n.update(|n| *n = n.pow(2))?;
    let upper = s.value()?.to_ascii_uppercase();
    s.set_value(&upper)?;
    for i in 0..points.len() {
        points.update(i, |point| {
            point.x = point.x.powi(2);
            point.y = point.y.powi(2);
        })?;
    }
    Ok(())
}

fn main() -> Result<(), multiprocessing::Error> {
    let lock = Lock::new()?;
    let n = Value::with_lock(7, lock.clone())?;
    let s = Array::with_lock(*b"hello world", lock)?;
    let [a, b] = [(1.875, -6.25), (2.375, 9.5)].map(|(x, y)| Point { x, y });
    let points = Array::new([a, b])?;

    let p = Process::new(modify, ((n.clone(), s.clone(), points.clone()),));
    p.start()?;
    p.join(None)?;

    println!("{}", n.get()?);
    println!("{}", String::from_utf8_lossy(&s.value()?));
    println!("{:?}", points.to_vec()?);
    assert_eq!(n.get()?, 49);
    assert_eq!(s.value()?, b"HELLO WORLD");
    let squares = [(3.515625, 39.0625), (5.640625, 90.25)].map(|(x, y)| Point { x, y });
    assert_eq!(points.to_vec()?, squares);
    Ok(())
}
