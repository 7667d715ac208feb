//! Futures that are awaited: beyond CPython.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use hilos::concurrent::futures::{Awaiting, Future, FutureError, ThreadPoolExecutor};

use crate::future::{cancelled, failed, pending, successful};

/// Counts how often a task is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Polls once, as a task of its own.
fn poll<T>(awaiting: &mut Awaiting<T>, task: &Arc<Count>) -> Poll<Result<T, FutureError>> {
    let waker = Waker::from(task.clone());
    pin!(awaiting).poll(&mut Context::from_waker(&waker))
}

/// The smallest runtime: parks the thread until it is woken.
fn block_on<F: std::future::Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_task_awaits_what_a_pool_computes() {
    let executor = ThreadPoolExecutor::new(1).unwrap();
    let sum = block_on(async {
        let (a, b) = (executor.submit(|| 40)?, executor.submit(|| 2)?);
        Ok::<_, FutureError>((&a).await? + b.await?)
    });
    assert_eq!(sum.unwrap(), 42);
}

#[test]
fn awaiting_yields_what_result_returns() {
    let task = Arc::default();
    let ready = |future: Future<i32>| match poll(&mut future.into_future(), &task) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it is done"),
    };
    assert_eq!(ready(successful()).unwrap(), 42);
    assert!(ready(cancelled()).unwrap_err().is_cancelled());
    assert!(matches!(ready(failed()), Err(FutureError::Failed(_))));
    assert_eq!(task.get(), 0);
}

#[test]
fn a_task_is_woken_once_by_its_last_waker() {
    let future = pending();
    let mut awaiting = future.clone().into_future();
    let (first, last) = (Arc::default(), Arc::default());
    assert!(poll(&mut awaiting, &first).is_pending());
    assert!(poll(&mut awaiting, &last).is_pending());
    future.set_result(1).unwrap();
    assert_eq!((first.get(), last.get()), (0, 1));
    assert!(matches!(poll(&mut awaiting, &last), Poll::Ready(Ok(1))));
}

#[test]
fn every_task_is_woken() {
    let future = pending();
    let tasks = [Arc::<Count>::default(), Arc::default()];
    let mut awaiting = [(); 2].map(|()| future.clone().into_future());
    for (awaiting, task) in awaiting.iter_mut().zip(&tasks) {
        assert!(poll(awaiting, task).is_pending());
    }
    assert!(future.cancel());
    assert_eq!(tasks.map(|task| task.get()), [1, 1]);
}

#[test]
fn who_stops_awaiting_is_not_woken_and_cancels_nothing() {
    let future = pending();
    let (left, stays) = (Arc::<Count>::default(), Arc::default());
    let mut abandoned = future.clone().into_future();
    let mut awaiting = future.clone().into_future();
    assert!(poll(&mut abandoned, &left).is_pending());
    assert!(poll(&mut awaiting, &stays).is_pending());
    drop(abandoned);
    assert_eq!(Arc::strong_count(&left), 1, "its waker is dropped");
    assert!(!future.cancelled());
    future.set_result(1).unwrap();
    assert_eq!((left.get(), stays.get()), (0, 1));
}
