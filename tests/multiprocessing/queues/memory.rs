//! The memory of a queue: how it grows, shrinks, and where it cannot be had.

use hilos::multiprocessing::connection::Connection;
use hilos::multiprocessing::{Error, Event, Process, Queue};
use hilos::threading::Thread;
use nix::sys::resource::{Resource, setrlimit};

use crate::support::{LONG, run_to_end, wait_until};

#[test]
fn the_queue_grows_while_others_read() {
    let queue = Queue::<(u32, Vec<u8>)>::new(0).unwrap();
    let theirs = queue.clone();
    let reader = Thread::returning(move || {
        for expected in 0..3_000 {
            let (number, bytes) = theirs.get().unwrap();
            assert_eq!(number, expected);
            assert!(bytes.iter().all(|&byte| byte == number as u8));
            if number % 500 == 0 {
                wait_until("the writer is ahead", || {
                    theirs.qsize() > 200 || number > 2_500
                });
            }
        }
    });
    reader.start().unwrap();
    for number in 0..3_000_u32 {
        let bytes = vec![number as u8; (number * 7 % 3_000) as usize];
        queue.put(&(number, bytes)).unwrap();
    }
    reader.join(None).unwrap();
    assert!(queue.empty());
}

/// How much shared memory the system says that this process maps, in KiB.
fn shared_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("RssShmem"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn an_empty_queue_gives_its_memory_back() {
    fn test() {
        let queue = Queue::<Vec<u8>>::new(0).unwrap();
        let item = vec![7; 40 << 20];
        for _ in 0..2 {
            queue.put(&item).unwrap();
            queue.put(&vec![1]).unwrap();
            assert!(shared_kib() > 40 << 10);
            assert_eq!(queue.get().unwrap(), item);
            assert!(shared_kib() > 40 << 10, "one is left");
            assert_eq!(queue.get().unwrap(), [1]);
            assert!(shared_kib() < 4 << 10, "{} KiB", shared_kib());
            // It goes on as before, beginning small.
            (0..300).for_each(|n| queue.put(&vec![n as u8; 1_000]).unwrap());
            (0..300).for_each(|n| assert_eq!(queue.get().unwrap(), vec![n as u8; 1_000]));
        }
    }
    // In a process of its own, whose memory nobody else uses.
    crate::support::with_one_thread(Process::new(test, ()));
}

/// So many addresses that no queue can take all that it would like.
fn ration_addresses() {
    let few = 4 << 30;
    setrlimit(Resource::RLIMIT_AS, few, few).unwrap();
}

#[test]
fn a_queue_arrives_where_addresses_are_rationed() {
    let child = || {
        ration_addresses();
        let queue = Queue::new(0).unwrap();
        let (one, other) = hilos::multiprocessing::pipe(true).unwrap();
        one.send(&queue).unwrap();
        queue.put(&"7".repeat(100_000)).unwrap();
        let theirs: Queue<String> = other.recv().unwrap();
        assert_eq!(theirs.get().unwrap(), "7".repeat(100_000));
        let much = "7".repeat(50_000_000);
        assert!(matches!(queue.put(&much), Err(Error::Os(_))));
        queue.put(&"8".to_string()).unwrap();
        assert_eq!(theirs.get().unwrap(), "8");
    };
    assert_eq!(run_to_end(&Process::new(child, ())), Some(0));
}

#[test]
fn an_item_that_is_out_of_reach_is_an_error_there_alone() {
    let child = |queues: Connection, grown: Event| {
        ration_addresses();
        let queue: Queue<String> = queues.recv().unwrap();
        queues.send(&()).unwrap();
        grown.wait(LONG);
        assert!(matches!(queue.get(), Err(Error::Os(_))));
    };
    let (ours, theirs) = hilos::multiprocessing::pipe(true).unwrap();
    let (queue, grown) = (Queue::<String>::new(0).unwrap(), Event::new().unwrap());
    let process = Process::new(child, (theirs, grown.clone()));
    process.start().unwrap();
    ours.send(&queue).unwrap();
    ours.recv::<()>().unwrap();
    queue.put(&"7".repeat(50_000_000)).unwrap();
    grown.set();
    process.join(LONG).unwrap();
    assert_eq!(process.exitcode(), Some(0));
    assert_eq!(queue.get().unwrap().len(), 50_000_000);
}
