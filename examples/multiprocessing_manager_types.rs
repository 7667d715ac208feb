//! M18: every type that a manager offers, each used by two processes.
//!
//! Run: cargo run --release --example multiprocessing_manager_types

use std::error::Error;

use hilos::multiprocessing::managers::{
    AcquirerProxy, ArrayProxy, BarrierProxy, ConditionProxy, DictProxy, EventProxy, ListProxy,
    NamespaceProxy, QueueProxy, RemoteError, SyncManager, ValueProxy,
};
use hilos::multiprocessing::{self, Process};
use serde::{Deserialize, Serialize};

/// How long one process may wait for the other.
const PATIENCE: u32 = 60;

/// What the two processes share.
#[derive(Clone, Serialize, Deserialize)]
struct Shared {
    list: ListProxy<String>,
    dict: DictProxy<String, i64>,
    namespace: NamespaceProxy,
    /// A `Lock`, an `RLock`, a `Semaphore` and a `BoundedSemaphore`.
    locks: [AcquirerProxy; 4],
    /// What they guard, an item each.
    array: ArrayProxy<i64>,
    condition: ConditionProxy,
    event: EventProxy,
    barrier: BarrierProxy,
    queue: QueueProxy<String>,
    value: ValueProxy<f64>,
}

impl Shared {
    fn new(manager: &SyncManager) -> Result<Self, RemoteError> {
        Ok(Self {
            list: manager.list(["parent".to_owned()])?,
            dict: manager.dict_from([("parent".to_owned(), 1)])?,
            namespace: manager.namespace()?,
            locks: [
                manager.lock()?,
                manager.rlock()?,
                manager.semaphore(1)?,
                manager.bounded_semaphore(1)?,
            ],
            condition: manager.condition()?,
            event: manager.event()?,
            barrier: manager.barrier(2)?,
            queue: manager.queue(1)?,
            value: manager.value("d", 0.0)?,
            array: manager.array("i", [0; 4])?,
        })
    }

    /// Adds 1 to each item of the array under its lock, a hundred times.
    fn count(&self) -> Result<(), RemoteError> {
        for _ in 0..100 {
            for (index, lock) in (0..).zip(&self.locks) {
                let _held = lock.lock()?;
                self.array.set(index, self.array.get(index)? + 1)?;
            }
        }
        Ok(())
    }
}

/// What the child does.
fn child(shared: Shared) -> Result<(), RemoteError> {
    shared.barrier.wait(PATIENCE)?;
    shared.list.append("child")?;
    shared.dict.insert("child", 2)?;
    let x: i64 = shared.namespace.get("x")?;
    shared.namespace.set("y", x + 1)?;
    shared.count()?;
    shared.value.set(1.5)?;
    shared.queue.put("hello from the child")?;
    let held = shared.condition.lock()?;
    shared.namespace.set("ready", true)?;
    shared.condition.notify(1)?;
    drop(held);
    shared.event.set()
}

fn main() -> Result<(), Box<dyn Error>> {
    let manager = multiprocessing::manager()?;
    let shared = Shared::new(&manager)?;
    shared.namespace.set("x", 10)?;
    shared.namespace.set("ready", false)?;
    let p = Process::new(child, (shared.clone(),));
    p.start()?;

    shared.barrier.wait(PATIENCE)?;
    shared.count()?;
    let held = shared.condition.lock()?;
    let ready = || shared.namespace.get("ready").unwrap_or(false);
    assert!(shared.condition.wait_for(ready, PATIENCE)?);
    drop(held);
    assert!(shared.event.wait(PATIENCE)?);

    println!("list: {}", shared.list);
    println!("dict: {}", shared.dict);
    println!("namespace: {}", shared.namespace);
    println!("queue: {}", shared.queue.get()?);
    println!("value: {}", shared.value);
    println!("array: {:?}", shared.array.to_vec()?);
    p.join(PATIENCE)?;
    assert_eq!(p.exitcode(), Some(0));
    assert_eq!(shared.list.to_vec()?, ["parent", "child"]);
    assert_eq!(shared.dict.get("child")?, Some(2));
    assert_eq!(shared.namespace.get::<i64>("y")?, 11);
    assert_eq!(shared.value.get()?, 1.5);
    assert_eq!(shared.array.to_vec()?, [200; 4]);
    Ok(())
}
