//! Processes, and what goes through a pipe between them.

#[path = "common/settings.rs"]
mod settings;

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

use criterion::{Bencher, Criterion, criterion_group};
use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::{Process, StartMethod};
use ipc_channel::ipc::{self, IpcBytesReceiver, IpcBytesSender};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use settings::row;

criterion_group!(
    processes,
    start_join,
    large_parent,
    round_trip,
    one_way,
    numbers
);

/// In a process that shall end at once.
const END: &str = "HILOS_BENCH_END";

fn main() {
    if std::env::var_os(END).is_some() {
        hilos::threading::os_exit(0);
    }
    processes();
    Criterion::default().configure_from_args().final_summary();
}

fn start_join(criterion: &mut Criterion) {
    let mut group = row(criterion, "process_start_join_forkserver");
    group.bench_function("hilos", |bencher| {
        start_and_join(bencher, StartMethod::ForkServer)
    });
    group.bench_function("fork", fork_and_wait);
    group.finish();
    let mut group = row(criterion, "process_start_join_spawn");
    group.bench_function("hilos", |bencher| {
        start_and_join(bencher, StartMethod::Spawn)
    });
    group.bench_function("posix_spawn", |bencher| {
        let program = std::env::current_exe().unwrap();
        bencher.iter(|| {
            let mut command = Command::new(&program);
            // No arguments, so that the system's own posix_spawn is used.
            command.arg0("bench").env(END, "1");
            assert!(command.status().unwrap().success());
        });
    });
    group.finish();
    let mut group = row(criterion, "process_start_join_fork");
    group.bench_function("hilos", |bencher| {
        start_and_join(bencher, StartMethod::Fork)
    });
}

/// With a gigabyte in this process, of which the fork server has none.
fn large_parent(criterion: &mut Criterion) {
    let mut group = row(criterion, "process_start_join_forkserver_1_gib");
    group.bench_function("fork", fork_and_wait);
    let ballast = vec![1_u8; 1 << 30];
    group.bench_function("hilos", |bencher| {
        start_and_join(bencher, StartMethod::ForkServer)
    });
    assert_eq!(black_box(&ballast)[4096], 1);
}

fn start_and_join(bencher: &mut Bencher<'_>, method: StartMethod) {
    bencher.iter(|| {
        let process = Process::new(|| (), ()).with_start_method(method);
        process.start().unwrap();
        process.join(None).unwrap();
    });
}

/// What the system takes for a process of its own.
fn fork_and_wait(bencher: &mut Bencher<'_>) {
    bencher.iter(|| {
        // SAFETY: the child does nothing but end.
        match unsafe { fork() }.unwrap() {
            ForkResult::Parent { child } => waitpid(child, None).unwrap(),
            ForkResult::Child => hilos::threading::os_exit(0),
        }
    });
}

/// A process that sends back what it gets.
fn echo(connection: Connection) {
    while let Ok(message) = connection.recv_bytes() {
        if connection.send_bytes(&message).is_err() {
            return;
        }
    }
}

/// As [`echo`], of as many bytes at a time as the number at the end of `stream`'s name says.
fn raw_echo(mut stream: UnixStream) {
    let mut bytes = [0; 8];
    while stream.read_exact(&mut bytes).is_ok() && stream.write_all(&bytes).is_ok() {}
}

fn round_trip(criterion: &mut Criterion) {
    let mut group = row(criterion, "pipe_round_trip_8");
    group.bench_function("hilos", |bencher| {
        let (ours, theirs) = pipe(true).unwrap();
        let process = Process::new(echo, (theirs,)).with_daemon(true);
        process.start().unwrap();
        bencher.iter(|| {
            ours.send_bytes(&[7; 8]).unwrap();
            black_box(ours.recv_bytes().unwrap());
        });
        process.kill().unwrap();
    });
    group.bench_function("socketpair", |bencher| {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let process = Process::forked(move || raw_echo(theirs));
        process.start().unwrap();
        let mut bytes = [7; 8];
        bencher.iter(|| {
            ours.write_all(&bytes).unwrap();
            ours.read_exact(&mut bytes).unwrap();
        });
        process.kill().unwrap();
    });
}

/// How large the large messages are.
const LARGE: usize = 1 << 20;

fn one_way(criterion: &mut Criterion) {
    let mut group = row(criterion, "pipe_one_way_1_mib");
    group.bench_function("hilos", |bencher| {
        let (ours, theirs) = pipe(true).unwrap();
        let send = |connection: Connection| {
            let bytes = vec![7; LARGE];
            while let Ok(turns) = connection.recv::<u64>() {
                (0..turns).for_each(|_| connection.send_bytes(&bytes).unwrap());
            }
        };
        let process = Process::new(send, (theirs,)).with_daemon(true);
        process.start().unwrap();
        bencher.iter_custom(|turns| {
            ours.send(&turns).unwrap();
            let begin = Instant::now();
            (0..turns).for_each(|_| drop(black_box(ours.recv_bytes().unwrap())));
            begin.elapsed()
        });
        process.kill().unwrap();
    });
    group.bench_function("ipc_channel", |bencher| {
        let (sender, receiver): (IpcBytesSender, IpcBytesReceiver) = ipc::bytes_channel().unwrap();
        let (orders, order) = pipe(true).unwrap();
        let process = Process::forked(move || {
            let bytes = vec![7; LARGE];
            while let Ok(turns) = order.recv::<u64>() {
                (0..turns).for_each(|_| sender.send(&bytes).unwrap());
            }
        });
        process.start().unwrap();
        bencher.iter_custom(|turns| {
            orders.send(&turns).unwrap();
            let begin = Instant::now();
            (0..turns).for_each(|_| drop(black_box(receiver.recv().unwrap())));
            begin.elapsed()
        });
        process.kill().unwrap();
    });
}

/// A million numbers, as a value and as bare bytes.
fn numbers(criterion: &mut Criterion) {
    const COUNT: usize = 1_000_000;
    let mut group = row(criterion, "connection_vec_f64");
    group.bench_function("hilos", |bencher| {
        let (ours, theirs) = pipe(true).unwrap();
        let send = |connection: Connection| {
            let numbers = vec![0.5_f64; COUNT];
            while let Ok(turns) = connection.recv::<u64>() {
                (0..turns).for_each(|_| connection.send(&numbers).unwrap());
            }
        };
        let process = Process::new(send, (theirs,)).with_daemon(true);
        process.start().unwrap();
        bencher.iter_custom(|turns| {
            ours.send(&turns).unwrap();
            let begin = Instant::now();
            (0..turns).for_each(|_| drop(black_box(ours.recv::<Vec<f64>>().unwrap())));
            begin.elapsed()
        });
        process.kill().unwrap();
    });
    group.bench_function("send_bytes", |bencher| {
        let (ours, theirs) = pipe(true).unwrap();
        let send = |connection: Connection| {
            let bytes = vec![7; 8 * COUNT];
            while let Ok(turns) = connection.recv::<u64>() {
                (0..turns).for_each(|_| connection.send_bytes(&bytes).unwrap());
            }
        };
        let process = Process::new(send, (theirs,)).with_daemon(true);
        process.start().unwrap();
        bencher.iter_custom(|turns| {
            ours.send(&turns).unwrap();
            let begin = Instant::now();
            (0..turns).for_each(|_| drop(black_box(ours.recv_bytes().unwrap())));
            begin.elapsed()
        });
        process.kill().unwrap();
    });
}
