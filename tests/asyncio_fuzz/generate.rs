//! Random programs.

use crate::operations::{ACTS, CONDITIONED, DEEPEST, RISKY, WAITS, since};
use crate::program::{Block, LISTS, Op, PLAIN, Program, SLOTS};
use crate::random::Random;

/// The program of a seed, for CPython 3.`minor`.
pub(crate) fn program(seed: u64, minor: u32) -> Program {
    let mut random = Random(seed);
    let mut generator = Generator {
        eager: random.below(12) == 0 && minor >= since("spawn_eager"),
        random,
        minor,
        ids: 0,
        left: 0,
        used: Vec::new(),
        callbacks: Vec::new(),
        handles: Vec::new(),
    };
    let main = generator.main();
    let eager = generator.eager;
    Program { eager, main }
}

pub(crate) struct Generator {
    pub(crate) random: Random,
    pub(crate) minor: u32,
    eager: bool,
    ids: usize,
    /// How many operations there may still be.
    pub(crate) left: usize,
    /// The slots that something was put into so far.
    pub(crate) used: Vec<usize>,
    /// The ids of the operations that have made a callback or a handle so far.
    callbacks: Vec<i64>,
    handles: Vec<i64>,
}

/// Where an operation stands.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    /// The slot of the task. It waits for later ones only: no task waits, in the end, for itself,
    /// because CPython cannot cancel a circle.
    slot: usize,
    groups: Vec<i64>,
    limits: Vec<i64>,
    in_callback: bool,
    /// Whether the task may have been started eagerly.
    eager: bool,
    /// The condition whose lock is held.
    condition: Option<i64>,
    /// In how many statements with blocks it is, of the same function.
    depth: usize,
}

impl Scope {
    pub(crate) fn of_task(&self, slot: usize) -> Self {
        Self {
            slot,
            groups: self.groups.clone(),
            limits: self.limits.clone(),
            ..Self::default()
        }
    }
}

impl Generator {
    pub(crate) fn with_number(&mut self, name: &'static str, number: i64) -> Op {
        let mut op = self.op(name);
        op.numbers.push(number);
        op
    }

    pub(crate) fn block(&mut self, scope: &Scope, most: usize) -> Block {
        let wanted = 1 + self.random.below(most);
        let mut ops = Vec::new();
        while ops.len() < wanted && self.left > 0 {
            ops.push(self.statement(scope));
        }
        ops.into()
    }

    /// A block that mostly begins with a sleep, so that something can happen meanwhile.
    fn sleeping(&mut self, scope: &Scope, most: usize) -> Block {
        let block = self.block(scope, most);
        if self.random.below(3) == 0 {
            return block;
        }
        let delay = self.delay();
        [&[self.with_number("sleep", delay)], &*block]
            .concat()
            .into()
    }

    fn statement(&mut self, scope: &Scope) -> Op {
        let name = self.name(scope);
        self.statement_of(name, scope)
    }

    /// The operation in what it mostly needs around it.
    pub(crate) fn statement_of(&mut self, mut name: &'static str, scope: &Scope) -> Op {
        let waits = !scope.in_callback;
        if waits && CONDITIONED.contains(&name) && scope.condition.is_none() {
            name = self
                .random
                .pick(&[name, "condition", "condition", "condition"]);
        }
        let op = self.named(name, scope);
        let tamed = waits && RISKY.contains(&name) && self.random.below(4) > 0;
        match tamed && scope.depth < DEEPEST {
            true => self.caught(3, Block::from([op])),
            false => op,
        }
    }

    /// What may be done there.
    fn name(&mut self, scope: &Scope) -> &'static str {
        let waits = !scope.in_callback && self.random.below(100) < 65;
        let table = if waits { WAITS } else { ACTS };
        loop {
            let name = self.random.weighted(table);
            let nowhere = match name {
                "group_spawn" => scope.groups.is_empty(),
                "reschedule" => scope.limits.is_empty(),
                "cancel_handle" => self.handles.is_empty(),
                "remove_callback" => self.callbacks.is_empty(),
                // Before 3.13.2 a group takes a task that is done eagerly out at once.
                "group" if self.eager && self.minor < 14 => true,
                "try" | "lock" | "condition" | "semaphore" | "repeat" | "group" | "timeout" => {
                    scope.depth >= DEEPEST
                }
                _ => false,
            };
            if !nowhere && since(name) <= self.minor {
                return name;
            }
        }
    }

    pub(crate) fn op(&mut self, name: &'static str) -> Op {
        self.ids += 1;
        self.left = self.left.saturating_sub(1);
        let (numbers, blocks) = (Vec::new(), Vec::new());
        Op {
            id: self.ids,
            name,
            numbers,
            blocks,
        }
    }

    pub(crate) fn named(&mut self, name: &'static str, scope: &Scope) -> Op {
        let mut op = self.op(name);
        op.numbers = self.numbers(name, scope);
        if let Some(condition) = scope.condition
            && CONDITIONED.contains(&name)
        {
            op.numbers[0] = condition;
        }
        match name {
            "call_soon" | "call_later" | "call_at" => self.handles.push(op.id as i64),
            "add_callback" => self.callbacks.push(op.id as i64),
            "spawn" | "spawn_eager" | "start_gather" | "start_shield" => {
                self.used.push(op.numbers[0] as usize);
            }
            "group_spawn" => self.used.push(op.numbers[1] as usize),
            _ => {}
        }
        op.blocks = self.blocks(&op, scope);
        op
    }

    pub(crate) fn numbers(&mut self, name: &str, scope: &Scope) -> Vec<i64> {
        let mut below = |n: usize| self.random.below(n) as i64;
        match name {
            "acquire" | "release" | "lock" | "event_wait" | "event_set" | "event_clear"
            | "condition" | "cond_wait" | "notify_all" | "barrier_wait" | "barrier_reset"
            | "barrier_abort" | "bump" | "gather" => vec![below(2)],
            "notify" => vec![below(2), 1 + below(2)],
            "semaphore" | "sem_acquire" | "sem_release" => vec![below(3)],
            "cond_wait_for" => vec![below(2), below(2), below(4)],
            "put" | "put_nowait" => vec![below(4), below(10)],
            "get" | "get_nowait" | "task_done" | "join" => vec![below(4)],
            "shutdown" => vec![below(4), below(2)],
            "set_var" | "return" => vec![1 + below(9)],
            "raise" => {
                let kind = self.random.among(&[0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4]);
                // A request to exit leaves `create_task` itself if the task is started eagerly.
                let exits = !(self.eager || scope.eager);
                vec![if exits { kind } else { kind.min(3) }]
            }
            "repeat" => vec![2 + below(2)],
            "timers" => vec![if below(6) == 0 { 150 } else { 12 }],
            "try" => vec![[0, 0, 1, 2, 3, 3, 4][below(7) as usize], below(2)],
            "cancel" => vec![self.somewhere(), self.random.among(&[0, 0, 1, 2])],
            "state" | "result" | "exception" | "add_callback" => vec![self.somewhere()],
            "set_result" => vec![below(PLAIN), below(10)],
            "set_exception" => vec![below(PLAIN)],
            "sleep" | "call_later" | "call_at" => vec![self.delay()],
            "timeout" | "wait_for" => vec![self.limit()],
            "as_completed" => vec![i64::from(self.minor >= 13) & below(2), self.limit()],
            "wait" => vec![self.limit(), self.random.below(3) as i64],
            "reschedule" => vec![self.random.among(&scope.limits), self.delay()],
            "remove_callback" => vec![self.random.among(&self.callbacks)],
            "cancel_handle" => vec![self.random.among(&self.handles)],
            "await" => vec![self.awaitable(scope.slot, true)],
            "spawn" | "spawn_eager" => vec![self.task_slot()],
            "group_spawn" => vec![self.random.among(&scope.groups), self.task_slot()],
            "start_shield" => vec![self.task_slot()],
            "start_gather" => {
                let list = LISTS[self.random.below(LISTS.len())] as i64;
                vec![list, self.random.below(2) as i64]
            }
            _ => Vec::new(),
        }
    }

    fn blocks(&mut self, op: &Op, outer: &Scope) -> Vec<Block> {
        let depth = outer.depth + 1;
        let scope = &Scope {
            depth,
            ..outer.clone()
        };
        let own = op.numbers.first().copied().unwrap_or_default() as usize;
        match op.name {
            "spawn" | "spawn_eager" => {
                let eager = op.name == "spawn_eager";
                let inner = Scope {
                    eager,
                    ..scope.of_task(own)
                };
                vec![self.block(&inner, 6)]
            }
            "group_spawn" => {
                let inner = scope.of_task(op.numbers[1] as usize);
                vec![self.sleeping(&inner, 5)]
            }
            "add_callback" | "call_soon" | "call_later" | "call_at" => {
                let in_callback = true;
                let inner = Scope {
                    in_callback,
                    ..scope.clone()
                };
                vec![self.block(&inner, 3)]
            }
            "condition" => {
                let condition = op.numbers.first().copied();
                let inner = Scope {
                    condition,
                    ..scope.clone()
                };
                let name = match self.random.pick(CONDITIONED) {
                    name if since(name) <= self.minor => name,
                    _ => "notify",
                };
                let first = self.named(name, &inner);
                vec![[&[first], &*self.block(&inner, 3)].concat().into()]
            }
            "lock" | "semaphore" | "repeat" => vec![self.block(scope, 3)],
            "group" => {
                let mut inner = scope.clone();
                inner.groups.push(op.id as i64);
                if scope.groups.is_empty() {
                    self.left = self.left.max(6);
                }
                let mut ops = Vec::new();
                for _ in 0..1 + self.random.below(3) {
                    ops.push(self.named("group_spawn", &inner));
                }
                ops.extend(self.block(&inner, 4).iter().cloned());
                vec![ops.into()]
            }
            "timeout" => {
                let mut inner = scope.clone();
                inner.limits.push(op.id as i64);
                vec![self.block(&inner, 3)]
            }
            "try" => {
                let handler = self.random.below(3);
                let last = self.random.below(3);
                let body = self.block(scope, 3);
                let handler = if handler > 0 {
                    self.block(scope, 2)
                } else {
                    Block::from([])
                };
                let last = if last == 0 {
                    self.block(scope, 2)
                } else {
                    Block::from([])
                };
                vec![body, handler, last]
            }
            "gather" | "as_completed" => vec![self.arguments(scope.slot, scope, false)],
            "start_gather" => vec![self.arguments(own, scope, false)],
            "wait" => vec![self.arguments(scope.slot, scope, true)],
            // A coroutine that would have no time is not started here, not even eagerly.
            "wait_for" if self.eager && own == 0 => {
                vec![Block::from([self.reference(scope.slot, true)])]
            }
            "shield" | "wait_for" => vec![Block::from([self.argument(scope.slot, scope, true)])],
            "start_shield" => vec![Block::from([self.argument(own, scope, false)])],
            _ => Vec::new(),
        }
    }

    fn arguments(&mut self, slot: usize, scope: &Scope, refs_only: bool) -> Block {
        // The interpreter makes tasks of coroutines among futures, earlier than `gather` would.
        let all_alike = refs_only || self.eager;
        let references = refs_only || self.random.below(2) == 0;
        let mut arguments = Vec::new();
        for _ in 0..self.random.among(&[0, 1, 1, 2, 2, 2, 3, 3]) {
            arguments.push(match (all_alike, references) {
                (true, true) => self.reference(slot, false),
                (true, false) => self.coroutine(slot, scope),
                (false, _) => self.argument(slot, scope, false),
            });
        }
        arguments.into()
    }

    /// An existing future or a coroutine.
    fn argument(&mut self, slot: usize, scope: &Scope, lists: bool) -> Op {
        match self.random.below(2) {
            0 => self.reference(slot, lists),
            _ => self.coroutine(slot, scope),
        }
    }

    fn coroutine(&mut self, slot: usize, scope: &Scope) -> Op {
        let mut coroutine = self.op("coro");
        coroutine.blocks = vec![self.sleeping(&scope.of_task(slot), 3)];
        coroutine
    }

    fn reference(&mut self, slot: usize, lists: bool) -> Op {
        let found = self.awaitable(slot, lists);
        self.with_number("ref", found)
    }

    /// A slot that the task in `slot` may wait for.
    fn awaitable(&mut self, slot: usize, lists: bool) -> i64 {
        for _ in 0..20 {
            let found = self.somewhere() as usize;
            if (found < PLAIN || found > slot) && (lists || !LISTS.contains(&found)) {
                return found as i64;
            }
        }
        self.random.below(PLAIN) as i64
    }

    /// A slot, mostly one that is not empty.
    fn somewhere(&mut self) -> i64 {
        let found = match (self.random.below(8), self.used.len()) {
            (2.., 1..) => self.used[self.random.below(self.used.len())],
            (1, _) => self.random.below(PLAIN),
            _ => self.random.below(SLOTS),
        };
        found as i64
    }

    pub(crate) fn task_slot(&mut self) -> i64 {
        loop {
            let slot = PLAIN + self.random.below(SLOTS - PLAIN);
            if !LISTS.contains(&slot) {
                return slot as i64;
            }
        }
    }

    pub(crate) fn delay(&mut self) -> i64 {
        self.random
            .among(&[0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 7, 10, -1])
    }

    fn limit(&mut self) -> i64 {
        self.random.among(&[-1, 0, 1, 1, 2, 2, 3, 5, 10])
    }
}
