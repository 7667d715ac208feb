//! `pickle`: recorded messages of CPython's managers, and records as a program may send them, in processor time.

#[path = "common/cpu.rs"]
mod cpu;
#[path = "common/settings.rs"]
mod settings;

use std::hint::black_box;

use cpu::cpu_time;
use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use hilos::pickle::{Dict, Object, dumps_with_protocol, loads};
use serde::{Deserialize, Serialize};
use settings::row;

criterion_group!(pickles, traffic, records, typed_records);
criterion_main!(pickles);

/// A turn is all messages that name no class, which serde-pickle does not keep.
fn traffic(criterion: &mut Criterion) {
    let pickles = messages();
    let objects = pickles.iter().map(|pickle| loads(pickle).unwrap());
    let values = pickles.iter().map(|pickle| serde_pickle_loads(pickle));
    let (objects, values): (Vec<Object>, Vec<_>) = (objects.collect(), values.collect());
    rows(criterion, "traffic", &pickles, &objects, &values);
}

/// A turn is a list of a thousand dicts.
fn records(criterion: &mut Criterion) {
    let object = records_object();
    let pickle = dumps_with_protocol(&object, 4).unwrap();
    let value = serde_pickle_loads(&pickle);
    rows(criterion, "records", &[pickle], &[object], &[value]);
}

#[derive(Serialize, Deserialize)]
struct Record {
    id: i64,
    name: String,
    score: f64,
    tags: Vec<String>,
    active: bool,
    parent: Option<i64>,
}

/// The same records as structs.
fn typed_records(criterion: &mut Criterion) {
    let pickle = dumps_with_protocol(&records_object(), 4).unwrap();
    let records: Vec<Record> = loads(&pickle).unwrap();
    let mut reading = row(criterion, "pickle_loads_structs");
    reading.bench_function("hilos", |bencher| {
        measure(bencher, || {
            loads::<Vec<Record>>(black_box(&pickle)).unwrap()
        });
    });
    reading.bench_function("serde_pickle", |bencher| {
        let load = |pickle| serde_pickle::from_slice::<Vec<Record>>(pickle, Default::default());
        measure(bencher, || load(black_box(&pickle)).unwrap());
    });
    drop(reading);
    let mut writing = row(criterion, "pickle_dumps_structs");
    writing.bench_function("hilos", |bencher| {
        measure(bencher, || {
            dumps_with_protocol(black_box(&records), 4).unwrap()
        });
    });
    writing.bench_function("serde_pickle", |bencher| {
        measure(bencher, || {
            serde_pickle::to_vec(black_box(&records), Default::default()).unwrap()
        });
    });
}

fn rows(
    criterion: &mut Criterion,
    name: &str,
    pickles: &[Vec<u8>],
    objects: &[Object],
    values: &[serde_pickle::Value],
) {
    let mut reading = row(criterion, &format!("pickle_loads_{name}"));
    reading.bench_function("hilos", |bencher| {
        measure(bencher, || {
            each(pickles, |pickle| loads::<Object>(pickle).unwrap())
        });
    });
    reading.bench_function("serde_pickle", |bencher| {
        measure(bencher, || {
            each(pickles, |pickle| serde_pickle_loads(pickle))
        });
    });
    drop(reading);
    let mut writing = row(criterion, &format!("pickle_dumps_{name}"));
    writing.bench_function("hilos", |bencher| {
        measure(bencher, || {
            each(objects, |object| dumps_with_protocol(object, 4).unwrap())
        });
    });
    writing.bench_function("serde_pickle", |bencher| {
        let dump = |value: &_| serde_pickle::value_to_vec(value, Default::default()).unwrap();
        measure(bencher, || each(values, dump));
    });
}

fn measure<R>(bencher: &mut Bencher<'_>, work: impl Fn() -> R) {
    bencher.iter_custom(|turns| {
        let begin = cpu_time();
        for _ in 0..turns {
            black_box(work());
        }
        cpu_time() - begin
    });
}

fn each<T, R>(items: &[T], work: impl Fn(&T) -> R) {
    for item in black_box(items) {
        black_box(work(item));
    }
}

fn serde_pickle_loads(pickle: &[u8]) -> serde_pickle::Value {
    serde_pickle::value_from_slice(pickle, Default::default()).unwrap()
}

/// In what serde-pickle cannot read: the instruction for a class, and lone surrogates' first byte.
/// Nor can it read what holds itself.
const FOREIGN: [u8; 2] = [0x93, 0xed];

fn messages() -> Vec<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let message = |line: &str| line.as_bytes().chunks(2).map(byte).collect();
    let messages = include_str!("../tests/pickle/traffic.txt")
        .lines()
        .map(message);
    let native = |message: &Vec<u8>| !message.iter().any(|byte| FOREIGN.contains(byte));
    let recursive = |message: &Vec<u8>| {
        loads::<Object>(message)
            .unwrap()
            .to_string()
            .contains("...")
    };
    messages
        .filter(|message| native(message) && !recursive(message))
        .collect()
}

fn records_object() -> Object {
    let names = ["id", "name", "score", "tags", "active", "parent"].map(Object::from);
    let record = |id: i64| {
        let values = [
            Object::from(id),
            format!("name {id}").into(),
            (id as f64 / 7.0).into(),
            vec![format!("tag {}", id % 10), format!("tag {}", id % 7)].into(),
            (id % 2 == 0).into(),
            if id % 3 == 0 {
                Object::None
            } else {
                Object::from(id / 3)
            },
        ];
        let dict = Dict::new();
        dict.update(std::iter::zip(names.clone(), values)).unwrap();
        Object::from(dict)
    };
    (0..1000).map(record).collect::<Vec<_>>().into()
}
