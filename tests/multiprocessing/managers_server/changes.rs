//! Changes of one value that no other call divides.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hilos::multiprocessing::managers::{DictProxy, Exception, NamespaceProxy, RemoteError};
use hilos::pickle::{Global, Object};

use super::Serving;
use crate::managers_proxies::server::with_each;

/// `numbers.scale(n, factor)`, which wants a factor other than 0.
fn scale() -> Global {
    Global::new("numbers", "scale")
}

fn serving() -> Serving {
    Serving::start(|server| {
        server.register_function("numbers.scale", |args| {
            let (n, factor): (i64, i64) = args.parse()?;
            match factor {
                0 => Err(Exception::new("ValueError", "a factor of 0")),
                13 => panic!("no luck"),
                factor => Ok(n * factor),
            }
        });
    })
}

#[test]
fn sums_of_many_clients_are_whole() {
    let serving = serving();
    let manager = serving.client();
    let hits: DictProxy<String, i64> = manager.dict_of().unwrap();
    let (list, value) = (
        manager.list([0, 0]).unwrap(),
        manager.value("i", 0).unwrap(),
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (hits, list, value) = (hits.clone(), list.clone(), value.clone());
            scope.spawn(move || {
                for _ in 0..250 {
                    hits.incr("/", 1).unwrap();
                    list.incr(-1, 2).unwrap();
                    value.incr(3).unwrap();
                }
            });
        }
    });
    assert_eq!(hits.get("/").unwrap(), Some(1000));
    assert_eq!(list.to_vec().unwrap(), [0, 2000]);
    assert_eq!(value.get().unwrap(), 3000);
}

#[test]
fn numbers_are_added_as_python_adds_them() {
    let serving = serving();
    let manager = serving.client();
    let d = manager.dict().unwrap();
    d.insert("n", i64::MAX).unwrap();
    assert_eq!(d.incr("n", 1).unwrap().to_string(), "9223372036854775808");
    assert_eq!(d.incr("n", -1).unwrap(), i64::MAX.into());
    assert_eq!(d.incr("new", 0.5).unwrap(), 0.5.into());
    d.insert("flag", true).unwrap();
    assert_eq!(d.incr("flag", 1).unwrap(), 2.into());
    d.insert("most", i128::MAX).unwrap();
    let overflow = d.incr("most", 1).unwrap_err();
    let text = "OverflowError: the sum has more than 128 bits";
    assert_eq!(format!("{overflow:?}"), text);
    d.insert("large", u128::MAX).unwrap();
    let overflow = d.incr("large", 1).unwrap_err();
    assert!(matches!(overflow, RemoteError::Overflow(_)), "{overflow:?}");
    d.insert("text", "1").unwrap();
    let wrong = d.incr("text", 1).unwrap_err();
    let text = "TypeError: unsupported operand type(s) for +=: 'str' and 'int'";
    assert_eq!(format!("{wrong:?}"), text);
    assert_eq!(d.get_item("text").unwrap(), "1".into());
}

#[test]
fn a_function_of_the_server_s_makes_the_new_value() {
    let serving = serving();
    let manager = serving.client();
    let d: DictProxy<String, i64> = manager.dict_of().unwrap();
    d.insert("n", 7).unwrap();
    assert_eq!(d.update_by("n", &scale(), (6,)).unwrap(), 42);
    assert_eq!(d.get_item("n").unwrap(), 42);
    let list = manager.list([1, 2]).unwrap();
    assert_eq!(list.update_by(1, &scale(), (5,)).unwrap(), 10);
    let value = manager.value("i", 3).unwrap();
    assert_eq!(value.update_by(&scale(), (3,)).unwrap(), 9);
    let namespace: NamespaceProxy = manager.namespace().unwrap();
    namespace.set("x", 4).unwrap();
    assert_eq!(namespace.incr("x", 1).unwrap(), 5);
    let scaled: i64 = namespace.update_by("x", &scale(), (4,)).unwrap();
    assert_eq!(scaled, 20);
    assert_eq!(namespace.get::<i64>("x").unwrap(), 20);
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let serving = serving();
    let manager = serving.client();
    let d: DictProxy<String, i64> = manager.dict_of().unwrap();
    d.insert("n", 7).unwrap();
    let fails = |key: &str, function: &Global, args: &[i64]| {
        let error = d.update_by(key, function, args).unwrap_err();
        assert_eq!(d.get("n").unwrap(), Some(7));
        format!("{error:?}")
    };
    assert_eq!(fails("n", &scale(), &[0]), "ValueError: a factor of 0");
    assert_eq!(fails("n", &scale(), &[13]), "RuntimeError: no luck");
    assert_eq!(fails("m", &scale(), &[2]), "KeyError: 'm'");
    let unknown = fails("n", &Global::new("numbers", "root"), &[]);
    let text = "AttributeError: Can't get attribute 'root' on <module 'numbers'>";
    assert_eq!(unknown, text);
    assert!(fails("n", &scale(), &[]).starts_with("TypeError"));
    let list = manager.list([1]).unwrap();
    assert!(matches!(list.incr(1, 1), Err(RemoteError::Index(_))));
    let namespace = manager.namespace().unwrap();
    let absent = namespace.incr("x", 1).unwrap_err();
    let text = "AttributeError: 'Namespace' object has no attribute 'x'";
    assert_eq!(format!("{absent:?}"), text);
}

#[test]
fn whoever_comes_between_is_counted_in() {
    let calls = Arc::new(AtomicUsize::new(0));
    let serving = serving();
    let d: DictProxy<String, i64> = serving.client().dict_of().unwrap();
    d.insert("n", 1).unwrap();
    let (counted, other) = (calls.clone(), d.clone());
    serving
        .server
        .register_function("numbers.double", move |args| {
            let (n,): (i64,) = args.parse()?;
            // While the new value is made, the object can be used, by this function too.
            if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                other.insert("n", 100).unwrap();
            }
            Ok(2 * n)
        });
    let double = Global::new("numbers", "double");
    assert_eq!(d.update_by("n", &double, ()).unwrap(), 200);
    assert_eq!(d.get_item("n").unwrap(), 200);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn python_changes_values_so_too() {
    let serving = serving();
    let output = serving.python(
        "
d = m.dict(n=1)
print(d._callmethod('#INCR', ('n', 2)), d._callmethod('#INCR', ('new', 0.5)), d)
l = m.Lock()
try:
    l._callmethod('#INCR', ('n', 1))
except RemoteError as error:
    print('#INCR' in str(error))
try:
    d._callmethod('#INCR', ('n',))
except TypeError as error:
    print(error)
",
    );
    if let Some(output) = output {
        let expected = "\
3 0.5 {'n': 3, 'new': 0.5}
True
incr expected 2 arguments, got 1
";
        assert_eq!(output, expected);
    }
}

#[test]
fn cpython_s_manager_says_that_it_cannot() {
    with_each(|manager| {
        let d = manager.dict().unwrap();
        d.insert("n", 1).unwrap();
        let refused = [
            d.incr("n", 1).unwrap_err(),
            d.update_by("n", &Global::new("_operator", "mul"), (2,))
                .unwrap_err(),
        ];
        for refused in refused {
            assert!(matches!(refused, RemoteError::Attribute(_)), "{refused:?}");
            assert!(refused.to_string().contains("hold a lock"), "{refused}");
        }
        assert_eq!(d.get_item("n").unwrap(), Object::from(1));
    });
}
