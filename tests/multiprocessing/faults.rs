//! What happens when a process dies at the wrong moment.

use std::collections::HashSet;
use std::time::Duration;

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::pool::{JobError, Pool};
use hilos::multiprocessing::{Error, Process, StartMethod};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{LONG, wait_until};

/// Whether a process runs; one that has ended and that nobody has waited for does not.
pub(crate) fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Kills its own process as `kill -9` does, now and then.
fn die_now_and_then(number: u32) -> u32 {
    if number % 37 == 5 {
        kill(Pid::this(), Signal::SIGKILL).unwrap();
    }
    number
}

#[test]
fn a_killed_worker_costs_its_own_job_alone() {
    let pool = Pool::new(3).unwrap();
    let results: Vec<_> = pool.imap(die_now_and_then, 0..2000).collect();
    for (number, result) in (0..2000).zip(&results) {
        match result {
            Ok(value) => assert_eq!(*value, number),
            Err(JobError::WorkerLost(lost)) => {
                assert_eq!(number % 37, 5, "an innocent job was lost");
                assert_eq!(lost.exitcode(), -9);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 54);
    let text = results[5].as_ref().unwrap_err().to_string();
    assert!(
        text.contains("was killed by SIGKILL (peak memory"),
        "{text}"
    );
    assert!(text.ends_with("; the pool started another"), "{text}");
}

#[test]
fn workers_killed_from_outside_at_random_lose_nothing_else() {
    let pool = Pool::new(3).unwrap();
    let pids: HashSet<u32> = (0..30)
        .map(|_| pool.apply(std::process::id, ()).unwrap())
        .collect();
    let map = pool.map_async(
        |number: u64| {
            let mut value = number;
            (0..2000).for_each(|_| value = value.wrapping_mul(6364136223846793005).rotate_left(7));
            (number, value)
        },
        0..1000,
    );
    for pid in pids {
        let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
        std::thread::sleep(Duration::from_millis(2));
    }
    match map.unwrap().get(LONG) {
        Ok(results) => assert!(results.iter().zip(0..).all(|((number, _), n)| *number == n)),
        Err(error) => assert!(error.is_worker_lost(), "{error:?}"),
    }
    assert_eq!(pool.apply(|| 5, ()), Ok(5));
}

#[test]
fn a_job_that_takes_too_long_is_killed_alone() {
    fn slow(seconds: f64) -> f64 {
        std::thread::sleep(Duration::from_secs_f64(seconds));
        seconds
    }
    let pool = Pool::new(2).unwrap();
    let other = pool.apply_async(slow, (0.3,)).unwrap();
    let late = pool
        .with_timeout(0.05)
        .apply_async(slow, (2.0 * LONG,))
        .unwrap();
    assert_eq!(late.get(LONG), Err(JobError::TimedOut));
    assert_eq!(other.get(LONG), Ok(0.3));
    assert_eq!(pool.apply(slow, (0.0,)), Ok(0.0));
}

// cpython: _test_multiprocessing.py::_TestProcess::test_forkserver_sigkill
#[test]
fn a_killed_fork_server_is_replaced() {
    fn test() {
        assert_eq!(run_by_fork_server(), Some(0));
        let [server, idle] = server_and_idle_process();
        kill(server, Signal::SIGKILL).unwrap();
        // What it has made for the next start does not outlive it.
        wait_until("the end of the idle process", || {
            !alive(idle.as_raw() as u32)
        });
        for _ in 0..5 {
            assert_eq!(run_by_fork_server(), Some(0));
        }
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn a_process_that_is_killed_before_its_order_is_replaced() {
    fn test() {
        for _ in 0..5 {
            assert_eq!(run_by_fork_server(), Some(0));
            let [server, idle] = server_and_idle_process();
            kill(idle, Signal::SIGKILL).unwrap();
            wait_until("its end", || !alive(idle.as_raw() as u32));
            assert_eq!(run_by_fork_server(), Some(0));
            assert_eq!(server_and_idle_process()[0], server);
            assert!(!std::path::Path::new(&format!("/proc/{idle}")).exists());
        }
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn an_order_does_not_kill_who_gets_it() {
    fn test() {
        for _ in 0..300 {
            assert_eq!(run_by_fork_server(), Some(0));
        }
    }
    crate::support::with_one_thread(Process::new(test, ()));
}

fn run_by_fork_server() -> Option<i32> {
    let process = Process::new(|| (), ()).with_start_method(StartMethod::ForkServer);
    crate::support::run_to_end(&process)
}

/// The children of a process that has started others by the fork server alone, all of which ended.
fn server_and_idle_process() -> [Pid; 2] {
    let id = std::process::id();
    let children = || {
        let text = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        let pids = text.split_whitespace().map(|pid| pid.parse().unwrap());
        pids.map(Pid::from_raw).collect::<Vec<_>>()
    };
    wait_until("a process that waits for its order", || {
        children().len() == 2
    });
    let [server, idle] = children()[..] else {
        panic!("{:?}", children())
    };
    [server, idle]
}

#[test]
fn no_child_outlives_its_parent() {
    fn sleep() {
        std::thread::sleep(Duration::from_secs_f64(2.0 * LONG));
    }
    fn parent(connection: Connection) -> Result<(), Error> {
        let methods = [
            StartMethod::ForkServer,
            StartMethod::Spawn,
            StartMethod::Fork,
        ];
        let start = |method| {
            let child = Process::new(sleep, ()).with_start_method(method);
            child.start().map(|()| child)
        };
        let children = methods
            .into_iter()
            .map(start)
            .collect::<Result<Vec<_>, _>>()?;
        let pids: Vec<u32> = children.iter().filter_map(Process::pid).collect();
        connection.send(&pids)?;
        sleep();
        Ok(())
    }
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(parent, (theirs,));
    process.start().unwrap();
    let pids: Vec<u32> = ours.recv().unwrap();
    assert_eq!(pids.len(), 3);
    process.kill().unwrap();
    process.join(LONG).unwrap();
    wait_until("the children to end with their parent", || {
        !pids.iter().any(|pid| alive(*pid))
    });
}

#[test]
fn a_child_that_dies_before_it_reads_its_orders_is_no_hang() {
    fn test() {
        // Another program, which knows nothing of hilos.
        hilos::multiprocessing::set_executable("/bin/false");
        let process = Process::new(|| (), ()).with_start_method(StartMethod::Spawn);
        assert_eq!(crate::support::run_to_end(&process), Some(1));
        let missing = Process::new(|| (), ()).with_start_method(StartMethod::Spawn);
        hilos::multiprocessing::set_executable("/nonexistent/program");
        assert!(matches!(missing.start(), Err(Error::Os(_))));
    }
    // cpython: _test_multiprocessing.py::_TestProcess::test_set_executable
    crate::support::with_one_thread(Process::new(test, ()));
}

#[test]
fn no_descriptors_left_is_an_error() {
    fn test() {
        use nix::sys::resource::{Resource, setrlimit};
        setrlimit(Resource::RLIMIT_NOFILE, 16, 16).unwrap();
        let mut ends = Vec::new();
        let refused = loop {
            match pipe(true) {
                Ok(pair) => ends.push(pair),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, Error::Os(_)), "{refused:?}");
        let process = Process::new(|| (), ());
        assert!(matches!(process.start(), Err(Error::Os(_))));
        drop(ends);
        assert_eq!(
            crate::support::run_to_end(&process),
            Some(0),
            "it can be tried again"
        );
    }
    crate::support::with_one_thread(Process::new(test, ()));
}
