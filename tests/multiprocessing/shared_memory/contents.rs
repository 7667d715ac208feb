//! What is read from a block and written to it.

use std::sync::Barrier;

use hilos::multiprocessing::Error;
use hilos::multiprocessing::shared_memory::SharedMemory;

use super::{bytes, text};

#[test]
fn what_is_closed_is_not_read() {
    let sms = SharedMemory::create(16).unwrap();
    let (clone, buf) = (sms.clone(), sms.buf().unwrap());
    sms.set(8, 7_u64).unwrap();
    sms.close();
    sms.close();
    let closed = "ValueError: the shared memory is closed";
    assert_eq!(text(clone.get::<u64>(8)), closed);
    assert_eq!(text(sms.write(0, b"x")), closed);
    assert_eq!(text(sms.buf()), closed);
    assert_eq!((sms.size(), clone.name()), (16, sms.name()));
    sms.unlink().unwrap();
    assert_eq!(
        buf.get::<u64>(8).unwrap(),
        7,
        "the buffer is a use of its own"
    );
}

#[test]
fn nothing_is_read_or_written_beyond_the_end() {
    let sms = SharedMemory::create(13).unwrap();
    sms.write(0, b"thirteen byte").unwrap();
    sms.write(13, b"").unwrap();
    for (offset, count) in [(13, 1), (0, 14), (12, 2), (usize::MAX, 1), (usize::MAX, 0)] {
        let mut into = vec![7; count];
        assert!(matches!(sms.read(offset, &mut into), Err(Error::Index)));
        assert!(into.iter().all(|byte| *byte == 7), "nothing is copied");
        assert!(matches!(sms.write(offset, &into), Err(Error::Index)));
    }
    assert!(matches!(sms.get::<u64>(6), Err(Error::Index)));
    assert!(matches!(sms.set(6, 1_u64), Err(Error::Index)));
    assert_eq!(&bytes::<13>(&sms), b"thirteen byte");
    sms.unlink().unwrap();
}

#[test]
fn bytes_are_copied_from_and_to_everywhere() {
    let sms = SharedMemory::create(29).unwrap();
    let mut expected = [0_u8; 29];
    for start in 0..29 {
        for end in start..=29 {
            let part: Vec<u8> = (start..end).map(|at| (at * 7 + end) as u8).collect();
            sms.write(start, &part).unwrap();
            expected[start..end].copy_from_slice(&part);
            assert_eq!(bytes::<29>(&sms), expected);
            let mut read = vec![0; end - start];
            sms.read(start, &mut read).unwrap();
            assert_eq!(read, part);
        }
    }
    sms.set(3, -2.5_f64).unwrap();
    assert_eq!(sms.get::<f64>(3).unwrap(), -2.5);
    assert_eq!(&bytes::<11>(&sms)[3..], (-2.5_f64).to_ne_bytes());
    sms.set(1, [1_u16, 2, 3]).unwrap();
    assert_eq!(sms.get::<[u16; 3]>(1).unwrap(), [1, 2, 3]);
    sms.unlink().unwrap();
}

#[test]
fn writers_of_neighbouring_bytes_do_not_disturb_each_other() {
    let sms = SharedMemory::create(8).unwrap();
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for place in [0_usize, 2, 4, 6] {
            let (name, barrier) = (sms.name(), &barrier);
            scope.spawn(move || {
                let mine = SharedMemory::open(name).unwrap();
                barrier.wait();
                for value in 1..=20_000_u16 {
                    mine.set(place, value).unwrap();
                    assert_eq!(mine.get::<u16>(place).unwrap(), value);
                }
            });
        }
    });
    assert_eq!(sms.get::<[u16; 4]>(0).unwrap(), [20_000; 4]);
    sms.unlink().unwrap();
}

#[test]
fn an_aligned_value_is_never_torn() {
    let sms = SharedMemory::create(24).unwrap();
    let (done, buf) = (
        std::sync::atomic::AtomicBool::new(false),
        sms.buf().unwrap(),
    );
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..50_000 {
                buf.set(8, if round % 2 == 0 { u64::MAX } else { 0 })
                    .unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let seen: u64 = buf.get(8).unwrap();
            assert!(seen == 0 || seen == u64::MAX, "{seen:x}");
        }
    });
    sms.unlink().unwrap();
}
