//! `test_queues.py`, but for what shuts a queue down.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{
    Event, LifoQueue, PriorityQueue, Queue, create_task, get_running_loop, sleep, task_group,
    wait_for,
};

use crate::support::{Log, fails, is_cancelled, run};

// cpython: test_asyncio/test_queues.py::QueueBasicTests::test_repr
// cpython: test_asyncio/test_queues.py::QueueBasicTests::test_str
// cpython: test_asyncio/test_queues.py::_QueueJoinTestMixin::test_format
#[test]
fn a_queue_shows_what_is_in_it_and_who_waits() {
    run(async {
        let queue = Queue::new(1);
        let both = |inside: &str, items: &str| {
            let repr = format!("{queue:?}");
            let (name, rest) = repr.split_once(" maxsize=1").unwrap();
            assert!(name.starts_with("<Queue at 0x"), "{name}");
            assert_eq!(rest, format!("{items}{inside}>"));
            assert_eq!(queue.to_string(), format!("<Queue maxsize=1{inside}>"));
        };
        both("", "");
        let getter = create_task(queue.get());
        sleep(0).await?;
        both(" _getters[1]", "");
        queue.put_nowait(0)?;
        assert_eq!(getter.await?, 0);

        queue.put_nowait(1)?;
        let putter = create_task(queue.put(2));
        sleep(0).await?;
        both(" _putters[1] tasks=2", " _queue=[1]");
        queue.get_nowait()?;
        putter.await?;
        both(" tasks=3", " _queue=[2]");
        Ok(())
    });
    let lifo: LifoQueue<u8> = LifoQueue::new(0);
    assert_eq!(lifo.to_string(), "<LifoQueue maxsize=0>");
    let priority: PriorityQueue<u8> = PriorityQueue::new(0);
    priority.put_nowait(2).unwrap();
    priority.put_nowait(1).unwrap();
    assert!(format!("{priority:?}").ends_with(" maxsize=0 _queue=[1, 2] tasks=2>"));
}

// cpython: test_asyncio/test_queues.py::QueueBasicTests::test_empty
// cpython: test_asyncio/test_queues.py::QueueBasicTests::test_full
// cpython: test_asyncio/test_queues.py::QueueGetTests::test_blocking_get
// cpython: test_asyncio/test_queues.py::QueuePutTests::test_blocking_put
#[test]
fn a_queue_is_empty_or_full() {
    run(async {
        let queue = Queue::new(0);
        assert!(queue.empty());
        assert!(!queue.full());
        queue.put(1).await?;
        assert!(!queue.empty());
        assert_eq!(queue.get().await?, 1);
        assert!(queue.empty());

        let queue = Queue::new(1);
        queue.put(1).await?;
        assert!(queue.full());
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueueBasicTests::test_order
// cpython: test_asyncio/test_queues.py::LifoQueueTests::test_order
// cpython: test_asyncio/test_queues.py::PriorityQueueTests::test_order
#[test]
fn each_kind_of_queue_has_its_order() {
    async fn through(queue: &Queue<i32>) -> hilos::asyncio::Result<[i32; 3]> {
        for item in [1, 3, 2] {
            queue.put(item).await?;
        }
        Ok([queue.get().await?, queue.get().await?, queue.get().await?])
    }
    run(async {
        assert_eq!(through(&Queue::new(0)).await?, [1, 3, 2]);
        assert_eq!(through(&LifoQueue::new(0)).await?, [2, 3, 1]);
        assert_eq!(through(&PriorityQueue::new(0)).await?, [1, 2, 3]);
        Ok(())
    });
}

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

// cpython: test_asyncio/test_queues.py::QueueGetTests::test_nonblocking_get
// cpython: test_asyncio/test_queues.py::QueueGetTests::test_nonblocking_get_exception
// cpython: test_asyncio/test_queues.py::QueuePutTests::test_nonblocking_put
// cpython: test_asyncio/test_queues.py::QueuePutTests::test_nonblocking_put_exception
#[test]
fn nowait_fails_where_others_wait() {
    let queue = Queue::new(1);
    fails(queue.get_nowait(), "QueueEmpty");
    queue.put_nowait(1).unwrap();
    fails(queue.put_nowait(2), "QueueFull");
    assert_eq!(queue.get_nowait().unwrap(), 1);
}

// cpython: test_asyncio/test_queues.py::QueueGetTests::test_get_cancelled_race
#[test]
fn an_item_passes_over_a_getter_that_was_cancelled() {
    run(async {
        let queue = Queue::new(0);
        let (t1, t2) = (create_task(queue.get()), create_task(queue.get()));
        sleep(0).await?;
        t1.cancel();
        sleep(0).await?;
        assert!(t1.done());
        queue.put('a').await?;
        sleep(0).await?;
        assert_eq!(t2.await?, 'a');
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

// cpython: test_asyncio/test_queues.py::QueueGetTests::test_cancelled_getters_not_being_held_in_self_getters
// cpython: test_asyncio/test_queues.py::QueuePutTests::test_cancelled_puts_not_being_held_in_self_putters
#[test]
fn who_is_cancelled_leaves_the_line() {
    run(async {
        let queue = Queue::new(1);
        fails(wait_for(queue.get(), 0.1).await, "TimeoutError");
        assert_eq!(queue.to_string(), "<Queue maxsize=1>");
        queue.put_nowait(1)?;
        let putter = create_task(queue.put(1));
        sleep(0).await?;
        assert_eq!(queue.to_string(), "<Queue maxsize=1 _putters[1] tasks=1>");
        putter.cancel();
        is_cancelled(putter.await);
        assert_eq!(queue.to_string(), "<Queue maxsize=1 tasks=1>");
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_get_cancel_drop_one_pending_reader
#[test]
fn the_item_of_a_reader_that_is_cancelled_is_not_lost() {
    run(async {
        let queue = Queue::new(0);
        let reader = create_task(queue.get());
        sleep(0).await?;
        queue.put_nowait(1)?;
        queue.put_nowait(2)?;
        reader.cancel();
        is_cancelled(reader.await);
        assert_eq!(create_task(queue.get()).await?, 1);
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_get_cancel_drop_many_pending_readers
#[test]
fn it_goes_to_another_reader() {
    run(async {
        let queue = Queue::new(0);
        let (reader2, reader3) = task_group(async |group| {
            let reader1 = group.create_task(queue.get());
            let reader2 = group.create_task(queue.get());
            let reader3 = group.create_task(queue.get());
            sleep(0).await?;
            queue.put_nowait(1)?;
            queue.put_nowait(2)?;
            reader1.cancel();
            is_cancelled(reader1.await);
            (&reader3).await?;
            Ok((reader2, reader3))
        })
        .await?;
        let mut items = [reader2.result()?, reader3.result()?];
        items.sort();
        assert_eq!(items, [1, 2]);
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_put_cancel_drop
#[test]
fn a_writer_that_is_cancelled_puts_nothing() {
    run(async {
        let queue = Queue::new(1);
        queue.put_nowait(1)?;
        let writer = create_task(queue.put(2));
        sleep(0).await?;
        assert_eq!(queue.get_nowait()?, 1);
        writer.cancel();
        is_cancelled(writer.await);
        assert_eq!(queue.qsize(), 0);
        create_task(queue.put(2)).await?;
        assert_eq!(queue.get_nowait()?, 2);
        assert_eq!(queue.qsize(), 0);
        Ok(())
    });
}

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_cancelled_put_silence_value_error_exception
#[test]
fn a_writer_that_has_left_the_line_can_be_cancelled() {
    run(async {
        let queue = Queue::new(1);
        queue.put_nowait(1)?;
        let writer = create_task(queue.put(1));
        sleep(0).await?;
        queue.get_nowait()?;
        writer.cancel();
        is_cancelled(writer.await);
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

// cpython: test_asyncio/test_queues.py::QueuePutTests::test_put_cancelled_race
#[test]
fn the_room_passes_over_a_putter_that_was_cancelled() {
    run(async {
        let queue = Queue::new(1);
        let [a, b, c] = ['a', 'b', 'X'].map(|item| create_task(queue.put(item)));
        sleep(0).await?;
        assert!(a.done());
        assert!(!b.done());
        c.cancel();
        sleep(0).await?;
        assert!(c.done());
        assert_eq!(queue.get_nowait()?, 'a');
        sleep(0).await?;
        assert_eq!(queue.get_nowait()?, 'b');
        b.await
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

// cpython: test_asyncio/test_queues.py::_QueueJoinTestMixin::test_task_done_underflow
// cpython: test_asyncio/test_queues.py::_QueueJoinTestMixin::test_task_done
// cpython: test_asyncio/test_queues.py::_QueueJoinTestMixin::test_join_empty_queue
#[test]
fn join_waits_until_every_item_is_done_with() {
    fn check(queue: Queue<u32>) {
        let message = fails(queue.task_done(), "ValueError");
        assert_eq!(message, "task_done() called too many times");
        run(async move {
            queue.join().await?;
            queue.join().await?;
            for item in 0..100 {
                queue.put_nowait(item)?;
            }
            let (sum, running) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(true)));
            task_group(async |group| {
                for _ in 0..2 {
                    let (queue, sum, running) = (queue.clone(), sum.clone(), running.clone());
                    group.create_task(async move {
                        while running.get() {
                            let item = queue.get().await?;
                            sum.update(|sum| sum + item);
                            queue.task_done()?;
                        }
                        Ok(())
                    });
                }
                queue.join().await?;
                assert_eq!(sum.get(), (0..100).sum());
                running.set(false);
                queue.put_nowait(0)?;
                queue.put_nowait(0)
            })
            .await
        });
    }
    check(Queue::new(0));
    check(Queue::clone(&LifoQueue::new(0)));
    check(Queue::clone(&PriorityQueue::new(0)));
}
