//! `test_taskgroups.py`.

mod cancellations;
mod failures;
mod tasks;

use hilos::asyncio::{Exception, ExceptionGroup, Result, create_task, sleep};

use crate::support::raise;

async fn zero_division() -> Result<()> {
    raise("ZeroDivisionError", "")
}

/// Sleeps, and fails whatever happens.
async fn crash_anyhow(delay: f64) -> Result<()> {
    let _ = sleep(delay).await;
    zero_division().await
}

async fn crash_after(delay: f64, type_name: &'static str) -> Result<()> {
    sleep(delay).await?;
    raise(type_name, "")
}

/// The names of the types in a group, without repetitions.
#[track_caller]
fn types(result: Result<()>) -> Vec<&'static str> {
    names(&result.unwrap_err())
}

fn names(exception: &Exception) -> Vec<&'static str> {
    let group: &ExceptionGroup = exception.group().expect("a group");
    let mut names: Vec<_> = group
        .exceptions()
        .iter()
        .map(Exception::type_name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Runs a coroutine as a task, cancels it after a while, and returns what it ends with.
async fn cancelled_after<F>(delay: f64, coroutine: F) -> Result<()>
where
    F: Future<Output = Result<()>> + 'static,
{
    let task = create_task(coroutine);
    sleep(delay).await?;
    assert!(!task.done());
    task.cancel();
    task.await
}
