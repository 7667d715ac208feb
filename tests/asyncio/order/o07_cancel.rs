//! Cancellation: who gets it, who may swallow it, and when it comes too late.

use super::{check, python, tick};
use hilos::asyncio::{
    self, ALL_COMPLETED, CancelledError, Exception, Future, InvalidStateError, Task, create_task,
    current_task, gather, get_running_loop, sleep, wait,
};

/// The arguments of a `CancelledError`, as Python prints them.
fn args(e: &Exception) -> String {
    match e.downcast_ref::<CancelledError>().and_then(|e| e.message()) {
        Some(message) => format!("('{message}',)"),
        None => "()".to_owned(),
    }
}

async fn cleanup(name: &'static str) -> asyncio::Result<&'static str> {
    let tried = async {
        say!("{name} start");
        match sleep(10).await {
            Ok(()) => say!("unreachable"),
            Err(e) if e.is_cancelled() => {
                say!("{name} cancelled {}", args(&e));
                sleep(0).await?;
                say!("{name} cleaned");
                return Err(e);
            }
            Err(e) => return Err(e),
        }
        Ok(name)
    }
    .await;
    say!("{name} finally");
    tried
}

async fn swallow(name: &'static str) -> asyncio::Result<&'static str> {
    match sleep(10).await {
        Err(e) if e.is_cancelled() => say!("{name} swallowed"),
        other => other?,
    }
    sleep(0).await?;
    say!("{name} goes on {}", current_task().unwrap().cancelling());
    Ok(name)
}

async fn parent(name: &'static str, child: Future<&'static str>) -> asyncio::Result<&'static str> {
    match (&child).await {
        Ok(r) => say!("{name} child gave {r}"),
        Err(e) if e.is_cancelled() => {
            say!("{name} parent cancelled {}", python(child.cancelled()));
            return Err(e);
        }
        Err(e) => return Err(e),
    }
    Ok("p")
}

async fn fin() -> asyncio::Result<()> {
    let tried = async {
        sleep(0).await?;
        say!("fin not reached?");
        Ok(())
    }
    .await;
    say!("fin finally");
    tried
}

async fn selfcancel() -> asyncio::Result<&'static str> {
    current_task().unwrap().cancel();
    say!("still running");
    match sleep(0).await {
        Err(e) if e.is_cancelled() => say!("self cancelled at next await"),
        other => other?,
    }
    sleep(0).await?;
    Ok("alive")
}

/// Asked to cancel, but it never waits again.
async fn last_words() -> asyncio::Result<&'static str> {
    current_task().unwrap().cancel();
    Ok("value")
}

async fn ends<T: 'static>(t: &Task<T>) -> asyncio::Result<()> {
    wait(std::slice::from_ref(t), None, ALL_COMPLETED).await?;
    Ok(())
}

async fn main() -> asyncio::Result<()> {
    let tk = create_task(tick(30));
    let a = create_task(cleanup("a"));
    let b = create_task(swallow("b"));
    let c = create_task(cleanup("c"));
    sleep(0).await?;
    say!("{} {}", python(a.cancel_with("bye")), python(b.cancel()));
    say!("main 1 {} {}", a.cancelling(), python(a.done()));
    let (ra, rb) = gather!(&a, &b; return_exceptions).await?;
    let names = [ra, rb].map(|r| r.map_or_else(|e| e.type_name(), |_| "str"));
    say!(
        "['{}', '{}'] {} {}",
        names[0],
        names[1],
        python(a.cancelled()),
        python(b.cancelled())
    );
    before_the_first_step().await?;
    through_tasks(c).await?;
    too_late().await?;
    by_itself().await?;
    // Cancelled again while it cleans up.
    let a = create_task(cleanup("e"));
    sleep(0).await?;
    a.cancel();
    sleep(0).await?;
    a.cancel_with("two");
    ends(&a).await?;
    say!("e {} {}", python(a.cancelled()), a.cancelling());
    // A child that somebody else cancels: its parent may go on.
    let ch = create_task(sleep(10).with_result(""));
    let p = create_task(parent("p4", ch.clone().into()));
    sleep(0).await?;
    ch.cancel();
    ends(&p).await?;
    say!("p4 {} {}", python(p.cancelled()), p.cancelling());
    tk.await
}

async fn before_the_first_step() -> asyncio::Result<()> {
    let d = create_task(cleanup("d"));
    say!("{}", python(d.cancel()));
    match (&d).await {
        Err(e) if e.is_cancelled() => say!("d cancelled {}", python(d.cancelled())),
        other => drop(other?),
    }
    Ok(())
}

async fn through_tasks(c: Task<&'static str>) -> asyncio::Result<()> {
    let p = create_task(parent("p", c.clone().into()));
    sleep(0).await?;
    p.cancel();
    match (&p).await {
        Err(e) if e.is_cancelled() => {
            say!(
                "p cancelled {} {}",
                python(p.cancelled()),
                python(c.cancelled())
            );
        }
        other => drop(other?),
    }
    // A child that swallows it: its parent is not cancelled at all.
    let ch = create_task(swallow("ch"));
    let p = create_task(parent("p2", ch.into()));
    sleep(0).await?;
    sleep(0).await?;
    p.cancel();
    let result = (&p).await?;
    say!("p2 result {result} {}", p.cancelling());
    Ok(())
}

async fn too_late() -> asyncio::Result<()> {
    let event_loop = get_running_loop()?;
    // Its next step is scheduled already: the result is lost.
    let f: Future<u32> = event_loop.create_future();
    let t = create_task({
        let f = f.clone();
        async move {
            match (&f).await {
                Err(e) if e.is_cancelled() => say!("wf cancelled, future has {}", f.result()?),
                other => say!("wf got {}", other?),
            }
            Ok(())
        }
    });
    sleep(0).await?;
    f.set_result(5)?;
    t.cancel();
    t.await?;
    // The other way round: the future is cancelled before there is a result.
    let f = event_loop.create_future();
    let t = create_task(parent("p3", f.clone()));
    sleep(0).await?;
    t.cancel();
    say!("f {} {}", python(f.cancelled()), python(t.cancelled()));
    match f.set_result("1") {
        Err(e) if e.is::<InvalidStateError>() => say!("InvalidState"),
        other => other?,
    }
    ends(&t).await?;
    let t = create_task(fin());
    sleep(0).await?;
    t.cancel();
    ends(&t).await?;
    say!("fin {}", python(t.cancelled()));
    Ok(())
}

async fn by_itself() -> asyncio::Result<()> {
    say!("{}", create_task(selfcancel()).await?);
    let t = create_task(last_words());
    ends(&t).await?;
    say!("last_words {}", python(t.cancelled()));
    Ok(())
}

#[test]
fn cancellation() {
    check(main(), include_str!("o07_cancel.out"));
}
