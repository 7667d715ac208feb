//! What a program works with, and its trace.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Display;
use std::rc::Rc;

use hilos::asyncio::testing::new_event_loop;
use hilos::asyncio::{
    Barrier, BoundedSemaphore, CallbackId, Condition, Event, EventLoop, ExceptionContext, Handle,
    LifoQueue, Lock, PriorityQueue, Queue, Result, Runner, Semaphore, TaskGroup, Timeout,
    TimerHandle, eager_task_factory,
};
use hilos::contextvars::ContextVar;

use crate::program::{PLAIN, Program, SLOTS};
use crate::run::coroutine;
use crate::slot::{Said, Slot};

/// After how many seconds the program is thought to wait for ever, and how often that may be.
const WATCHDOG: u32 = 1000;
const WATCHES: usize = 30;

/// Messages whose time depends on the collector.
const LATE: [&str; 3] = ["never retrieved", "was destroyed", "in shielded future"];

pub(crate) static VAR: ContextVar<i64> = ContextVar::new("var");

/// An item of a queue; for a priority queue several are equal.
pub(crate) struct Item(pub(crate) i64);

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.0 % 3 == other.0 % 3
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self.0 % 3).partial_cmp(&(other.0 % 3))
    }
}

#[derive(Clone)]
pub(crate) enum AnyHandle {
    Soon(Handle),
    Later(TimerHandle),
}

pub(crate) struct World {
    pub(crate) event_loop: EventLoop,
    trace: RefCell<Vec<String>>,
    /// What the loop's handler was told late.
    unseen: RefCell<Vec<String>>,
    watches: Cell<usize>,
    slots: RefCell<Vec<Option<Slot>>>,
    pub(crate) locks: [Lock; 2],
    pub(crate) conditions: [Condition; 2],
    pub(crate) events: [Event; 2],
    pub(crate) semaphores: [Semaphore; 2],
    pub(crate) bounded: BoundedSemaphore,
    pub(crate) barriers: [Barrier; 2],
    queues: [Queue<Item>; 2],
    lifo: LifoQueue<Item>,
    priority: PriorityQueue<Item>,
    pub(crate) counters: [Cell<i64>; 2],
    pub(crate) callbacks: RefCell<HashMap<usize, (Slot, CallbackId)>>,
    pub(crate) handles: RefCell<HashMap<usize, AnyHandle>>,
    pub(crate) groups: RefCell<HashMap<usize, TaskGroup>>,
    pub(crate) limits: RefCell<HashMap<usize, Timeout>>,
}

/// Runs a program, and returns its trace.
pub(crate) fn run(program: &Program) -> Vec<String> {
    let mut runner = Runner::new().with_loop_factory(new_event_loop);
    let event_loop = runner.get_loop().expect("the runner is open");
    let world = Rc::new(World::new(&event_loop));
    world.clone().begin(program.eager);
    let result = runner.run(coroutine(world.clone(), 0, program.main.clone()));
    world.say("main", result.said());
    if let Err(exception) = runner.close() {
        world.say("close", exception.said());
    }
    let slots = world.slots.take();
    for slot in &slots {
        let state = slot.as_ref().map_or("empty", Slot::state);
        world.say("state", state);
    }
    let trace = world.trace.take();
    let pending = slots[..PLAIN]
        .iter()
        .flatten()
        .any(|slot| slot.state() == "pending");
    let abandoned = pending || world.watches.get() >= WATCHES;
    world.forget();
    drop(slots);
    event_loop.reset_exception_handler();
    let mut unseen = world.unseen.take();
    unseen.sort();
    if abandoned {
        // What refers to a future that nobody has completed is never freed.
        unseen.push("abandoned".to_owned());
    }
    [trace, unseen].concat()
}

impl World {
    fn new(event_loop: &EventLoop) -> Self {
        let locks = [Lock::new(), Lock::new()];
        let parties = |parties| Barrier::new(parties).expect("there are parties");
        Self {
            event_loop: event_loop.clone(),
            trace: RefCell::default(),
            unseen: RefCell::default(),
            watches: Cell::new(0),
            slots: RefCell::new(vec![None; SLOTS]),
            conditions: [Condition::with_lock(&locks[0]), Condition::new()],
            locks,
            events: Default::default(),
            semaphores: [Semaphore::new(1), Semaphore::new(2)],
            bounded: BoundedSemaphore::new(1),
            barriers: [parties(2), parties(3)],
            queues: [Queue::new(1), Queue::new(0)],
            lifo: LifoQueue::new(2),
            priority: PriorityQueue::new(8),
            counters: Default::default(),
            callbacks: RefCell::default(),
            handles: RefCell::default(),
            groups: RefCell::default(),
            limits: RefCell::default(),
        }
    }

    fn begin(self: Rc<Self>, eager: bool) {
        let world = self.clone();
        self.event_loop
            .set_exception_handler(move |_: &EventLoop, context: &ExceptionContext| {
                world.handle(context)
            });
        for slot in 0..PLAIN {
            self.fill(slot, Slot::Future(self.event_loop.create_future()));
        }
        if eager {
            self.event_loop.set_task_factory(eager_task_factory);
        }
        self.watch();
    }

    /// Lets go of what may hold the world in its turn.
    fn forget(&self) {
        self.callbacks.take();
        self.handles.take();
        self.groups.take();
        self.limits.take();
    }

    pub(crate) fn say(&self, who: impl Display, what: impl Display) {
        let microseconds = self.event_loop.time() * 1e6;
        let line = format!("{microseconds:.0} {who} {what}");
        self.trace.borrow_mut().push(line.trim_end().to_owned());
    }

    fn handle(&self, context: &ExceptionContext) {
        let exception = context
            .exception
            .as_ref()
            .map_or("None".to_owned(), Said::said);
        let message = &context.message;
        if LATE.iter().any(|words| message.contains(words)) {
            self.unseen
                .borrow_mut()
                .push(format!("{message}: {exception}"));
            return;
        }
        let words = message.split('<').next().unwrap_or_default();
        let words: Vec<_> = words.split_whitespace().take(3).collect();
        self.say("handler", format!("{} {exception}", words.join(" ")));
    }

    fn watch(self: Rc<Self>) {
        let world = self.clone();
        self.event_loop
            .call_later(WATCHDOG, move || world.watchdog())
            .expect("the loop is open");
    }

    /// Ends what would wait for ever.
    fn watchdog(self: Rc<Self>) -> Result<()> {
        self.say("watchdog", "");
        self.watches.update(|watches| watches + 1);
        for lock in &self.locks {
            if lock.locked() {
                lock.release()?;
            }
        }
        if self.conditions[1].locked() {
            self.conditions[1].release()?;
        }
        for task in self.event_loop.all_tasks() {
            task.cancel();
        }
        if self.watches.get() >= WATCHES {
            self.event_loop.stop();
        }
        self.watch();
        Ok(())
    }

    pub(crate) fn slot(&self, slot: usize) -> Option<Slot> {
        self.slots.borrow()[slot].clone()
    }

    pub(crate) fn fill(&self, slot: usize, future: Slot) {
        // Dropping the old one may tell the handler of its exception.
        let old = self.slots.borrow_mut()[slot].replace(future);
        drop(old);
    }

    pub(crate) fn semaphore(&self, n: usize) -> &Semaphore {
        self.semaphores.get(n).unwrap_or(&self.bounded)
    }

    pub(crate) fn queue(&self, n: usize) -> &Queue<Item> {
        match n {
            2 => &self.lifo,
            3 => &self.priority,
            n => &self.queues[n],
        }
    }
}
