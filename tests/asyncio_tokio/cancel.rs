//! Cancellations and timeouts of tokio's futures.

use std::time::Duration;

use hilos::asyncio::{self, cancellable, create_task, sleep, task_group, timeout, wait_for};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::Dropped;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn what_is_cancellable_is_cancelled_there() {
    let dropped = Dropped::default();
    let seen = dropped.clone();
    asyncio::run(async move {
        let guard = dropped.guard();
        let task = create_task(async move {
            let waiting = cancellable(async move {
                let _guard = guard;
                tokio::time::sleep(HOUR).await;
            });
            assert!(waiting.await.unwrap_err().is_cancelled());
            assert!(dropped.is());
            sleep(0).with_result("cleaned up").await
        });
        sleep(0).await?;
        task.cancel();
        assert_eq!(task.await?, "cleaned up");
        Ok(())
    })
    .unwrap();
    assert!(seen.is());
}

#[test]
fn a_bare_future_is_dropped_with_its_coroutine() {
    let dropped = Dropped::default();
    let seen = dropped.clone();
    asyncio::run(async move {
        let guard = dropped.guard();
        let task = create_task(async move {
            let _guard = guard;
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            Ok(listener.accept().await?)
        });
        while !task.cancelled() {
            sleep(0.001).await?;
            task.cancel();
        }
        assert!(dropped.is());
        Ok(())
    })
    .unwrap();
    assert!(seen.is());
}

#[test]
fn time_runs_out() {
    asyncio::run(async {
        let late = timeout(0.01, async |_| {
            tokio::time::sleep(HOUR).await;
            Ok(())
        });
        assert!(late.await.unwrap_err().is_timeout());
        let late = wait_for(
            async {
                tokio::time::sleep(HOUR).await;
                Ok(())
            },
            0.01,
        );
        assert!(late.await.unwrap_err().is_timeout());
        timeout(3600, async |_| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn its_own_timeout_works_on_ours() {
    asyncio::run(async {
        let late = tokio::time::timeout(Duration::from_millis(5), sleep(3600).into_future());
        assert!(late.await.is_err());
        let early = tokio::time::timeout(HOUR, sleep(0.001).into_future());
        early.await?
    })
    .unwrap();
}

#[test]
fn a_message_is_not_lost_by_a_timeout() {
    asyncio::run(async {
        let (sender, mut receiver) = mpsc::channel(1);
        let late = timeout(0.005, async |_| Ok(receiver.recv().await));
        assert!(late.await.unwrap_err().is_timeout());
        sender.send(3).await?;
        let early = timeout(3600, async |_| Ok(receiver.recv().await));
        assert_eq!(early.await?, Some(3));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_group_ends_what_waits_for_it() {
    asyncio::run(async {
        let failed = task_group(async |group| {
            group.create_task(async {
                tokio::time::sleep(HOUR).await;
                Ok(())
            });
            group.create_task(async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Err::<(), _>(asyncio::ValueError::new("no").into())
            });
            tokio::time::sleep(HOUR).await;
            Ok(())
        });
        assert_eq!(failed.await.unwrap_err().type_name(), "ExceptionGroup");
        Ok(())
    })
    .unwrap();
}
