//! Several threads accept from one listener.

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::connection::{Address, Family, Listener, client};

const ACCEPTORS: usize = 12;

/// All see the caller come, and only one can have it.
#[test]
fn who_is_too_late_gives_up_in_time() {
    for family in [Family::Inet, Family::Unix] {
        let address = Address::arbitrary(family).unwrap();
        let listener = Arc::new(Listener::new(address).unwrap());
        let begin = Arc::new(Barrier::new(ACCEPTORS + 1));
        let (results, said) = channel();
        for _ in 0..ACCEPTORS {
            let (listener, begin, results) = (listener.clone(), begin.clone(), results.clone());
            // A thread that waits for ever is left behind.
            thread::spawn(move || {
                begin.wait();
                results.send(listener.accept_timeout(0.5)).unwrap();
            });
        }
        begin.wait();
        let caller = client(listener.address().clone(), None).unwrap();
        let all = (0..ACCEPTORS).map(|_| said.recv_timeout(Duration::from_secs(60)));
        let all: Vec<_> = all.map(|result| result.expect("in time")).collect();
        let (accepted, late): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        assert_eq!((accepted.len(), late.len()), (1, ACCEPTORS - 1));
        assert!(late.iter().all(|late| matches!(late, Err(Error::Timeout))));

        // What was accepted waits for its messages as ever.
        let connection = accepted.into_iter().next().unwrap().unwrap();
        let reader = thread::spawn(move || connection.recv_bytes());
        caller.send_bytes(b"hello").unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), b"hello");
    }
}
