//! A3: a task that starts the next one when it is done, until Ctrl-C stops the loop.
//!
//! Run: cargo run --release --example asyncio_renew -- [--turns N], which presses Ctrl-C itself
//! CI: --scale 0.02 --turns 3

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{self, EventLoop};
use nix::sys::signal::{Signal, raise};

#[path = "common/scale.rs"]
mod scale;

async fn holacoro(second: f64) -> asyncio::Result<()> {
    println!("Hola 1");
    asyncio::sleep(second).await
}

/// Starts a task, and has itself called when the task is done.
fn renew(loop_: &EventLoop, second: f64, turns: Rc<Cell<u32>>) -> asyncio::Result<()> {
    if turns.replace(turns.get().saturating_sub(1)) == 1 {
        raise(Signal::SIGINT)?;
    }
    let task = loop_.create_task(holacoro(second))?;
    task.add_done_callback(move |task| renew(&task.get_loop(), second, turns));
    Ok(())
}

/// After how many turns the program presses Ctrl-C; 0 is never.
fn turns_from_args() -> u32 {
    let mut args = std::env::args().skip_while(|arg| arg != "--turns");
    args.nth(1)
        .map_or(0, |turns| turns.parse().expect("a number of turns"))
}

fn main() -> asyncio::Result<()> {
    let (second, turns) = (scale::from_args(1.0), turns_from_args());
    let loop_ = asyncio::new_event_loop();
    asyncio::set_event_loop(&loop_);
    // Python's interpreter turns Ctrl-C into a KeyboardInterrupt; here the loop is told to stop.
    let stop = loop_.clone();
    loop_.add_signal_handler(Signal::SIGINT as i32, move || stop.stop())?;
    renew(&loop_, second, Rc::new(Cell::new(turns)))?;

    asyncio::get_event_loop()?.run_forever()?;
    println!("Loop stopped");
    Ok(())
}
