//! Objects that belong to the loop of the first task that had to wait for them.

use hilos::asyncio::{Queue, create_task, sleep};

use crate::support::{fails, run};

#[test]
fn a_queue_refuses_who_waits_in_another_loop() {
    let (empty, full) = (Queue::<i32>::new(0), Queue::new(1));
    let queues = (empty.clone(), full.clone());
    run(async move {
        let (empty, full) = queues;
        full.put(1).await?;
        let waiting = [create_task(full.put(2)), create_task(full.put(3))];
        let getting = create_task(empty.get());
        sleep(0).await?;
        waiting.iter().for_each(|task| drop(task.cancel()));
        getting.cancel();
        Ok(())
    });
    run(async move {
        let message = fails(empty.get().await, "RuntimeError");
        assert!(message.starts_with("<Queue at 0x"), "{message}");
        assert!(
            message.ends_with(" maxsize=0> is bound to a different event loop"),
            "{message}"
        );
        let message = fails(full.put(2).await, "RuntimeError");
        assert!(
            message.ends_with(" tasks=1> is bound to a different event loop"),
            "{message}"
        );
        // Who need not wait may be of any loop.
        empty.put(4).await?;
        assert_eq!((empty.get().await?, full.get().await?), (4, 1));
        Ok(())
    });
}
