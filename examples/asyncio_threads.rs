//! A5, threads and processes: a loop that goes on while a thread blocks and a process computes.
//!
//! Run: cargo run --release --example asyncio_threads

use hilos::asyncio::{self, Exception, LoopHandle, Result};
use hilos::concurrent::futures::ProcessPoolExecutor;
use hilos::threading;

fn fib(n: u64) -> u64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

async fn greeting() -> Result<&'static str> {
    for turn in 1..=3 {
        println!("the loop goes on: {turn}");
        asyncio::sleep(0.01).await?;
    }
    Ok("hola")
}

/// Has the loop run a coroutine, and blocks its own thread until that ends.
fn blocking_io(event_loop: &LoopHandle) -> Result<&'static str> {
    let future = asyncio::run_coroutine_threadsafe(greeting, event_loop)?;
    let heard = future.result(None).map_err(Exception::from)?;
    let is_main = threading::current_thread() == threading::main_thread();
    println!("a thread heard {heard:?}; is it the main one? {is_main}");
    assert!(!is_main);
    Ok(heard)
}

fn main() -> Result<()> {
    asyncio::run(async {
        let event_loop = asyncio::get_running_loop()?;
        let handle = event_loop.handle();
        let heard = asyncio::try_to_thread(move || blocking_io(&handle)).await?;
        assert_eq!(heard, "hola");

        let pool = ProcessPoolExecutor::new(1)?;
        let number = event_loop.wrap_future(&pool.submit(fib, (20,))?).await?;
        println!("a process computed fib(20) = {number}");
        assert_eq!(number, 6765);
        Ok(())
    })
}
