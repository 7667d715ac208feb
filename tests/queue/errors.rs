//! What is refused, and how it reads.

use std::error::Error;
use std::time::Duration;

use hilos::queue::{
    Empty, Full, GetError, InvalidTimeout, LifoQueue, PriorityQueue, PutError, Queue, ShutDown,
    SimpleQueue, ValueError,
};

use super::support::LONG;

const BAD: [(f64, InvalidTimeout); 5] = [
    (-1.0, InvalidTimeout::Negative),
    (f64::NEG_INFINITY, InvalidTimeout::Negative),
    (f64::NAN, InvalidTimeout::NotANumber),
    (1e10, InvalidTimeout::TooLarge),
    (f64::INFINITY, InvalidTimeout::TooLarge),
];

#[test]
fn a_bad_timeout_changes_nothing() {
    let q = Queue::new(2);
    q.put("first").unwrap();
    for (seconds, why) in BAD {
        let refused = q.put_timeout("item", seconds);
        assert_eq!(refused, Err(PutError::Timeout("item", why)));
        assert_eq!(refused.unwrap_err().into_item(), "item");
        assert_eq!(q.get_timeout(seconds), Err(GetError::Timeout(why)));
    }
    assert_eq!(q.qsize(), 1);
    assert_eq!(q.get_nowait(), Ok("first"));
    q.task_done().unwrap();
    assert_eq!(q.task_done(), Err(ValueError));
}

#[test]
fn a_bad_timeout_is_refused_by_a_simple_queue() {
    let q = SimpleQueue::new();
    q.put("first");
    for (seconds, why) in BAD {
        assert_eq!(q.get_timeout(seconds), Err(GetError::Timeout(why)));
    }
    assert_eq!(q.qsize(), 1);
    assert_eq!(q.get_nowait(), Ok("first"));
}

#[test]
fn timeouts_come_in_every_type() {
    let q = Queue::new(1);
    q.put_timeout(1, None).unwrap();
    assert_eq!(q.put_timeout(2, 0), Err(Full(2)));
    assert_eq!(q.put_timeout(2, Duration::from_millis(1)), Err(Full(2)));
    assert_eq!(q.get_timeout(Duration::MAX), Ok(1));
    assert_eq!(q.get_timeout(0), Err(Empty));
    assert_eq!(q.get_timeout(0.001), Err(Empty));
    assert_eq!(SimpleQueue::<i32>::new().get_timeout(0), Err(Empty));
}

#[test]
fn a_refused_item_comes_back() {
    let q = Queue::new(1);
    q.put(Box::new(1)).unwrap();
    assert_eq!(*q.put_nowait(Box::new(2)).unwrap_err().into_item(), 2);
    assert_eq!(
        *q.put_timeout(Box::new(3), 0.001).unwrap_err().into_item(),
        3
    );
    q.shutdown(false);
    assert_eq!(*q.put(Box::new(4)).unwrap_err().into_item(), 4);
    assert_eq!(
        *q.put_timeout(Box::new(5), LONG).unwrap_err().into_item(),
        5
    );
}

#[test]
fn task_done_is_refused_as_often_as_it_is_too_much() {
    let q = Queue::new(0);
    q.put(1).unwrap();
    // It counts what was put, got or not.
    q.task_done().unwrap();
    for _ in 0..2 {
        assert_eq!(q.task_done(), Err(ValueError));
    }
    q.put(2).unwrap();
    q.task_done().unwrap();
    q.join();
}

fn texts<E: Error>(error: E) -> [String; 2] {
    [format!("{error}"), format!("{error:?}")]
}

#[test]
fn errors_read_as_pythons() {
    assert_eq!(
        texts(Queue::<i32>::new(0).get_nowait().unwrap_err()),
        ["the queue is empty", "Empty: the queue is empty"]
    );
    assert_eq!(
        texts(Full(1)),
        ["the queue is full", "Full: the queue is full"]
    );
    let shut_down = ["the queue is shut down", "ShutDown: the queue is shut down"];
    assert_eq!(texts(ShutDown), shut_down);
    assert_eq!(texts(PutError::ShutDown(1)), shut_down);
    assert_eq!(
        texts(ValueError),
        [
            "task_done() called too many times",
            "ValueError: task_done() called too many times"
        ]
    );
}

#[test]
fn bad_timeouts_read_as_pythons() {
    let cases = [
        (
            -1.0,
            "ValueError",
            "'timeout' must be a non-negative number",
        ),
        (f64::NAN, "ValueError", "Invalid value NaN (not a number)"),
        (
            1e10,
            "OverflowError",
            "timestamp out of range for platform time_t",
        ),
    ];
    for (seconds, name, message) in cases {
        let expected = [message.to_owned(), format!("{name}: {message}")];
        let q = Queue::new(0);
        assert_eq!(texts(q.put_timeout(1, seconds).unwrap_err()), expected);
        assert_eq!(texts(q.get_timeout(seconds).unwrap_err()), expected);
        let simple = SimpleQueue::<i32>::new();
        assert_eq!(texts(simple.get_timeout(seconds).unwrap_err()), expected);
    }
}

#[test]
fn a_main_that_fails_says_why() {
    fn main() -> Result<(), Box<dyn Error>> {
        Queue::<i32>::new(0).get_nowait()?;
        Ok(())
    }
    let error = main().unwrap_err();
    assert_eq!(
        format!("Error: {error:?}"),
        "Error: Empty: the queue is empty"
    );
}

#[test]
fn a_queue_shows_its_state() {
    let q = Queue::new(3);
    q.put(1).unwrap();
    q.put(2).unwrap();
    q.get().unwrap();
    q.shutdown(false);
    assert_eq!(
        format!("{q:?}"),
        "Queue { qsize: 1, maxsize: 3, unfinished_tasks: 2, is_shutdown: true }"
    );
    let simple = SimpleQueue::new();
    simple.put(1);
    assert_eq!(format!("{simple:?}"), "SimpleQueue { qsize: 1 }");
}

#[test]
fn a_queue_may_be_written_into_itself() {
    use std::fmt::Write;

    /// Puts what is written into a queue, as a log handler may.
    struct Log(Queue<String>);

    impl Write for Log {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.put(text.to_owned()).map_err(|_| std::fmt::Error)
        }
    }

    let q = Queue::new(0);
    write!(Log(q.clone()), "{q:?}").unwrap();
    let text = q.try_iter().collect::<String>();
    assert!(text.starts_with("Queue { qsize: 0,"));
}

#[test]
fn the_default_queue_has_no_bound() {
    fn check<S: hilos::queue::Storage<i32>>(q: hilos::queue::BaseQueue<i32, S>) {
        assert_eq!(q.maxsize(), 0);
        for i in 0..1000 {
            q.put_nowait(i).unwrap();
        }
        assert!(!q.full());
    }
    check(Queue::default());
    check(LifoQueue::default());
    check(PriorityQueue::default());
}
