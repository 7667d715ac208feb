//! `multiprocessing.Pipe`: messages between two processes.

#[path = "common/settings.rs"]
mod settings;

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use hilos::multiprocessing::connection::{Connection, pipe};
use hilos::multiprocessing::{DupFd, Process, Target};
use ipc_channel::ipc::{self, IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender};
use serde::Serialize;
use serde::de::DeserializeOwned;
use settings::row;

criterion_group!(pipes, round_trip, one_way, duplex, numbers);
criterion_main!(pipes);

const MIB: usize = 1 << 20;

/// Eight bytes there and back.
fn round_trip(criterion: &mut Criterion) {
    let mut row = row(criterion, "pipe_round_trip_8");
    row.bench_function("hilos", |bencher| {
        let (ours, theirs) = pipe(true).unwrap();
        let process = start(Process::new(echo, (theirs,)));
        bencher.iter(|| {
            ours.send_bytes(&[7; 8]).unwrap();
            black_box(ours.recv_bytes().unwrap());
        });
        process.terminate().unwrap();
    });
    row.bench_function("socketpair", |bencher| {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let process = start(Process::new(echo_raw, (DupFd::new(theirs),)));
        bencher.iter(|| {
            let mut message = [7; 8];
            ours.write_all(&message).unwrap();
            ours.read_exact(&mut message).unwrap();
            black_box(message);
        });
        process.terminate().unwrap();
    });
    row.bench_function("ipc_channel", |bencher| {
        let (server, name) = IpcOneShotServer::<(IpcBytesSender, IpcBytesReceiver)>::new().unwrap();
        let process = start(Process::new(echo_ipc, (name,)));
        let (_, (sender, receiver)) = server.accept().unwrap();
        bencher.iter(|| {
            sender.send(&[7; 8]).unwrap();
            black_box(receiver.recv().unwrap());
        });
        process.terminate().unwrap();
    });
}

fn echo(connection: Connection) {
    while let Ok(message) = connection.recv_bytes() {
        connection.send_bytes(&message).unwrap();
    }
}

fn echo_raw(socket: DupFd) {
    let mut socket = File::from(socket.detach());
    let mut message = [0; 8];
    while socket.read_exact(&mut message).is_ok() {
        socket.write_all(&message).unwrap();
    }
}

fn echo_ipc(name: String) {
    let (sender, receiver) = ipc::bytes_channel().unwrap();
    let (answer, answers) = ipc::bytes_channel().unwrap();
    let server = IpcSender::connect(name).unwrap();
    server.send((sender, answers)).unwrap();
    while let Ok(message) = receiver.recv() {
        answer.send(&message).unwrap();
    }
}

/// 1 MiB to this process, the way that lets bytes through and no more.
fn one_way(criterion: &mut Criterion) {
    let mut row = row(criterion, "pipe_1_mib");
    row.bench_function("hilos", |bencher| receive_bytes(bencher, false, MIB));
    row.bench_function("pipe", |bencher| {
        let (mut reader, writer) = std::io::pipe().unwrap();
        receive_raw(bencher, DupFd::new(writer), |buffer| {
            reader.read_exact(buffer).unwrap();
        });
    });
    row.bench_function("ipc_channel", receive_ipc);
}

/// 1 MiB to this process, by a pipe that goes both ways.
fn duplex(criterion: &mut Criterion) {
    let mut row = row(criterion, "pipe_duplex_1_mib");
    row.bench_function("hilos", |bencher| receive_bytes(bencher, true, MIB));
    row.bench_function("socketpair", |bencher| {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        receive_raw(bencher, DupFd::new(theirs), |buffer| {
            ours.read_exact(buffer).unwrap();
        });
    });
    row.bench_function("ipc_channel", receive_ipc);
}

/// A million numbers to this process, as a value and as bytes.
fn numbers(criterion: &mut Criterion) {
    let mut row = row(criterion, "pipe_vec_f64_1000000");
    row.bench_function("hilos", |bencher| {
        let (receiver, sender) = pipe(true).unwrap();
        receive(bencher, send_numbers, sender, || {
            black_box(receiver.recv::<Vec<f64>>().unwrap());
        });
    });
    row.bench_function("send_bytes", |bencher| {
        receive_bytes(bencher, true, NUMBERS * size_of::<f64>());
    });
}

const NUMBERS: usize = 1_000_000;

fn send_numbers(orders: Connection, sender: Connection) {
    let numbers: Vec<f64> = (0..NUMBERS).map(|number| number as f64).collect();
    serve(&orders, || sender.send(&numbers).unwrap());
}

fn receive_bytes(bencher: &mut Bencher<'_>, duplex: bool, length: usize) {
    let (receiver, sender) = pipe(duplex).unwrap();
    receive(bencher, send_bytes, (sender, length), || {
        black_box(receiver.recv_bytes().unwrap());
    });
}

fn send_bytes(orders: Connection, (sender, length): (Connection, usize)) {
    let message = vec![7; length];
    serve(&orders, || sender.send_bytes(&message).unwrap());
}

fn receive_raw(bencher: &mut Bencher<'_>, sender: DupFd, mut read: impl FnMut(&mut [u8])) {
    let mut buffer = vec![0; MIB];
    receive(bencher, send_raw, sender, || {
        read(&mut buffer);
        black_box(&buffer);
    });
}

fn send_raw(orders: Connection, sender: DupFd) {
    let (mut sender, message) = (File::from(sender.detach()), vec![7; MIB]);
    serve(&orders, || sender.write_all(&message).unwrap());
}

fn receive_ipc(bencher: &mut Bencher<'_>) {
    let (server, name) = IpcOneShotServer::<IpcBytesReceiver>::new().unwrap();
    let (orders, theirs) = pipe(true).unwrap();
    let process = start(Process::new(send_ipc, (theirs, name)));
    let (_, receiver) = server.accept().unwrap();
    time(bencher, &orders, || {
        black_box(receiver.recv().unwrap());
    });
    process.terminate().unwrap();
}

fn send_ipc(orders: Connection, name: String) {
    let (sender, receiver) = ipc::bytes_channel().unwrap();
    IpcSender::connect(name).unwrap().send(receiver).unwrap();
    let message = vec![7; MIB];
    serve(&orders, || sender.send(&message).unwrap());
}

/// Times what this process receives of what another sends when it is told to.
fn receive<F, A>(bencher: &mut Bencher<'_>, send: F, argument: A, turn: impl FnMut())
where
    F: Target<(Connection, A)>,
    A: Serialize + DeserializeOwned + Send + 'static,
{
    let (orders, theirs) = pipe(true).unwrap();
    let process = start(Process::new(send, (theirs, argument)));
    time(bencher, &orders, turn);
    process.terminate().unwrap();
}

fn time(bencher: &mut Bencher<'_>, orders: &Connection, mut turn: impl FnMut()) {
    bencher.iter_custom(|turns| {
        orders.send(&turns).unwrap();
        let begin = Instant::now();
        (0..turns).for_each(|_| turn());
        begin.elapsed()
    });
}

/// Sends as often as the other side wants.
fn serve(orders: &Connection, mut send: impl FnMut()) {
    while let Ok(turns) = orders.recv::<u64>() {
        (0..turns).for_each(|_| send());
    }
}

fn start(process: Process) -> Process {
    process.set_daemon(true).unwrap();
    process.start().unwrap();
    process
}
