//! `asyncio`'s sockets and children, beside tokio's; the times are the processor's.

#![cfg(target_os = "linux")]

#[path = "common/cpu.rs"]
mod cpu;
#[path = "net/hilos.rs"]
mod hilos_side;
#[path = "common/settings.rs"]
mod settings;
#[path = "net/tokio.rs"]
mod tokio_side;

use criterion::{Criterion, criterion_group, criterion_main};
use settings::row;

criterion_group!(net, tcp_echo, throughput, udp_echo, subprocess);
criterion_main!(net);

/// What goes there and back.
const MESSAGE: [u8; 64] = [7; 64];

/// What is written at once where much is.
static BLOCK: [u8; 64 * 1024] = [7; 64 * 1024];

/// 64 bytes there and back, by one connection of so many.
fn tcp_echo(criterion: &mut Criterion) {
    for connections in [1, 100] {
        let mut row = row(criterion, &format!("asyncio_tcp_echo_{connections}"));
        row.bench_function("hilos", |bencher| {
            bencher.iter_custom(|turns| hilos_side::tcp_echo(connections, turns));
        });
        row.bench_function("tokio", |bencher| {
            bencher.iter_custom(|turns| tokio_side::tcp_echo(connections, turns));
        });
    }
}

/// 64 KiB from one task to another, by TCP.
fn throughput(criterion: &mut Criterion) {
    let mut row = row(criterion, "asyncio_stream_64_kib");
    row.bench_function("hilos", |bencher| {
        bencher.iter_custom(hilos_side::throughput);
    });
    row.bench_function("tokio_copy", |bencher| {
        bencher.iter_custom(|turns| tokio_side::throughput(turns, tokio_side::copy));
    });
    row.bench_function("tokio", |bencher| {
        bencher.iter_custom(|turns| tokio_side::throughput(turns, tokio_side::read));
    });
}

/// A datagram of 64 bytes there and back.
fn udp_echo(criterion: &mut Criterion) {
    let mut row = row(criterion, "asyncio_udp_echo");
    row.bench_function("hilos", |bencher| {
        bencher.iter_custom(hilos_side::udp_echo);
    });
    row.bench_function("tokio", |bencher| {
        bencher.iter_custom(tokio_side::udp_echo);
    });
}

/// A child that does nothing, from its start to its end; its own time does not count.
fn subprocess(criterion: &mut Criterion) {
    let mut row = row(criterion, "asyncio_subprocess");
    row.bench_function("hilos", |bencher| {
        bencher.iter_custom(hilos_side::subprocess);
    });
    row.bench_function("tokio", |bencher| {
        bencher.iter_custom(tokio_side::subprocess);
    });
}
