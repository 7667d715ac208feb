//! A4: a loop waits for two processes that are at work at once, each with an argument bound to it.
//!
//! Run: cargo run --release --example asyncio_executor

use hilos::asyncio;
use hilos::concurrent::futures::ProcessPoolExecutor;
use hilos::multiprocessing::Barrier;

/// Greets, after both processes have begun; returns in which process it was.
fn task(both: Barrier, greeting: String, v: u32) -> u32 {
    both.wait(30).expect("the other process comes too");
    println!("{greeting} {v}");
    std::process::id()
}

fn main() -> asyncio::Result<()> {
    println!("Entrando a loop event");
    let (hola, chao) = asyncio::run(async {
        let (both, executor) = (Barrier::new(2)?, ProcessPoolExecutor::new(2)?);
        let event_loop = asyncio::get_running_loop()?;
        // What Python binds by `partial(hola_task, v)` is an argument here.
        let [hola, chao] = ["Hola", "Chao"].map(|greeting| {
            let args = (both.clone(), greeting.to_owned(), 1);
            event_loop.run_in_executor(&executor, (task, args))
        });
        asyncio::gather!(hola?, chao?).await
    })?;
    assert_ne!(hola, chao, "two processes met at the barrier");
    Ok(())
}
