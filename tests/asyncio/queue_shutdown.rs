//! What `test_queues.py` says of queues that are shut down.

use hilos::asyncio::{LifoQueue, PriorityQueue, Queue, create_task, sleep};

use crate::support::{fails, run};

/// Calls a check with a queue of each kind, of this `maxsize`.
macro_rules! each_kind {
    ($check:expr, $maxsize:expr) => {
        $check(Queue::new($maxsize));
        $check(Queue::clone(&LifoQueue::new($maxsize)));
        $check(Queue::clone(&PriorityQueue::new($maxsize)));
    };
}

/// Nothing can be put any more, and there is nothing to get.
async fn is_over(queue: &Queue<&'static str>) {
    fails(queue.put("data").await, "QueueShutDown");
    fails(queue.put_nowait("data"), "QueueShutDown");
    fails(queue.get().await, "QueueShutDown");
    fails(queue.get_nowait(), "QueueShutDown");
}

// cpython: test_asyncio/test_queues.py::_QueueShutdownTestMixin::test_format
#[test]
fn a_queue_shows_that_it_is_shut_down() {
    fn check(queue: Queue<&'static str>) {
        queue.shutdown(false);
        assert!(queue.to_string().ends_with("Queue maxsize=0 shutdown>"));
    }
    each_kind!(check, 0);
}

// cpython: test_asyncio/test_queues.py::_QueueShutdownTestMixin::test_shutdown_empty
#[test]
fn who_waits_for_an_item_is_told() {
    fn check(queue: Queue<&'static str>) {
        run(async move {
            let get = create_task(queue.get());
            sleep(0).await?;
            queue.shutdown(false);
            assert_eq!(queue.qsize(), 0);
            queue.join().await?;
            sleep(0).await?;
            assert!(get.done());
            fails(get.await, "QueueShutDown");
            is_over(&queue).await;
            Ok(())
        });
    }
    each_kind!(check, 0);
}

// cpython: test_asyncio/test_queues.py::_QueueShutdownTestMixin::test_shutdown_nonempty
#[test]
fn what_is_there_can_still_be_got() {
    fn check(queue: Queue<&'static str>) {
        run(async move {
            queue.put_nowait("data")?;
            let join = create_task(queue.join());
            let put = create_task(queue.put("data2"));
            sleep(0).await?;
            assert!(!put.done());

            queue.shutdown(false);
            assert_eq!(queue.qsize(), 1);
            sleep(0).await?;
            assert!(put.done());
            fails(put.await, "QueueShutDown");

            assert_eq!(queue.get().await?, "data");
            sleep(0).await?;
            assert!(!join.done());
            is_over(&queue).await;

            queue.task_done()?;
            sleep(0).await?;
            assert!(join.done());
            join.await?;
            fails(queue.task_done(), "ValueError");
            Ok(())
        });
    }
    each_kind!(check, 1);
}

// cpython: test_asyncio/test_queues.py::_QueueShutdownTestMixin::test_shutdown_immediate
#[test]
fn an_immediate_end_empties_the_queue() {
    fn check(queue: Queue<&'static str>) {
        run(async move {
            queue.put_nowait("data")?;
            let join = create_task(queue.join());
            queue.shutdown(true);
            assert_eq!(queue.qsize(), 0);
            sleep(0).await?;
            assert!(join.done());
            join.await?;
            is_over(&queue).await;
            fails(queue.task_done(), "ValueError");
            Ok(())
        });
    }
    each_kind!(check, 0);
}

// cpython: test_asyncio/test_queues.py::_QueueShutdownTestMixin::test_shutdown_immediate_with_unfinished
#[test]
fn it_still_waits_for_what_was_got_before() {
    fn check(queue: Queue<&'static str>) {
        run(async move {
            queue.put_nowait("data")?;
            queue.put_nowait("data")?;
            let join = create_task(queue.join());
            assert_eq!(queue.get().await?, "data");
            queue.shutdown(true);
            assert_eq!(queue.qsize(), 0);
            sleep(0).await?;
            assert!(!join.done());
            is_over(&queue).await;

            queue.task_done()?;
            fails(queue.task_done(), "ValueError");
            sleep(0).await?;
            assert!(join.done());
            join.await
        });
    }
    each_kind!(check, 0);
}
