//! What a loop with file descriptors or signals to watch sleeps in: Linux's epoll.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::events::Handle;

/// Names the loop's own descriptors among the others.
const BELL: u64 = u64::MAX;
const SIGNALS: u64 = u64::MAX - 1;

pub(crate) struct Selector {
    epoll: Epoll,
    bell: Arc<Bell>,
    watched: BTreeMap<RawFd, Watched>,
    /// How many of them are watched for writing.
    writers: usize,
    /// Room for all descriptors, so that one look finds all that are ready.
    events: Vec<EpollEvent>,
}

/// Ends the loop's sleep, from any thread.
struct Bell(EventFd);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // It fails only where it was rung all the time.
        let _ = self.0.write(1);
    }
}

/// What a descriptor is watched with.
#[derive(Default)]
pub(crate) struct Watched {
    reader: Option<Handle>,
    writer: Option<Handle>,
}

/// What a descriptor is watched for.
#[derive(Clone, Copy)]
pub(crate) enum Interest {
    Read,
    Write,
}

impl Interest {
    fn is_write(self) -> bool {
        matches!(self, Self::Write)
    }
}

/// What a look has found.
pub(crate) enum Found {
    Ready(Handle),
    Signals,
}

impl Watched {
    fn of(&mut self, interest: Interest) -> &mut Option<Handle> {
        match interest {
            Interest::Read => &mut self.reader,
            Interest::Write => &mut self.writer,
        }
    }

    fn flags(&self) -> EpollFlags {
        let mut flags = EpollFlags::empty();
        flags.set(EpollFlags::EPOLLIN, self.reader.is_some());
        flags.set(EpollFlags::EPOLLOUT, self.writer.is_some());
        flags
    }
}

#[cfg(feature = "tokio")]
impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

impl Selector {
    pub(crate) fn new() -> nix::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        epoll.add(&bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self {
            epoll,
            bell: Arc::new(Bell(bell)),
            watched: BTreeMap::new(),
            writers: 0,
            events: Vec::new(),
        })
    }

    /// What ends the loop's sleep, from any thread.
    pub(crate) fn bell(&self) -> Waker {
        self.bell.clone().into()
    }

    /// Has signals end the loop's sleep too.
    pub(crate) fn listen_to_signals(&self, arrivals: BorrowedFd<'_>) -> nix::Result<()> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS);
        match self.epoll.add(arrivals, event) {
            Err(Errno::EEXIST) => Ok(()),
            result => result,
        }
    }

    pub(crate) fn watches(&self, fd: RawFd, interest: Interest) -> bool {
        self.watched.get(&fd).is_some_and(|watched| match interest {
            Interest::Read => watched.reader.is_some(),
            Interest::Write => watched.writer.is_some(),
        })
    }

    pub(crate) fn watches_any(&self) -> bool {
        !self.watched.is_empty()
    }

    pub(crate) fn watches_writers(&self) -> bool {
        self.writers > 0
    }

    /// Watches `fd`, and returns the handle that it was watched with before.
    ///
    /// Where the system refuses, `fd` is not watched at all any more; what it was watched with,
    /// the new handle included, comes back to be dropped elsewhere.
    pub(crate) fn watch<Fd: AsFd>(
        &mut self,
        fd: &Fd,
        interest: Interest,
        handle: Handle,
    ) -> Result<Option<Handle>, (Errno, Watched)> {
        let number = fd.as_fd().as_raw_fd();
        let known = self.watched.contains_key(&number);
        let watched = self.watched.entry(number).or_default();
        let old = watched.of(interest).replace(handle);
        self.writers += usize::from(interest.is_write() && old.is_none());
        let mut event = EpollEvent::new(watched.flags(), number as u64);
        let result = match known {
            true => self.epoll.modify(fd, &mut event),
            false => self.epoll.add(fd, event),
        };
        if let Err(error) = result {
            let watched = self.watched.remove(&number).unwrap_or_default();
            self.writers -= usize::from(watched.writer.is_some());
            return Err((error, watched));
        }
        Ok(old)
    }

    /// Stops watching `fd`, and returns the handle that it was watched with.
    pub(crate) fn forget<Fd: AsFd>(&mut self, fd: &Fd, interest: Interest) -> Option<Handle> {
        let number = fd.as_fd().as_raw_fd();
        let watched = self.watched.get_mut(&number)?;
        let old = watched.of(interest).take()?;
        self.writers -= usize::from(interest.is_write());
        let flags = watched.flags();
        // A descriptor that was closed meanwhile is not watched any more in any case.
        let _ = match flags.is_empty() {
            true => {
                self.watched.remove(&number);
                self.epoll.delete(fd)
            }
            false => self
                .epoll
                .modify(fd, &mut EpollEvent::new(flags, number as u64)),
        };
        Some(old)
    }

    /// Sleeps until something is ready or `timeout` has passed, and hands over what is found.
    pub(crate) fn select(&mut self, timeout: Option<Duration>, mut found: impl FnMut(Found)) {
        let timeout = match timeout {
            None => EpollTimeout::NONE,
            Some(timeout) => EpollTimeout::try_from(timeout).unwrap_or(EpollTimeout::MAX),
        };
        let room = self.watched.len() + 2;
        self.events.resize(room, EpollEvent::empty());
        // A signal ends the sleep early, which does no harm.
        let count = self.epoll.wait(&mut self.events, timeout).unwrap_or(0);
        for event in &self.events[..count] {
            match event.data() {
                BELL => drop(self.bell.0.read()),
                SIGNALS => found(Found::Signals),
                number => {
                    if let Some(watched) = self.watched.get(&(number as RawFd)) {
                        watched.find(event.events(), &mut found);
                    }
                }
            }
        }
    }
}

impl Watched {
    /// An error or a hang-up counts as both: the callback will find out.
    fn find(&self, events: EpollFlags, found: &mut impl FnMut(Found)) {
        let mut call = |handle: &Option<Handle>| {
            if let Some(handle) = handle {
                found(Found::Ready(handle.clone()));
            }
        };
        if events.intersects(EpollFlags::EPOLLOUT.complement()) {
            call(&self.reader);
        }
        if events.intersects(EpollFlags::EPOLLIN.complement()) {
            call(&self.writer);
        }
    }
}
