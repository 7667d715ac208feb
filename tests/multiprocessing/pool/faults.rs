//! What happens to jobs whose workers die, hang or are interrupted.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::pool::{JobError, MapResult, Pool};
use hilos::multiprocessing::{Error, Process, Target};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::{Pid, setpgid};

use super::{Directory, square};
use crate::faults::alive;
use crate::program::heed_interrupts;
use crate::support::{LONG, wait_until};

fn kill_worker(pid: u32) {
    let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
}

/// A number from 0 to `below`, and the state for the next.
fn random(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6364136223846793005)
        .wrapping_add(1442695040888963407);
    (*state >> 33) % below
}

#[test]
fn workers_killed_at_random_points_of_10_000_jobs() {
    /// Notes that it runs, works a little, and says who has done it.
    fn job(log: &String, number: u32) -> (u32, u32) {
        let mut log = std::fs::OpenOptions::new().append(true).open(log).unwrap();
        log.write_all(&number.to_le_bytes()).unwrap();
        let sum = (0..u64::from(number) % 20_000).fold(0, |sum: u64, n| sum.rotate_left(3) ^ n);
        std::hint::black_box(sum);
        (number, std::process::id())
    }
    let directory = Directory::new("random-kills");
    let log = directory.path("log");
    std::fs::write(&log, "").unwrap();
    let seed = std::process::id().into();
    let (mut state, mut kills, mut lost) = (seed, 0, 0);
    let mut next_kill = 50;
    let mut arrived = HashSet::new();
    let pool = Pool::new(3).unwrap();
    for (count, result) in pool.imap_with(log.clone(), job, 0..10_000).enumerate() {
        let pid = match result {
            Ok((number, pid)) => {
                assert!(arrived.insert(number), "{number} came twice, seed {seed}");
                pid
            }
            Err(JobError::WorkerLost(_)) => {
                lost += 1;
                continue;
            }
            Err(error) => panic!("{error:?}, seed {seed}"),
        };
        if count >= next_kill {
            kill_worker(pid);
            kills += 1;
            next_kill = count + random(&mut state, 200) as usize;
        }
    }
    assert_eq!(arrived.len() + lost, 10_000, "seed {seed}");
    assert!(
        kills > 30 && lost <= kills,
        "{lost} lost by {kills} kills, seed {seed}"
    );
    let mut runs = HashMap::new();
    for number in std::fs::read(log).unwrap().chunks(4) {
        *runs.entry(number.to_vec()).or_insert(0) += 1;
    }
    let twice = runs.values().filter(|runs| **runs > 1).count();
    assert_eq!(twice, 0, "run more than once, seed {seed}");
}

#[test]
fn a_job_that_has_not_begun_outlives_its_worker() {
    let pool = Pool::new(1).unwrap();
    let pid = pool.apply(std::process::id, ()).unwrap();
    kill(Pid::from_raw(pid as i32), Signal::SIGSTOP).unwrap();
    let job = pool.apply_async(square, (7,)).unwrap();
    assert_eq!(job.get(0.05), Err(JobError::NotReady));
    kill_worker(pid);
    assert_eq!(job.get(LONG), Ok(49));
}

#[test]
fn a_long_job_does_not_hold_up_those_behind_it() {
    /// The first waits for the sixth, which stands behind it.
    fn meet(path: &String, number: u32) -> u32 {
        match number {
            0 => {
                while !Path::new(path).exists() {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            5 => std::fs::write(path, "").unwrap(),
            _ => {}
        }
        number
    }
    let directory = Directory::new("long-job");
    let pool = Pool::new(2).unwrap().with_chunksize(1);
    for round in 0..5 {
        // Jobs that are quick lead the pool to expect more such.
        pool.map(square, 0..1000).unwrap();
        let path = directory.path(&round.to_string());
        let met = pool.map_async_with(path, meet, 0..100).unwrap();
        assert_eq!(met.get(LONG).unwrap(), (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn a_limit_concerns_no_other_job() {
    fn slow(number: u32) -> u32 {
        if number % 50 == 7 {
            std::thread::sleep(Duration::from_secs_f64(2.0 * LONG));
        }
        number
    }
    let pool = Pool::new(1).unwrap().with_timeout(1.5);
    for (number, result) in (0..100).zip(pool.imap(slow, 0..100)) {
        match number % 50 {
            7 => assert_eq!(result, Err(JobError::TimedOut)),
            _ => assert_eq!(result, Ok(number)),
        }
    }
    let nothing = pool.with_timeout(0).apply(std::thread::park, ());
    assert_eq!(nothing, Err(JobError::TimedOut));
}

/// Has a process with a pool be the head of a group of its own, and interrupts the group.
fn interrupt<F>(parent: F, stop: String) -> (Process, Connection, Vec<u32>)
where
    F: Target<(Connection, String)>,
{
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(parent, (theirs, stop));
    process.start().unwrap();
    let pids: Vec<u32> = ours.recv_timeout(LONG).unwrap();
    assert_eq!(pids.len(), 3);
    let group = process.pid().unwrap() as i32;
    kill(Pid::from_raw(-group), Signal::SIGINT).unwrap();
    (process, ours, pids)
}

/// Starts a pool whose workers are at work until the file `stop` is there, and tells their numbers.
fn busy_pool(connection: &Connection, stop: String) -> Result<(Pool, MapResult<()>), Error> {
    fn work((tell, stop): &(Connection, String), _: u8) {
        tell.send(&std::process::id()).unwrap();
        while !Path::new(stop).exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let (begun, tell) = pipe(true)?;
    let pool = Pool::new(3)?;
    let map = pool.map_async_with((tell, stop), work, 0..3).unwrap();
    let pids: Result<Vec<u32>, _> = (0..3).map(|_| begun.recv()).collect();
    connection.send(&pids?)?;
    Ok((pool, map))
}

#[test]
fn an_interrupt_ends_the_whole_tree() {
    fn parent(connection: Connection, stop: String) -> Result<(), Error> {
        setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
        heed_interrupts();
        let (_pool, map) = busy_pool(&connection, stop)?;
        map.wait(None);
        Ok(())
    }
    let directory = Directory::new("interrupted");
    let (process, _, pids) = interrupt(parent, directory.path("never"));
    process.join(LONG).unwrap();
    assert_eq!(process.exitcode(), Some(-(Signal::SIGINT as i32)));
    wait_until("the workers to end with their pool", || {
        !pids.iter().any(|pid| alive(*pid))
    });
}

#[test]
fn a_program_that_handles_interrupts_keeps_its_workers() {
    fn parent(connection: Connection, stop: String) -> Result<(), Error> {
        setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
        heed_interrupts();
        // From here the fork server is there, whose children do not block the signal.
        crate::support::run_to_end(&Process::new(|| (), ()));
        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGINT);
        blocked.thread_block()?;
        let (_pool, map) = busy_pool(&connection, stop.clone())?;
        blocked.wait()?;
        std::fs::write(stop, "")?;
        connection.send(&map.get(LONG).map_err(|error| error.to_string()))
    }
    let directory = Directory::new("handled");
    let (process, connection, _) = interrupt(parent, directory.path("stop"));
    let done: Result<Vec<()>, String> = connection.recv_timeout(LONG).unwrap();
    assert_eq!(done, Ok(vec![(); 3]));
    process.join(LONG).unwrap();
    assert_eq!(process.exitcode(), Some(0));
}
