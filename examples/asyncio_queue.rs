//! A5, queues: three workers share the jobs that a coroutine puts into a queue, until it is shut down.
//!
//! Run: cargo run --release --example asyncio_queue

use hilos::asyncio::{self, Queue, QueueShutDown, Result};

#[path = "common/scale.rs"]
mod scale;

/// Does jobs until there will be no more, and returns how many it did.
async fn worker(name: String, queue: Queue<f64>, scale: f64) -> Result<u32> {
    let mut done = 0;
    loop {
        let sleep_for = match queue.get().await {
            Ok(sleep_for) => sleep_for,
            Err(exception) if exception.is::<QueueShutDown>() => return Ok(done),
            Err(exception) => return Err(exception),
        };
        asyncio::sleep(sleep_for * scale).await?;
        queue.task_done()?;
        done += 1;
        println!("{name} has slept for {sleep_for:.2} seconds");
    }
}

fn main() -> Result<()> {
    let scale = scale::from_args(1.0);
    asyncio::run(async move {
        let queue = Queue::new(4);
        let worker = |i| worker(format!("worker-{i}"), queue.clone(), scale);
        let workers: Vec<_> = (0..3).map(worker).map(asyncio::create_task).collect();
        let start = asyncio::get_running_loop()?.time();
        for sleep_for in [0.5, 0.1, 0.3, 0.4, 0.2, 0.6, 0.1, 0.3, 0.2] {
            // It waits while four jobs are in the queue.
            queue.put(sleep_for).await?;
        }
        queue.shutdown(false);
        let done: u32 = asyncio::gather(workers).await?.into_iter().sum();
        let total = asyncio::get_running_loop()?.time() - start;
        println!("3 workers did {done} jobs in {:.2} seconds", total / scale);
        assert_eq!(done, 9);
        assert!(total < 2.7 * scale, "they sleep side by side");
        Ok(())
    })
}
