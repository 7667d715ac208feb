//! What is left when programs end, in one way or another: nothing.

use std::io::ErrorKind;
use std::path::Path;

use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::managers::SharedMemoryManager;
use hilos::multiprocessing::shared_memory::SharedMemory;
use hilos::multiprocessing::{Error, Process, StartMethod, resource_tracker};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::program::{self, Program, say};
use crate::shared_memory::{exists, kind};
use crate::support::{LONG, wait_until, with_one_thread};

const LEAKED: &str = "resource_tracker: There appear to be";

/// A program that creates blocks: by itself, by a child that runs on and by one that has ended.
#[test]
#[ignore = "a program of other tests"]
fn creates() {
    let Some(args) = program::args() else { return };
    let block = SharedMemory::create(10).unwrap();
    let names = match &*args.concat() {
        "alone" => vec![block.name().to_owned()],
        method => {
            let (ended, ended_name) = creator(method);
            ended.kill_after_closing();
            let (_running, running_name) = creator(method);
            vec![block.name().to_owned(), ended_name, running_name]
        }
    };
    say(&names.join(" "));
    program::wait();
}

struct Creator(Process, Connection);

impl Creator {
    fn kill_after_closing(self) {
        self.1.send(&()).unwrap();
        self.0.join(LONG).unwrap();
    }
}

fn creator(method: &str) -> (Creator, String) {
    fn create(to: Connection) -> Result<(), Error> {
        let block = SharedMemory::create(10)?;
        to.send(block.name())?;
        to.recv()
    }
    let method = match method {
        "spawn" => StartMethod::Spawn,
        "fork" => StartMethod::Fork,
        _ => StartMethod::ForkServer,
    };
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(create, (theirs,)).with_start_method(method);
    process.start().unwrap();
    let name = ours.recv().unwrap();
    (Creator(process, ours), name)
}

/// Starts the program and returns the names of its blocks.
fn start(how: &str) -> (Program, Vec<String>) {
    let mut program = Program::start("resource_tracker::creates", &[how]);
    let names: Vec<String> = program.line().split(' ').map(str::to_owned).collect();
    assert!(names.iter().all(|name| exists(name)), "{names:?}");
    (program, names)
}

/// Waits for a program's end; nothing of it is left then.
fn nothing_is_left(program: Program, names: &[String]) -> String {
    let (_, errors) = program.finish();
    let left: Vec<_> = names.iter().filter(|name| exists(name)).collect();
    assert!(left.is_empty(), "{left:?} {errors}");
    assert!(errors.contains(LEAKED), "{errors}");
    assert!(names.iter().all(|name| errors.contains(name)), "{errors}");
    errors
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_cleaned_after_process_termination
#[test]
fn a_program_that_is_terminated_leaves_nothing() {
    let (program, names) = start("alone");
    program.signal(Signal::SIGTERM);
    let errors = nothing_is_left(program, &names);
    let expected = "1 leaked shared_memory objects to clean up at shutdown";
    assert!(errors.contains(expected), "{errors}");
}

#[test]
fn a_program_that_is_killed_leaves_nothing() {
    for how in ["alone", "forkserver", "spawn", "fork"] {
        let (program, names) = start(how);
        program.signal(Signal::SIGKILL);
        nothing_is_left(program, &names);
    }
}

#[test]
fn a_process_group_that_is_killed_leaves_nothing() {
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let (program, names) = start("forkserver");
        program.signal_group(signal);
        nothing_is_left(program, &names);
    }
}

#[test]
fn a_program_that_forgets_leaves_nothing() {
    let (mut program, names) = start("alone");
    program.go_on();
    nothing_is_left(program, &names);
}

// cpython: _test_multiprocessing.py::TestResourceTracker::test_resource_tracker
#[test]
fn what_others_have_unlinked_is_no_trouble() {
    let (program, names) = start("forkserver");
    SharedMemory::open(&names[0]).unwrap().unlink().unwrap();
    // Another block may have taken the name meanwhile.
    let other = SharedMemory::create_named(&names[0], 5).unwrap();
    program.signal(Signal::SIGTERM);
    let (_, errors) = program.finish();
    assert!(!exists(&names[1]) && !exists(&names[2]), "{errors}");
    assert!(!errors.contains(&names[0]), "{errors}");
    assert!(exists(&names[0]), "it is not the program's");
    other.unlink().unwrap();
}

/// A program that creates and unlinks until it is killed.
#[test]
#[ignore = "a program of other tests"]
fn creates_and_unlinks() {
    let Some(args) = program::args() else { return };
    say("ready");
    for number in 0_u64.. {
        let name = format!("{}-{number}", args.concat());
        SharedMemory::create_named(&name, 100_000)
            .unwrap()
            .unlink()
            .unwrap();
    }
}

#[test]
fn a_program_that_is_killed_at_any_moment_leaves_nothing() {
    for round in 0..20 {
        let prefix = format!("hilos_moment{}-{round}", std::process::id());
        let mut program = Program::start("resource_tracker::creates_and_unlinks", &[&prefix]);
        program.line();
        // Any moment is as good as another.
        std::thread::sleep(std::time::Duration::from_micros(300 * round));
        program.signal(Signal::SIGKILL);
        program.finish();
        let names = std::fs::read_dir("/dev/shm").unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let left: Vec<String> = names.filter(|name| name.starts_with(&prefix)).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// A program that opens the block of another.
#[test]
#[ignore = "a program of other tests"]
fn opens() {
    let Some(args) = program::args() else { return };
    let block = SharedMemory::open(&args[0]).unwrap();
    say("opened");
    program::wait();
    block.close();
    say("closed");
    program::wait();
}

#[test]
fn what_another_program_uses_stays_until_that_closes_it() {
    let (program, names) = start("alone");
    let mut other = Program::start("resource_tracker::opens", &[&names[0]]);
    other.line();
    program.signal(Signal::SIGKILL);
    // The tracker has let go of its standard error output once it only waits.
    let (_, errors) = program.finish();
    assert!(errors.contains(&names[0]), "{errors}");
    let block = SharedMemory::open(&names[0]).expect("it is still used");
    other.go_on();
    assert_eq!(other.line(), "closed");
    assert!(exists(&names[0]), "this process uses it now");
    block.close();
    wait_until("the block to go", || !exists(&names[0]));
    let (_, errors) = other.finish();
    assert!(
        !errors.contains(LEAKED),
        "who only opens leaves nothing: {errors}"
    );
}

/// A program that gives its blocks away.
#[test]
#[ignore = "a program of other tests"]
fn does_not_track() {
    let Some(args) = program::args() else { return };
    let untracked = SharedMemory::create(10).unwrap().with_track(false).unwrap();
    let adopted = SharedMemory::open(&args[0])
        .unwrap()
        .with_track(true)
        .unwrap();
    let registered = SharedMemory::open(&args[1]).unwrap();
    resource_tracker::register(registered.name(), "shared_memory").unwrap();
    let unregistered = SharedMemory::create(10).unwrap();
    resource_tracker::unregister(unregistered.name(), "shared_memory").unwrap();
    say(&format!("{} {}", untracked.name(), unregistered.name()));
    drop(adopted);
    program::wait();
}

#[test]
fn only_what_is_tracked_is_removed() {
    let blocks = [(); 2].map(|()| SharedMemory::create(10).unwrap());
    // As those of another program: here nobody tracks them either.
    let blocks = blocks.map(|block| block.with_track(false).unwrap());
    let names = [blocks[0].name(), blocks[1].name()];
    let mut program = Program::start("resource_tracker::does_not_track", &names);
    let line = program.line();
    let (untracked, unregistered) = line.split_once(' ').unwrap();
    program.signal(Signal::SIGKILL);
    let (_, errors) = program.finish();
    assert!(names.iter().all(|name| errors.contains(name)), "{errors}");
    assert!(
        names.iter().all(|name| exists(name)),
        "this process uses them"
    );
    blocks.iter().for_each(SharedMemory::close);
    wait_until("the blocks to go", || {
        !names.iter().any(|name| exists(name))
    });
    for name in [untracked, unregistered] {
        SharedMemory::open(name).unwrap().unlink().unwrap();
    }
}

#[test]
fn a_child_may_be_the_first_to_need_the_tracker() {
    for method in ["forkserver", "spawn", "fork"] {
        let mut program = Program::start("resource_tracker::child_creates", &[method]);
        let name = program.line();
        assert!(exists(&name));
        program.signal(Signal::SIGKILL);
        nothing_is_left(program, &[name]);
    }
}

/// A program whose child creates a block and ends.
#[test]
#[ignore = "a program of other tests"]
fn child_creates() {
    let Some(args) = program::args() else { return };
    let (child, name) = creator(&args.concat());
    child.kill_after_closing();
    say(&name);
    program::wait();
}

/// The number of this program's tracker, which is a child of this process.
fn tracker() -> Pid {
    let is_tracker = |pid: &i32| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name.trim() == "hilos-tracker")
    };
    let mut trackers = children().into_iter().filter(is_tracker);
    let found = Pid::from_raw(trackers.next().expect("a tracker"));
    assert_eq!(trackers.next(), None, "one is enough");
    found
}

fn children() -> Vec<i32> {
    let children = |thread: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(thread.unwrap().path().join("children")).unwrap()
    };
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let all: Vec<String> = threads.map(children).collect();
    let numbers = all.iter().flat_map(|text| text.split_whitespace());
    numbers.map(|number| number.parse().unwrap()).collect()
}

/// A program that lets its tracker be hurt.
#[test]
#[ignore = "a program of other tests"]
fn hurts_its_tracker() {
    let Some(args) = program::args() else { return };
    resource_tracker::ensure_running().unwrap();
    let before = tracker();
    let blocks = [(); 2].map(|()| SharedMemory::create(10).unwrap());
    let signal: Signal = args.concat().parse().unwrap();
    kill(before, signal).unwrap();
    if signal == Signal::SIGKILL {
        let dead = || {
            let stat = std::fs::read_to_string(format!("/proc/{before}/stat")).unwrap();
            stat.contains(") Z ")
        };
        wait_until("the tracker to die", dead);
    }
    blocks[0].unlink().unwrap();
    let late = SharedMemory::create(10).unwrap();
    assert_eq!(tracker() == before, signal != Signal::SIGKILL);
    assert!(!Path::new(&format!("/proc/{before}")).exists() || tracker() == before);
    say(&format!("{} {}", blocks[1].name(), late.name()));
    program::wait();
}

fn hurt(signal: Signal) -> String {
    let mut program = Program::start("resource_tracker::hurts_its_tracker", &[signal.as_str()]);
    let line = program.line();
    program.signal(Signal::SIGKILL);
    let (_, errors) = program.finish();
    assert!(line.split(' ').all(|name| !exists(name)), "{errors}");
    assert!(errors.contains(&format!("{LEAKED} 2 leaked")), "{errors}");
    errors
}

// cpython: _test_multiprocessing.py::TestResourceTracker::test_resource_tracker_sigint
#[test]
fn the_tracker_does_not_mind_an_interrupt() {
    assert!(!hurt(Signal::SIGINT).contains("process died"));
}

// cpython: _test_multiprocessing.py::TestResourceTracker::test_resource_tracker_sigterm
#[test]
fn the_tracker_does_not_mind_being_asked_to_end() {
    assert!(!hurt(Signal::SIGTERM).contains("process died"));
}

// cpython: _test_multiprocessing.py::TestResourceTracker::test_resource_tracker_sigkill
#[test]
fn a_killed_tracker_is_replaced_and_hears_of_everything_again() {
    assert!(hurt(Signal::SIGKILL).contains("resource_tracker: process died unexpectedly"));
}

// cpython: _test_multiprocessing.py::TestResourceTracker::test_too_long_name_resource
#[test]
fn a_name_has_a_limit() {
    let long = "a".repeat(512 - "shared_memory".len());
    let refused = resource_tracker::register(&long, "shared_memory");
    assert_eq!(
        format!("{:?}", refused.unwrap_err()),
        "ValueError: msg too long"
    );
}

#[test]
fn only_blocks_that_exist_are_registered() {
    let refused = resource_tracker::register("hilos_nothing", "shared_memory");
    assert_eq!(kind(refused), ErrorKind::NotFound);
    let refused = resource_tracker::register("x", "semaphore")
        .unwrap_err()
        .to_string();
    assert!(
        refused.ends_with("unknown resource type semaphore"),
        "{refused}"
    );
}

// cpython: _test_multiprocessing.py::TestResourceTracker::test_resource_tracker_exit_code
#[test]
fn the_trackers_exit_code_says_whether_something_was_left() {
    fn test() {
        use nix::sys::wait::{WaitStatus, waitpid};
        nix::sys::prctl::set_child_subreaper(true).unwrap();
        for (unlinked, code) in [(true, 0), (false, 1)] {
            let (program, names) = start("alone");
            if unlinked {
                SharedMemory::open(&names[0]).unwrap().unlink().unwrap();
            }
            let known = children();
            program.signal(Signal::SIGKILL);
            program.finish();
            // What loses its parent becomes a child of this process.
            wait_until("the tracker", || {
                children().iter().any(|pid| !known.contains(pid))
            });
            let orphan = children()
                .into_iter()
                .find(|pid| !known.contains(pid))
                .unwrap();
            let orphan = Pid::from_raw(orphan);
            assert_eq!(waitpid(orphan, None), Ok(WaitStatus::Exited(orphan, code)));
        }
    }
    with_one_thread(Process::new(test, ()));
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_SharedMemoryManager_reuses_resource_tracker
#[test]
fn a_manager_uses_the_same_tracker_and_leaves_nothing() {
    let mut program = Program::start("resource_tracker::manages", &["shutdown"]);
    let name = program.line();
    assert!(!exists(&name));
    program.go_on();
    let (_, errors) = program.finish();
    assert!(!errors.contains("resource_tracker"), "{errors}");
}

#[test]
fn the_blocks_of_a_manager_that_is_killed_are_removed() {
    let mut program = Program::start("resource_tracker::manages", &["run"]);
    let name = program.line();
    assert!(exists(&name));
    program.signal(Signal::SIGKILL);
    nothing_is_left(program, &[name]);
}

/// A program with a manager.
#[test]
#[ignore = "a program of other tests"]
fn manages() {
    let Some(args) = program::args() else { return };
    resource_tracker::ensure_running().unwrap();
    let before = tracker();
    let manager = SharedMemoryManager::new();
    manager.start().unwrap();
    let name = manager
        .shareable_list(0..10)
        .unwrap()
        .shm()
        .name()
        .to_owned();
    match &*args.concat() {
        "shutdown" => manager.shutdown(),
        "interrupt" => {
            kill(before, Signal::SIGINT).unwrap();
            let block = manager.shared_memory(10).unwrap();
            block.unlink().unwrap();
        }
        _ => {}
    }
    assert_eq!(tracker(), before);
    say(&name);
    program::wait();
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_SharedMemoryServer_ignores_sigint
#[test]
fn a_manager_does_not_mind_an_interrupt_of_its_tracker() {
    let mut program = Program::start("resource_tracker::manages", &["interrupt"]);
    let name = program.line();
    program.signal(Signal::SIGINT);
    nothing_is_left(program, &[name]);
}
