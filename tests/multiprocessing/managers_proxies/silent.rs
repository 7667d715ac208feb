//! Servers that say nothing, or nothing any more.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hilos::multiprocessing::connection::{Address, Listener};
use hilos::multiprocessing::managers::{
    BaseManager, Proxy, RemoteError, RemoteManager, SyncManager, Token, set_patience,
};
use hilos::multiprocessing::{Error, Process, StartMethod};
use hilos::pickle::{Dict, Global, Instance, Object, Tuple, dumps, loads};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::server::AUTHKEY;
use crate::support::{LONG, with_one_thread};

/// Long enough for whoever answers, short enough to wait for whoever does not.
const SHORT: Duration = Duration::from_secs(1);

/// Listens as a manager's server, and answers what `answer` has an answer to; tells what it was asked.
fn serve<F>(mut answer: F) -> (Address, Receiver<String>)
where
    F: FnMut(&str) -> Option<Object> + Send + 'static,
{
    let listener = Listener::new(Address::from(("127.0.0.1", 0))).unwrap();
    let listener = listener.with_authkey(AUTHKEY);
    let address = listener.address().clone();
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        loop {
            let Ok(connection) = listener.accept() else {
                continue;
            };
            let Ok(request) = connection.recv_bytes() else {
                continue;
            };
            let (_, method, ..): (Object, String, Object, Object) = loads(&request).unwrap();
            let _ = tell.send(method.clone());
            if let Some(value) = answer(&method) {
                let _ = connection.send_bytes(&dumps(&("#RETURN", value)).unwrap());
            }
            open.push(connection);
        }
    });
    (address, asked)
}

/// What a server says that has made an object.
fn made() -> Object {
    Object::from(("f00", ["append"]))
}

#[track_caller]
fn assert_unanswered<T>(result: Result<T, RemoteError>) {
    let error = result.map(drop).unwrap_err();
    assert!(matches!(error, RemoteError::Unanswered), "{error:?}");
}

#[test]
fn connecting_ends() {
    set_patience(SHORT);
    let (address, asked) = serve(|_| None);
    assert_unanswered(RemoteManager::connect(address.clone(), AUTHKEY));
    let manager = BaseManager::new()
        .with_address(address)
        .with_authkey(AUTHKEY);
    assert!(matches!(manager.connect(), Err(Error::Timeout)));
    assert_eq!(asked.recv().unwrap(), "dummy");
}

#[test]
fn what_the_server_does_itself_ends() {
    let (address, _asked) = serve(|method| match method {
        "dummy" => Some(Object::None),
        "create" => Some(made()),
        _ => None,
    });
    let manager = RemoteManager::connect(address, AUTHKEY).unwrap();
    let proxy = manager.create("Thing", ()).unwrap();
    set_patience(SHORT);
    assert_unanswered(manager.number_of_objects());
    assert_unanswered(manager.debug_info());
    assert_unanswered(proxy.call("append", (1,)));
    assert_unanswered(Proxy::from_object(&proxy.to_object()));
}

#[test]
fn one_farewell_in_vain_is_enough() {
    let mut farewells = 0;
    let (address, asked) = serve(move |method| match method {
        "dummy" => Some(Object::None),
        "create" => Some(made()),
        "number_of_objects" => Some(0.into()),
        _ => {
            farewells += 1;
            (farewells > 1).then_some(Object::None)
        }
    });
    let manager = RemoteManager::connect(address, AUTHKEY).unwrap();
    let proxies = [(); 4].map(|()| manager.create("Thing", ()).unwrap());
    let [first, second, third, fourth] = proxies;
    set_patience(SHORT);
    drop(first);
    drop((second, third));
    set_patience(Duration::from_secs_f64(LONG));
    manager.number_of_objects().unwrap();
    drop(fourth);
    let asked: Vec<_> = asked.try_iter().skip(5).collect();
    assert_eq!(asked, ["decref", "number_of_objects", "decref"]);
}

/// A server of this crate's, and how to kill it.
fn mortal() -> (SyncManager, impl FnOnce()) {
    let manager = SyncManager::new();
    manager.start().unwrap();
    let process = manager.process().unwrap();
    let end = move || {
        process.kill().unwrap();
        process.join(LONG).unwrap();
    };
    (manager, end)
}

/// Kills the server of an iterator that has given its first item.
fn ends_with_its_server<T>(
    mut items: impl Iterator<Item = Result<T, RemoteError>>,
    end: impl FnOnce(),
) {
    items.next().unwrap().unwrap();
    end();
    let last = items.next().unwrap().map(drop).unwrap_err();
    assert!(last.is_connection(), "{last:?}");
    assert!(items.next().is_none());
    assert!(items.next().is_none());
}

#[test]
fn the_items_of_a_list_end_with_its_server() {
    let (manager, end) = mortal();
    let list = manager.list([1_i64, 2, 3]).unwrap();
    ends_with_its_server(list.iter(), end);
}

#[test]
fn the_items_of_an_array_end_with_its_server() {
    let (manager, end) = mortal();
    let array = manager.array("i", 0..3).unwrap();
    ends_with_its_server(array.iter(), end);
}

#[test]
fn an_iterator_ends_with_its_server() {
    let (manager, end) = mortal();
    let dict = manager.dict().unwrap();
    for key in 0..3 {
        dict.insert(key, key).unwrap();
    }
    ends_with_its_server(dict.iter().unwrap(), end);
}

#[test]
fn a_manager_that_connects_keeps_the_server_that_it_has_started() {
    let manager = SyncManager::new();
    manager.start().unwrap();
    let pid = manager.process().unwrap().pid().unwrap();
    manager.connect().unwrap();
    assert_eq!(
        manager.process().and_then(|process| process.pid()),
        Some(pid)
    );
    manager.shutdown();
    assert!(!runs(pid));
    assert!(matches!(manager.connect(), Err(Error::Os(_))));
    assert!(manager.process().is_none());
}

/// The server changes its directory, so that a relative address is another one there.
#[test]
fn a_server_that_cannot_be_reached_is_ended() {
    fn initialize(directory: String) {
        std::env::set_current_dir(directory).unwrap();
        std::fs::write("pid", std::process::id().to_string()).unwrap();
    }
    let name = format!("hilos-silent-{}", std::process::id());
    let directory = std::env::temp_dir().join(&name);
    std::fs::create_dir(&directory).unwrap();
    let manager = BaseManager::new().with_address(&*name);
    let started = manager.start_with(initialize, (directory.to_str().unwrap().to_owned(),));
    let pid = std::fs::read_to_string(directory.join("pid")).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(matches!(started, Err(Error::Os(_))), "{started:?}");
    assert!(!runs(pid.parse().unwrap()));
    assert!(manager.process().is_none());
}

fn runs(pid: u32) -> bool {
    kill(Pid::from_raw(pid as i32), None).is_ok()
}

/// Has a proxy of nobody's object be made and dropped.
fn hear_of_nobody() {
    let token = Token::new("list", "/no/such/socket", "f00");
    let class = Global::new("multiprocessing.managers", "ListProxy");
    let args = (class, Object::from(&token), "pickle", Dict::new());
    let args = Tuple::try_from(Object::from(args)).unwrap();
    let rebuild = Global::new("multiprocessing.managers", "RebuildProxy");
    let proxy = Object::from(Instance::reduce(rebuild, args));
    assert!(Proxy::from_object(&proxy).unwrap_err().is_connection());
}

#[test]
fn a_copy_of_a_process_does_not_wait_for_threads_of_the_original() {
    fn body() {
        for _ in 0..4 {
            std::thread::spawn(|| {
                loop {
                    hear_of_nobody();
                }
            });
        }
        for _ in 0..200 {
            let child = Process::new(hear_of_nobody, ()).with_start_method(StartMethod::Fork);
            child.start().unwrap();
            child.join(LONG / 2.0).unwrap();
            let exitcode = child.exitcode();
            let _ = child.kill();
            assert_eq!(exitcode, Some(0));
        }
    }
    with_one_thread(Process::new(body, ()));
}
