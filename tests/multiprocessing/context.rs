//! `get_context`, `set_forkserver_preload`, `capture!`.

use std::sync::atomic::{AtomicU32, Ordering};

use hilos::multiprocessing::{
    Error, OnError, Pool, Process, Queue, StartMethod, capture, freeze_support, get_context,
    get_start_method, set_forkserver_preload, set_start_method,
};

use crate::support::{LONG, each_start_method, run_to_end, with_one_thread};

#[test]
fn a_context_starts_processes_in_its_way() {
    for method in [StartMethod::ForkServer, StartMethod::Spawn] {
        let ctx = get_context(method);
        assert_eq!(ctx.get_start_method(), method);
        let queue = ctx.queue(0).unwrap();
        let child = |queue: Queue<StartMethod>| queue.put(&get_start_method()).unwrap();
        assert_eq!(run_to_end(&ctx.process(child, (queue.clone(),))), Some(0));
        assert_eq!(queue.get_nowait().unwrap(), method);
        let error = ctx.set_start_method(StartMethod::Fork, true).unwrap_err();
        assert!(matches!(error, Error::Value(_)));
        assert_eq!(
            error.to_string(),
            "cannot set start method of concrete context"
        );
        let pool = ctx.pool().processes(1).build().unwrap();
        assert_eq!(pool.apply(get_start_method, ()), Ok(method));
    }
}

// cpython: _test_multiprocessing.py::TestStartMethod::test_spawn_dont_set_context
#[test]
fn a_context_does_not_change_the_program_s_own() {
    fn test() {
        let own = get_context(None);
        let spawn = own.get_context(StartMethod::Spawn);
        assert_eq!(run_to_end(&spawn.process(|| (), ())), Some(0));
        assert_eq!(own.get_start_method(), StartMethod::ForkServer);
        own.set_start_method(StartMethod::Spawn, true).unwrap();
        assert_eq!(get_start_method(), StartMethod::Spawn);
        assert_eq!(own.get_start_method(), StartMethod::Spawn);
        assert!(matches!(
            set_start_method(StartMethod::Fork, false),
            Err(Error::Runtime(_))
        ));
        freeze_support();
        own.freeze_support();
    }
    with_one_thread(Process::new(test, ()));
}

#[test]
fn what_a_context_makes_works_in_any_other() {
    let ctx = get_context(StartMethod::Spawn);
    let (lock, value, event) = (
        ctx.lock().unwrap(),
        ctx.value(1).unwrap(),
        ctx.event().unwrap(),
    );
    let child = |lock: hilos::multiprocessing::Lock,
                 value: hilos::multiprocessing::Value<i32>,
                 event: hilos::multiprocessing::Event| {
        lock.with(|| value.set(2).unwrap()).unwrap();
        event.set();
    };
    let other = get_context(StartMethod::ForkServer);
    let process = other.process(child, (lock, value.clone(), event.clone()));
    assert_eq!(run_to_end(&process), Some(0));
    assert!(event.is_set());
    assert_eq!(value.get().unwrap(), 2);
    assert_eq!(ctx.array([1, 2]).unwrap().to_vec().unwrap(), [1, 2]);
    assert_eq!(ctx.raw_array([3]).unwrap().to_vec(), [3]);
    assert_eq!(ctx.raw_value(4).unwrap().get(), 4);
    assert_eq!(ctx.semaphore(5).unwrap().get_value(), 5);
    assert_eq!(ctx.bounded_semaphore(6).unwrap().get_value(), 6);
    assert_eq!(ctx.barrier(7).unwrap().parties(), 7);
    assert!(ctx.simple_queue::<i32>().unwrap().empty().unwrap());
    assert!(ctx.joinable_queue::<i32>(1).unwrap().empty());
    assert!(!ctx.rlock().unwrap().locked());
    assert!(ctx.condition().unwrap().notify_all().is_err());
    assert!(ctx.pipe(true).is_ok() && ctx.cpu_count() > 0);
    assert_eq!(ctx.current_process().name(), "MainProcess");
    assert!(ctx.parent_process().is_none());
}

static PREPARED: AtomicU32 = AtomicU32::new(0);

fn prepared() -> u32 {
    PREPARED.load(Ordering::Relaxed)
}

// cpython: _test_multiprocessing.py::TestStartMethod::test_preload_resources
#[test]
fn a_fork_server_prepares_what_its_processes_find() {
    // In a process whose fork server is not started yet.
    fn test() {
        set_forkserver_preload(|| PREPARED.store(7, Ordering::Relaxed), OnError::Fail).unwrap();
        let pool = Pool::new(2).unwrap();
        assert_eq!(pool.map(|_: u8| prepared(), 0..8).unwrap(), [7; 8]);
        let spawned = get_context(StartMethod::Spawn)
            .pool()
            .processes(1)
            .build()
            .unwrap();
        assert_eq!(spawned.apply(prepared, ()), Ok(0));
        assert_eq!(prepared(), 0, "not in this process");
    }
    with_one_thread(Process::new(test, ()));
}

#[test]
fn a_preload_that_fails() {
    fn test() {
        let fail = || -> Result<(), String> { Err("no table".into()) };
        set_forkserver_preload(fail, OnError::Fail).unwrap();
        assert!(matches!(Process::new(|| (), ()).start(), Err(Error::Os(_))));
        set_forkserver_preload(fail, OnError::Warn).unwrap();
        assert_eq!(run_to_end(&Process::new(|| (), ())), Some(0));
    }
    with_one_thread(Process::new(test, ()));
}

#[test]
fn a_preload_must_not_leave_a_thread() {
    fn test() {
        let leave = || {
            std::thread::spawn(|| {
                loop {
                    std::thread::park();
                }
            });
        };
        set_forkserver_preload(leave, OnError::Ignore).unwrap();
        assert!(Process::new(|| (), ()).start().is_err());
    }
    with_one_thread(Process::new(test, ()));
}

each_start_method! {
    fn captured_values_travel(method: StartMethod) {
        let (queue, text, number) = (Queue::new(0).unwrap(), "ab".to_string(), 3);
        let theirs = queue.clone();
        let (context, f) = capture!([theirs, text, number] || {
            theirs.put(&text.repeat(*number)).unwrap();
        });
        let process = Process::with_context(context, f).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        assert_eq!(queue.get_timeout(LONG).unwrap(), "ababab");
    }
}

#[test]
fn captured_values_and_an_argument() {
    let (factor, names) = (10, vec!["a".to_string(), "b".to_string()]);
    let (context, f) = capture!([factor, names] |i: usize| format!("{}{}", names[i], factor * i));
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.map_with(context, f, [1, 0]).unwrap(), ["b10", "a0"]);
}

#[test]
fn a_captured_call_fails_as_others_do() {
    let text = "seven".to_string();
    let (context, f) = capture!([text] || text.parse::<i32>().map(drop));
    let process = Process::with_context(context, f);
    assert_eq!(run_to_end(&process), Some(1));
}
