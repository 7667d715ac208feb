//! Those who wait may be cancelled, and nothing is lost with them.

use hilos::asyncio::{Queue, create_task, sleep, task_group, wait_for};

use crate::support::{fails, is_cancelled, run};

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
