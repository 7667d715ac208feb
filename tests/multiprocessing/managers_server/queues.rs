//! Queues of other orders than that of coming, and proxies that wait in queues.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hilos::multiprocessing::managers::{QueueProxy, Ranked};
use hilos::pickle::Object;
use hilos::queue::{LifoQueue, PriorityQueue};

use super::Serving;
use super::references::with_counted;

#[test]
fn a_priority_queue_of_this_process() {
    let jobs = Arc::new(PriorityQueue::new(0));
    let shared = jobs.clone();
    let serving = Serving::start(move |server| {
        server.register("get_jobs", move |_| Ok(shared.clone()));
    });
    for job in [(3, "c"), (1, "a"), (2, "b")] {
        jobs.put(Ranked::new(job)).unwrap();
    }
    let output = serving.python(
        "
Manager.register('get_jobs')
jobs = m.get_jobs()
print(jobs.get(), jobs.qsize())
jobs.put((0.5, None))
print([jobs.get() for _ in range(3)], jobs.empty())
for own in [jobs, queue.PriorityQueue()]:
    own.put('text')
    try:
        own.put(1)
    except TypeError as error:
        print(error, own.qsize())
",
    );
    if let Some(output) = output {
        let refused = "'<' not supported between instances of 'int' and 'str' 2\n";
        let expected = "(1, 'a') 2\n[(0.5, None), (2, 'b'), (3, 'c')] True\n";
        assert_eq!(output, format!("{expected}{refused}{refused}"));
        assert_eq!(jobs.qsize(), 2);
    }
}

#[test]
fn a_client_of_this_process_has_an_unorderable_item_refused() {
    let serving = Serving::start(|server| {
        server.register("Jobs", |_| Ok(Arc::new(PriorityQueue::<Ranked>::new(0))));
    });
    let client = serving.client();
    let jobs = QueueProxy::<Object>::from(client.create("Jobs", ()).unwrap());
    jobs.put(2).unwrap();
    let error = jobs.put("text").unwrap_err();
    let text = "'<' not supported between instances of 'str' and 'int'";
    assert!(error.to_string().contains(text), "{error:?}");
    // Whatever it has left behind, the queue goes on.
    jobs.get().ok();
    assert!(jobs.qsize().is_ok());
}

#[test]
fn a_stack_of_this_process() {
    let stack = Arc::new(LifoQueue::new(2));
    let shared = stack.clone();
    let serving = Serving::start(move |server| {
        server.register("get_stack", move |_| Ok(shared.clone()));
    });
    stack.put(Object::from(1)).unwrap();
    let output = serving.python(
        "
Manager.register('get_stack')
stack = m.get_stack()
stack.put(2)
print(stack.full(), 'queue.LifoQueue' in str(stack))
try:
    stack.put(3, timeout=0.01)
except queue.Full:
    print('full')
print(stack.get(), stack.get())
try:
    stack.get_nowait()
except queue.Empty:
    print('empty')
stack.put('for Rust')
",
    );
    if let Some(output) = output {
        assert_eq!(output, "True True\nfull\n2 1\nempty\n");
        assert_eq!(stack.get().unwrap(), Object::from("for Rust"));
    }
}

#[test]
fn proxies_that_wait_in_a_queue() {
    let (serving, alive) = with_counted();
    let output = serving.python(
        "
Manager.register('Counted')
q = m.Queue()
for round in range(4):
    for number in range(200):
        q.put([m.Counted()])
    for number in range(200):
        q.get()[0].itself()
print(q.qsize())
",
    );
    if let Some(output) = output {
        assert_eq!(output, "0\n");
        // Not at once, but so that they do not become ever more.
        assert!(alive.load(Ordering::SeqCst) < 700, "{alive:?}");
    }
}

#[test]
fn proxies_that_go_through_a_queue_are_freed() {
    let (serving, alive) = with_counted();
    let output = serving.python(
        "
Manager.register('Counted')
q = m.Queue(1)
for number in range(300):
    q.put(m.Counted())
    q.get().itself()
print(q.qsize())
",
    );
    if let Some(output) = output {
        assert_eq!(output, "0\n");
        assert!(alive.load(Ordering::SeqCst) < 200, "{alive:?}");
    }
}
