//! `loop.add_reader` and `loop.add_writer`.

use std::cell::Cell;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use hilos::asyncio::{self, EventLoop, create_task, get_running_loop, new_event_loop, sleep};
use hilos::contextvars::ContextVar;

use crate::support::{Log, fails, run_briefly};

fn pair() -> (Rc<UnixStream>, Rc<UnixStream>) {
    let (one, two) = UnixStream::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    two.set_nonblocking(true).unwrap();
    (Rc::new(one), Rc::new(two))
}

/// Runs the loop until `done` says so.
fn run_until(event_loop: &EventLoop, done: impl Fn() -> bool + 'static) {
    let until = async move {
        while !done() {
            sleep(0.001).await?;
        }
        Ok(())
    };
    event_loop.run_until_complete(until).unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_reader_callback
#[test]
fn what_comes_is_read() {
    let event_loop = new_event_loop();
    let (r, w) = pair();
    let (count, text, removed) = (Rc::new(Cell::new(0)), Log::new(), Log::new());
    let reader = {
        let (counted, text, removed) = (count.clone(), text.clone(), removed.clone());
        let (event_loop, r) = (event_loop.clone(), r.clone());
        move || -> asyncio::Result<()> {
            let mut bytes = [0; 1024];
            match (&*r).read(&mut bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(0) => removed.push(event_loop.remove_reader(&r)),
                read => {
                    let read = read?;
                    counted.set(counted.get() + read);
                    text.push(String::from_utf8_lossy(&bytes[..read]).into_owned());
                }
            }
            Ok(())
        }
    };
    event_loop.add_reader(&r, reader).unwrap();
    for (sent, total) in [("abc", 3), ("def", 6)] {
        let (w, count) = (w.clone(), count.clone());
        event_loop
            .call_soon(move || (&*w).write_all(sent.as_bytes()))
            .unwrap();
        run_until(&event_loop, move || count.get() >= total);
    }
    drop(w);
    run_briefly(&event_loop);
    assert_eq!(text.take().concat(), "abcdef");
    assert_eq!(removed.take(), [true]);
    assert!(!event_loop.remove_reader(&r));
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_writer_callback
#[test]
fn what_can_be_written_is() {
    let event_loop = new_event_loop();
    let (r, w) = pair();
    let (writer, stop) = (w.clone(), event_loop.clone());
    let callback = move || {
        stop.stop();
        (&*writer).write_all(&[b'x'; 1024])
    };
    event_loop.add_writer(&w, callback).unwrap();
    event_loop.run_forever().unwrap();
    assert!(event_loop.remove_writer(&w));
    assert!(!event_loop.remove_writer(&w));
    let mut bytes = [0; 2048];
    assert_eq!((&*r).read(&mut bytes).unwrap(), 1024);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_remove_fds_after_closing
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_add_fds_after_closing
#[test]
fn a_closed_loop_watches_nothing() {
    let event_loop = new_event_loop();
    let (r, w) = pair();
    event_loop.add_reader(&r, || ()).unwrap();
    event_loop.add_writer(&w, || ()).unwrap();
    event_loop.close().unwrap();
    assert!(!event_loop.remove_reader(&r));
    assert!(!event_loop.remove_writer(&w));
    fails(event_loop.add_reader(&r, || ()), "RuntimeError");
    fails(event_loop.add_writer(&w, || ()), "RuntimeError");
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopTests::test_single_selecter_event_callback_after_stopping
#[test]
fn a_stopped_loop_calls_nothing_twice() {
    let event_loop = new_event_loop();
    let (r, w) = pair();
    (&*w).write_all(b"x").unwrap();
    let calls = Rc::new(Cell::new(0));
    let (called, clearing, reader) = (calls.clone(), event_loop.clone(), r.clone());
    event_loop
        .add_reader(&r, move || {
            called.set(called.get() + 1);
            let (event_loop, reader) = (clearing.clone(), reader.clone());
            clearing
                .call_soon(move || drop(event_loop.remove_reader(&reader)))
                .map(drop)
        })
        .unwrap();
    for _ in 0..2 {
        event_loop.stop();
        event_loop.run_forever().unwrap();
        assert_eq!(calls.get(), 1);
        let stop = event_loop.clone();
        event_loop.call_soon(move || stop.stop()).unwrap();
    }
    event_loop.close().unwrap();
}

#[test]
fn the_system_may_refuse() {
    let event_loop = new_event_loop();
    let file = File::open("/proc/self/exe").unwrap();
    let refused = event_loop.add_reader(&file, || ());
    assert_eq!(refused.unwrap_err().type_name(), "PermissionError");
    assert!(!event_loop.remove_reader(&file));
    run_briefly(&event_loop);
    event_loop.close().unwrap();
}

#[test]
fn a_hang_up_is_told_to_readers_and_writers() {
    let event_loop = new_event_loop();
    let (ours, theirs) = pair();
    let log = Log::new();
    let (reads, writes) = (log.clone(), log.clone());
    event_loop
        .add_reader(&ours, move || reads.push("read"))
        .unwrap();
    event_loop
        .add_writer(&ours, move || writes.push("write"))
        .unwrap();
    drop(theirs);
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert_eq!(log.take(), ["read", "write"]);
    event_loop.close().unwrap();
}

#[test]
fn the_callback_has_the_context_of_its_addition() {
    static VAR: ContextVar<i32> = ContextVar::new("reader").with_default(0);
    let (ours, _theirs) = pair();
    let seen = asyncio::run(async move {
        let event_loop = get_running_loop()?;
        let future = event_loop.create_future();
        let done = future.clone();
        VAR.set(1);
        event_loop.add_writer(&ours, move || {
            if !done.done() {
                done.set_result(VAR.get().unwrap()).unwrap();
            }
        })?;
        VAR.set(2);
        let seen = future.await?;
        event_loop.remove_writer(&ours);
        Ok(seen)
    });
    assert_eq!(seen.unwrap(), 1);
}

#[test]
fn more_descriptors_than_one_may_be_ready() {
    let pairs: Vec<_> = (0..300).map(|_| pair()).collect();
    asyncio::run(async move {
        let event_loop = get_running_loop()?;
        let called = Rc::new(Cell::new(0));
        for (ours, _) in &pairs {
            let called = called.clone();
            event_loop.add_writer(ours, move || called.set(called.get() + 1))?;
        }
        // All are found by the next look, and called in its iteration.
        let beside = create_task(sleep(0));
        sleep(0).await?;
        sleep(0).await?;
        assert_eq!(called.get(), 300);
        pairs
            .iter()
            .for_each(|(ours, _)| assert!(event_loop.remove_writer(ours)));
        beside.await
    })
    .unwrap();
}

/// What a callback owns may use the loop while it is dropped.
#[test]
fn a_callback_is_dropped_outside_the_loop() {
    struct Remover(EventLoop, Rc<UnixStream>, Log<bool>);
    impl Remover {
        fn touch(&self) {}
    }
    impl Drop for Remover {
        fn drop(&mut self) {
            self.2.push(self.0.remove_writer(&self.1));
        }
    }
    let event_loop = new_event_loop();
    let log = Log::new();
    let (ours, _theirs) = pair();
    let add = |interest: fn(&EventLoop, &Rc<UnixStream>, Remover)| {
        interest(
            &event_loop,
            &ours,
            Remover(event_loop.clone(), ours.clone(), log.clone()),
        );
    };
    let reader = |event_loop: &EventLoop, fd: &Rc<UnixStream>, remover: Remover| {
        event_loop.add_reader(fd, move || remover.touch()).unwrap();
    };
    add(reader);
    event_loop.add_writer(&ours, || ()).unwrap();
    // Replaced, removed, and dropped with the loop.
    event_loop.add_reader(&ours, || ()).unwrap();
    assert_eq!(log.take(), [true]);
    add(reader);
    assert!(event_loop.remove_reader(&ours));
    assert_eq!(log.take(), [false]);
    add(reader);
    event_loop.close().unwrap();
    assert_eq!(log.take(), [false]);
    // And refused, with a file that cannot be watched.
    let event_loop = new_event_loop();
    let file = File::open("/proc/self/exe").unwrap();
    let remover = Remover(event_loop.clone(), ours.clone(), log.clone());
    fails(
        event_loop.add_reader(&file, move || remover.touch()),
        "PermissionError",
    );
    assert_eq!(log.take(), [false]);
    event_loop.close().unwrap();
}

/// Which of a socket's two callbacks the next look calls.
fn next_look(event_loop: &EventLoop, log: &Log<&'static str>) -> Vec<&'static str> {
    event_loop.stop();
    event_loop.run_forever().unwrap();
    log.take()
}

/// A loop, a socket that can be read from and written to, and a maker of callbacks.
fn ready_socket() -> (EventLoop, Rc<UnixStream>, Log<&'static str>) {
    let (ours, theirs) = pair();
    (&*theirs).write_all(b"x").unwrap();
    // A socket whose other end is gone would be ready in more ways than one.
    std::mem::forget(theirs);
    (new_event_loop(), ours, Log::new())
}

fn note(log: &Log<&'static str>, name: &'static str) -> impl FnMut() + use<> {
    let log = log.clone();
    move || log.push(name)
}

// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_add_reader
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_add_reader_existing
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_add_reader_existing_writer
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_add_writer
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_add_writer_existing
#[test]
fn a_descriptor_has_one_reader_and_one_writer() {
    let (event_loop, sock, log) = ready_socket();
    event_loop.add_writer(&sock, note(&log, "writer")).unwrap();
    assert_eq!(next_look(&event_loop, &log), ["writer"]);
    event_loop.add_reader(&sock, note(&log, "reader")).unwrap();
    assert_eq!(next_look(&event_loop, &log), ["reader", "writer"]);
    event_loop
        .add_reader(&sock, note(&log, "reader 2"))
        .unwrap();
    assert_eq!(next_look(&event_loop, &log), ["reader 2", "writer"]);
    event_loop
        .add_writer(&sock, note(&log, "writer 2"))
        .unwrap();
    assert_eq!(next_look(&event_loop, &log), ["reader 2", "writer 2"]);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_remove_reader
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_remove_reader_read_write
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_remove_reader_unknown
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_remove_writer
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_remove_writer_read_write
// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_remove_writer_unknown
#[test]
fn each_is_removed_on_its_own() {
    let (event_loop, sock, log) = ready_socket();
    assert!(!event_loop.remove_reader(&sock) && !event_loop.remove_writer(&sock));
    let add_reader = || event_loop.add_reader(&sock, note(&log, "reader")).unwrap();
    let add_writer = || event_loop.add_writer(&sock, note(&log, "writer")).unwrap();
    add_reader();
    assert!(!event_loop.remove_writer(&sock));
    add_writer();
    assert!(event_loop.remove_reader(&sock) && !event_loop.remove_reader(&sock));
    assert_eq!(next_look(&event_loop, &log), ["writer"]);
    assert!(event_loop.remove_writer(&sock) && !event_loop.remove_writer(&sock));
    assert_eq!(next_look(&event_loop, &log), [""; 0]);
    add_writer();
    add_reader();
    assert!(event_loop.remove_writer(&sock));
    assert_eq!(next_look(&event_loop, &log), ["reader"]);
    assert!(event_loop.remove_reader(&sock));
    assert_eq!(next_look(&event_loop, &log), [""; 0]);
    event_loop.close().unwrap();
}

// cpython: test_asyncio/test_selector_events.py::BaseSelectorEventLoopTests::test_close
#[test]
fn closing_the_loop_lets_go_of_what_it_watched() {
    let event_loop = new_event_loop();
    let (ours, _theirs) = pair();
    let kept = Rc::new(());
    for _ in 0..2 {
        let captured = kept.clone();
        event_loop
            .add_reader(&ours, move || drop(captured.clone()))
            .unwrap();
        let captured = kept.clone();
        event_loop
            .add_writer(&ours, move || drop(captured.clone()))
            .unwrap();
    }
    assert_eq!(Rc::strong_count(&kept), 3);
    event_loop.close().unwrap();
    event_loop.close().unwrap();
    assert_eq!(Rc::strong_count(&kept), 1);
}
