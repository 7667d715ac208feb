//! Writes what the fuzzing of each target begins with into `corpus`, from the recorded messages in the tests.

use std::path::Path;

use hilos_pickle::{Object, Tuple, dumps_with_protocol, loads};

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let traffic = std::fs::read_to_string(root.join("../tests/pickle/traffic.txt"))?;
    let traffic: Vec<_> = traffic.lines().map(bytes).collect();
    let requests = traffic.iter().flat_map(|message| requests(message));
    let handshake = root.join("../crates/multiprocessing/src/connection/handshake.tsv");
    let handshake = std::fs::read_to_string(handshake)?;
    write(root, "unpickler", traffic.iter().cloned())?;
    write(root, "requests", requests)?;
    write(root, "handshake", handshake.lines().flat_map(peers))
}

fn write(root: &Path, target: &str, seeds: impl Iterator<Item = Vec<u8>>) -> std::io::Result<()> {
    let corpus = root.join("corpus").join(target);
    std::fs::create_dir_all(&corpus)?;
    for (number, seed) in seeds.enumerate() {
        std::fs::write(corpus.join(format!("seed-{number:04}")), seed)?;
    }
    Ok(())
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}

/// A recorded request, to the server and to each of the objects that the target has.
fn requests(message: &[u8]) -> Vec<Vec<u8>> {
    let Ok(Object::Tuple(request)) = loads::<Object>(message) else {
        return Vec::new();
    };
    let [_, method, args, kwds] = &request[..] else {
        return Vec::new();
    };
    let (to_server, to_object) = (1, 0);
    let mut seeds = vec![[&[to_server], message].concat()];
    for ident in 1..=6 {
        let ident = Object::from(ident.to_string());
        let request = Tuple::from_iter([ident, method.clone(), args.clone(), kwds.clone()]);
        let request = dumps_with_protocol(&Object::from(request), 4).unwrap();
        let again = [&[to_object], &request[..], b"\xff\xff\xff\xff", &request].concat();
        seeds.push(again);
    }
    seeds
}

/// What the peer says in both halves of a handshake, with the recorded challenge and answer.
fn peers(line: &str) -> [Vec<u8>; 2] {
    let fields: Vec<_> = line.split('\t').map(bytes).collect();
    let challenge = framed(&[b"#CHALLENGE#", &fields[1][..]].concat());
    let (answer, welcome) = (framed(&fields[2]), framed(b"#WELCOME#"));
    [
        [&[0], &challenge[..], &welcome, &answer].concat(),
        [&[1], &answer[..], &challenge, &welcome].concat(),
    ]
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}
