//! M12: a list goes through a queue between two processes.
//!
//! Run: cargo run --release --example multiprocessing_queue

use hilos::multiprocessing::{self, Process, Queue};
use serde::{Deserialize, Serialize};

/// What the list of the Python program holds: a number, nothing, a text.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Item {
    Number(i64),
    None,
    Text(String),
}

fn list() -> Vec<Item> {
    let hello = "hello".to_string();
    vec![Item::Number(42), Item::None, Item::Text(hello)]
}

fn f(q: Queue<Vec<Item>>) -> Result<(), multiprocessing::Error> {
    q.put(&list())
}

fn main() -> Result<(), multiprocessing::Error> {
    let q = Queue::new(0)?;
    let p = Process::new(f, (q.clone(),));
    p.start()?;
    let items = q.get()?;
    println!("{items:?}");
    assert_eq!(items, list());
    p.join(None)
}
