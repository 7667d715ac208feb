//! `asyncio.gather`.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use crate::any_future::{AnyFuture, AnyRc, Callback, Head, Notify};
use crate::awaitable::{Awaitable, Ensure, Ensured, ensured};
use crate::awaiting::notify_when_done;
use crate::base_events::EventLoop;
use crate::core::{Core, Typed};
use crate::exception::{Exception, Result};
use crate::exceptions::Message;
use crate::futures::Future;
use crate::running;

/// Runs awaitables side by side; the future has their results, in the order of the arguments.
///
/// Coroutines become tasks at once. If one fails, so does the future, and the others go on;
/// cancelling the future cancels them all. For awaitables of different types there is the macro
/// [`gather!`](macro@crate::gather), and [`gather_results`] is Python's `return_exceptions=True`.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// async fn square(n: u64) -> asyncio::Result<u64> {
///     asyncio::sleep(0).await?;
///     Ok(n * n)
/// }
///
/// asyncio::run(async {
///     let squares = asyncio::gather((1..=3).map(square)).await?;
///     assert_eq!(squares, [1, 4, 9]);
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Panics
/// If no loop runs in this thread and [none is set](crate::set_event_loop).
///
/// Mirrors [`asyncio.gather`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.gather).
#[track_caller]
pub fn gather<I>(awaitables: I) -> Future<Vec<<I::Item as crate::Awaitable>::Value>>
where
    I: IntoIterator<Item: Ensure<Value: 'static>>,
{
    let mut children = Children::new(&running::expect(), false);
    let all = children.ensure_all(awaitables);
    children.gather(move || all.iter().map(|one| one.result()).collect())
}

/// Like [`gather`], but exceptions are results like any others.
///
/// # Panics
/// As [`gather`].
#[track_caller]
pub fn gather_results<I>(awaitables: I) -> Future<Vec<Result<<I::Item as crate::Awaitable>::Value>>>
where
    I: IntoIterator<Item: Ensure<Value: 'static>>,
{
    let mut children = Children::new(&running::expect(), true);
    let all = children.ensure_all(awaitables);
    children.gather(move || Ok(all.iter().map(|one| one.outcome()).collect()))
}

/// A future that is done when all of `children` are; their exceptions do not matter.
pub(crate) fn gather_erased(event_loop: &EventLoop, children: Vec<AnyRc>) -> Future<()> {
    let mut all = Children::new(event_loop, true);
    for child in children {
        all.add(child);
    }
    all.gather(|| Ok(()))
}

/// Runs awaitables of any types side by side; the future has a tuple of their results.
///
/// `gather!(a, b)` is [`gather`](fn@crate::gather) and `gather!(a, b; return_exceptions)`
/// [`gather_results`](crate::gather_results), for up to twelve awaitables.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let (n, text) = asyncio::gather!(async { Ok(1) }, async { Ok("one") }).await?;
///     assert_eq!((n, text), (1, "one"));
///
///     let wrong = async { "x".parse::<i32>().map_err(asyncio::Exception::from) };
///     let (n, wrong) = asyncio::gather!(async { Ok(1) }, wrong; return_exceptions).await?;
///     assert_eq!(n?, 1);
///     assert_eq!(wrong.unwrap_err().type_name(), "ParseIntError");
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
#[macro_export]
macro_rules! gather {
    ($($awaitable:expr),* $(,)?) => {
        $crate::GatherTuple::gather(($($awaitable,)*))
    };
    ($($awaitable:expr),* ; return_exceptions) => {
        $crate::GatherTuple::gather_results(($($awaitable,)*))
    };
}

/// A tuple of awaitables, for [`gather!`](macro@crate::gather).
#[doc(hidden)]
pub trait GatherTuple {
    type Values;
    type Results;
    fn gather(self) -> Future<Self::Values>;
    fn gather_results(self) -> Future<Self::Results>;
}

macro_rules! gather_tuples {
    ($($name:ident)*) => {
        impl<$($name: Ensure<Value: 'static>),*> GatherTuple for ($($name,)*) {
            type Values = ($($name::Value,)*);
            type Results = ($(Result<$name::Value>,)*);

            #[allow(non_snake_case, reason = "the types' names serve as the values'")]
            #[allow(unused_mut, reason = "there may be no arguments")]
            #[track_caller]
            fn gather(self) -> Future<Self::Values> {
                let mut children = Children::new(&running::expect(), false);
                let ($($name,)*) = self;
                $(let $name = children.ensure($name);)*
                children.gather(move || Ok(($($name.result()?,)*)))
            }

            #[allow(non_snake_case, reason = "the types' names serve as the values'")]
            #[allow(unused_mut, reason = "there may be no arguments")]
            #[track_caller]
            fn gather_results(self) -> Future<Self::Results> {
                let mut children = Children::new(&running::expect(), true);
                let ($($name,)*) = self;
                $(let $name = children.ensure($name);)*
                children.gather(move || Ok(($($name.outcome(),)*)))
            }
        }
    };
}
gather_tuples!();
gather_tuples!(A);
gather_tuples!(A B);
gather_tuples!(A B C);
gather_tuples!(A B C D);
gather_tuples!(A B C D E);
gather_tuples!(A B C D E F);
gather_tuples!(A B C D E F G);
gather_tuples!(A B C D E F G H);
gather_tuples!(A B C D E F G H I);
gather_tuples!(A B C D E F G H I J);
gather_tuples!(A B C D E F G H I J K);
gather_tuples!(A B C D E F G H I J K L);

/// The future of a `gather`: cancelling it cancels the children.
struct Gathering<R> {
    core: Core<R>,
    /// One for each argument; the same future may be there twice.
    /// They are let go in the end: a child that is never done refers to the gathering.
    children: RefCell<Vec<AnyRc>>,
    /// How many different children are not done.
    left: Cell<usize>,
    return_exceptions: bool,
    cancel_requested: Cell<bool>,
    collect: RefCell<Option<Collect<R>>>,
}

/// Puts the children's results together.
type Collect<R> = Box<dyn FnOnce() -> Result<R>>;

/// A gathering that is being put together. A child that starts eagerly may complete earlier ones,
/// so each is told of as soon as it is there.
struct Children<R> {
    gathering: Rc<Gathering<R>>,
    seen: HashSet<*const ()>,
    done: Vec<AnyRc>,
}

impl<R: 'static> Children<R> {
    fn new(event_loop: &EventLoop, return_exceptions: bool) -> Self {
        let gathering = Rc::new(Gathering {
            core: Core::new(event_loop.clone()),
            children: RefCell::default(),
            left: Cell::new(0),
            return_exceptions,
            cancel_requested: Cell::new(false),
            collect: RefCell::default(),
        });
        Self {
            gathering,
            seen: HashSet::new(),
            done: Vec::new(),
        }
    }

    #[track_caller]
    fn ensure<A: Ensure<Value: 'static>>(&mut self, awaitable: A) -> Ensured<A::Value> {
        let existed = awaitable.existing().is_some();
        let one = ensured(awaitable, &self.gathering.core.head.event_loop);
        let child = one.future.erased();
        // Only a future that was there before can be there twice.
        match existed {
            true => self.add(child),
            false => {
                child.head().silent.set(true);
                self.add_another(child);
            }
        }
        one
    }

    #[track_caller]
    fn ensure_all<I>(&mut self, awaitables: I) -> Vec<Ensured<<I::Item as Awaitable>::Value>>
    where
        I: IntoIterator<Item: Ensure<Value: 'static>>,
    {
        let mut all = Vec::new();
        for awaitable in awaitables {
            all.push(self.ensure(awaitable));
        }
        all
    }

    fn add(&mut self, child: AnyRc) {
        match self.seen.insert(Rc::as_ptr(&child).cast()) {
            true => self.add_another(child),
            false => self.gathering.children.borrow_mut().push(child),
        }
    }

    /// Adds a child that is not there yet.
    fn add_another(&mut self, child: AnyRc) {
        let gathering = &self.gathering;
        gathering.children.borrow_mut().push(child.clone());
        gathering.left.update(|left| left + 1);
        match child.head().done() {
            true => self.done.push(child),
            false => notify_when_done(&child, gathering.clone()),
        }
    }

    fn gather<C: FnOnce() -> Result<R> + 'static>(self, collect: C) -> Future<R> {
        let gathering = self.gathering;
        gathering.collect.replace(Some(Box::new(collect)));
        if gathering.left.get() == 0 {
            gathering.complete();
        }
        for child in self.done {
            gathering.clone().notify(child);
        }
        Future(gathering)
    }
}

impl<R: 'static> Gathering<R> {
    fn complete(self: &Rc<Self>) {
        let children = self.children.take();
        if self.return_exceptions {
            for child in &children {
                child.head().unseen.set(false);
            }
        }
        let collect = self.collect.take();
        match children.last() {
            Some(last) if self.cancel_requested.get() => {
                self.core.fail(self, last.head().cancelled_error());
            }
            _ => match collect.map(|collect| collect()) {
                None => {}
                Some(Ok(values)) => self.core.succeed(self, values),
                Some(Err(exception)) => self.core.fail(self, exception),
            },
        }
    }

    fn end_by(self: &Rc<Self>, exception: Exception) {
        let collect = self.collect.take();
        self.core.fail(self, exception);
        drop((collect, self.children.take()));
    }
}

impl<R: 'static> Notify for Gathering<R> {
    fn notify(self: Rc<Self>, child: AnyRc) {
        self.left.set(self.left.get() - 1);
        if self.core.head.done() {
            // The exception counts as looked at.
            child.head().unseen.set(false);
            return;
        }
        if !self.return_exceptions {
            if child.head().cancelled() {
                return self.end_by(child.head().cancelled_error());
            }
            if let Some(exception) = child.failure() {
                child.head().unseen.set(false);
                return self.end_by(exception);
            }
        }
        if self.left.get() == 0 {
            self.complete();
        }
    }
    fn waits_for(self: Rc<Self>) -> Option<AnyRc> {
        Some(self)
    }
}

impl<R: 'static> AnyFuture for Gathering<R> {
    fn head(&self) -> &Head {
        &self.core.head
    }

    fn accepts_cancel(&self) -> bool {
        let children = self.children.borrow();
        !self.core.head.done() && children.iter().any(|child| child.accepts_cancel())
    }

    fn cancel_one(self: Rc<Self>, _message: &Option<Message>) -> Vec<AnyRc> {
        if !self.accepts_cancel() {
            return Vec::new();
        }
        self.cancel_requested.set(true);
        self.children.borrow().clone()
    }

    fn add_callback(self: Rc<Self>, callback: Callback) {
        self.core.add_callback(&self, callback);
    }

    fn remove_callbacks(&self, gone: &mut dyn FnMut(&Callback) -> bool) -> usize {
        self.core.remove_callbacks(gone)
    }

    fn each_callback(&self, look: &mut dyn FnMut(&Callback)) {
        self.core.each_callback(look);
    }

    fn failure(&self) -> Option<Exception> {
        self.core.failure()
    }

    fn describe(&self, _depth: usize) -> String {
        format!("<_GatheringFuture {}>", self.core.repr())
    }
}

impl<R: 'static> Typed<R> for Gathering<R> {
    fn core(&self) -> &Core<R> {
        &self.core
    }

    fn succeed(self: Rc<Self>, value: R) {
        self.core.succeed(&self, value);
    }

    fn fail(self: Rc<Self>, exception: Exception) {
        self.core.fail(&self, exception);
    }
}

impl<R> Drop for Gathering<R> {
    fn drop(&mut self) {
        let repr = || format!("<_GatheringFuture {}>", self.core.repr());
        self.core.report_unseen("_GatheringFuture", None, repr);
    }
}
