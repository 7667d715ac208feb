//! `TestWait`.

use std::io::Write;
use std::os::unix::net::UnixStream;

use hilos::multiprocessing::connection::{Connection, Waitable, pipe, wait};
use hilos::multiprocessing::{Error, Process, StartMethod};

use crate::support::{LONG, each_start_method};

/// Which of the objects are among those that are ready.
fn ready(objects: &[&dyn Waitable], timeout: Option<f64>) -> Vec<usize> {
    let timeout = timeout.map(std::time::Duration::from_secs_f64);
    let ready = wait(objects, timeout).unwrap();
    let same = |one: &dyn Waitable, other: &dyn Waitable| {
        std::ptr::from_ref(one).addr() == std::ptr::from_ref(other).addr()
    };
    let is_ready = |index: &usize| ready.iter().any(|object| same(*object, objects[*index]));
    (0..objects.len()).filter(is_ready).collect()
}

each_start_method! {
    // cpython: _test_multiprocessing.py::TestWait::test_wait
    // cpython: _test_multiprocessing.py::TestWait::test_wait_slow
    fn messages_of_several_children(method: StartMethod) {
        fn child(connection: Connection, number: u32) -> Result<(), Error> {
            for round in 0..10_u32 {
                connection.send(&(number, round))?;
            }
            Ok(())
        }
        let mut readers = Vec::new();
        let mut processes = Vec::new();
        for number in 0..4_u32 {
            let (reader, writer) = pipe(false).unwrap();
            let process = Process::new(child, (writer.clone(), number)).with_start_method(method);
            process.start().unwrap();
            writer.close();
            readers.push(reader);
            processes.push(process);
        }
        let mut messages = Vec::new();
        while !readers.is_empty() {
            let objects: Vec<&dyn Waitable> = readers.iter().map(|reader| reader as _).collect();
            for index in ready(&objects, None).into_iter().rev() {
                match readers[index].recv::<(u32, u32)>() {
                    Ok(message) => messages.push(message),
                    Err(Error::Eof) => drop(readers.remove(index)),
                    Err(error) => panic!("{error}"),
                }
            }
        }
        messages.sort_unstable();
        let expected: Vec<_> = (0..4).flat_map(|n| (0..10).map(move |round| (n, round))).collect();
        assert_eq!(messages, expected);
        for process in processes {
            process.join(LONG).unwrap();
        }
    }

    // cpython: _test_multiprocessing.py::TestWait::test_wait_integer
    fn processes_and_connections_together(method: StartMethod) {
        fn child(connection: Connection) -> Result<(), Error> {
            connection.recv::<()>()
        }
        let (ours, theirs) = pipe(true).unwrap();
        let (reader, writer) = pipe(false).unwrap();
        let process = Process::new(child, (theirs,)).with_start_method(method);
        process.start().unwrap();
        let objects: [&dyn Waitable; 3] = [&reader, &process, &ours];
        assert_eq!(ready(&objects, Some(0.01)), [0; 0]);
        writer.send(&1).unwrap();
        assert_eq!(ready(&objects, None), [0]);
        reader.recv::<i32>().unwrap();
        ours.send(&()).unwrap();
        process.join(LONG).unwrap();
        let after = ready(&[&reader, &process], None);
        assert_eq!(after, [1], "the process has ended");
    }
}

// cpython: _test_multiprocessing.py::TestWait::test_wait_socket
// cpython: _test_multiprocessing.py::TestWait::test_wait_socket_slow
#[test]
fn sockets_of_the_standard_library() {
    let (first, mut its_peer) = UnixStream::pair().unwrap();
    let (second, its_end) = UnixStream::pair().unwrap();
    assert_eq!(ready(&[&first, &second], Some(0.0)), [0; 0]);
    its_peer.write_all(b"x").unwrap();
    assert_eq!(ready(&[&first, &second], None), [0]);
    drop(its_end);
    assert_eq!(ready(&[&first, &second], None), [0, 1]);
}

// cpython: _test_multiprocessing.py::TestWait::test_wait_timeout
// cpython: _test_multiprocessing.py::TestWait::test_neg_timeout
#[test]
fn time_passes_at_most() {
    let (ours, theirs) = pipe(true).unwrap();
    let start = std::time::Instant::now();
    assert_eq!(ready(&[&ours, &theirs], Some(0.05)), [0; 0]);
    assert!(start.elapsed().as_secs_f64() >= 0.05);
    assert!(wait(&[&ours as &dyn Waitable], -1).unwrap().is_empty());
    theirs.send(&1).unwrap();
    theirs.send(&2).unwrap();
    assert_eq!(ready(&[&ours, &theirs], Some(LONG)), [0]);
    // The second message has been read ahead: the system has nothing more to say.
    assert_eq!(ours.recv::<i32>().unwrap(), 1);
    assert_eq!(ready(&[&ours, &theirs], Some(LONG)), [0]);
}

#[test]
fn what_is_closed_cannot_be_waited_for() {
    let (ours, _theirs) = pipe(true).unwrap();
    ours.close();
    assert!(wait(&[&ours as &dyn Waitable], 0).is_err());
    assert!(wait(&[&Process::new(|| (), ()) as &dyn Waitable], 0).is_err());
}
