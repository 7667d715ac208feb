//! One worker, as the supervisor sees it.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hilos_core::time::Deadline;

use super::context::Context;
use super::error::{JobError, WorkerLost};
use super::request::{FAILED, FORGET, READY, REMEMBER, Request, frame, unframe};
use crate::connection::Connection;
use crate::connection::endpoint::header;
use crate::error::Error;
use crate::failure::Failure;
use crate::process::Process;
use crate::reduction::{Message, loads};
use crate::sys::claims::Claims;

/// Tasks are given ahead for about this long: the way there and back would take short ones longer.
const AHEAD: Duration = Duration::from_micros(500);

/// A worker has at most this many tasks.
const DEEPEST: usize = 256;

/// A worker with this many tasks need not be listened to at once.
const MANY: usize = 16;

/// Tasks that have waited this long for the one before them may go to another worker.
pub(super) const STUCK: Duration = Duration::from_millis(1);

/// Requests are put together up to this many bytes.
const TOGETHER: usize = 8 * 1024;

type Task = super::task::Task<Request>;

/// A process of the pool, and what it has been given.
pub(super) struct Worker {
    pub(super) process: Process,
    pub(super) connection: Connection,
    /// What the socket did not take yet.
    outbox: VecDeque<Outgoing>,
    /// The tasks that it has, the one that it is at first.
    tasks: VecDeque<(u64, Task)>,
    /// Which of them it has begun.
    claims: Claims,
    /// The number of the last task that it was given.
    last: u64,
    /// The contexts that it has.
    contexts: Vec<(u64, Weak<Context>)>,
    /// When it began the first of them, or was given it.
    began: Instant,
    /// How long a task takes it, of late.
    pace: Duration,
    /// How many tasks it may still be given, if that is limited.
    pub(super) left: Option<usize>,
    pub(super) ready: bool,
}

struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    fds: Vec<OwnedFd>,
}

/// What a worker has to say.
pub(super) enum News {
    Ready,
    Broken(Failure),
    Done(Task, Result<Message, JobError>),
}

impl Worker {
    pub(super) fn new(
        process: Process,
        connection: Connection,
        claims: Claims,
        left: Option<usize>,
    ) -> Self {
        Self {
            process,
            connection,
            outbox: VecDeque::new(),
            tasks: VecDeque::new(),
            claims,
            last: 0,
            contexts: Vec::new(),
            began: Instant::now(),
            pace: Duration::MAX,
            left,
            ready: false,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(super) fn wants_to_send(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Whether it gets on fast and has so much to do that it need not be listened to at once.
    pub(super) fn is_provided_for(&self) -> bool {
        self.tasks.len() >= MANY && self.began.elapsed() < AHEAD
    }

    /// Whether it may be given this task now. One with a limit is alone, so that nothing else is
    /// lost when its worker is killed.
    pub(super) fn takes(&self, task: &Task) -> bool {
        self.tasks.is_empty() || (task.limit.is_none() && self.limit().is_none())
    }

    /// How many tasks it may be given now; `ahead` allows for some behind the first.
    pub(super) fn room(&self, ahead: bool) -> usize {
        if !self.ready || !self.outbox.is_empty() {
            return 0;
        }
        let depth = match self.pace.as_nanos() {
            _ if !ahead => 1,
            0 => DEEPEST,
            // One is always ready for when the first is done.
            pace => ((AHEAD.as_nanos() / pace) as usize).clamp(2, DEEPEST),
        };
        let room = match self.tasks.len() {
            0 => depth,
            held if held > depth / 2 => 0,
            held => depth - held,
        };
        room.min(self.left.unwrap_or(room))
    }

    /// Gives it a task, which is on its way after the next [`flush`](Self::flush).
    ///
    /// Gives the task back if its descriptors cannot be copied.
    pub(super) fn give(&mut self, task: Task) -> Result<(), Box<(Error, Task)>> {
        let Request {
            function,
            args,
            context,
        } = &task.job;
        let provided = context.iter().try_for_each(|it| self.provide(it));
        let (number, place) = (self.last + 1, function.offset() as u64);
        if let Err(error) = provided.and_then(|()| self.put_out(number, place, args)) {
            return Err(Box::new((error, task)));
        }
        self.last = number;
        if self.tasks.is_empty() {
            self.began = Instant::now();
        }
        self.tasks.push_back((self.last, task));
        self.left = self.left.map(|left| left - 1);
        Ok(())
    }

    /// Sees to it that it has a context.
    fn provide(&mut self, context: &Arc<Context>) -> Result<(), Error> {
        let number = context.number;
        if !self.contexts.iter().any(|(known, _)| *known == number) {
            self.put_out(REMEMBER, number, &context.message)?;
            self.contexts.push((number, Arc::downgrade(context)));
        }
        Ok(())
    }

    /// Has it drop the contexts that no task will need.
    pub(super) fn drop_contexts(&mut self) {
        let unused = |(_, context): &mut (u64, Weak<Context>)| context.strong_count() == 0;
        for (number, _) in self.contexts.extract_if(.., unused).collect::<Vec<_>>() {
            let _ = self.put_out(FORGET, number, &Message::default());
        }
    }

    fn put_out(&mut self, number: u64, other: u64, message: &Message) -> Result<(), Error> {
        // The message keeps its descriptors, should another worker need it.
        let fds = message.fds.iter().map(OwnedFd::try_clone);
        let message = Message {
            bytes: frame(number, other, &message.bytes),
            fds: fds.collect::<Result<_, _>>()?,
        };
        let counted = message.counted();
        let (header, length) = header(counted.len());
        let bytes = [&header[..length], &counted].concat();
        match self.outbox.back_mut() {
            // Several short requests go out together.
            Some(last) if message.fds.is_empty() && last.bytes.len() < TOGETHER => {
                last.bytes.extend(bytes);
            }
            _ => self.outbox.push_back(Outgoing {
                bytes,
                sent: 0,
                fds: message.fds,
            }),
        }
        Ok(())
    }

    /// Sends what the socket takes.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        while let Some(out) = self.outbox.front_mut() {
            let left = self
                .connection
                .send_some(&out.bytes[out.sent..], &out.fds)?;
            if left < out.bytes.len() - out.sent {
                out.fds.clear();
            }
            out.sent = out.bytes.len() - left;
            if left > 0 {
                break;
            }
            self.outbox.pop_front();
        }
        Ok(())
    }

    /// What it says next; `None` if it has said all for now.
    pub(super) fn news(&mut self) -> Result<Option<News>, Error> {
        let message = match self.connection.recv_message(Deadline::PAST) {
            Err(Error::Timeout) => return Ok(None),
            message => message?,
        };
        let reply = unframe(message.bytes);
        let (number, kind, bytes) = reply.ok_or_else(|| Error::os("bad message"))?;
        let message = Message {
            bytes,
            fds: message.fds,
        };
        let result = match kind {
            FAILED => Err(loads::<Failure>(&message.bytes, Vec::new())?),
            _ => Ok(message),
        };
        if number == READY {
            self.ready = true;
            return Ok(Some(result.map_or_else(News::Broken, |_| News::Ready)));
        }
        match self.tasks.pop_front() {
            Some((expected, task)) if expected == number => {
                Ok(Some(News::Done(task, result.map_err(JobError::Failed))))
            }
            _ => Err(Error::os("an answer to no question")),
        }
    }

    /// Notes that it has done so many tasks since it began the first of them.
    pub(super) fn note_pace(&mut self, done: u32) {
        if done > 0 {
            let now = Instant::now();
            self.pace = (now - self.began) / done;
            self.began = now;
        }
    }

    /// Whether it has tasks that have waited too long for the one that it is at.
    pub(super) fn stuck(&self) -> Option<Instant> {
        (self.tasks.len() > 1).then(|| self.began + STUCK)
    }

    /// Takes back the tasks that it has not begun.
    pub(super) fn take_back(&mut self) -> VecDeque<Task> {
        let begun = self.claims.take_back(self.last);
        self.split_off(begun)
    }

    fn split_off(&mut self, begun: u64) -> VecDeque<Task> {
        let kept = self.tasks.partition_point(|(number, _)| *number <= begun);
        let rest = self.tasks.split_off(kept);
        self.left = self.left.map(|left| left + rest.len());
        rest.into_iter().map(|(_, task)| task).collect()
    }

    /// When the task that it is at will have taken too long.
    pub(super) fn limit(&self) -> Option<Instant> {
        let (_, task) = self.tasks.front()?;
        self.began.checked_add(task.limit?)
    }

    /// Tells it that there is no more to do; what it says still arrives.
    pub(super) fn hang_up(&self) {
        self.connection.shut_down_sending();
    }

    /// Takes the tasks away: the one that it was at, and those that it had not begun.
    pub(super) fn take_tasks(&mut self) -> (Option<Task>, VecDeque<Task>) {
        let rest = self.split_off(self.claims.begun());
        (self.tasks.pop_front().map(|(_, task)| task), rest)
    }

    /// Says how it died, to the one who waits for the task that it was at.
    pub(super) fn lost(&self, task: &Task) -> JobError {
        let status = self.process.status();
        JobError::WorkerLost(WorkerLost {
            pid: self.process.pid().unwrap_or(0),
            exitcode: status.map_or(255, |status| status.exitcode),
            peak_kib: status.map_or(0, |status| status.peak_kib),
            function: task.job.function.name().to_owned(),
        })
    }
}
