//! `multiprocessing.Barrier`.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytemuck::Zeroable;
use hilos_core::time::{Deadline, Timeout};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::holders::{Hint, Holders};
use super::patience::Patience;
use super::repr::debug_like_display;
use super::{Condition, Lock};
use crate::error::Error;
use crate::handle::Handle;
use crate::life::Life;
use crate::reduction::{Message, TravellingFd};
use crate::sys::image::Descriptor;
use crate::target::{Call, Plan, Target};

/// A number of processes wait here until all of them have come.
///
/// Use it to have processes begin or go on together. A handle: clones are the same barrier, in this
/// process and in others.
///
/// ```
/// use hilos_multiprocessing as multiprocessing;
/// use multiprocessing::{Barrier, Process};
///
/// fn child(barrier: Barrier) -> Result<(), multiprocessing::Error> {
///     barrier.wait(None).map(drop)
/// }
///
/// let barrier = Barrier::new(2)?;
/// let process = Process::new(child, (barrier.clone(),));
/// process.start()?;
/// barrier.wait(None)?;
/// # process.join(None)?;
/// # Ok::<(), multiprocessing::Error>(())
/// ```
///
/// # Differences from Python
/// - A process that is killed while it waits here breaks the barrier; in CPython the others wait
///   for ever.
/// - An action that panics or returns an error breaks the barrier, and whoever ran it gets
///   [`Error::Runtime`] with the message.
/// - Threads of at most 250 processes meet.
///
/// Mirrors [`multiprocessing.Barrier`](https://docs.python.org/3.14/library/multiprocessing.html#multiprocessing.Barrier).
#[derive(Clone, Serialize, Deserialize)]
pub struct Barrier {
    state: Handle<State>,
    /// Its lock guards the state.
    changed: Condition<Lock>,
    action: Option<Action>,
    /// In seconds.
    timeout: Option<f64>,
}

#[derive(Debug, Zeroable)]
#[repr(C)]
struct State {
    parties: AtomicU32,
    phase: AtomicU32,
    /// How often it has opened.
    opened: AtomicU32,
    /// The thread that runs the action.
    acting: AtomicU32,
    /// Who is inside.
    inside: Holders,
}

/// Some are inside and wait for the others.
const FILLING: u32 = 0;
/// All are there, and the last one runs the action.
const ACTING: u32 = 1;
/// It was reset while some waited: they go out with an error, newcomers wait outside.
const RESETTING: u32 = 2;
/// Nobody gets through before a reset.
const BROKEN: u32 = 3;

/// What the last one to come does: a function, and its arguments as they travel.
#[derive(Clone)]
struct Action {
    descriptor: &'static Descriptor,
    message: Arc<Message>,
}

impl Action {
    fn run(&self) -> Result<(), Error> {
        let copies = self.message.fds.iter().map(OwnedFd::try_clone);
        let message = Message {
            bytes: self.message.bytes.clone(),
            fds: copies.collect::<Result<_, _>>()?,
        };
        match (self.descriptor.call)(message) {
            Ok(_) => Ok(()),
            Err(failure) => Err(Error::Runtime(failure.to_string())),
        }
    }
}

impl Barrier {
    /// Creates a barrier for `parties` processes or threads.
    ///
    /// # Errors
    /// [`Error::Value`] if `parties` is 0; [`Error::Os`] if the system has no memory or no
    /// descriptors left.
    pub fn new(parties: usize) -> Result<Self, Error> {
        let parties = u32::try_from(parties).ok().filter(|&parties| parties > 0);
        let parties = parties.ok_or_else(|| Error::Value("parties must be >= 1".into()))?;
        let state = Handle::<State>::new()?;
        state.parties.store(parties, Ordering::Relaxed);
        Ok(Self {
            state,
            changed: Condition::over_plain_lock()?,
            action: None,
            timeout: None,
        })
    }

    /// Has one of them call `action` with `args` when all have come, before any goes on.
    ///
    /// # Errors
    /// [`Error::Encoding`] if the arguments cannot travel.
    pub fn with_action<F, A>(mut self, action: F, args: A) -> Result<Self, Error>
    where
        F: Target<A>,
        A: Serialize + DeserializeOwned + Send + 'static,
    {
        let call = Call {
            target: action,
            args,
        };
        let (descriptor, message) = call.encode()?;
        self.action = Some(Action {
            descriptor,
            message: Arc::new(message),
        });
        Ok(self)
    }

    /// Sets the timeout that [`wait`](Self::wait) uses when it is given none.
    #[must_use]
    pub fn with_timeout<T: Into<Timeout>>(mut self, timeout: T) -> Self {
        self.timeout = timeout.into().seconds();
        self
    }

    /// Blocks until all have come; returns this one's number among them, from 0 to `parties - 1`,
    /// each number once.
    ///
    /// `None` waits as long as [`with_timeout`](Self::with_timeout) said, or for ever.
    ///
    /// # Errors
    /// [`Error::BrokenBarrier`] if the barrier is or becomes broken, is reset, if this or
    /// another one's timeout passes, or if one of them is killed, which breaks it for all;
    /// [`Error::Runtime`] if the action fails here.
    pub fn wait<T: Into<Timeout>>(&self, timeout: T) -> Result<usize, Error> {
        let seconds = timeout.into().seconds().or(self.timeout);
        let deadline = seconds.map_or(Deadline::NEVER, |seconds| Timeout::from(seconds).deadline());
        let _held = self.held()?;
        self.enter()?;
        let index = self.state.inside.total();
        if !self.state.inside.add(&Hint::default()) {
            return Err(Error::Runtime("too many processes at a barrier".into()));
        }
        let result = if index + 1 == self.parties() {
            self.act()
        } else {
            self.wait_inside(deadline)
        };
        if result.is_err() {
            self.leave()?;
        }
        result.map(|()| index)
    }

    /// Empties the barrier: those inside get [`Error::BrokenBarrier`], later ones start anew.
    ///
    /// # Errors
    /// [`Error::Os`] if the barrier cannot be reached.
    pub fn reset(&self) -> Result<(), Error> {
        let _held = self.held()?;
        // Who has died inside does not go out.
        self.state.inside.bury();
        let empty = self.state.inside.total() == 0;
        self.turn(if empty { FILLING } else { RESETTING })
    }

    /// Breaks the barrier: everyone who waits or comes gets [`Error::BrokenBarrier`].
    ///
    /// It stays so until [`reset`](Self::reset).
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn abort(&self) -> Result<(), Error> {
        let _held = self.held()?;
        self.turn(BROKEN)
    }

    /// How many must come.
    pub fn parties(&self) -> usize {
        self.state.parties.load(Ordering::Relaxed) as usize
    }

    /// How many wait inside at the moment.
    pub fn n_waiting(&self) -> usize {
        match self.phase() {
            FILLING | ACTING => self.state.inside.total(),
            _ => 0,
        }
    }

    /// Whether the barrier is broken.
    pub fn broken(&self) -> bool {
        self.phase() == BROKEN
    }

    fn phase(&self) -> u32 {
        self.state.phase.load(Ordering::Relaxed)
    }

    fn turn(&self, phase: u32) -> Result<(), Error> {
        self.state.phase.store(phase, Ordering::Relaxed);
        self.changed.notify_all()
    }

    fn held(&self) -> Result<Held<'_>, Error> {
        self.hold()?;
        Ok(Held(self.changed.get_lock()))
    }

    /// Acquires the lock; if its holder was killed, the barrier is broken.
    fn hold(&self) -> Result<(), Error> {
        let lock = self.changed.get_lock();
        while let Err(error) = lock.acquire() {
            match error {
                Error::OwnerDied(_) if lock.recover() => {
                    self.turn(BROKEN)?;
                    break;
                }
                Error::OwnerDied(_) => {}
                other => return Err(other),
            }
        }
        Ok(())
    }

    /// Waits for a change, and looks from time to time whether somebody inside was killed.
    fn pause(&self, patience: &mut Patience) -> Result<(), Error> {
        if patience.exhausted() && self.state.inside.bury() != 0 {
            return match self.phase() {
                RESETTING => self.let_in(),
                _ => self.turn(BROKEN),
            };
        }
        match self.changed.wait_until(patience.next()) {
            Err(Error::OwnerDied(_)) => self.hold(),
            other => other.map(drop),
        }
    }

    /// Waits outside while an action runs, and until all have gone out after a reset.
    fn enter(&self) -> Result<(), Error> {
        let mut patience = Patience::until(Deadline::NEVER);
        loop {
            let acting = self.state.acting.load(Ordering::Relaxed);
            match self.phase() {
                FILLING => return Ok(()),
                BROKEN => return Err(Error::BrokenBarrier),
                ACTING if acting == Life::thread().id() => {
                    let text = "a barrier's action cannot wait at the barrier";
                    return Err(Error::Runtime(text.into()));
                }
                _ => self.pause(&mut patience)?,
            }
        }
    }

    /// The last one has come: runs the action and opens the barrier, if all still wait.
    fn act(&self) -> Result<(), Error> {
        if let Some(action) = &self.action {
            let me = Life::thread().id();
            self.state.acting.store(me, Ordering::Relaxed);
            self.turn(ACTING)?;
            self.changed.release()?;
            let acted = action.run();
            self.hold()?;
            self.state.acting.store(0, Ordering::Relaxed);
            if let Err(error) = acted {
                self.turn(BROKEN)?;
                return Err(error);
            }
        }
        if !matches!(self.phase(), FILLING | ACTING) {
            return Err(Error::BrokenBarrier);
        }
        self.state.opened.fetch_add(1, Ordering::Relaxed);
        self.state.inside.clear();
        self.turn(FILLING)
    }

    /// Waits for the last one, and breaks the barrier if it does not come in time.
    fn wait_inside(&self, deadline: Deadline) -> Result<(), Error> {
        let opened = || self.state.opened.load(Ordering::Relaxed);
        let before = opened();
        let mut patience = Patience::until(deadline);
        while opened() == before {
            match self.phase() {
                FILLING if deadline.passed() => self.turn(BROKEN)?,
                // The action has all the time it needs.
                FILLING | ACTING => self.pause(&mut patience)?,
                _ => return Err(Error::BrokenBarrier),
            }
        }
        Ok(())
    }

    /// Goes out without having passed.
    fn leave(&self) -> Result<(), Error> {
        self.state.inside.remove(&Hint::default());
        self.let_in()
    }

    /// Lets newcomers in if all have gone out after a reset.
    fn let_in(&self) -> Result<(), Error> {
        if self.phase() == RESETTING && self.state.inside.total() == 0 {
            self.turn(FILLING)?;
        }
        Ok(())
    }
}

/// Holds the barrier's lock until it is dropped, however often it was let go of meanwhile.
struct Held<'a>(&'a Lock);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let _ = self.0.release();
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let copies = self
            .message
            .fds
            .iter()
            .map(|fd| fd.try_clone().map(TravellingFd));
        let fds: Vec<_> = copies.collect::<Result<_, _>>().map_err(S::Error::custom)?;
        (self.descriptor.offset(), &self.message.bytes, fds).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (offset, bytes, fds) =
            <(usize, Vec<u8>, Vec<TravellingFd>)>::deserialize(deserializer)?;
        let missing = || serde::de::Error::custom("the barrier's action is not in this program");
        let descriptor = Descriptor::at_offset(offset).ok_or_else(missing)?;
        let fds = fds.into_iter().map(|fd| fd.0).collect();
        Ok(Self {
            descriptor,
            message: Arc::new(Message { bytes, fds }),
        })
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = std::ptr::from_ref(&*self.state).addr();
        if self.broken() {
            return write!(f, "<Barrier at {place:#x}: broken>");
        }
        let (waiting, parties) = (self.n_waiting(), self.parties());
        write!(f, "<Barrier at {place:#x}: waiters={waiting}/{parties}>")
    }
}

debug_like_display!(Barrier);
