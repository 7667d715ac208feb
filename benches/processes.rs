//! Processes that do nothing; a turn is the start of one and its end.

#[path = "common/settings.rs"]
mod settings;

use std::env;
use std::ffi::{CString, c_char};
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use std::ptr;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use hilos::multiprocessing::{Process, StartMethod};
use settings::row;

criterion_group!(starts, forkserver, forkserver_of_1_gib, spawn, fork);

/// Criterion's, except in the rivals' processes.
fn main() {
    match env::args().nth(1).as_deref() {
        Some(EXIT) => {}
        Some(FORK) => fork_on_demand(),
        _ => {
            starts();
            Criterion::default().configure_from_args().final_summary();
        }
    }
}

/// The argument of a process that ends at once.
const EXIT: &str = "exit";
/// The argument of a process that forks.
const FORK: &str = "fork";

fn forkserver(criterion: &mut Criterion) {
    let mut row = row(criterion, "process_forkserver");
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| start_and_join(StartMethod::ForkServer));
    });
    row.bench_function("raw_fork", |bencher| {
        let mut parent = TinyParent::new();
        bencher.iter_custom(|turns| parent.fork(turns));
    });
}

/// The memory is the starting process's; the rival goes without.
fn forkserver_of_1_gib(criterion: &mut Criterion) {
    let mut row = row(criterion, "process_forkserver_1_gib");
    row.bench_function("hilos", |bencher| {
        let ballast = black_box(vec![1_u8; 1 << 30]);
        bencher.iter(|| start_and_join(StartMethod::ForkServer));
        drop(black_box(ballast));
    });
    row.bench_function("raw_fork", |bencher| {
        let mut parent = TinyParent::new();
        bencher.iter_custom(|turns| parent.fork(turns));
    });
}

fn spawn(criterion: &mut Criterion) {
    let mut row = row(criterion, "process_spawn");
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| start_and_join(StartMethod::Spawn));
    });
    row.bench_function("posix_spawn", |bencher| {
        let program = Program::new();
        bencher.iter(|| program.run());
    });
}

fn fork(criterion: &mut Criterion) {
    let mut row = row(criterion, "process_fork");
    row.bench_function("hilos", |bencher| {
        bencher.iter(|| start_and_join(StartMethod::Fork));
    });
    row.bench_function("raw_fork", |bencher| bencher.iter(fork_and_wait));
}

fn start_and_join(method: StartMethod) {
    let process = Process::new(nothing, ()).with_start_method(method);
    process.start().unwrap();
    process.join(None).unwrap();
    assert_eq!(process.exitcode(), Some(0));
}

fn nothing() {}

/// A process with next to no memory of its own, which forks when it is asked.
struct TinyParent(Child);

impl TinyParent {
    fn new() -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.arg(FORK);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn fork(&mut self, turns: u64) -> Duration {
        let (orders, times) = (self.0.stdin.as_mut(), self.0.stdout.as_mut());
        orders.unwrap().write_all(&turns.to_ne_bytes()).unwrap();
        let mut nanoseconds = [0; 8];
        times.unwrap().read_exact(&mut nanoseconds).unwrap();
        Duration::from_nanos(u64::from_ne_bytes(nanoseconds))
    }
}

impl Drop for TinyParent {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// What the tiny parent does.
fn fork_on_demand() {
    let (mut orders, mut times) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut turns = [0; 8];
    while orders.read_exact(&mut turns).is_ok() {
        let begin = Instant::now();
        (0..u64::from_ne_bytes(turns)).for_each(|_| fork_and_wait());
        let nanoseconds = begin.elapsed().as_nanos() as u64;
        times.write_all(&nanoseconds.to_ne_bytes()).unwrap();
        times.flush().unwrap();
    }
}

fn fork_and_wait() {
    // SAFETY: the copy does nothing but end.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: runs no code of the process.
        unsafe { libc::_exit(0) };
    }
    wait_for(pid);
}

/// This program, told to exit.
struct Program {
    path: CString,
    argument: CString,
}

impl Program {
    fn new() -> Self {
        let path = env::current_exe().unwrap();
        Self {
            path: CString::new(path.as_os_str().as_bytes()).unwrap(),
            argument: CString::new(EXIT).unwrap(),
        }
    }

    fn run(&self) {
        unsafe extern "C" {
            static environ: *const *mut c_char;
        }
        let arguments = [
            self.path.as_ptr().cast_mut(),
            self.argument.as_ptr().cast_mut(),
            ptr::null_mut(),
        ];
        let mut pid = 0;
        // SAFETY: the strings end in NUL and the arrays in null; the environment is the C
        // library's, which no thread changes meanwhile; `pid` is writable.
        let error = unsafe {
            let (path, pid) = (self.path.as_ptr(), &raw mut pid);
            let (actions, attributes) = (ptr::null(), ptr::null());
            libc::posix_spawn(pid, path, actions, attributes, arguments.as_ptr(), environ)
        };
        assert_eq!(error, 0);
        wait_for(pid);
    }
}

fn wait_for(pid: libc::pid_t) {
    let mut status = -1;
    // SAFETY: `status` is writable.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    assert_eq!(status, 0);
}
