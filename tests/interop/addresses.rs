//! A server that has many addresses knows its own objects by whichever a client has called.

use hilos::multiprocessing::connection::{Address, client};
use hilos::multiprocessing::managers::{ListProxy, RemoteManager};

use crate::python;
use crate::serving::{KEY, PREAMBLE, Serving};
use crate::support::LONG;

/// What needs the objects behind proxies that are among the arguments.
const NESTED: &str = "
outer, inner = m.dict(), m.list([1])
outer['inner'] = inner
del inner
outer['inner'].append(2)
for _ in range(200): outer['other'] = m.list([3])
lock = m.Lock()
condition = m.Condition(lock)
lock.acquire()
condition.notify()
flat = m.list(outer['inner'])
flat.extend(outer['inner'])
print('says', list(outer['inner']), list(outer['other']), list(flat))
";

fn port(serving: &Serving) -> u16 {
    match serving.server.address() {
        Address::Inet(_, port) => *port,
        other => panic!("{other}"),
    }
}

/// The names of this machine that lead to all of its interfaces.
fn hosts() -> Vec<String> {
    let mut hosts = vec!["127.0.0.1".into(), "127.0.0.2".into(), "localhost".into()];
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    hosts.push(name.trim().into());
    hosts
}

/// Whether a server at all addresses can be called by this name.
fn leads_here(host: &str, port: u16) -> bool {
    let connected = client((host, port), Some(KEY.as_bytes()));
    connected.is_ok()
}

#[test]
fn nested_proxies_by_every_name_of_the_machine() {
    let serving = Serving::at(Some(("0.0.0.0", 0).into()), |_| {});
    let script = format!("{PREAMBLE}\n{NESTED}");
    let port = port(&serving);
    let hosts = hosts().into_iter().filter(|host| leads_here(host, port));
    let hosts: Vec<String> = hosts.collect();
    assert!(hosts.len() >= 2, "{hosts:?}");
    for python in python::oldest_and_newest() {
        for host in &hosts {
            let address = Address::from((host.as_str(), port)).to_string();
            let mut program = python::start_with(&python, &script, &[&address, KEY]);
            let output = program.rest();
            let (_, errors) = program.finish();
            let expected = "says [1, 2] [3] [1, 2, 1, 2]\n";
            assert_eq!(output, expected, "{host}: {errors}");
        }
    }
}

#[test]
fn a_listener_without_a_host_listens_everywhere() {
    let serving = Serving::at(Some(("", 0).into()), |_| {});
    let port = port(&serving);
    assert_eq!(*serving.server.address(), ("0.0.0.0", port).into());
    // As in the C library, no host is this one.
    for host in ["", "127.0.0.2"] {
        let manager = RemoteManager::connect((host, port), KEY.as_bytes()).unwrap();
        let manager = manager.with_timeout(LONG);
        let outer: ListProxy<ListProxy<i64>> = manager.list_of().unwrap();
        outer.append(manager.list([1_i64]).unwrap()).unwrap();
        outer.get(0).unwrap().append(2).unwrap();
        assert_eq!(outer.get(0).unwrap().to_vec().unwrap(), [1, 2]);
    }
    let script = "
manager = SyncManager(('', address[1]), key)
manager.connect()
outer = manager.list([manager.list([1])])
print('says', list(outer[0]))
";
    let output = serving.python(script);
    assert_eq!(output.as_deref().unwrap_or("says [1]\n"), "says [1]\n");
}

#[test]
fn objects_of_a_server_at_the_same_port_of_another_address() {
    let first = Serving::at(Some(("127.0.0.2", 0).into()), |_| {});
    let _second = Serving::at(Some(("127.0.0.3", port(&first)).into()), |_| {});
    let script = "
other = SyncManager(('127.0.0.3', address[1]), key)
other.connect()
outer, inner = other.dict(), m.list([7])
outer['x'] = inner
outer['y'] = other.list([8])
print('says', list(outer['x']), list(outer['y']))
";
    let output = first.python(script);
    let expected = "says [7] [8]\n";
    assert_eq!(output.as_deref().unwrap_or(expected), expected);
}
