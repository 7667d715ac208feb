//! Functions that clients name.

use hilos::multiprocessing::managers::{Exception, RemoteManager, SyncManager};
use hilos::pickle::Object;

use super::Serving;

#[test]
fn python_names_functions_of_rust() {
    let serving = Serving::start(|server| {
        server.register_function("_operator.neg", |args| {
            let (x,): (i64,) = args.parse()?;
            Ok(-x)
        });
        server.register_function("_operator.truediv", |args| {
            let (x, y): (f64, f64) = args.parse()?;
            match y {
                0.0 => Err(Exception::new("ZeroDivisionError", "division by zero")),
                y => Ok(x / y),
            }
        });
    });
    let output = serving.python(
        "
import operator, time
l = m.list([3, -1, 2, -5, 1])
l.sort(key=operator.neg)
print(l)
l.sort(key=abs)
print(l)
l.sort(key=abs, reverse=True)
print(l)
def attempt(f, *args, **kwds):
    try:
        print(f(*args, **kwds))
    except Exception as error:
        print(type(error).__name__, error)
attempt(l.sort, key=operator.not_)
attempt(l.sort, key=len)
attempt(l.sort, key=5)
with m.Pool(2) as pool:
    attempt(pool.apply, operator.neg, (5,))
    attempt(pool.apply, operator.truediv, (1, 0))
    attempt(pool.apply, operator.not_, (1,))
    attempt(pool.map, operator.neg, range(5))
    attempt(pool.starmap, operator.truediv, [(1, 2), (3, 4)])
    attempt(pool.starmap, operator.truediv, [(1, 2), (3, 0)])
    attempt(lambda: list(pool.imap(operator.neg, range(3))))
    attempt(lambda: sorted(pool.imap_unordered(operator.neg, range(3))))
    result = pool.apply_async(operator.truediv, (1, 4))
    attempt(result.get, 60)
    attempt(result.get)
    attempt(result.successful)
    attempt(pool.apply_async(operator.truediv, (1, 0)).get)
    slow = pool.apply_async(time.sleep, (60,))
    attempt(slow.get, 0.01)
    attempt(slow.ready)
    attempt(pool.join)
    pool.close()
    attempt(pool.apply, operator.neg, (5,))
attempt(m.Pool, 0)
",
    );
    if let Some(output) = output {
        let expected = "\
[3, 2, 1, -1, -5]
[1, -1, 2, 3, -5]
[-5, 3, 2, 1, -1]
AttributeError Can't get attribute 'not_' on <module '_operator'>
TypeError object of type 'int' has no len()
TypeError 'int' object is not callable
-5
ZeroDivisionError division by zero
AttributeError Can't get attribute 'not_' on <module '_operator'>
[0, -1, -2, -3, -4]
[0.5, 0.75]
ZeroDivisionError division by zero
[0, -1, -2]
[-2, -1, 0]
0.25
0.25
True
ZeroDivisionError division by zero
TimeoutError \n\
False
ValueError Pool is still running
ValueError Pool not running
";
        let output = output.replace("RemoteError", "");
        assert!(output.starts_with(expected), "{output}");
        assert!(
            output.contains("ValueError: Number of processes must be at least 1"),
            "{output}"
        );
    }
}

#[test]
fn a_program_s_function_comes_before_one_that_is_known() {
    let mut manager = SyncManager::new();
    manager.register_function("builtins.len", |_| Ok("much"));
    let server = manager.get_server().unwrap();
    server.register_function("builtins.abs", |_| Ok("positive"));
    let serving = server.clone();
    let thread = std::thread::spawn(move || serving.serve_forever());
    let key = hilos::multiprocessing::current_process().authkey();
    let client = RemoteManager::connect(server.address().clone(), &key).unwrap();
    let pool = client.create("Pool", (1,)).unwrap();
    for (name, expected) in [("len", "much"), ("abs", "positive")] {
        let function = Object::from(hilos::pickle::Global::new("builtins", name));
        let called = pool.call("apply", (function, (1,))).unwrap();
        assert_eq!(called, Object::from(expected));
    }
    server.stop();
    thread.join().unwrap();
}

#[test]
fn functions_go_to_the_server_s_process() {
    let mut manager = SyncManager::new();
    manager.register_function("words.shout", |args| {
        let (text,): (String,) = args.parse()?;
        Ok(text.to_uppercase())
    });
    manager.start().unwrap();
    let pool = manager.create("Pool", (1,)).unwrap();
    let shout = Object::from(hilos::pickle::Global::new("words", "shout"));
    let shouted = pool.call("apply", (shout, ("hello",))).unwrap();
    assert_eq!(shouted, Object::from("HELLO"));
}
