//! A manager on another host: two network namespaces with a cable between them.

use std::process::Command;

use hilos::multiprocessing::Process;
use hilos::multiprocessing::connection::Address;
use hilos::multiprocessing::managers::{
    DictProxy, ListProxy, QueueProxy, RemoteError, RemoteManager, SyncManager,
};

use crate::program::{Program, args, say, wait};
use crate::python;
use crate::serving::{KEY, Serving};
use crate::support::{LONG, run_to_end};

const SERVER: &str = "10.213.0.1";
const CLIENT: &str = "10.213.0.2";
const PORT: u16 = 50_000;

/// Runs the ignored test of this name in a network namespace of its own; `None` without the right.
fn alone(name: &str, args: &[&str]) -> Option<Program> {
    let test = std::env::current_exe().unwrap();
    let works = Command::new("unshare")
        .args(["--net", "ip", "link"])
        .output();
    if !works.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: no network namespaces, for which root, unshare and iproute2 are needed");
        return None;
    }
    let mut command = Command::new("unshare");
    command.arg("--net").arg(test);
    Some(Program::run_test(command, name, args))
}

/// Configures this namespace's network.
fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status();
    assert!(status.unwrap().success(), "ip {arguments}");
}

#[test]
fn a_manager_on_another_host() {
    let Some(mut server) = alone("network::the_server_s_host", &[]) else {
        return;
    };
    // It says so when all has gone well, and need not end by itself.
    assert_eq!(server.line(), "done");
}

/// Makes the cable, plugs its other end into the client's host, and serves.
#[test]
#[ignore = "a program"]
fn the_server_s_host() {
    let Some(_) = args() else { return };
    let mut client = alone("network::the_client_s_host", &[]).unwrap();
    assert_eq!(client.line(), "here");
    ip(&format!(
        "link add cable type veth peer name other netns {}",
        client.pid()
    ));
    ip(&format!("address add {SERVER}/24 dev cable"));
    ip("link set cable up");
    // The way from this host to itself.
    ip("link set lo up");
    let serving = Serving::at(Some((SERVER, PORT).into()), |_| {});
    assert_eq!(*serving.server.address(), Address::from((SERVER, PORT)));
    client.go_on();
    assert_eq!(client.line(), "served");

    // This host uses it as well, by the same address.
    let ours = serving.client().create("list", ([CLIENT],)).unwrap();
    assert_eq!(ours.call_as::<usize, _>("__len__", ()).unwrap(), 1);
    drop(ours);
    ip("link set cable down");
    client.go_on();
    assert_eq!(client.line(), "cut off");
    ip("link set cable up");
    client.go_on();
    assert_eq!(client.line(), "back again");
    let (status, errors) = client.finish();
    assert!(status.success(), "{errors}");
    say("done");
}

#[test]
#[ignore = "a program"]
fn the_client_s_host() {
    let Some(_) = args() else { return };
    say("here");
    wait();
    ip(&format!("address add {CLIENT}/24 dev other"));
    ip("link set other up");
    let manager = RemoteManager::connect((SERVER, PORT), KEY.as_bytes()).unwrap();
    let manager = manager.with_timeout(LONG);
    let list = use_from_here(&manager);
    use_from_a_child(&manager);
    use_from_python();
    say("served");

    wait();
    // Nothing comes through: a call with a limit ends, and so does a new connection.
    let hasty = list.with_timeout(0.2);
    for _ in 0..2 {
        let error = hasty.len().unwrap_err();
        assert!(
            matches!(error, RemoteError::Unanswered | RemoteError::Connection(_)),
            "{error:?}"
        );
    }
    say("cut off");
    wait();
    assert_eq!(list.len().unwrap(), 2, "the objects outlive the connection");
    say("back again");
}

fn use_from_here(manager: &RemoteManager) -> ListProxy<String> {
    let list = manager.list(["a".to_owned(), "b".to_owned()]).unwrap();
    let outer: DictProxy<String, ListProxy<String>> = manager.dict_of().unwrap();
    outer.insert("inner", list.clone()).unwrap();
    // It comes back as the server's, at the address that this host knows.
    let inner = outer.get("inner").unwrap().unwrap();
    inner.append("c").unwrap();
    assert_eq!(list.pop().unwrap(), "c");
    let lock = manager.lock().unwrap();
    lock.acquire().unwrap();
    lock.release().unwrap();
    list
}

fn use_from_a_child(manager: &RemoteManager) {
    fn child(queue: QueueProxy<i64>) -> Result<(), RemoteError> {
        queue.put(queue.get()? + 1)
    }
    let queue = manager.queue::<i64>(0).unwrap();
    queue.put(41).unwrap();
    assert_eq!(run_to_end(&Process::new(child, (queue.clone(),))), Some(0));
    assert_eq!(queue.get().unwrap(), 42);
}

const PYTHON: &str = "\
import multiprocessing, sys
from multiprocessing.managers import SyncManager
manager = SyncManager((sys.argv[1], int(sys.argv[2])), sys.argv[3].encode())
manager.connect()
multiprocessing.current_process().authkey = sys.argv[3].encode()
d = manager.dict(n=1)
d['inner'] = manager.list([1, 2])
d['inner'].append(3)
print('says', d['n'], list(d['inner']))
";

fn use_from_python() {
    for python in python::oldest_and_newest() {
        let args = [SERVER, &PORT.to_string(), KEY];
        assert_eq!(
            python::start_with(&python, PYTHON, &args).line(),
            "1 [1, 2, 3]"
        );
    }
}

/// The same way on this host alone, for machines without the right to namespaces.
#[test]
fn a_manager_on_the_loopback() {
    let server = SyncManager::new().with_address(("127.0.0.1", 0));
    server.start().unwrap();
    let manager = server.with_timeout(LONG);
    let list = use_from_here(&manager);
    use_from_a_child(&manager);
    assert_eq!(list.len().unwrap(), 2);
}
