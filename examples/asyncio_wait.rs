//! M26: the first of three tasks, then the other conditions; tasks print themselves as Python's do.
//!
//! Run: cargo run --release --example asyncio_wait
//! CI: --scale 0.1

use hilos::asyncio::{self, ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, ReturnWhen};

#[path = "common/scale.rs"]
mod scale;

async fn get(n: u32, second: f64) -> asyncio::Result<u32> {
    asyncio::sleep(f64::from(n) * second).await?;
    Ok(n)
}

async fn wait(return_when: ReturnWhen, second: f64) -> asyncio::Result<(usize, usize)> {
    let tareas = [2, 1, 3].map(|n| asyncio::create_task(get(n, second)));
    let (done, pending) = asyncio::wait(&tareas, None, return_when).await?;
    println!("Tareas finalizadas: {done:?}");
    println!("Tareas pendientes: {pending:?}");
    for tarea in &pending {
        tarea.cancel();
    }
    Ok((done.len(), pending.len()))
}

fn main() -> asyncio::Result<()> {
    let second = scale::from_args(1.0);
    assert_eq!(asyncio::run(wait(FIRST_COMPLETED, second))?, (1, 2));
    assert_eq!(asyncio::run(wait(FIRST_EXCEPTION, second))?, (3, 0));
    assert_eq!(asyncio::run(wait(ALL_COMPLETED, second))?, (3, 0));
    Ok(())
}
