//! Signals, descriptors, exits.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::{
    DupFd, Error, Event, Process, Queue, StartMethod, current_process, set_executable,
};
use hilos::threading::register_atexit;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::Pid;

use crate::support::{LONG, each_start_method, run_to_end, wait_until, with_one_thread};

static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: i32) {
    SIGNALS.fetch_add(1, Ordering::SeqCst);
}

/// Counts signals, and has them interrupt what blocks.
fn count_signals() {
    let action = SigAction::new(
        SigHandler::Handler(count),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler only changes an atomic.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
}

// cpython: _test_multiprocessing.py::_TestPollEintr::test_poll_eintr
#[test]
fn a_signal_does_not_end_a_join() {
    fn test() {
        count_signals();
        let killer = |parent: u32, seen: Event| {
            kill(Pid::from_raw(parent as i32), Signal::SIGUSR1).unwrap();
            seen.set();
        };
        let seen = Event::new().unwrap();
        let waits = Process::new(|seen: Event| assert!(seen.wait(LONG)), (seen.clone(),));
        waits.start().unwrap();
        let killer = Process::new(killer, (std::process::id(), seen.clone()));
        killer.start().unwrap();
        waits.join(LONG).unwrap();
        killer.join(LONG).unwrap();
        assert_eq!(SIGNALS.load(Ordering::SeqCst), 1);
        assert_eq!(waits.exitcode(), Some(0));
    }
    with_one_thread(Process::new(test, ()));
}

// cpython: _test_multiprocessing.py::TestIgnoreEINTR::test_ignore
#[test]
fn signals_do_not_end_a_recv_or_a_send() {
    fn child(connection: Connection) -> Result<(), Error> {
        count_signals();
        connection.send("ready")?;
        let number: i32 = connection.recv()?;
        connection.send(&number)?;
        // More than the system takes before somebody reads.
        connection.send_bytes(&vec![b'x'; 8 << 20])?;
        connection.send(&SIGNALS.load(Ordering::SeqCst))
    }
    /// Waits until the process sleeps in a system call.
    fn until_asleep(pid: u32) {
        wait_until("it sleeps", || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.contains(") S ")
        });
    }
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(child, (theirs,));
    process.start().unwrap();
    let pid = process.pid().unwrap();
    assert_eq!(ours.recv::<String>().unwrap(), "ready");
    for _ in 0..5 {
        until_asleep(pid);
        kill(Pid::from_raw(pid as i32), Signal::SIGUSR1).unwrap();
    }
    ours.send(&1234).unwrap();
    assert_eq!(ours.recv::<i32>().unwrap(), 1234);
    for _ in 0..5 {
        until_asleep(pid);
        kill(Pid::from_raw(pid as i32), Signal::SIGUSR1).unwrap();
    }
    let bytes = ours.recv_bytes().unwrap();
    assert!(bytes.len() == 8 << 20 && bytes.iter().all(|&byte| byte == b'x'));
    assert!(ours.recv::<usize>().unwrap() >= 2);
    process.join(LONG).unwrap();
    assert_eq!(process.exitcode(), Some(0));
}

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestConnection::test_large_fd_transfer
    fn a_file_travels(method: StartMethod) {
        fn write(connection: Connection) -> std::io::Result<()> {
            let file: DupFd = connection.recv().unwrap();
            File::from(file.detach()).write_all(b"bar")
        }
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(write, (theirs,)).with_start_method(method);
        process.start().unwrap();
        let name = std::env::temp_dir().join(format!("hilos-fd-{}", std::process::id()));
        let mut file = File::options().create(true).truncate(true).read(true).write(true)
            .open(&name).unwrap();
        let _ = std::fs::remove_file(&name);
        // A number beyond what some system calls could take.
        let large = nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(300)).unwrap();
        assert!(large >= 300);
        // SAFETY: just made, and nobody else's.
        let large = unsafe { OwnedFd::from_raw_fd(large) };
        ours.send(&DupFd::new(large)).unwrap();
        process.join(LONG).unwrap();
        assert_eq!(process.exitcode(), Some(0));
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "bar");
    }

    // cpython: _test_multiprocessing.py::TestStdinBadfiledescriptor::test_queue_in_process
    fn a_process_has_a_queue_of_its_own(method: StartMethod) {
        fn child() {
            let queue = Queue::new(0).unwrap();
            let put = |queue: Queue<bool>| queue.put(&true).unwrap();
            let process = Process::new(put, (queue.clone(),));
            process.start().unwrap();
            assert!(queue.get_timeout(LONG).unwrap());
            process.join(LONG).unwrap();
        }
        assert_eq!(run_to_end(&Process::new(child, ()).with_start_method(method)), Some(0));
    }

    // cpython: _test_multiprocessing.py::_TestAtExit::test_atexit
    // cpython: _test_multiprocessing.py::_TestFinalize::test_finalize
    fn exit_hooks_run_in_the_process(method: StartMethod) {
        fn child(order: Queue<char>) {
            for name in ['c', 'b', 'a'] {
                let order = order.clone();
                register_atexit(move || order.put(&name).unwrap()).unwrap();
            }
        }
        let order = Queue::new(0).unwrap();
        let process = Process::new(child, (order.clone(),)).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        let names: Vec<char> = (0..3).map(|_| order.get_nowait().unwrap()).collect();
        assert_eq!(names, ['a', 'b', 'c'], "the last one to be registered runs first");
    }

    // cpython: _test_multiprocessing.py::TestNamedResource::test_global_named_resource_spawn
    fn nothing_of_a_semaphore_is_left_in_the_system(method: StartMethod) {
        fn names() -> Vec<String> {
            let entries = std::fs::read_dir("/dev/shm").unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.filter(|name| name.starts_with("sem.")).collect();
            names.sort();
            names
        }
        let before = names();
        let semaphore = hilos::multiprocessing::Semaphore::new(1).unwrap();
        let die = |_: hilos::multiprocessing::Semaphore| {
            kill(Pid::this(), Signal::SIGKILL).unwrap();
        };
        let process = Process::new(die, (semaphore,)).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(-9));
        assert_eq!(names(), before);
    }

    // cpython: _test_multiprocessing.py::_TestSubclassingProcess::test_subclassing
    fn a_type_with_a_process_inside(method: StartMethod) {
        /// Answers in capitals.
        struct UpperCaser {
            process: Process,
            connection: Connection,
        }

        impl UpperCaser {
            fn new(method: StartMethod) -> Self {
                let (connection, theirs) = pipe(true).unwrap();
                let process = Process::new(Self::run, (theirs,)).with_start_method(method);
                Self { process: process.with_daemon(true), connection }
            }

            fn run(connection: Connection) -> Result<(), Error> {
                while let Some(text) = connection.recv::<Option<String>>()? {
                    connection.send(&text.to_uppercase())?;
                }
                Ok(())
            }

            fn submit(&self, text: &str) -> String {
                self.connection.send(&Some(text)).unwrap();
                self.connection.recv().unwrap()
            }
        }

        let upper_caser = UpperCaser::new(method);
        upper_caser.process.start().unwrap();
        assert_eq!(upper_caser.submit("hello"), "HELLO");
        assert_eq!(upper_caser.submit("world"), "WORLD");
        upper_caser.connection.send(&None::<String>).unwrap();
        upper_caser.process.join(LONG).unwrap();
        assert_eq!(upper_caser.process.exitcode(), Some(0));
    }
}

// cpython: _test_multiprocessing.py::_TestConnection::test_missing_fd_transfer
#[test]
fn a_descriptor_that_does_not_come_is_an_error() {
    let (ours, theirs) = pipe(true).unwrap();
    // No descriptor, and the number of one that was to come.
    ours.send_bytes(&[0, 0]).unwrap();
    let error = theirs.recv::<DupFd>().unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
    assert!(error.to_string().contains("DupFd"), "{error}");
    ours.send(&5).unwrap();
    assert_eq!(theirs.recv::<i32>().unwrap(), 5);
}

// cpython: _test_multiprocessing.py::TestInvalidHandle::test_invalid_handles
#[test]
fn what_is_no_shared_memory_is_refused() {
    // A connection in place of a lock.
    let (ours, theirs) = pipe(true).unwrap();
    let (other, _end) = pipe(true).unwrap();
    let fd = nix::unistd::dup(duplicate(&other)).unwrap();
    ours.send(&DupFd::new(fd)).unwrap();
    let error = theirs.recv::<hilos::multiprocessing::Lock>().unwrap_err();
    assert!(matches!(error, Error::Encoding { .. }), "{error:?}");
}

/// Another handle of what a connection reads and writes.
pub(crate) fn duplicate(connection: &Connection) -> OwnedFd {
    let number = connection.fileno().unwrap();
    // SAFETY: the connection is open while its number is copied.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    assert!(borrowed.as_raw_fd() >= 0);
    borrowed.try_clone_to_owned().unwrap()
}

// cpython: _test_multiprocessing.py::TestNoForkBomb::test_noforkbomb
#[test]
fn a_child_never_runs_main() {
    // The test harness's `main` would run all the tests again.
    fn test() {
        let name = |queue: Queue<String>| queue.put(&current_process().name().to_owned()).unwrap();
        for method in [StartMethod::ForkServer, StartMethod::Spawn] {
            let names = Queue::new(0).unwrap();
            let process = Process::new(name, (names.clone(),)).with_name("one");
            assert_eq!(run_to_end(&process.with_start_method(method)), Some(0));
            assert_eq!(names.get_nowait().unwrap(), "one");
            assert!(names.empty());
        }
    }
    with_one_thread(Process::new(test, ()));
}

#[test]
fn a_program_that_says_nothing_is_no_child() {
    fn test() {
        set_executable("/bin/true");
        for method in [StartMethod::Spawn, StartMethod::ForkServer] {
            let process = Process::new(|| (), ()).with_start_method(method);
            match process.start() {
                // It cannot serve.
                Err(error) => assert!(matches!(error, Error::Os(_)), "{error:?}"),
                // It has ended, and did nothing.
                Ok(()) => {
                    process.join(LONG).unwrap();
                    assert!(process.exitcode().is_some());
                }
            }
        }
        set_executable("/no/such/program");
        let process = Process::new(|| (), ()).with_start_method(StartMethod::Spawn);
        assert!(matches!(process.start(), Err(Error::Os(_))));
    }
    with_one_thread(Process::new(test, ()));
}

// cpython: _test_multiprocessing.py::_TestProcess::test_forkserver_sigint
#[test]
fn ctrl_c_does_not_harm_the_fork_server() {
    fn test() {
        assert_eq!(run_to_end(&Process::new(|| (), ())), Some(0));
        for child in children() {
            kill(Pid::from_raw(child), Signal::SIGINT).unwrap();
        }
        assert_eq!(run_to_end(&Process::new(|| (), ())), Some(0));
    }
    fn children() -> Vec<i32> {
        let id = std::process::id();
        let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        text.split_whitespace()
            .map(|child| child.parse().unwrap())
            .collect()
    }
    with_one_thread(Process::new(test, ()));
}

#[test]
fn forks_while_others_print() {
    // With the lock of standard output held by another thread, a child that prints would wait
    // for ever. In a process of its own, since the test harness has locks of its own.
    fn print() {
        let nothing = String::new();
        print!("{nothing}");
        eprint!("{nothing}");
    }
    fn test() {
        let done = hilos::threading::Event::new();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.is_set() {
                        print();
                    }
                });
            }
            for _ in 0..200 {
                assert_eq!(run_to_end(&Process::forked(print)), Some(0));
            }
            done.set();
        });
    }
    with_one_thread(Process::new(test, ()));
}
