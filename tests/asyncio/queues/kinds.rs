//! What a queue shows, and the order of each kind.

use std::cell::Cell;
use std::rc::Rc;

use hilos::asyncio::{LifoQueue, PriorityQueue, Queue, create_task, sleep, task_group};

use crate::support::{fails, run};

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
