//! Who waits for an item or for room, and who wakes them.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{Event, Queue, create_task, get_running_loop, sleep, task_group};

use crate::support::{Log, run};

// cpython: test_asyncio/test_queues.py::QueueBasicTests::test_maxsize
#[test]
fn who_puts_into_a_full_queue_waits() {
    run(async {
        let queue = Queue::new(2);
        assert_eq!(queue.maxsize(), 2);
        let put = Log::new();
        let (inside, seen) = (queue.clone(), put.clone());
        let task = create_task(async move {
            for item in 0..3 {
                inside.put(item).await?;
                seen.push(item);
            }
            Ok(true)
        });
        sleep(0).await?;
        sleep(0).await?;
        assert_eq!(put.take(), [0, 1]);
        assert_eq!(queue.get().await?, 0);
        sleep(0).await?;
        assert_eq!(put.take(), [2]);
        assert_eq!(queue.get().await?, 1);
        assert_eq!(queue.get().await?, 2);
        assert_eq!((task.done(), task.result()?), (true, true));
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueueGetTests::test_get_with_putters
#[test]
fn a_get_wakes_who_waits_for_room() {
    run(async {
        let queue = Queue::new(1);
        queue.put(1).await?;
        let putter = create_task(queue.put(2));
        sleep(0).await?;
        assert!(!putter.done());
        assert_eq!(queue.get().await?, 1);
        sleep(0).await?;
        assert!(putter.done());
        putter.result()
    });
}

// cpython: test_asyncio/test_queues.py::QueueGetTests::test_blocking_get_wait
#[test]
fn a_get_waits_for_an_item() {
    run(async {
        let (queue, started) = (Queue::new(0), Event::new());
        let finished = Rc::new(Cell::new(false));
        let (inside, begun, end) = (queue.clone(), started.clone(), finished.clone());
        let task = create_task(async move {
            begun.set();
            let item = inside.get().await;
            end.set(true);
            item
        });
        started.wait().await?;
        assert!(!finished.get());
        get_running_loop()?.call_later(0.01, move || queue.put_nowait(1))?;
        assert_eq!(task.await?, 1);
        assert!(finished.get());
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_blocking_put_wait
#[test]
fn a_put_waits_for_room() {
    run(async {
        let (queue, started) = (Queue::new(1), Event::new());
        let finished = Rc::new(Cell::new(false));
        let (inside, begun, end) = (queue.clone(), started.clone(), finished.clone());
        get_running_loop()?.call_later(0.01, move || queue.get_nowait().map(drop))?;
        let task = create_task(async move {
            begun.set();
            inside.put(1).await?;
            inside.put(2).await?;
            end.set(true);
            Ok(())
        });
        started.wait().await?;
        assert!(!finished.get());
        task.await?;
        assert!(finished.get());
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueueGetTests::test_get_with_waiting_putters
#[test]
fn items_come_in_the_order_of_those_who_put_them() {
    run(async {
        let queue = Queue::new(1);
        drop([create_task(queue.put('a')), create_task(queue.put('b'))]);
        assert_eq!(queue.get().await?, 'a');
        assert_eq!(queue.get().await?, 'b');
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueueGetTests::test_why_are_getters_waiting
#[test]
fn a_producer_and_a_consumer_share_one_place() {
    run(async {
        let queue = Queue::new(1);
        task_group(async |group| {
            let (put, get) = (queue.clone(), queue.clone());
            group.create_task(async move {
                for item in 0..5 {
                    put.put(item).await?;
                }
                Ok(())
            });
            group.create_task(async move {
                for item in 0..5 {
                    assert_eq!(get.get().await?, item);
                }
                Ok(())
            });
            Ok(())
        })
        .await?;
        assert!(queue.empty());
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_why_are_putters_waiting
#[test]
fn each_get_makes_room_for_one_putter() {
    run(async {
        let queue = Queue::new(2);
        task_group(async |group| {
            let inside = queue.clone();
            group.create_task(async move {
                sleep(0).await?;
                for _ in 0..inside.qsize() {
                    inside.get_nowait()?;
                }
                Ok(())
            });
            for item in 0..4 {
                group.create_task(queue.put(item));
            }
            Ok(())
        })
        .await?;
        assert_eq!((queue.get_nowait()?, queue.get_nowait()?), (2, 3));
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_put_cancelled
#[test]
fn a_put_that_need_not_wait_is_done_before_the_get() {
    run(async {
        let queue = Queue::new(0);
        let task = create_task(queue.put(1));
        assert_eq!(queue.get().await?, 1);
        assert!(task.done());
        task.result()
    });
}

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_put_with_waiting_getters
#[test]
fn a_put_wakes_who_waits_for_an_item() {
    run(async {
        let queue = Queue::new(0);
        let task = create_task(queue.get());
        sleep(0).await?;
        queue.put('a').await?;
        assert_eq!(task.await?, 'a');
        Ok(())
    });
}
