//! Writes what the fuzzing of each target begins with into `corpus`, from the recorded messages in the tests.

use std::collections::HashSet;
use std::path::Path;

use hilos_pickle::{Object, Tuple, dumps_with_protocol, loads};

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let traffic = std::fs::read_to_string(root.join("../tests/pickle/traffic.txt"))?;
    let traffic: Vec<_> = traffic.lines().map(bytes).collect();
    let handshake = root.join("../crates/multiprocessing/src/connection/handshake.tsv");
    let handshake = std::fs::read_to_string(handshake)?;
    write(root, "unpickler", traffic.iter().cloned())?;
    write(root, "requests", requests(&traffic).into_iter())?;
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

/// A request of each form: once to the server, and once to each of the objects that the target has.
fn requests(traffic: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (to_server, to_objects) = (1, 0);
    let mut known = HashSet::new();
    let mut seeds = Vec::new();
    for message in traffic {
        let Some(request) = request(message) else {
            continue;
        };
        if known.insert((request[1].to_string(), form(&request[2]))) {
            let each = (1..=6).map(|ident| to(&ident.to_string(), &request));
            let each: Vec<_> = each.collect();
            seeds.push([&[to_server], &message[..]].concat());
            seeds.push([&[to_objects], &each.join(&b"\xff\xff\xff\xff"[..])[..]].concat());
        }
    }
    seeds
}

fn request(message: &[u8]) -> Option<Tuple> {
    let request = Tuple::try_from(loads::<Object>(message).ok()?).ok()?;
    (request.len() == 4).then_some(request)
}

/// The types of the arguments.
fn form(args: &Object) -> Vec<String> {
    let args = Vec::<Object>::try_from(args).unwrap_or_default();
    args.iter().map(Object::type_name).collect()
}

fn to(ident: &str, request: &Tuple) -> Vec<u8> {
    let rest = request[1..].iter().cloned();
    let request = Tuple::from_iter([Object::from(ident)].into_iter().chain(rest));
    dumps_with_protocol(&Object::from(request), 4).unwrap()
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
