//! `_TestConnection`, `_TestPoll` and `_TestPicklingConnections`.

use std::io::{Read, Write};

use hilos::multiprocessing::connection::{Connection, pipe, wait};
use hilos::multiprocessing::{Error, Process, StartMethod};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::misc::duplicate;
use crate::support::{LONG, each_start_method, run_to_end, wait_until};

/// Sends back what it receives, until it receives nothing more.
fn echo(connection: Connection) -> Result<(), Error> {
    loop {
        match connection.recv_bytes() {
            Ok(message) if message.is_empty() => return Ok(()),
            Ok(message) => connection.send_bytes(&message)?,
            Err(Error::Eof) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestConnection::test_connection
    fn messages_come_back_whole(method: StartMethod) {
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(echo, (theirs.clone(),)).with_start_method(method);
        process.start().unwrap();
        theirs.close();

        let seven = [1, 2.25_f64.to_bits() as u8, 7];
        ours.send_bytes(&seven).unwrap();
        assert_eq!(ours.recv_bytes().unwrap(), seven);

        let mut buffer = [0xff; 10];
        ours.send_bytes(b"hello").unwrap();
        assert_eq!(ours.recv_bytes_into(&mut buffer, 3).unwrap(), 5);
        assert_eq!(&buffer, b"\xff\xff\xffhello\xff\xff");
        ours.send_bytes(b"too long for it").unwrap();
        let Err(Error::BufferTooShort(message)) = ours.recv_bytes_into(&mut buffer, 0) else {
            panic!("it does not fit");
        };
        assert_eq!(message, b"too long for it");

        // Longer than what the system buffers, in both directions at once.
        let long: Vec<u8> = (0..16 << 20).map(|index: u32| (index % 251) as u8).collect();
        let sender = ours.clone();
        let copy = long.clone();
        let sending = std::thread::spawn(move || sender.send_bytes(&copy));
        assert!(ours.recv_bytes().unwrap() == long);
        sending.join().unwrap().unwrap();

        assert!(!ours.poll(0).unwrap());
        assert!(!ours.poll(-1).unwrap());
        assert!(!ours.poll(0.01).unwrap());
        ours.send_bytes(b"x").unwrap();
        assert!(ours.poll(None).unwrap());
        assert_eq!(ours.recv_bytes().unwrap(), b"x");

        ours.send_bytes(b"").unwrap();
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
        assert!(ours.poll(0).unwrap(), "the end counts as something to receive");
        assert!(matches!(ours.recv_bytes(), Err(Error::Eof)));
        assert!(matches!(ours.recv::<i32>(), Err(Error::Eof)));
    }

    // cpython: _test_multiprocessing.py::_TestConnection::test_spawn_close
    fn an_end_closed_in_the_parent_lives_in_the_child(method: StartMethod) {
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(echo, (theirs.clone(),)).with_start_method(method);
        process.start().unwrap();
        theirs.close();
        ours.send_bytes(b"hello").unwrap();
        assert_eq!(ours.recv_bytes().unwrap(), b"hello");
        ours.send_bytes(b"").unwrap();
        process.join(LONG).unwrap();
        ours.close();
    }

    // cpython: _test_multiprocessing.py::_TestPicklingConnections::test_pickling
    // cpython: _test_multiprocessing.py::_TestPicklingConnections::test_access
    // cpython: _test_multiprocessing.py::_TestConnection::test_fd_transfer
    fn ends_travel_through_a_connection(method: StartMethod) {
        fn child(connection: Connection) -> Result<(), Error> {
            let (sender, receiver) = connection.recv::<(Connection, Connection)>()?;
            let text: String = receiver.recv()?;
            sender.send(&text.to_uppercase())
        }
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(child, (theirs,)).with_start_method(method);
        process.start().unwrap();
        let (answers, answer) = pipe(false).unwrap();
        let (question, questions) = pipe(false).unwrap();
        ours.send(&(answer, question)).unwrap();
        questions.send("hola").unwrap();
        assert_eq!(answers.recv::<String>().unwrap(), "HOLA");
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
        assert!(matches!(answers.recv::<String>(), Err(Error::Eof)), "no end was left behind");
    }

    fn what_was_read_ahead_travels_along(method: StartMethod) {
        fn child(connection: Connection, expected: u32) -> Result<(), Error> {
            assert_eq!(connection.recv::<u32>()?, expected);
            Ok(())
        }
        let (receiver, sender) = pipe(false).unwrap();
        for number in 0..3_u32 {
            sender.send(&number).unwrap();
        }
        assert_eq!(receiver.recv::<u32>().unwrap(), 0);
        let process = Process::new(child, (receiver, 1_u32)).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
    }

    fn an_end_that_was_read_ahead_travels_along(method: StartMethod) {
        fn child(connection: Connection) -> Result<(), Error> {
            connection.recv::<Connection>()?.send("arrived")
        }
        let (receiver, sender) = pipe(false).unwrap();
        let (ours, theirs) = pipe(true).unwrap();
        // In one portion with a message before it.
        sender.send(&0).unwrap();
        sender.send(&theirs).unwrap();
        assert_eq!(receiver.recv::<i32>().unwrap(), 0);
        let process = Process::new(child, (receiver,)).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        assert_eq!(ours.recv::<String>().unwrap(), "arrived");
    }
}

// cpython: _test_multiprocessing.py::_TestConnection::test_duplex_false
#[test]
fn one_way_ends_refuse_the_other_way() {
    let (reader, writer) = pipe(false).unwrap();
    writer.send(&1).unwrap();
    assert_eq!(reader.recv::<i32>().unwrap(), 1);
    assert!(reader.readable() && !reader.writable());
    assert!(writer.writable() && !writer.readable());
    let wrong = reader.send(&2).unwrap_err();
    assert_eq!(format!("{wrong:?}"), "OSError: connection is read-only");
    assert_eq!(
        writer.recv::<i32>().unwrap_err().to_string(),
        "connection is write-only"
    );
    assert_eq!(
        writer.poll(0).unwrap_err().to_string(),
        "connection is write-only"
    );
}

// cpython: _test_multiprocessing.py::_TestConnection::test_sendbytes
#[test]
fn a_range_of_bytes() {
    let (ours, theirs) = pipe(true).unwrap();
    let message = b"abcdefghijklmnopqrstuvwxyz";
    let back = |range| {
        ours.send_bytes_range(message, range).unwrap();
        theirs.recv_bytes().unwrap()
    };
    assert_eq!(back(0..26), message);
    assert_eq!(back(5..26), message[5..]);
    assert_eq!(back(7..15), message[7..15]);
    assert_eq!(back(26..26), b"");
    let wrong = |range| {
        ours.send_bytes_range(message, range)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(wrong(27..27), "buffer length < offset");
    assert_eq!(wrong(22..27), "buffer length < offset + size");
    assert!(!theirs.poll(0).unwrap(), "nothing was sent");
}

// cpython: _test_multiprocessing.py::_TestConnection::test_context
#[test]
fn a_closed_end_says_so() {
    let (ours, theirs) = pipe(true).unwrap();
    ours.send(&1729).unwrap();
    assert_eq!(theirs.recv::<i32>().unwrap(), 1729);
    assert!(!ours.closed());
    ours.close();
    ours.close();
    assert!(ours.closed() && ours.clone().closed());
    assert_eq!(ours.fileno().unwrap_err().to_string(), "handle is closed");
    assert_eq!(
        ours.recv::<i32>().unwrap_err().to_string(),
        "handle is closed"
    );
    assert!(matches!(theirs.recv::<i32>(), Err(Error::Eof)));
    let Err(Error::Os(broken)) = theirs.send(&1) else {
        panic!("nobody is there")
    };
    assert_eq!(broken.kind(), std::io::ErrorKind::BrokenPipe);
}

// cpython: _test_multiprocessing.py::_TestPoll::test_empty_string
#[test]
fn an_empty_message_is_a_message() {
    let (ours, theirs) = pipe(true).unwrap();
    assert!(!ours.poll(0).unwrap());
    theirs.send_bytes(b"").unwrap();
    assert!(ours.poll(None).unwrap() && ours.poll(0).unwrap());
    assert_eq!(ours.recv_bytes().unwrap(), b"");
    assert!(!ours.poll(0).unwrap());
}

// cpython: _test_multiprocessing.py::_TestPoll::test_strings
// cpython: _test_multiprocessing.py::_TestPoll::test_dont_merge
#[test]
fn messages_are_not_merged() {
    let (ours, theirs) = pipe(true).unwrap();
    let messages: [&[u8]; 6] = [b"hello", b"", b"a", b"b", b"", b"bye"];
    for message in messages {
        theirs.send_bytes(message).unwrap();
    }
    for message in messages {
        assert!(ours.poll(0).unwrap());
        assert_eq!(ours.recv_bytes().unwrap(), message);
    }
    assert!(!ours.poll(0.001).unwrap());
}

// cpython: _test_multiprocessing.py::_TestPoll::test_boundaries
#[test]
fn a_message_ends_where_it_was_ended() {
    let (ours, theirs) = pipe(true).unwrap();
    theirs.send_bytes(b"spam").unwrap();
    theirs.send_bytes(b"eggs").unwrap();
    let mut buffer = [0; 16];
    assert_eq!(ours.recv_bytes_into(&mut buffer, 0).unwrap(), 4);
    assert!(ours.poll(0).unwrap());
    assert_eq!(ours.recv_bytes().unwrap(), b"eggs");
}

#[test]
fn a_message_beyond_the_maximum_ends_the_connection() {
    let (ours, theirs) = pipe(true).unwrap();
    theirs.send_bytes(b"12345").unwrap();
    assert_eq!(
        ours.recv_bytes_max(4).unwrap_err().to_string(),
        "bad message length"
    );
    // It cannot be skipped; but this end may still send.
    let error = ours.recv_bytes().unwrap_err().to_string();
    assert_eq!(error, "connection is write-only");
    assert!(!ours.readable() && !ours.closed());
    ours.send_bytes(b"too long").unwrap();
    assert_eq!(theirs.recv_bytes().unwrap(), b"too long");
    let (receiver, sender) = pipe(false).unwrap();
    sender.send_bytes(b"12345").unwrap();
    assert!(receiver.recv_bytes_max(4).is_err());
    assert!(receiver.closed());
}

#[test]
fn others_look_on_while_one_thread_receives() {
    let (ours, theirs) = pipe(true).unwrap();
    let (receiving, (tell, told)) = (ours.clone(), std::sync::mpsc::channel());
    let receiver = std::thread::spawn(move || {
        tell.send(nix::unistd::gettid()).unwrap();
        receiving.recv_bytes()
    });
    let status = format!("/proc/self/task/{}/syscall", told.recv().unwrap());
    let recvmsg = format!("{} ", nix::libc::SYS_recvmsg);
    let receives = || std::fs::read_to_string(&status).is_ok_and(|call| call.starts_with(&recvmsg));
    wait_until("it receives", receives);

    assert!(!ours.poll(0.05).unwrap());
    assert!(wait(&[&ours], 0.05).unwrap().is_empty());
    let timeout = ours.recv_timeout::<u8, _>(0.05).unwrap_err();
    assert!(matches!(timeout, Error::Timeout), "{timeout:?}");
    let busy = Process::new(echo, (ours.clone(),)).start().unwrap_err();
    assert!(matches!(busy, Error::Encoding { .. }), "{busy:?}");

    theirs.send_bytes(b"for it").unwrap();
    assert_eq!(receiver.join().unwrap().unwrap(), b"for it");
}

#[test]
fn a_timeout_in_the_middle_of_a_message_loses_nothing() {
    let (ours, theirs) = pipe(true).unwrap();
    let long = vec![7_u8; 1 << 20];
    let (sender, copy) = (theirs.clone(), long.clone());
    assert!(matches!(
        ours.recv_timeout::<u8, _>(0.01),
        Err(Error::Timeout)
    ));
    let sending = std::thread::spawn(move || sender.send(&copy));
    // However little has come each time, the next call goes on from there.
    let received = loop {
        match ours.recv_timeout::<Vec<u8>, _>(0) {
            Ok(received) => break received,
            Err(Error::Timeout) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert!(received == long);
    sending.join().unwrap().unwrap();
}

#[test]
fn vectors_of_numbers_of_any_length_arrive_whole() {
    fn check<T>(duplex: bool, number: fn(usize) -> T)
    where
        T: Serialize + DeserializeOwned + PartialEq + Sync + 'static,
    {
        let (ours, theirs) = pipe(duplex).unwrap();
        let vectors = [0, 1, 1000, 8191, 8192, 66_000, 2_500_000]
            .map(|length| (0..length).map(number).collect::<Vec<T>>());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for vector in &vectors {
                    theirs.send(vector).unwrap();
                    // What is no vector is encoded element by element, and to the same bytes.
                    theirs.send(&vector[..]).unwrap();
                    theirs.send("between").unwrap();
                }
            });
            for vector in &vectors {
                assert!(ours.recv::<Vec<T>>().unwrap() == *vector);
                assert!(ours.recv::<Vec<T>>().unwrap() == *vector);
                assert_eq!(ours.recv::<String>().unwrap(), "between");
            }
        });
    }
    for duplex in [true, false] {
        check(duplex, |number| number as u8);
        check(duplex, |number| number as f32 / 3.0);
        check(duplex, |number| number as f64 / 3.0);
        check(duplex, |number| number as u16);
    }
}

#[test]
fn a_timeout_in_the_middle_of_numbers_loses_nothing() {
    let (ours, theirs) = pipe(true).unwrap();
    let numbers: Vec<f64> = (0..3_000_000)
        .map(|number| f64::from(number) / 7.0)
        .collect();
    let mut timeouts = 0;
    // A sender that is always ahead of the reader causes no timeout: then it shall try again.
    while timeouts == 0 {
        std::thread::scope(|scope| {
            scope.spawn(|| theirs.send(&numbers).unwrap());
            // Before the first byte it would be a timeout of another kind.
            assert!(ours.poll(None).unwrap());
            let received = loop {
                match ours.recv_timeout::<Vec<f64>, _>(0) {
                    Ok(received) => break received,
                    Err(Error::Timeout) => timeouts += 1,
                    Err(error) => panic!("{error}"),
                }
            };
            assert!(received == numbers);
        });
    }
}

#[test]
fn a_message_of_another_type_costs_itself_alone() {
    let (ours, theirs) = pipe(true).unwrap();
    theirs.send(&300_u32).unwrap();
    theirs.send("next").unwrap();
    let Err(Error::Encoding { type_name, .. }) = ours.recv::<String>() else {
        panic!()
    };
    assert!(type_name.contains("String"));
    assert_eq!(ours.recv::<String>().unwrap(), "next");
}

#[test]
fn a_one_way_pipe_lets_ends_through() {
    let (reader, writer) = pipe(false).unwrap();
    let (other, end) = pipe(true).unwrap();
    writer.send(&other).unwrap();
    end.send(&7).unwrap();
    let arrived: Connection = reader.recv().unwrap();
    assert_eq!(arrived.recv::<i32>().unwrap(), 7);
}

/// More than a length of four bytes can say.
const LONG_MESSAGE: usize = (1 << 31) + 3;

/// What comes before such a message: -1, and its length in eight bytes.
fn long_header() -> Vec<u8> {
    let length = (LONG_MESSAGE as u64).to_be_bytes();
    [&(-1_i32).to_be_bytes()[..], &length].concat()
}

/// The bytes of the other end of a connection, as they are.
fn raw(connection: &Connection) -> std::fs::File {
    duplicate(connection).into()
}

#[test]
fn a_message_of_more_than_two_gib_is_sent_with_a_long_header() {
    let (ours, theirs) = pipe(true).unwrap();
    let mut bytes = raw(&theirs);
    let reading = std::thread::spawn(move || {
        let mut header = [0; 12];
        bytes.read_exact(&mut header).unwrap();
        let rest = std::io::copy(&mut bytes, &mut std::io::sink()).unwrap();
        (header.to_vec(), rest)
    });
    // Nothing is written to it, and so it takes no memory.
    ours.send_bytes(&vec![0; LONG_MESSAGE]).unwrap();
    ours.close();
    assert_eq!(
        reading.join().unwrap(),
        (long_header(), LONG_MESSAGE as u64)
    );
}

#[test]
#[ignore = "takes 2 GiB of memory"]
fn a_message_of_more_than_two_gib_is_received() {
    let (ours, theirs) = pipe(true).unwrap();
    let mut bytes = raw(&theirs);
    let writing = std::thread::spawn(move || {
        bytes.write_all(&long_header()).unwrap();
        let mut message = std::io::repeat(7).take(LONG_MESSAGE as u64);
        std::io::copy(&mut message, &mut bytes).unwrap();
    });
    let message = ours.recv_bytes().unwrap();
    writing.join().unwrap();
    assert_eq!(message.len(), LONG_MESSAGE);
    assert!(message.iter().all(|&byte| byte == 7));
}
