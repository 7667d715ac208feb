//! A1, A2, R6: coroutines on a loop of one's own: one alone, two in turn, two side by side.
//!
//! Run: cargo run --release --example asyncio_holacoro
//! CI: --scale 0.02

use std::time::Instant;

use hilos::asyncio;

#[path = "common/scale.rs"]
mod scale;

async fn holacoro(second: f64) -> asyncio::Result<()> {
    for i in 0..3 {
        asyncio::sleep(second).await?;
        println!("Hola {i}");
    }
    Ok(())
}

async fn chaocoro(second: f64) -> asyncio::Result<()> {
    for i in 0..3 {
        asyncio::sleep(2.0 * second).await?;
        println!("Chao {i}");
    }
    Ok(())
}

async fn doscoro(second: f64) -> asyncio::Result<()> {
    holacoro(second).await?;
    chaocoro(second).await
}

/// R6: esperamos y liberamos.
async fn hola_mundo(msg: &str, seg: f64) -> asyncio::Result<()> {
    asyncio::sleep(seg).await?;
    println!("Espere {seg} seg para decirte: {msg}");
    Ok(())
}

fn main() -> asyncio::Result<()> {
    let second = scale::from_args(1.0);
    let loop_ = asyncio::new_event_loop();
    // creamos tarea y la asociamos al loop, ejecutandola
    loop_.run_until_complete(holacoro(second))?;

    let start = Instant::now();
    loop_.run_until_complete(doscoro(second))?;
    assert!(start.elapsed().as_secs_f64() >= 9.0 * second);

    let start = Instant::now();
    loop_.run_until_complete(async move {
        let tasks = (
            asyncio::ensure_future(holacoro(second)),
            asyncio::ensure_future(chaocoro(second)),
        );
        asyncio::gather!(tasks.0, tasks.1).await.map(drop)
    })?;
    assert!(start.elapsed().as_secs_f64() >= 6.0 * second);

    loop_.run_until_complete(hola_mundo("Hola mundo con Asyncio", 2.0 * second))?;
    loop_.close()?;
    asyncio::run(hola_mundo("Hola mundo con Asyncio en Python 3.7", second))
}
