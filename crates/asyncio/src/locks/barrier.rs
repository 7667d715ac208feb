//! `asyncio.Barrier`.

use std::cell::Cell;
use std::fmt;
use std::future::Future as StdFuture;
use std::rc::Rc;

use crate::exception::Result;
use crate::exceptions::{BrokenBarrierError, ValueError};
use crate::locks::Condition;
use crate::repr::{address, debug_like_display};

/// A point at which a number of tasks wait for each other.
///
/// A handle: clones are the same barrier.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// asyncio::run(async {
///     let barrier = asyncio::Barrier::new(2)?;
///     let indices = asyncio::gather!(barrier.wait(), barrier.wait()).await?;
///     assert_eq!(indices, (0, 1));
///     Ok(())
/// })?;
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// Mirrors [`asyncio.Barrier`](https://docs.python.org/3.14/library/asyncio-sync.html#asyncio.Barrier).
#[derive(Clone)]
pub struct Barrier(Rc<Inner>);

struct Inner {
    condition: Condition,
    parties: usize,
    state: Cell<State>,
    /// How many tasks are inside.
    count: Cell<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Filling,
    Draining,
    Resetting,
    Broken,
}

impl Barrier {
    /// Creates a barrier for `parties` tasks.
    ///
    /// # Errors
    /// [`ValueError`] if `parties` is 0.
    pub fn new(parties: usize) -> Result<Self> {
        if parties < 1 {
            return Err(ValueError::new("parties must be > 0").into());
        }
        Ok(Self(Rc::new(Inner {
            condition: Condition::new(),
            parties,
            state: Cell::new(State::Filling),
            count: Cell::new(0),
        })))
    }

    /// Waits until all parties are here; each gets another number from 0 to `parties - 1`.
    ///
    /// # Errors
    /// [`BrokenBarrierError`] if the barrier is broken, or reset meanwhile; the `CancelledError`
    /// of a task that is cancelled meanwhile.
    pub fn wait(&self) -> impl StdFuture<Output = Result<usize>> + use<> {
        let this = self.clone();
        async move {
            let _held = this.0.condition.lock().await?;
            this.block().await?;
            let index = this.0.count.get();
            this.0.count.set(index + 1);
            let _inside = Inside(&this);
            match index + 1 == this.0.parties {
                true => this.drain()?,
                false => this.fill().await?,
            }
            Ok(index)
        }
    }

    /// Waits until the last round has left, or fails if the barrier is broken.
    async fn block(&self) -> Result<()> {
        let state = || self.0.state.get();
        let ready = || !matches!(state(), State::Draining | State::Resetting);
        self.0.condition.wait_for(ready).await?;
        match state() {
            State::Broken => Err(BrokenBarrierError::new("Barrier aborted").into()),
            _ => Ok(()),
        }
    }

    /// Lets everybody go.
    fn drain(&self) -> Result<()> {
        self.0.state.set(State::Draining);
        self.0.condition.notify_all()
    }

    /// Waits for the last of the parties.
    async fn fill(&self) -> Result<()> {
        let state = || self.0.state.get();
        self.0
            .condition
            .wait_for(|| state() != State::Filling)
            .await?;
        match state() {
            State::Broken | State::Resetting => {
                Err(BrokenBarrierError::new("Abort or reset of barrier").into())
            }
            _ => Ok(()),
        }
    }

    /// Empties the barrier: tasks that wait get a [`BrokenBarrierError`], later ones do not.
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile.
    pub fn reset(&self) -> impl StdFuture<Output = Result<()>> + use<> {
        let this = self.clone();
        async move {
            let _held = this.0.condition.lock().await?;
            this.0.state.set(match this.0.count.get() {
                0 => State::Filling,
                _ => State::Resetting,
            });
            this.0.condition.notify_all()
        }
    }

    /// Breaks the barrier: every task that waits or will wait gets a [`BrokenBarrierError`].
    ///
    /// # Errors
    /// The `CancelledError` of a task that is cancelled meanwhile.
    pub fn abort(&self) -> impl StdFuture<Output = Result<()>> + use<> {
        let this = self.clone();
        async move {
            let _held = this.0.condition.lock().await?;
            this.0.state.set(State::Broken);
            this.0.condition.notify_all()
        }
    }

    /// How many tasks pass together.
    pub fn parties(&self) -> usize {
        self.0.parties
    }

    /// How many tasks wait for the others now.
    pub fn n_waiting(&self) -> usize {
        match self.0.state.get() {
            State::Filling => self.0.count.get(),
            _ => 0,
        }
    }

    /// Whether the barrier is broken.
    pub fn broken(&self) -> bool {
        self.0.state.get() == State::Broken
    }
}

/// A task inside the barrier; the last that leaves makes room for the next round.
struct Inside<'b>(&'b Barrier);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let Inner {
            condition,
            state,
            count,
            ..
        } = &*self.0.0;
        count.set(count.get() - 1);
        if count.get() == 0 {
            if matches!(state.get(), State::Resetting | State::Draining) {
                state.set(State::Filling);
            }
            // The lock is held, unless the waiting coroutine was dropped.
            let _ = condition.notify_all();
        }
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.0.state.get() {
            State::Filling => "filling",
            State::Draining => "draining",
            State::Resetting => "resetting",
            State::Broken => "broken",
        };
        write!(
            f,
            "<asyncio.locks.Barrier object at {} [{state}",
            address(&*self.0)
        )?;
        if !self.broken() {
            write!(f, ", waiters:{}/{}", self.n_waiting(), self.parties())?;
        }
        f.write_str("]>")
    }
}

debug_like_display!(Barrier);
