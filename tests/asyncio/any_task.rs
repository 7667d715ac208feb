//! Tasks whose results' types nobody knows.

use std::cell::RefCell;
use std::rc::Rc;

use hilos::asyncio::{
    self, ALL_COMPLETED, AnyTask, all_tasks, create_task, current_task, sleep, wait, wait_for,
};

use crate::support::{Log, fails, is_cancelled, raise, run};

#[test]
fn they_can_be_awaited() {
    run(async {
        let works = create_task(async { Ok(4) }).any();
        let fails_ = create_task(async { raise::<i32>("ValueError", "no") }).any();
        let waits = create_task(sleep(3600)).any();
        (&works).await?;
        works.await?;
        assert_eq!(fails((&fails_).await, "ValueError"), "no");
        assert_eq!(fails(fails_.await, "ValueError"), "no");
        waits.cancel_with("enough");
        is_cancelled(waits.await);
        Ok(())
    });
}

#[test]
fn who_awaits_one_is_woken_as_soon_as_who_awaits_the_task() {
    run(async {
        let log = Log::new();
        let task = create_task(sleep(0));
        let (one, other, anys) = (log.clone(), log.clone(), task.any());
        let first = create_task(async move { anys.await.map(|()| one.push("any")) });
        let second = create_task({
            let task = task.clone();
            async move { (&task).await.map(|()| other.push("task")) }
        });
        asyncio::gather!(first, second).await?;
        assert_eq!(log.take(), ["any", "task"]);
        Ok(())
    });
}

#[test]
fn cancelling_who_awaits_one_cancels_it() {
    run(async {
        let inner = create_task(sleep(3600));
        let any = inner.any();
        fails(wait_for(&any, 0.01).await, "TimeoutError");
        assert!(inner.cancelled());
        Ok(())
    });
}

#[test]
fn all_others_can_be_cancelled_and_awaited() {
    run(async {
        let tasks = [create_task(sleep(3600)), create_task(sleep(3600))];
        sleep(0).await?;
        let myself = current_task().expect("it runs");
        let others: Vec<AnyTask> = all_tasks().into_iter().filter(|it| *it != myself).collect();
        assert_eq!(others.len(), 2);
        others.iter().for_each(|task| drop(task.cancel()));
        wait(&others, None, ALL_COMPLETED).await?;
        assert!(tasks.iter().all(|task| task.cancelled()));
        Ok(())
    });
}

#[test]
fn they_call_back_when_they_are_done() {
    run(async {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let task = create_task(async { Ok(()) }).with_name("seen").any();
        let (kept, gone) = (seen.clone(), seen.clone());
        task.add_done_callback(move |task| kept.borrow_mut().push(task.get_name()));
        let id = task.add_done_callback(move |_| gone.borrow_mut().push("gone".to_owned()));
        assert_eq!(task.remove_done_callback(id), 1);
        assert_eq!(task.remove_done_callback(id), 0);
        task.await?;
        sleep(0).await?;
        assert_eq!(*seen.borrow(), ["seen"]);
        Ok(())
    });
}
