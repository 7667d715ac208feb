//! Task groups: who fails, who is cancelled for it, and what comes out.

use super::{check, python, raise, tick};
use hilos::asyncio::{
    self, ALL_COMPLETED, Exception, ExceptionGroup, create_task, current_task, sleep, task_group,
    wait,
};

async fn w(name: &'static str, n: u32) -> asyncio::Result<&'static str> {
    w_raising(name, n, None).await
}

async fn w_raising(
    name: &'static str,
    n: u32,
    exc: Option<Exception>,
) -> asyncio::Result<&'static str> {
    let tried = async {
        say!("{name} start");
        for _ in 0..n {
            sleep(0).await?;
        }
        say!("{name} end");
        exc.map_or(Ok(name), Err)
    }
    .await;
    match tried {
        Err(e) if e.is_cancelled() => {
            say!("{name} cancelled");
            sleep(0).await?;
            say!("{name} cleaned");
            Err(e)
        }
        other => other,
    }
}

fn error(type_name: &'static str, message: &str) -> Option<Exception> {
    Some(Exception::new(type_name, message))
}

/// The exceptions of a group, as Python prints the tuple.
fn exceptions(result: asyncio::Result<()>) -> String {
    let e = result.unwrap_err();
    let group: &ExceptionGroup = e.group().unwrap();
    let reprs: Vec<_> = group.exceptions().iter().map(Exception::repr).collect();
    match &reprs[..] {
        [one] => format!("({one},)"),
        several => format!("({})", several.join(", ")),
    }
}

async fn main() -> asyncio::Result<()> {
    let tk = create_task(tick(40));
    let (a, b) = task_group(async |tg| {
        let tasks = (tg.create_task(w("a", 1)), tg.create_task(w("b", 2)));
        say!("body");
        Ok(tasks)
    })
    .await?;
    say!("tg1 {} {}", a.result()?, b.result()?);
    let failed = task_group(async |tg| {
        tg.create_task(w("c", 5));
        tg.create_task(w_raising("d", 1, error("ValueError", "d")));
        tg.create_task(w("e", 0));
        sleep(10).await?;
        say!("unreachable");
        Ok(())
    })
    .await;
    say!(
        "caught {} {}",
        exceptions(failed),
        current_task().unwrap().cancelling()
    );
    // The body fails.
    let failed = task_group(async |tg| {
        tg.create_task(w("f", 5));
        sleep(0).await?;
        raise("KeyError", "body")
    })
    .await;
    say!("caught {}", exceptions(failed));
    two_failures().await;
    nested_groups().await;
    cancelled_groups().await?;
    tk.await
}

/// One of them while it is being cancelled.
async fn two_failures() {
    let failed = task_group(async |tg| {
        tg.create_task(async {
            let _ = sleep(10).await;
            raise::<()>("TypeError", "bad")
        });
        tg.create_task(w_raising("g", 1, error("ValueError", "g")));
        Ok(())
    })
    .await;
    say!("caught {}", exceptions(failed));
}

async fn nested_groups() {
    let failed = task_group(async |t1| {
        t1.create_task(w("h", 9));
        task_group(async |t2| {
            t2.create_task(w("i", 9));
            t2.create_task(w_raising("j", 1, error("ValueError", "j")));
            Ok(())
        })
        .await?;
        say!("unreachable");
        Ok(())
    })
    .await;
    // Python splits the group and raises the part that matched, which is all of it.
    say!("caught {}", failed.unwrap_err());
}

async fn cancelled_groups() -> asyncio::Result<()> {
    // From outside.
    let t = create_task(async {
        let result = task_group(async |tg| {
            tg.create_task(w("k", 9));
            Ok(())
        })
        .await;
        say!("outer finally");
        result
    });
    sleep(0).await?;
    sleep(0).await?;
    t.cancel();
    wait(&[t.clone()], None, ALL_COMPLETED).await?;
    say!("outer {}", python(t.cancelled()));
    // A child that is cancelled alone does not fail the group.
    let (c, d) = task_group(async |tg| {
        let (c, d) = (tg.create_task(w("l", 9)), tg.create_task(w("m", 3)));
        sleep(0).await?;
        c.cancel();
        Ok((c, d))
    })
    .await?;
    say!("tg {} {}", python(c.cancelled()), d.result()?);
    // From outside, in the turn in which a child fails.
    let t = create_task(task_group(async |tg| {
        tg.create_task(w_raising("n", 1, error("ValueError", "n")));
        sleep(10).await
    }));
    sleep(0).await?;
    sleep(0).await?;
    sleep(0).await?;
    t.cancel();
    wait(&[t.clone()], None, ALL_COMPLETED).await?;
    let outcome = match t.cancelled() {
        true => "None".to_owned(),
        false => t.exception()?.unwrap().repr(),
    };
    say!(
        "both {} {} {outcome}",
        python(t.cancelled()),
        t.cancelling()
    );
    Ok(())
}

#[test]
fn taskgroup() {
    check(main(), include_str!("o08_taskgroup.out"));
}
