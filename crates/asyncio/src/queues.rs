//! `asyncio.Queue`, `LifoQueue` and `PriorityQueue`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future as StdFuture;
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::{QueueEmpty, QueueFull, QueueShutDown, ValueError};
use crate::heapq::Heap;
use crate::locks::Event;
use crate::mixins::LoopBound;
use crate::repr::address;
use crate::site::{self, WaitsIn};

mod line;
use line::Line;

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
    #[inline]
    fn put(&mut self, item: T) {
        match self {
            Self::Fifo(items) => items.push_back(item),
            Self::Lifo(items) => items.push(item),
            Self::Priority(items) => items.push(item),
        }
    }

    #[inline]
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

impl<T: fmt::Debug> fmt::Debug for Storage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fifo(items) => items.fmt(f),
            Self::Lifo(items) => items.fmt(f),
            Self::Priority(items) => items.as_slice().fmt(f),
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
    bound: LoopBound,
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
            bound: LoopBound::default(),
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
    #[track_caller]
    pub fn put(&self, item: T) -> impl StdFuture<Output = Result<()>> + use<T> {
        site::mark(WaitsIn::QueuePut);
        let this = self.clone();
        async move {
            while this.full() {
                if this.0.is_shutdown.get() {
                    return Err(QueueShutDown::default().into());
                }
                let event_loop = this.get_loop()?;
                this.0.putters.wait(event_loop, || !this.full()).await?;
            }
            if this.0.is_shutdown.get() {
                return Err(QueueShutDown::default().into());
            }
            this.put_where_room_is(item);
            Ok(())
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
        self.put_where_room_is(item);
        Ok(())
    }

    /// The loop that the queue belongs to.
    fn get_loop(&self) -> Result<EventLoop> {
        let what = fmt::from_fn(|f| {
            let Inner { name, maxsize, .. } = &*self.0;
            write!(f, "<{name} at {} maxsize={maxsize}", address(&*self.0))?;
            self.describe(f)
        });
        self.0.bound.get_loop(|| what.to_string())
    }

    #[inline]
    fn put_where_room_is(&self, item: T) {
        self.0.items.borrow_mut().put(item);
        self.0.unfinished.update(|unfinished| unfinished + 1);
        self.0.finished.clear();
        self.0.getters.wake_next();
    }

    /// Takes the next item, and waits for one if need be.
    ///
    /// # Errors
    /// [`QueueShutDown`] if the queue is shut down and empty; the `CancelledError` of a task that
    /// is cancelled meanwhile, which takes none.
    #[track_caller]
    pub fn get(&self) -> impl StdFuture<Output = Result<T>> + use<T> {
        site::mark(WaitsIn::QueueGet);
        let this = self.clone();
        async move {
            loop {
                if let Some(item) = this.take() {
                    return Ok(item);
                }
                if this.0.is_shutdown.get() {
                    return Err(QueueShutDown::default().into());
                }
                let event_loop = this.get_loop()?;
                this.0.getters.wait(event_loop, || !this.empty()).await?;
            }
        }
    }

    /// Takes the next item if there is one.
    ///
    /// # Errors
    /// [`QueueEmpty`], or [`QueueShutDown`] if the queue is shut down.
    pub fn get_nowait(&self) -> Result<T> {
        match self.take() {
            Some(item) => Ok(item),
            None if self.0.is_shutdown.get() => Err(QueueShutDown::default().into()),
            None => Err(QueueEmpty::default().into()),
        }
    }

    /// The next item, whose room goes to whoever waits for some.
    #[inline]
    fn take(&self) -> Option<T> {
        let item = self.0.items.borrow_mut().get()?;
        self.0.putters.wake_next();
        Some(item)
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
    #[track_caller]
    pub fn join(&self) -> impl StdFuture<Output = Result<()>> + use<T> {
        site::mark(WaitsIn::QueueJoin);
        let this = self.clone();
        async move {
            match this.0.unfinished.get() {
                0 => Ok(()),
                _ => site::quietly(|| this.0.finished.wait()).await,
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

/// Python's `str`: without the items, which need not be printable.
impl<T> fmt::Display for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} maxsize={}", self.0.name, self.0.maxsize)?;
        self.describe(f)
    }
}

/// Python's `repr`.
impl<T: fmt::Debug> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { name, maxsize, .. } = &*self.0;
        write!(f, "<{name} at {} maxsize={maxsize}", address(&*self.0))?;
        if !self.empty() {
            write!(f, " _queue={:?}", self.0.items.borrow())?;
        }
        self.describe(f)
    }
}

impl<T> Queue<T> {
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            getters,
            putters,
            unfinished,
            is_shutdown,
            ..
        } = &*self.0;
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

        impl<T> fmt::Display for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl<T: fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
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
