//! Whose runtime it is, and how it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hilos::asyncio::{self, Runner, sleep};
use tokio::runtime::{Builder, Handle};

#[test]
fn a_run_has_a_runtime_and_leaves_none_behind() {
    assert!(Handle::try_current().is_err());
    asyncio::run(async {
        Handle::current();
        Ok(())
    })
    .unwrap();
    assert!(Handle::try_current().is_err());
}

#[test]
fn its_tasks_end_with_the_runner() {
    static ENDED: AtomicBool = AtomicBool::new(false);
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            ENDED.store(true, Ordering::Relaxed);
        }
    }
    let mut runner = Runner::new();
    let end = End;
    runner
        .run(async move {
            tokio::spawn(async move {
                let _end = end;
                std::future::pending::<()>().await;
            });
            sleep(0.001).await
        })
        .unwrap();
    assert!(!ENDED.load(Ordering::Relaxed));
    runner.close().unwrap();
    assert!(ENDED.load(Ordering::Relaxed));
}

#[test]
fn the_runner_waits_for_its_blocking_threads() {
    static ENDED: AtomicBool = AtomicBool::new(false);
    asyncio::run(async {
        tokio::task::spawn_blocking(|| {
            std::thread::sleep(Duration::from_millis(50));
            ENDED.store(true, Ordering::Relaxed);
        });
        Ok(())
    })
    .unwrap();
    assert!(ENDED.load(Ordering::Relaxed));
}

#[test]
fn the_programs_own_runtime_is_used() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let driver = std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::task::spawn_blocking(|| {
                asyncio::run(async {
                    // It is driven by the thread outside.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    Ok(Handle::current().id())
                })
            })
            .await
        })
    });
    let id = driver.join().unwrap().unwrap().unwrap();
    assert_eq!(id, handle.id());
}

#[test]
fn time_that_is_virtual_is_so_beside_it() {
    let now = asyncio::testing::run(async {
        sleep(3600).await?;
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(asyncio::get_running_loop()?.time())
    });
    assert_eq!(now.unwrap(), 3600.0);
}
