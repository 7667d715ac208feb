//! `test_free_threading.py`: loops in several threads at once.

use std::collections::HashSet;
use std::thread;

use hilos::asyncio::{
    AnyTask, Result, Runner, TaskOptions, all_tasks, current_task, eager_task_factory,
    get_running_loop, task_group,
};

async fn main() -> Result<()> {
    let event_loop = get_running_loop()?;
    let future = event_loop.create_future();
    task_group(async |group| {
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let future = future.clone();
                group.create_task(async move { (&future).await })
            })
            .collect();
        let all = all_tasks();
        assert_eq!(all.len(), 101);
        for task in &all {
            assert!(task.get_loop().is(&event_loop));
            assert!(!task.done());
        }
        let current = current_task().unwrap();
        assert!(current.get_loop().is(&event_loop));
        let mut expected: HashSet<_> = tasks.iter().map(AnyTask::from).collect();
        expected.insert(current);
        assert_eq!(all.into_iter().collect::<HashSet<_>>(), expected);
        future.set_result(())
    })
    .await
}

// cpython: test_asyncio/test_free_threading.py::TestFreeThreading::test_all_tasks_race
#[test]
fn each_thread_sees_the_tasks_of_its_loop() {
    for factory in [eager_task_factory, |options: TaskOptions| options] {
        let runner = move || {
            let mut runner = Runner::new();
            runner.get_loop().unwrap().set_task_factory(factory);
            runner.run(main()).unwrap();
            runner.close().unwrap();
        };
        let threads: Vec<_> = (0..10).map(|_| thread::spawn(runner)).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
