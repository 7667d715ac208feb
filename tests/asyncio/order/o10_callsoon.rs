//! Callbacks of the loop and of futures, and where their failures go.

use super::{check, raise, tick};
use hilos::asyncio::{
    self, EventLoop, ExceptionContext, Future, create_task, current_task, get_running_loop, sleep,
};

async fn aw(n: u32, f: Future<u32>) -> asyncio::Result<()> {
    let result = (&f).await?;
    say!("aw {n} {result}");
    Ok(())
}

fn nest(k: u32) -> asyncio::Result<()> {
    say!("nest {k}");
    if k > 0 {
        get_running_loop()?.call_soon(move || nest(k - 1))?;
    }
    Ok(())
}

async fn main() -> asyncio::Result<()> {
    let event_loop = get_running_loop()?;
    let tk = create_task(tick(12));
    event_loop.call_soon(|| say!("soon 1"))?;
    event_loop.call_soon(|| nest(2))?;
    let h = event_loop.call_soon(|| say!("never"))?;
    h.cancel();
    event_loop
        .handle()
        .call_soon_threadsafe(|| say!("threadsafe from loop thread"))?;
    say!("main 0");
    sleep(0).await?;
    say!("main 1");
    future_callbacks(&event_loop).await?;
    let g: Future<()> = event_loop.create_future();
    let cb = |_: &Future<()>| say!("removed?");
    let added = [g.add_done_callback(cb), g.add_done_callback(cb)];
    let removed: usize = added.map(|id| g.remove_done_callback(id)).into_iter().sum();
    say!("removed {removed}");
    g.cancel();
    match g.await {
        Err(e) if e.is_cancelled() => say!("g cancelled {}", current_task().unwrap().cancelling()),
        other => other?,
    }
    failures(&event_loop, || {
        raise("ZeroDivisionError", "division by zero")
    })
    .await?;
    tk.await
}

async fn future_callbacks(event_loop: &EventLoop) -> asyncio::Result<()> {
    let f = event_loop.create_future();
    f.add_done_callback(|f| f.result().map(|r| say!("cb1 {r}")));
    let t1 = create_task(aw(1, f.clone()));
    sleep(0).await?;
    f.add_done_callback(|f| f.result().map(|r| say!("cb2 {r}")));
    let t2 = create_task(aw(2, f.clone()));
    sleep(0).await?;
    event_loop.call_soon(|| say!("before set"))?;
    f.set_result(42)?;
    event_loop.call_soon(|| say!("after set"))?;
    f.add_done_callback(|f| f.result().map(|r| say!("cb3 late {r}")));
    say!("main set");
    // It is done: no turn passes.
    let result = (&f).await?;
    say!("main {result}");
    sleep(0).await?;
    say!("main 2");
    t1.await?;
    t2.await
}

fn handler(_event_loop: &EventLoop, context: &ExceptionContext) {
    let message = context.message.split('(').next().unwrap();
    say!(
        "handler: {message} {}",
        context.exception.as_ref().unwrap().type_name()
    );
}

/// The exceptions of callbacks go to the handler, and the loop goes on.
async fn failures<F>(event_loop: &EventLoop, failing: F) -> asyncio::Result<()>
where
    F: FnOnce() -> asyncio::Result<()> + 'static,
{
    event_loop.set_exception_handler(handler);
    event_loop.call_soon(failing)?;
    sleep(0).await?;
    say!("main 3");
    let t = create_task(async { raise::<()>("ValueError", "x") });
    sleep(0).await?;
    drop(t);
    say!("after del");
    let f: Future<()> = event_loop.create_future();
    f.set_exception(asyncio::Exception::new("KeyError", "k"))?;
    drop(f);
    Ok(())
}

#[test]
fn callsoon() {
    check(main(), include_str!("o10_callsoon.out"));
}
