//! How long objects live, and who refers to them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hilos::multiprocessing::managers::{Answer, Args, Exception, Referent};
use hilos::pickle::Object;
use hilos::threading::Lock;

use super::Serving;
use crate::support::wait_until;

/// Counts how many of it there are.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Referent for Counted {
    fn type_name(&self) -> &str {
        "Counted"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["itself"]
    }

    fn call(&self, _: &str, _: &Args<'_>) -> Result<Answer, Exception> {
        Ok(().into())
    }
}

pub(super) fn with_counted() -> (Serving, Arc<AtomicUsize>) {
    let alive = Arc::new(AtomicUsize::new(0));
    let count = alive.clone();
    let serving = Serving::start(|server| {
        server.register("Counted", move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Arc::new(Counted(count.clone())))
        });
    });
    (serving, alive)
}

#[test]
fn the_last_proxy_takes_the_object_away() {
    let (serving, alive) = with_counted();
    let manager = serving.client();
    let one = manager.create("Counted", ()).unwrap();
    let other = one.clone();
    let second = manager.create("Counted", ()).unwrap();
    assert_eq!(manager.number_of_objects().unwrap(), 2);
    assert_eq!(alive.load(Ordering::SeqCst), 2);
    drop(one);
    assert_eq!(alive.load(Ordering::SeqCst), 2);
    drop(other);
    wait_until("the object's end", || alive.load(Ordering::SeqCst) == 1);
    assert_eq!(manager.number_of_objects().unwrap(), 1);
    drop(second);
    wait_until("the other's end", || alive.load(Ordering::SeqCst) == 0);
    assert_eq!(manager.debug_info().unwrap(), "");
}

#[test]
fn python_s_proxies_count_too() {
    let (serving, alive) = with_counted();
    let output = serving.python(
        "
Manager.register('Counted')
a, b = m.Counted(), m.Counted()
c = a
print(m._number_of_objects(), m._debug_info().count('refcount=1'))
del a, b
print(m._number_of_objects())
del c
print(m._number_of_objects())
",
    );
    if let Some(output) = output {
        assert_eq!(output, "2 2\n1\n0\n");
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn an_object_that_is_made_twice_is_one() {
    let shared = Arc::new(Lock::new());
    let theirs = shared.clone();
    let serving = Serving::start(|server| server.register("the_lock", move |_| Ok(theirs.clone())));
    let manager = serving.client();
    let one = manager.create("the_lock", ()).unwrap();
    let other = manager.create("the_lock", ()).unwrap();
    assert_eq!(one.token(), other.token());
    assert_eq!(manager.number_of_objects().unwrap(), 1);
    drop(one);
    assert!(other.call("acquire", ()).unwrap().is_true());
    assert!(shared.locked());
}

#[test]
fn an_object_in_another_outlives_its_proxies() {
    let (serving, alive) = with_counted();
    let output = serving.python(
        "
Manager.register('Counted')
outer = m.dict()
outer['inner'] = m.Counted()
print(m._number_of_objects())
outer['inner'].itself()
inner = outer['inner']
print(m._number_of_objects())
popped = outer.pop('inner')
del inner
popped.itself()
print(len(outer), m._number_of_objects())
for number in range(300):
    outer[number] = [{'inner': m.Counted()}]
for number in range(300):
    outer[number][0]['inner'].itself()
print(m._number_of_objects())
",
    );
    if let Some(output) = output {
        assert_eq!(output, "1\n2\n0 2\n2\n");
    }
    drop(alive);
}

#[test]
fn what_no_object_holds_any_more_is_freed() {
    let (serving, alive) = with_counted();
    let output = serving.python(
        "
Manager.register('Counted')
outer, queue = m.list(), m.Namespace()
for number in range(300):
    inner = m.list([m.Counted()])
    inner.append(inner)
    outer.append(inner)
    queue.last = inner
    del inner
    outer.pop()
print(type(queue.last[0]).__name__, len(outer))
",
    );
    if let Some(output) = output {
        assert_eq!(output, "AutoProxy[Counted] 0\n");
        // Not at once, but so that they do not become ever more.
        assert!(alive.load(Ordering::SeqCst) < 200, "{alive:?}");
    }
}

/// Keeps what it is given.
#[derive(Default)]
struct Keeper(Mutex<Vec<Object>>);

impl Referent for Keeper {
    fn type_name(&self) -> &str {
        "Keeper"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["keep", "last", "locked"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        let mut kept = self.0.lock().unwrap();
        match method {
            "keep" => {
                kept.extend(args.positional().iter().cloned());
                Ok(().into())
            }
            "last" => Ok(kept.last().cloned().into()),
            _ => {
                let object = kept.last().cloned().unwrap_or(Object::None);
                let referent: Arc<dyn std::any::Any + Send + Sync> = args
                    .referent(&object)
                    .ok_or_else(|| Exception::new("TypeError", "no proxy"))?;
                let lock = referent.downcast::<Lock>();
                Ok(lock.is_ok_and(|lock| lock.locked()).into())
            }
        }
    }
}

#[test]
fn a_proxy_as_an_argument_stands_for_the_object() {
    let serving = Serving::start(|server| {
        server.register("Keeper", |_| Ok(Arc::new(Keeper::default())));
    });
    let output = serving.python(
        "
Manager.register('Keeper')
keeper, lock = m.Keeper(), m.Lock()
keeper.keep(lock)
print(keeper.locked())
lock.acquire()
print(keeper.locked())
lock.release()
del lock
print(type(keeper.last()).__name__, keeper.last().acquire(False), keeper.locked())
",
    );
    if let Some(output) = output {
        assert_eq!(output, "False\nTrue\nAcquirerProxy True True\n");
    }
}

#[test]
fn a_lock_belongs_to_a_connection() {
    let serving = Serving::start(|_| {});
    let output = serving.python(
        "
lock = m.RLock()
lock.acquire()
results = []
def other():
    results.append(lock.acquire(False))
    try:
        lock.release()
    except RuntimeError as error:
        results.append(str(error))
thread = threading.Thread(target=other)
thread.start()
thread.join()
print(results, lock.acquire(False))
",
    );
    if let Some(output) = output {
        assert_eq!(output, "[False, 'cannot release un-acquired lock'] True\n");
    }
}

#[test]
fn a_queue_wakes_a_client_that_waits() {
    let serving = Serving::start(|_| {});
    let output = serving.python(
        "
q, done = m.Queue(), m.Event()
def consume():
    while (item := q.get()) is not None:
        print(item, flush=True)
        q.task_done()
    q.task_done()
    done.set()
thread = threading.Thread(target=consume)
thread.start()
for item in 1, 'two', [3]:
    q.put(item)
q.put(None)
q.join()
print(done.wait(60))
thread.join()
",
    );
    if let Some(output) = output {
        assert_eq!(output, "1\ntwo\n[3]\nTrue\n");
    }
}
