//! Proxies inside of what is shared.

use hilos::multiprocessing::connection::Address;
use hilos::multiprocessing::managers::{
    AcquirerProxy, DictProxy, ListProxy, Proxy, QueueProxy, RemoteManager,
};
use hilos::pickle::Object;

use super::server::{AUTHKEY, Python, with_all, with_newest};
use crate::support::LONG;

#[test]
fn a_list_of_lists_changes_for_all() {
    with_all(|manager| {
        let (inner, outer) = (
            manager.list([1_i64]).unwrap(),
            manager.list_of::<ListProxy<i64>>().unwrap(),
        );
        outer.append(inner.clone()).unwrap();
        let same = outer.get(0).unwrap();
        same.append(2).unwrap();
        assert_eq!(inner.to_vec().unwrap(), [1, 2]);
        assert!(
            outer
                .to_string()
                .starts_with("[<ListProxy object, typeid 'list' at 0x")
        );
        // The container keeps what nothing else refers to.
        drop((inner, same));
        outer.get(0).unwrap().append(3).unwrap();
        assert_eq!(outer.get(0).unwrap().to_vec().unwrap(), [1, 2, 3]);
        // What leaves the container lives on.
        let last = outer.pop().unwrap();
        assert!(outer.is_empty().unwrap());
        assert_eq!(last.to_vec().unwrap(), [1, 2, 3]);
    });
}

#[test]
fn a_dict_holds_proxies_among_other_objects() {
    with_all(|manager| {
        let dict = manager.dict().unwrap();
        let list = manager.list([1_i64]).unwrap();
        dict.insert("list", &list).unwrap();
        dict.insert("number", 1).unwrap();
        let object = dict.get_item("list").unwrap();
        let proxy = Proxy::from_object(&object).unwrap();
        assert!(proxy.is(list.proxy()));
        proxy.call("append", (2,)).unwrap();
        assert_eq!(list.to_vec().unwrap(), [1, 2]);
        assert!(Proxy::from_object(&dict.get_item("number").unwrap()).is_err());
    });
}

#[test]
fn a_method_takes_the_object_for_its_proxy() {
    with_newest(|manager| {
        let (a, b) = (manager.list([1, 2]).unwrap(), manager.list([3]).unwrap());
        b.proxy().call("extend", (&a,)).unwrap();
        assert_eq!(b.to_vec().unwrap(), [3, 1, 2]);
        let copy: ListProxy<i32> = manager.create("list", (&a,)).unwrap().into();
        assert_eq!(copy.to_vec().unwrap(), [1, 2]);
    });
}

#[test]
fn a_queue_goes_through_a_queue() {
    with_newest(|manager| {
        let requests = manager.queue::<(String, QueueProxy<i64>)>(0).unwrap();
        let answers = manager.queue::<i64>(0).unwrap();
        requests.put(("six".to_owned(), answers.clone())).unwrap();
        let (name, reply_to) = requests.get().unwrap();
        assert_eq!(name, "six");
        reply_to.put(6).unwrap();
        assert_eq!(answers.get().unwrap(), 6);
        assert!(format!("{reply_to:?}").starts_with("<AutoProxy[Queue] object"));
    });
}

#[test]
fn references_are_counted_for_what_is_read() {
    with_newest(|manager| {
        let lists = manager.list_of::<ListProxy<i64>>().unwrap();
        lists.append(manager.list([1]).unwrap()).unwrap();
        let before = manager.number_of_objects().unwrap();
        let copies: Vec<_> = (0..3).map(|_| lists.get(0).unwrap()).collect();
        assert!(copies.iter().all(|copy| copy.to_vec().unwrap() == [1]));
        drop(copies);
        assert_eq!(manager.number_of_objects().unwrap(), before);
        assert_eq!(lists.get(0).unwrap().to_vec().unwrap(), [1]);
    });
}

#[test]
fn a_proxy_of_another_manager_is_a_proxy_there() {
    let (Some(first), Some(second)) = (Python::start(), Python::start_inet()) else {
        return;
    };
    let (first, second) = (first.connect(), second.connect());
    let list = first.list([1_i64]).unwrap();
    let dict: DictProxy<String, ListProxy<i64>> = second.dict_of().unwrap();
    dict.insert("list", list.clone()).unwrap();
    let same = dict.get_item("list").unwrap();
    assert_eq!(same.proxy().token().address, *first.address());
    same.append(2).unwrap();
    assert_eq!(list.to_vec().unwrap(), [1, 2]);
    let object: Object = dict.proxy().call("__getitem__", ("list",)).unwrap();
    assert!(Proxy::from_object(&object).unwrap().is(list.proxy()));
}

#[test]
fn a_server_is_known_by_its_other_names() {
    let Some(server) = Python::start_inet() else {
        return;
    };
    let Address::Inet(_, port) = server.address else {
        panic!("a port")
    };
    let by_name = Address::from(("localhost", port));
    let manager = RemoteManager::connect(by_name.clone(), AUTHKEY).unwrap();
    let manager = manager.with_timeout(LONG);
    let theirs = server.connect();
    let locks: ListProxy<AcquirerProxy> = theirs.create("shared_list", ("locks",)).unwrap().into();
    locks.append(theirs.rlock().unwrap()).unwrap();
    let locks: ListProxy<AcquirerProxy> = manager.create("shared_list", ("locks",)).unwrap().into();
    let (first, second) = (locks.get(0).unwrap(), locks.get(0).unwrap());
    assert_eq!(first.proxy().token().address, by_name);
    // So both are called on one connection, which the lock belongs to.
    first.acquire().unwrap();
    assert!(second.try_acquire().unwrap());
}
