//! A4: a loop waits for two processes that are at work at once, each with an argument bound to it.
//!
//! Run: cargo run --release --example asyncio_executor

use hilos::asyncio;
use hilos::concurrent::futures::ProcessPoolExecutor;
use hilos::multiprocessing::{Barrier, Error};

/// Greets, after both processes have begun; returns in which process it was.
fn task(both: Barrier, greeting: String, v: u32) -> Result<u32, Error> {
    both.wait(30)?;
    println!("{greeting} {v}");
    Ok(std::process::id())
}

fn main() -> asyncio::Result<()> {
    println!("Entrando a loop event");
    let (hola, chao) = asyncio::run(async {
        let (both, executor) = (Barrier::new(2)?, ProcessPoolExecutor::new(2)?);
        let event_loop = asyncio::get_running_loop()?;
        // What Python binds by `partial(hola_task, v)` is an argument here.
        let hola = executor.try_submit(task, (both.clone(), "Hola".to_string(), 1))?;
        let chao = executor.try_submit(task, (both.clone(), "Chao".to_string(), 1))?;
        let (hola, chao) = (event_loop.wrap_future(&hola), event_loop.wrap_future(&chao));
        asyncio::gather!(hola, chao).await
    })?;
    assert_ne!(hola, chao, "two processes met at the barrier");
    Ok(())
}
