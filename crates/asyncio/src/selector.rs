//! What a loop with file descriptors or signals to watch sleeps in: Linux's epoll.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::events::Handle;

/// Names the loop's own bells among the descriptors.
const BELL: u64 = u64::MAX;

/// How many events one look at the descriptors takes in at most; the others come with the next.
const EVENTS: usize = 256;

pub(crate) struct Selector {
    epoll: Epoll,
    /// Written to by other threads to end the loop's sleep.
    bell: Arc<EventFd>,
    watched: BTreeMap<RawFd, Watched>,
}

#[derive(Default)]
struct Watched {
    reader: Option<Handle>,
    writer: Option<Handle>,
}

/// What a descriptor is watched for.
#[derive(Clone, Copy)]
pub(crate) enum Interest {
    Read,
    Write,
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

impl Selector {
    pub(crate) fn new() -> nix::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let bell = Arc::new(EventFd::from_flags(flags)?);
        epoll.add(&*bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self {
            epoll,
            bell,
            watched: BTreeMap::new(),
        })
    }

    /// What ends the loop's sleep, from any thread.
    pub(crate) fn alarm(&self) -> Arc<dyn Fn() + Send + Sync> {
        let bell = self.bell.clone();
        Arc::new(move || {
            // It fails only where it has been rung for ever.
            let _ = bell.write(1);
        })
    }

    /// Has a bell of somebody else's end the loop's sleep too.
    pub(crate) fn listen_to<Fd: AsFd>(&self, bell: Fd) -> nix::Result<()> {
        match self
            .epoll
            .add(bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))
        {
            Err(Errno::EEXIST) => Ok(()),
            result => result,
        }
    }

    pub(crate) fn watches_any(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Watches `fd`, and returns the handle that it was watched with before.
    pub(crate) fn watch<Fd: AsFd>(
        &mut self,
        fd: &Fd,
        interest: Interest,
        handle: Handle,
    ) -> nix::Result<Option<Handle>> {
        let number = fd.as_fd().as_raw_fd();
        let known = self.watched.contains_key(&number);
        let watched = self.watched.entry(number).or_default();
        let old = watched.of(interest).replace(handle);
        let mut event = EpollEvent::new(watched.flags(), number as u64);
        let result = match known {
            true => self.epoll.modify(fd, &mut event),
            false => self.epoll.add(fd, event),
        };
        if let Err(error) = result {
            self.watched.remove(&number);
            return Err(error);
        }
        Ok(old)
    }

    /// Stops watching `fd`, and returns the handle that it was watched with.
    pub(crate) fn forget<Fd: AsFd>(&mut self, fd: &Fd, interest: Interest) -> Option<Handle> {
        let number = fd.as_fd().as_raw_fd();
        let watched = self.watched.get_mut(&number)?;
        let old = watched.of(interest).take()?;
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

    /// Sleeps until something is ready or `timeout` has passed, and returns what to call.
    pub(crate) fn select(&self, timeout: Option<Duration>) -> Vec<Handle> {
        let timeout = match timeout {
            None => EpollTimeout::NONE,
            Some(timeout) => EpollTimeout::try_from(timeout).unwrap_or(EpollTimeout::MAX),
        };
        let mut events = [EpollEvent::empty(); EVENTS];
        // A signal ends the sleep early, which does no harm.
        let count = self.epoll.wait(&mut events, timeout).unwrap_or(0);
        let mut ready = Vec::new();
        for event in &events[..count] {
            match event.data() {
                BELL => drop(self.bell.read()),
                number => self.collect(number as RawFd, event.events(), &mut ready),
            }
        }
        ready
    }

    /// An error or a hang-up counts as both: the callback will find out.
    fn collect(&self, number: RawFd, events: EpollFlags, ready: &mut Vec<Handle>) {
        let Some(watched) = self.watched.get(&number) else {
            return;
        };
        if events.intersects(EpollFlags::EPOLLOUT.complement()) {
            ready.extend(watched.reader.clone());
        }
        if events.intersects(EpollFlags::EPOLLIN.complement()) {
            ready.extend(watched.writer.clone());
        }
    }
}
