//! `multiprocessing.managers.SharedMemoryManager`.

use std::fmt;

use parking_lot::Mutex;

use crate::error::Error;
use crate::shared_memory::{Item, ShareableList, SharedMemory};

/// Creates blocks of shared memory and unlinks them all in the end.
///
/// Use it where blocks are made in many places and shall go together. Its end is
/// [`shutdown`](Self::shutdown), or when it is dropped, or when the program ends or is killed.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::managers::SharedMemoryManager;
/// use multiprocessing::shared_memory::SharedMemory;
///
/// let name = SharedMemoryManager::new().with(|smm| {
///     let shm = smm.shared_memory(128)?;
///     let list = smm.shareable_list(0..5)?;
///     assert_eq!(list.get(-1)?, 4.into());
///     Ok::<_, multiprocessing::Error>(shm.name().to_owned())
/// })??;
/// assert!(SharedMemory::open(&name).is_err());
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - It is no process of its own: the [`resource_tracker`](crate::resource_tracker), which is one,
///   sees to the blocks of a program that is killed. So it has no address and nobody connects to it.
/// - In a copy of the process it has nothing to shut down: the blocks are the parent's.
///
/// Mirrors [`multiprocessing.managers.SharedMemoryManager`](https://docs.python.org/3.14/library/multiprocessing.shared_memory.html#multiprocessing.managers.SharedMemoryManager).
pub struct SharedMemoryManager {
    state: Mutex<State>,
}

enum State {
    Initial,
    Started {
        /// The process that unlinks the blocks.
        owner: u32,
        blocks: Vec<SharedMemory>,
    },
    Shutdown,
}

impl SharedMemoryManager {
    /// Creates a manager that is not started yet.
    pub const fn new() -> Self {
        Self {
            state: Mutex::new(State::Initial),
        }
    }

    /// Starts the manager.
    ///
    /// # Errors
    /// [`Error::Process`] if it was started before; [`Error::Os`] if the resource tracker cannot be
    /// started.
    pub fn start(&self) -> Result<(), Error> {
        let mut state = self.state.lock();
        match &*state {
            State::Initial => {}
            State::Started { .. } => return Err(Error::Process("Already started server")),
            State::Shutdown => return Err(Error::Process("Manager has shut down")),
        }
        crate::resource_tracker::ensure_running()?;
        *state = State::Started {
            owner: std::process::id(),
            blocks: Vec::new(),
        };
        Ok(())
    }

    /// Unlinks everything that the manager has made; does nothing the second time.
    ///
    /// Who has a block open keeps it until he closes it.
    pub fn shutdown(&self) {
        let mut state = self.state.lock();
        if matches!(*state, State::Initial) {
            return;
        }
        if let State::Started { owner, blocks } = std::mem::replace(&mut *state, State::Shutdown)
            && owner == std::process::id()
        {
            blocks.iter().for_each(SharedMemory::unlink_if_there);
        }
    }

    /// Starts the manager, calls `f` and shuts it down, also when `f` panics: Python's
    /// `with SharedMemoryManager() as smm:`.
    ///
    /// # Errors
    /// Those of [`start`](Self::start), except that it may be started already.
    pub fn with<R, F: FnOnce(&Self) -> R>(&self, f: F) -> Result<R, Error> {
        struct Guard<'a>(&'a SharedMemoryManager);
        impl Drop for Guard<'_> {
            fn drop(&mut self) {
                self.0.shutdown();
            }
        }
        if !self.is_started() {
            self.start()?;
        }
        let guard = Guard(self);
        Ok(f(guard.0))
    }

    /// Creates a block of `size` bytes.
    ///
    /// # Errors
    /// [`Error::Value`] if the manager does not run, and those of
    /// [`SharedMemory::create`].
    pub fn shared_memory(&self, size: usize) -> Result<SharedMemory, Error> {
        self.make(|| SharedMemory::create(size), Clone::clone)
    }

    /// Creates a list of these items.
    ///
    /// # Errors
    /// [`Error::Value`] if the manager does not run, and those of
    /// [`ShareableList::new`].
    pub fn shareable_list<I>(&self, sequence: I) -> Result<ShareableList, Error>
    where
        I: IntoIterator<Item: Into<Item>>,
    {
        self.make(|| ShareableList::new(sequence), |list| list.shm().clone())
    }

    fn make<T>(
        &self,
        create: impl FnOnce() -> Result<T, Error>,
        block: impl FnOnce(&T) -> SharedMemory,
    ) -> Result<T, Error> {
        match &mut *self.state.lock() {
            State::Started { blocks, .. } => {
                let made = create()?;
                blocks.push(block(&made));
                Ok(made)
            }
            _ => Err(Error::Value("the manager is not running".into())),
        }
    }

    fn is_started(&self) -> bool {
        matches!(*self.state.lock(), State::Started { .. })
    }
}

impl Default for SharedMemoryManager {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SharedMemoryManager {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for SharedMemoryManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.state.lock() {
            State::Initial => "initial",
            State::Started { .. } => "started",
            State::Shutdown => "shut down",
        };
        write!(f, "<SharedMemoryManager {state}>")
    }
}
