//! tokio's timers, sockets, channels and tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hilos::asyncio::{self, create_task, gather, get_running_loop, sleep};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, oneshot};

#[test]
fn timers_of_both_go_side_by_side() {
    async fn alternate() -> asyncio::Result<f64> {
        let event_loop = get_running_loop()?;
        let start = event_loop.time();
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            sleep(0.002).await?;
        }
        Ok(event_loop.time() - start)
    }
    let passed = asyncio::run(async { gather([alternate(), alternate(), alternate()]).await });
    assert!(passed.unwrap().into_iter().all(|passed| passed >= 0.02));
}

#[test]
fn sockets_carry_data() {
    asyncio::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = create_task(async move {
            for _ in 0..3 {
                let (mut stream, _) = listener.accept().await?;
                create_task(async move {
                    let (mut reader, mut writer) = stream.split();
                    Ok(tokio::io::copy(&mut reader, &mut writer).await?)
                });
            }
            Ok(())
        });
        gather((0..3).map(move |i| async move {
            let mut stream = TcpStream::connect(address).await?;
            let (data, mut back) = (vec![i; 10_000], Vec::new());
            stream.write_all(&data).await?;
            sleep(0).await?;
            stream.shutdown().await?;
            stream.read_to_end(&mut back).await?;
            assert_eq!(back, data);
            Ok(())
        }))
        .await?;
        server.await
    })
    .unwrap();
}

#[test]
fn locks_are_handed_over() {
    asyncio::run(async {
        let counter = Arc::new(Mutex::new(0));
        let tasks = (0..10).map(|_| {
            let counter = counter.clone();
            async move {
                let mut counter = counter.lock().await;
                let before = *counter;
                sleep(0).await?;
                *counter = before + 1;
                Ok(())
            }
        });
        gather(tasks).await?;
        assert_eq!(*counter.lock().await, 10);
        Ok(())
    })
    .unwrap();
}

#[test]
fn its_tasks_run_in_the_loops_thread() {
    let here = std::thread::current().id();
    let answer = asyncio::run(async move {
        let (ask, asked) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let helper = tokio::spawn(async move {
            // It is not one of the loop's tasks.
            assert!(get_running_loop().is_err());
            assert_eq!(std::thread::current().id(), here);
            let number: i32 = asked.await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            answer.send(number + 1).unwrap();
            "done"
        });
        ask.send(41).unwrap();
        let answer = answered.await?;
        assert_eq!(helper.await?, "done");
        Ok(answer)
    });
    assert_eq!(answer.unwrap(), 42);
}

#[test]
fn its_tasks_may_call_into_the_loop() {
    let answer = asyncio::run(async {
        let handle = get_running_loop()?.handle();
        let asked = tokio::spawn(async move {
            let coroutine = || async {
                assert!(get_running_loop().is_ok());
                sleep(0.001).with_result(5).await
            };
            let asked = asyncio::run_coroutine_threadsafe(coroutine, &handle);
            asked.unwrap().await
        });
        Ok(asked.await?)
    });
    assert_eq!(answer.unwrap().unwrap(), 5);
}

#[test]
fn a_busy_loop_leaves_it_its_turns() {
    asyncio::run(async {
        let timer = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
        while !timer.is_finished() {
            sleep(0).await?;
        }
        // The same with a future that is awaited here.
        let timer = create_task(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        });
        while !timer.done() {
            sleep(0).await?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_panic_of_its_task_is_its_own() {
    let failed = asyncio::run(async {
        let task = tokio::spawn(async { panic!("ouch") });
        let failed = task.await;
        // The loop is there as before.
        sleep(0).await?;
        create_task(async { Ok(()) }).await?;
        Ok(failed)
    });
    assert!(failed.unwrap().unwrap_err().is_panic());
}

#[test]
fn another_thread_may_spawn_while_the_loop_sleeps() {
    let answer = asyncio::run(async {
        let handle = tokio::runtime::Handle::current();
        let (sender, receiver) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            handle.spawn(async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                sender.send(6).unwrap();
            });
        });
        let answer = receiver.await?;
        thread.join().unwrap();
        Ok(answer)
    });
    assert_eq!(answer.unwrap(), 6);
}

#[test]
fn another_thread_ends_its_sleep() {
    asyncio::run(async {
        let event_loop = get_running_loop()?;
        let notify = Arc::new(Notify::new());
        for _ in 0..100 {
            let (handle, notified) = (event_loop.handle(), notify.clone());
            let thread = std::thread::spawn(move || {
                handle
                    .call_soon_threadsafe(move || notified.notify_one())
                    .map(drop)
            });
            notify.notified().await;
            thread.join().unwrap()?;
        }
        asyncio::to_thread(|| std::thread::sleep(Duration::from_millis(1))).await
    })
    .unwrap();
}

#[test]
fn it_runs_on_in_the_next_run() {
    static BEATS: AtomicU32 = AtomicU32::new(0);
    let mut runner = asyncio::Runner::new();
    let spawned = runner.run(async {
        Ok(tokio::spawn(async {
            loop {
                BEATS.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }))
    });
    let _heart = spawned.unwrap();
    let before = BEATS.load(Ordering::Relaxed);
    runner
        .run(async move {
            while BEATS.load(Ordering::Relaxed) < before + 5 {
                sleep(0.001).await?;
            }
            Ok(())
        })
        .unwrap();
}
