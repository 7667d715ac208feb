//! What a server knows of Python's own, without being told.

use hilos::multiprocessing::managers::{Proxy, RemoteError};
use hilos::pickle::{Dict, Global, Instance, Object, Tuple};

use super::Serving;

fn apply<A: serde::Serialize>(
    pool: &Proxy,
    function: &str,
    args: A,
) -> Result<Object, RemoteError> {
    let (module, name) = function.rsplit_once('.').unwrap_or(("builtins", function));
    pool.call("apply", (Object::from(Global::new(module, name)), args))
}

#[test]
fn functions_that_calculate() {
    let serving = Serving::start(|_| {});
    let pool = serving.client().create("Pool", (1,)).unwrap();
    let number = |function, args: Vec<i64>| apply(&pool, function, args).unwrap().to_string();
    assert_eq!(number("_operator.add", vec![2, 3]), "5");
    assert_eq!(number("_operator.sub", vec![2, 3]), "-1");
    assert_eq!(number("_operator.mul", vec![2, 3]), "6");
    assert_eq!(number("divmod", vec![-7, 2]), "(-4, 1)");
    assert_eq!(
        number("pow", vec![2, 100]),
        "1267650600228229401496703205376"
    );
    assert_eq!(number("pow", vec![2, -1]), "0.5");
    assert_eq!(number("round", vec![25, -1]), "20");
    assert_eq!(number("math.factorial", vec![20]), "2432902008176640000");
    assert_eq!(number("math.sqrt", vec![4]), "2.0");
    assert_eq!(number("chr", vec![97]), "a");
    assert_eq!(number("hex", vec![-255]), "-0xff");
    assert_eq!(number("max", vec![1, 3, 2]), "3");
}

#[test]
fn functions_of_something_to_iterate_over() {
    let serving = Serving::start(|_| {});
    let pool = serving.client().create("Pool", (1,)).unwrap();
    let known = |function| {
        apply(&pool, function, (vec![3, 1, 2],))
            .unwrap()
            .to_string()
    };
    assert_eq!(known("sum"), "6");
    assert_eq!(known("min"), "1");
    assert_eq!(known("sorted"), "[1, 2, 3]");
    assert_eq!(known("tuple"), "(3, 1, 2)");
    assert_eq!(known("all"), "True");
    assert_eq!(known("any"), "True");
    let refused = apply(&pool, "sum", (5,)).unwrap_err();
    assert!(
        refused.to_string().contains("'int' object is not iterable"),
        "{refused}"
    );
}

#[test]
fn what_128_bits_cannot_hold_is_refused() {
    let serving = Serving::start(|_| {});
    let pool = serving.client().create("Pool", (1,)).unwrap();
    for (function, args) in [
        ("pow", vec![2, 1000]),
        ("pow", vec![-2, i64::MAX]),
        ("math.factorial", vec![i64::MAX]),
    ] {
        let refused = apply(&pool, function, args).unwrap_err().to_string();
        assert!(refused.contains("more than 128 bits"), "{refused}");
    }
    let refused = apply(&pool, "divmod", (Object::from(i128::MIN), -1)).unwrap_err();
    assert!(
        refused.to_string().contains("more than 128 bits"),
        "{refused}"
    );
    let endless = apply(&pool, "_operator.mul", ("ab", i64::MAX)).unwrap_err();
    assert!(
        format!("{endless:?}").contains("MemoryError"),
        "{endless:?}"
    );
}

#[test]
fn a_counter_is_iterated_over() {
    let serving = Serving::start(|_| {});
    let counted = Dict::new();
    counted.insert("a", 2).unwrap();
    counted.insert("b", 1).unwrap();
    let args = Tuple::from_iter([Object::from(counted)]);
    let counter = Instance::reduce(Global::new("collections", "Counter"), args);
    let list = serving
        .client()
        .create("list", (Object::from(counter),))
        .unwrap();
    let length: i64 = list.call_as("__len__", ()).unwrap();
    assert_eq!(length, 2);
    assert_eq!(list.to_string(), "['a', 'b']");
}

#[test]
fn a_closed_pool_refuses_at_once() {
    let serving = Serving::start(|_| {});
    let pool = serving.client().create("Pool", (1,)).unwrap();
    assert_eq!(
        pool.to_string(),
        "<multiprocessing.pool.Pool state=RUN pool_size=1>"
    );
    pool.call("close", ()).unwrap();
    assert_eq!(
        pool.to_string(),
        "<multiprocessing.pool.Pool state=CLOSE pool_size=1>"
    );
    let abs = Object::from(Global::new("builtins", "abs"));
    for method in ["map", "imap", "imap_unordered", "starmap_async"] {
        let refused = pool.call(method, (abs.clone(), vec![-1])).unwrap_err();
        assert!(
            refused.to_string().contains("Pool not running"),
            "{refused}"
        );
    }
}

#[test]
fn an_initializer_is_called() {
    let serving = Serving::start(|_| {});
    let refused = serving.client().create("Pool", (1, 5)).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("initializer must be a callable"), "{text}");
}

#[test]
fn a_condition_over_what_is_acquired() {
    let serving = Serving::start(|_| {});
    let manager = serving.client();
    let semaphore = manager.create("Semaphore", (1,)).unwrap();
    let bounded = manager.create("BoundedSemaphore", (1,)).unwrap();
    let condition = manager.create("Condition", ()).unwrap();
    for below in [semaphore, bounded, condition] {
        let above = manager.create("Condition", (&below,)).unwrap();
        assert!(above.call_as::<bool, _>("acquire", ()).unwrap());
        above.call("notify", ()).unwrap();
        assert!(!above.call_as::<bool, _>("wait", (0.01,)).unwrap());
        above.call("release", ()).unwrap();
        let refused = above.call("notify", ()).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("cannot notify on un-acquired lock")
        );
        assert!(below.call_as::<bool, _>("acquire", ()).unwrap());
        below.call("release", ()).unwrap();
    }
}
