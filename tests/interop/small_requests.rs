//! A request of a few bytes whose result would be large: an error to the client, and no end of the server.

use std::process::Command;

use hilos::pickle::{Global, Instance, List, Object, Tuple};

use crate::faults::{MIB, Watched, exchange, request};

fn range(stop: i64) -> Object {
    let args = [0, stop, 1].map(Object::from);
    Instance::reduce(Global::new("builtins", "range"), Tuple::from_iter(args)).into()
}

/// Lets a server have so many MiB of memory more than it has, as far as the machine has a tool for that.
fn confine(watched: &Watched, mib: u64) {
    let pid = watched.manager.process().unwrap().pid().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmSize:"));
    let size: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let limit = (size / MIB + mib) * MIB * MIB;
    let status = Command::new("prlimit")
        .args([format!("--pid={pid}"), format!("--as={limit}")])
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("SKIPPED: the limit of memory, for which prlimit is needed");
    }
}

#[test]
fn more_items_than_there_is_memory_for() {
    let watched = Watched::start();
    confine(&watched, 768);
    let (list, session) = (watched.list(vec![1, 2].into()), watched.session());
    let ask = |method: &str, argument: Object| {
        exchange(&session, &request(Some(&list), method, (argument,)))
    };
    let enumerated = Instance::reduce(
        Global::new("builtins", "enumerate"),
        Tuple::from_iter([range(i64::MAX - 1), 0.into()]),
    );
    let large = [
        ("extend", range((1 << 32) - 1)),
        ("extend", range(1 << 26)),
        ("extend", range(i64::MAX)),
        ("extend", enumerated.into()),
        ("__mul__", (1_i64 << 27).into()),
        ("__mul__", i64::MAX.into()),
        ("__rmul__", (1_i64 << 25).into()),
        ("__imul__", (1_i64 << 27).into()),
    ];
    for (method, argument) in large {
        let (kind, error) = ask(method, argument);
        assert_eq!((&*kind, &*error.to_string()), ("#ERROR", "MemoryError()"));
    }
    let items = exchange(&session, &request(Some(&list), "copy", Tuple::new())).1;
    assert_eq!(
        items,
        vec![1, 2].into(),
        "it goes on, and the list is as it was"
    );
}

/// The list is doubled by each request, which names it in place of its items.
#[test]
fn a_list_that_is_added_to_itself() {
    let watched = Watched::start();
    confine(&watched, 768);
    let list = watched.manager.list([0; 1 << 12]).unwrap();
    let double = || list.proxy().call("extend", (&list,));
    let refused = (0..20).find_map(|_| double().err()).expect("a limit");
    assert_eq!(format!("{refused:?}"), "MemoryError: ");
    list.clear().unwrap();
    assert!(list.is_empty().unwrap(), "it goes on");
}

#[test]
fn nothing_times_a_large_number() {
    let watched = Watched::start();
    let (list, session) = (watched.list(Tuple::new().into()), watched.session());
    for method in ["__mul__", "__rmul__", "__imul__"] {
        let request = request(Some(&list), method, (i64::MAX,));
        let (kind, product) = exchange(&session, &request);
        assert_eq!((kind.as_str(), product), ("#RETURN", List::new().into()));
    }
}
