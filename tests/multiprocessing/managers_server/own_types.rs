//! Types of the user's own.

use std::sync::{Arc, Mutex};

use hilos::multiprocessing::managers::{Answer, Args, Exception, PythonIterator, Referent};
use hilos::pickle::Object;
use hilos::queue::Queue;

use super::Serving;

/// As CPython's test of managers has it.
pub(crate) struct Foo;

impl Referent for Foo {
    fn type_name(&self) -> &str {
        "FooBar"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["f", "g"]
    }

    fn call(&self, method: &str, _: &Args<'_>) -> Result<Answer, Exception> {
        foo_bar(method)
    }
}

struct Bar;

impl Referent for Bar {
    fn type_name(&self) -> &str {
        "FooBar"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["f", "_h"]
    }

    fn call(&self, method: &str, _: &Args<'_>) -> Result<Answer, Exception> {
        foo_bar(method)
    }
}

fn foo_bar(method: &str) -> Result<Answer, Exception> {
    match method {
        "g" => Err(Exception::new("ValueError", ())),
        other => Ok(format!("{other}()").into()),
    }
}

static PREFIX: Mutex<String> = Mutex::new(String::new());

/// Knows what the initializer has said.
pub(crate) struct Prefixed;

impl Prefixed {
    pub(crate) fn set(prefix: String) {
        *PREFIX.lock().unwrap() = prefix;
    }
}

impl Referent for Prefixed {
    fn type_name(&self) -> &str {
        "Prefixed"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["prefix"]
    }

    fn call(&self, _: &str, _: &Args<'_>) -> Result<Answer, Exception> {
        Ok(PREFIX.lock().unwrap().as_str().into())
    }
}

#[test]
fn python_uses_types_of_ones_own() {
    let serving = Serving::start(|server| {
        server.register("Foo", |_| Ok(Arc::new(Foo)));
        server.register("Bar", |_| Ok(Arc::new(Bar)));
        server.register("baz", |_| {
            Ok(Arc::new(PythonIterator::new((0..10).map(|i| i * i))))
        });
    });
    let output = serving.python(
        "
for name, proxy in ('Foo', None), ('Bar', None), ('baz', IteratorProxy):
    Manager.register(name, proxytype=proxy)
foo, bar, baz = m.Foo(), m.Bar(), m.baz()
print([name for name in ('f', 'g', '_h') if hasattr(foo, name)])
print([name for name in ('f', 'g', '_h') if hasattr(bar, name)])
print(foo.f(), foo._callmethod('f'), bar._h(), list(baz))
for f in foo.g, lambda: foo._callmethod('g'), lambda: foo._callmethod('_h'):
    try:
        f()
    except Exception as error:
        print(type(error).__name__, str(error).strip('- \\n').splitlines()[-1:])
print(m._number_of_objects())
del foo, bar, baz
print(m._number_of_objects(), repr(m._debug_info()))
",
    );
    if let Some(output) = output {
        let expected = "\
['f', 'g']
['f', '_h']
f() f() _h() [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]
ValueError []
ValueError []
RemoteError [\"KeyError: '_h'\"]
3
0 ''
";
        assert_eq!(output, expected);
    }
}

// cpython: _test_multiprocessing.py::_TestRemoteManager::test_remote
#[test]
fn a_queue_of_this_process_is_python_s_queue() {
    let queue = Arc::new(Queue::new(0));
    let shared = queue.clone();
    let serving = Serving::start(|server| {
        server.register("get_queue", move |_| Ok(shared.clone()));
    });
    let values = [
        "hello world",
        "None",
        "True",
        "2.25",
        "hall\u{e5} v\u{e4}rlden",
        "\u{43f}",
    ];
    for value in values {
        queue.put(Object::from(value)).unwrap();
    }
    let output = serving.python(
        "
Manager.register('get_queue')
q = m.get_queue()
print([q.get() for _ in range(6)])
q.put({'from': ('Python', 3)})
print(q._token.id == connect().get_queue()._token.id)
",
    );
    if let Some(output) = output {
        assert_eq!(
            output,
            "['hello world', 'None', 'True', '2.25', 'hall\u{e5} v\u{e4}rlden', '\u{43f}']\nTrue\n"
        );
        assert_eq!(queue.get().unwrap().to_string(), "{'from': ('Python', 3)}");
    }
}

struct Broken;

impl Referent for Broken {
    fn type_name(&self) -> &str {
        "Broken"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["parse", "panic"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "parse" => {
                let (x, text): (i64, String) = args.parse()?;
                Ok(format!("{x} {text}").into())
            }
            _ => panic!("out of paper"),
        }
    }
}

#[test]
fn a_panic_is_an_exception_like_others() {
    let serving = Serving::start(|server| {
        server.register("Broken", |args| match args.positional() {
            [] => Ok(Arc::new(Broken)),
            _ => panic!("not even made"),
        });
    });
    let manager = serving.client();
    let broken = manager.create("Broken", ()).unwrap();
    let error = broken.call("panic", ()).unwrap_err();
    assert_eq!(format!("{error:?}"), "RuntimeError: out of paper");
    let text = broken.call("parse", (1, "a")).unwrap();
    assert_eq!(text, Object::from("1 a"));
    for wrong in [broken.call("parse", (1,)), broken.call("parse", (1, 2))] {
        assert!(format!("{:?}", wrong.unwrap_err()).starts_with("TypeError: "));
    }
    let error = manager.create("Broken", (1,)).unwrap_err();
    assert!(
        error.to_string().contains("RuntimeError: not even made"),
        "{error}"
    );
}
