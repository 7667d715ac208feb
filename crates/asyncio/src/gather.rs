//! `asyncio.gather`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::any_future::{AnyFuture, AnyRc, Callback, Head, Notify};
use crate::awaitable::{Ensure, ensured};
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
/// If no loop runs in this thread.
///
/// Mirrors [`asyncio.gather`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.gather).
#[track_caller]
pub fn gather<I>(awaitables: I) -> Future<Vec<<I::Item as crate::Awaitable>::Value>>
where
    I: IntoIterator<Item: Ensure<Value: 'static>>,
{
    let (event_loop, all, children) = ensure_all(awaitables);
    Gathering::start(&event_loop, children, false, move || {
        all.iter().map(|one| one.result()).collect()
    })
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
    let (event_loop, all, children) = ensure_all(awaitables);
    Gathering::start(&event_loop, children, true, move || {
        Ok(all.iter().map(|one| one.result()).collect())
    })
}

type All<I> =
    Vec<crate::awaitable::Ensured<<<I as IntoIterator>::Item as crate::Awaitable>::Value>>;

#[track_caller]
fn ensure_all<I>(awaitables: I) -> (EventLoop, All<I>, Vec<AnyRc>)
where
    I: IntoIterator<Item: Ensure<Value: 'static>>,
{
    let event_loop = running::expect();
    let mut all = Vec::new();
    for awaitable in awaitables {
        all.push(ensured(awaitable, &event_loop));
    }
    let children = all.iter().map(|one| one.future.erased()).collect();
    (event_loop, all, children)
}

/// A future that is done when all of `children` are; their exceptions do not matter.
pub(crate) fn gather_erased(event_loop: &EventLoop, children: Vec<AnyRc>) -> Future<()> {
    Gathering::start(event_loop, children, true, || Ok(()))
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
            #[track_caller]
            fn gather(self) -> Future<Self::Values> {
                let event_loop = running::expect();
                let ($($name,)*) = self;
                $(let $name = ensured($name, &event_loop);)*
                let children = vec![$($name.future.erased()),*];
                Gathering::start(&event_loop, children, false, move || Ok(($($name.result()?,)*)))
            }

            #[allow(non_snake_case, reason = "the types' names serve as the values'")]
            #[track_caller]
            fn gather_results(self) -> Future<Self::Results> {
                let event_loop = running::expect();
                let ($($name,)*) = self;
                $(let $name = ensured($name, &event_loop);)*
                let children = vec![$($name.future.erased()),*];
                Gathering::start(&event_loop, children, true, move || Ok(($($name.result(),)*)))
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
    children: Vec<AnyRc>,
    /// How many children are not done.
    left: Cell<usize>,
    return_exceptions: bool,
    cancel_requested: Cell<bool>,
    collect: RefCell<Option<Collect<R>>>,
}

/// Puts the children's results together.
type Collect<R> = Box<dyn FnOnce() -> Result<R>>;

impl<R: 'static> Gathering<R> {
    fn start<C>(
        event_loop: &EventLoop,
        children: Vec<AnyRc>,
        return_exceptions: bool,
        collect: C,
    ) -> Future<R>
    where
        C: FnOnce() -> Result<R> + 'static,
    {
        let gathering = Rc::new(Self {
            core: Core::new(event_loop.clone()),
            children,
            left: Cell::new(0),
            return_exceptions,
            cancel_requested: Cell::new(false),
            collect: RefCell::new(Some(Box::new(collect))),
        });
        for child in gathering.waited_for() {
            gathering.left.update(|left| left + 1);
            if !child.head().done() {
                notify_when_done(child, gathering.clone());
            }
        }
        if gathering.children.is_empty() {
            gathering.complete();
        }
        // What was done before is so still: nothing of the program has run.
        for child in gathering.children.iter().filter(|it| it.head().done()) {
            gathering.clone().notify(child.clone());
        }
        Future(gathering)
    }

    /// The children, but one that is pending and there twice only once: it tells us already.
    fn waited_for(self: &Rc<Self>) -> impl Iterator<Item = &AnyRc> {
        let tells = |child: &AnyRc| {
            let mut any = false;
            child.remove_callbacks(&mut |callback| {
                any |= matches!(callback, Callback::Notify(whom) if std::ptr::addr_eq(Rc::as_ptr(whom), Rc::as_ptr(self)));
                false
            });
            any
        };
        self.children.iter().filter(move |child| !tells(child))
    }

    fn complete(self: &Rc<Self>) {
        if self.return_exceptions {
            for child in &self.children {
                child.head().unseen.set(false);
            }
        }
        let collect = self.collect.take();
        match self.children.last() {
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
        drop(collect);
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
}

impl<R: 'static> AnyFuture for Gathering<R> {
    fn head(&self) -> &Head {
        &self.core.head
    }

    fn accepts_cancel(&self) -> bool {
        !self.core.head.done() && self.children.iter().any(|child| child.accepts_cancel())
    }

    fn cancel_one(self: Rc<Self>, _message: &Option<Message>, next: &mut Vec<AnyRc>) {
        if self.accepts_cancel() {
            self.cancel_requested.set(true);
            next.extend(self.children.iter().rev().cloned());
        }
    }

    fn add_callback(self: Rc<Self>, callback: Callback) {
        self.core.add_callback(&self, callback);
    }

    fn remove_callbacks(&self, gone: &mut dyn FnMut(&Callback) -> bool) -> usize {
        self.core.remove_callbacks(gone)
    }

    fn failure(&self) -> Option<Exception> {
        self.core.failure()
    }

    fn repr(&self) -> String {
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
