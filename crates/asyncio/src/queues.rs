//! `asyncio.Queue`, `LifoQueue` and `PriorityQueue`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future as StdFuture;
use std::rc::Rc;

use crate::exception::Result;
use crate::exceptions::{QueueEmpty, QueueFull, QueueShutDown, ValueError};
use crate::futures::Future;
use crate::heapq::Heap;
use crate::locks::Event;
use crate::repr::{address, debug_like_display};
use crate::running;

/// A queue between tasks: first in, first out.
///
/// A handle: clones are the same queue. For threads there is `queue::Queue`.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let queue = asyncio::Queue::new(1);
///     let producer = asyncio::create_task({
///         let queue = queue.clone();
///         async move {
///             for i in 0..3 {
///                 queue.put(i).await?;
///             }
///             Ok(())
///         }
///     });
///     for i in 0..3 {
///         assert_eq!(queue.get().await?, i);
///         queue.task_done()?;
///     }
///     queue.join().await?;
///     producer.await
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Differences from Python
/// - An item that is not put is lost with the error, as Python's caller still has it: clone it
///   before if it matters.
///
/// Mirrors [`asyncio.Queue`](https://docs.python.org/3.14/library/asyncio-queue.html#asyncio.Queue).
pub struct Queue<T>(Rc<Inner<T>>);

/// Where a queue keeps its items, and in which order it gives them back.
enum Storage<T> {
    Fifo(VecDeque<T>),
    Lifo(Vec<T>),
    Priority(Heap<T>),
}

impl<T> Storage<T> {
    fn put(&mut self, item: T) {
        match self {
            Self::Fifo(items) => items.push_back(item),
            Self::Lifo(items) => items.push(item),
            Self::Priority(items) => items.push(item),
        }
    }

    fn get(&mut self) -> Option<T> {
        match self {
            Self::Fifo(items) => items.pop_front(),
            Self::Lifo(items) => items.pop(),
            Self::Priority(items) => items.pop(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Fifo(items) => items.len(),
            Self::Lifo(items) => items.len(),
            Self::Priority(items) => items.len(),
        }
    }
}

struct Inner<T> {
    name: &'static str,
    maxsize: usize,
    items: RefCell<Storage<T>>,
    getters: Line,
    putters: Line,
    unfinished: Cell<usize>,
    /// Set while there is no unfinished task.
    finished: Event,
    is_shutdown: Cell<bool>,
}

impl<T> Queue<T> {
    /// Creates a queue of up to `maxsize` items; 0 is no limit.
    pub fn new(maxsize: usize) -> Self {
        Self::of("Queue", maxsize, Storage::Fifo(VecDeque::new()))
    }

    fn of(name: &'static str, maxsize: usize, items: Storage<T>) -> Self {
        let finished = Event::new();
        finished.set();
        Self(Rc::new(Inner {
            name,
            maxsize,
            items: RefCell::new(items),
            getters: Line::default(),
            putters: Line::default(),
            unfinished: Cell::new(0),
            finished,
            is_shutdown: Cell::new(false),
        }))
    }

    /// How many items there are.
    pub fn qsize(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// How many items there can be; 0 is no limit.
    pub fn maxsize(&self) -> usize {
        self.0.maxsize
    }

    /// Whether there is no item.
    pub fn empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Whether there are as many items as there can be.
    pub fn full(&self) -> bool {
        self.0.maxsize > 0 && self.qsize() >= self.0.maxsize
    }

    /// Puts an item, and waits for room if need be.
    ///
    /// # Errors
    /// [`QueueShutDown`]; the `CancelledError` of a task that is cancelled meanwhile, whose item
    /// is not put.
    pub fn put(&self, item: T) -> impl StdFuture<Output = Result<()>> + use<T> {
        let this = self.clone();
        async move {
            while this.full() {
                if this.0.is_shutdown.get() {
                    return Err(QueueShutDown::default().into());
                }
                this.0.putters.wait(|| !this.full()).await?;
            }
            this.put_nowait(item)
        }
    }

    /// Puts an item if there is room.
    ///
    /// # Errors
    /// [`QueueFull`], [`QueueShutDown`].
    pub fn put_nowait(&self, item: T) -> Result<()> {
        if self.0.is_shutdown.get() {
            return Err(QueueShutDown::default().into());
        }
        if self.full() {
            return Err(QueueFull::default().into());
        }
        self.0.items.borrow_mut().put(item);
        self.0.unfinished.update(|unfinished| unfinished + 1);
        self.0.finished.clear();
        self.0.getters.wake_next();
        Ok(())
    }

    /// Takes the next item, and waits for one if need be.
    ///
    /// # Errors
    /// [`QueueShutDown`] if the queue is shut down and empty; the `CancelledError` of a task that
    /// is cancelled meanwhile, which takes none.
    pub fn get(&self) -> impl StdFuture<Output = Result<T>> + use<T> {
        let this = self.clone();
        async move {
            while this.empty() {
                if this.0.is_shutdown.get() {
                    return Err(QueueShutDown::default().into());
                }
                this.0.getters.wait(|| !this.empty()).await?;
            }
            this.get_nowait()
        }
    }

    /// Takes the next item if there is one.
    ///
    /// # Errors
    /// [`QueueEmpty`], or [`QueueShutDown`] if the queue is shut down.
    pub fn get_nowait(&self) -> Result<T> {
        let item = self.0.items.borrow_mut().get();
        match item {
            Some(item) => {
                self.0.putters.wake_next();
                Ok(item)
            }
            None if self.0.is_shutdown.get() => Err(QueueShutDown::default().into()),
            None => Err(QueueEmpty::default().into()),
        }
    }

    /// Says that the work on an item that was taken is done; see [`join`](Self::join).
    ///
    /// # Errors
    /// [`ValueError`] if it was called as often as items were put.
    pub fn task_done(&self) -> Result<()> {
        let Some(unfinished) = self.0.unfinished.get().checked_sub(1) else {
            return Err(ValueError::new("task_done() called too many times").into());
        };
        self.0.unfinished.set(unfinished);
        if unfinished == 0 {
            self.0.finished.set();
        }
        Ok(())
    }

    /// Waits until [`task_done`](Self::task_done) was called for every item that was put.
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile.
    pub fn join(&self) -> impl StdFuture<Output = Result<()>> + use<T> {
        let this = self.clone();
        async move {
            match this.0.unfinished.get() {
                0 => Ok(()),
                _ => this.0.finished.wait().await,
            }
        }
    }

    /// Shuts the queue down: no item can be put any more, and what is there can still be taken.
    ///
    /// `immediate` empties it as well. Tasks that wait get [`QueueShutDown`].
    pub fn shutdown(&self, immediate: bool) {
        self.0.is_shutdown.set(true);
        if immediate {
            self.discard();
        }
        self.0.getters.wake_all();
        self.0.putters.wake_all();
    }

    fn discard(&self) {
        loop {
            let item = self.0.items.borrow_mut().get();
            if item.is_none() {
                break;
            }
            self.0
                .unfinished
                .update(|unfinished| unfinished.saturating_sub(1));
        }
        if self.0.unfinished.get() == 0 {
            self.0.finished.set();
        }
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: 'static> fmt::Display for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            name,
            maxsize,
            getters,
            putters,
            unfinished,
            is_shutdown,
            ..
        } = &*self.0;
        write!(f, "<{name} at {} maxsize={maxsize}", address(&*self.0))?;
        for (label, count) in [("_getters", getters.len()), ("_putters", putters.len())] {
            if count > 0 {
                write!(f, " {label}[{count}]")?;
            }
        }
        if unfinished.get() > 0 {
            write!(f, " tasks={}", unfinished.get())?;
        }
        f.write_str(if is_shutdown.get() { " shutdown>" } else { ">" })
    }
}

debug_like_display!(Queue<T>);

/// The tasks that wait for an item, or for room.
#[derive(Default)]
struct Line(RefCell<VecDeque<Future<()>>>);

impl Line {
    /// Waits to be woken. A task that is cancelled or dropped instead wakes the next one, if what
    /// it waited for is there by `ready`.
    async fn wait(&self, ready: impl Fn() -> bool) -> Result<()> {
        let future: Future<()> = running::get_running_loop()?.create_future();
        self.0.borrow_mut().push_back(future.clone());
        let mut place = Place {
            line: self,
            future,
            ready,
            woken: false,
        };
        place.future.clone().await?;
        place.woken = true;
        Ok(())
    }

    fn len(&self) -> usize {
        self.0.borrow().len()
    }

    fn wake_next(&self) {
        loop {
            let next = self.0.borrow_mut().pop_front();
            match next {
                Some(future) if future.done() => {}
                Some(future) => return drop(future.set_result(())),
                None => return,
            }
        }
    }

    fn wake_all(&self) {
        let all = self.0.take();
        for future in all {
            let _ = future.set_result(());
        }
    }
}

/// A task's place in a line.
struct Place<'l, R: Fn() -> bool> {
    line: &'l Line,
    future: Future<()>,
    ready: R,
    woken: bool,
}

impl<R: Fn() -> bool> Drop for Place<'_, R> {
    fn drop(&mut self) {
        if self.woken {
            return;
        }
        self.future.cancel();
        self.line
            .0
            .borrow_mut()
            .retain(|other| *other != self.future);
        if (self.ready)() && !self.future.cancelled() {
            self.line.wake_next();
        }
    }
}

macro_rules! queues {
    ($($(#[$doc:meta])* $name:ident [$($bound:tt)*] $storage:expr;)*) => {$(
        $(#[$doc])*
        pub struct $name<T>(Queue<T>);

        impl<T $($bound)*> $name<T> {
            /// Creates a queue of up to `maxsize` items; 0 is no limit.
            pub fn new(maxsize: usize) -> Self {
                Self(Queue::of(stringify!($name), maxsize, $storage))
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self(self.0.clone())
            }
        }

        impl<T> std::ops::Deref for $name<T> {
            type Target = Queue<T>;

            fn deref(&self) -> &Queue<T> {
                &self.0
            }
        }

        impl<T: 'static> fmt::Display for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        debug_like_display!($name<T>);
    )*};
}
queues! {
    /// A [`Queue`] that gives back the newest item first.
    ///
    /// Mirrors [`asyncio.LifoQueue`](https://docs.python.org/3.14/library/asyncio-queue.html#asyncio.LifoQueue).
    LifoQueue [] Storage::Lifo(Vec::new());
    /// A [`Queue`] that gives back the least item first.
    ///
    /// Items that are equal come in the order of CPython's heap, which is not that in which they
    /// were put.
    ///
    /// Mirrors [`asyncio.PriorityQueue`](https://docs.python.org/3.14/library/asyncio-queue.html#asyncio.PriorityQueue).
    PriorityQueue [: PartialOrd] Storage::Priority(Heap::new(|one, other| one < other));
}
