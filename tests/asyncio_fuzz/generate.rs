//! Random programs.

use crate::program::{Block, LISTS, Op, PLAIN, Program, SLOTS};

/// What older Pythons lack, or do in an order of their own: the minor version that has it.
const SINCE: &[(&str, u32)] = &[("shutdown", 13), ("spawn_eager", 12)];

/// How deep CPython is willing to nest a `try` with all that belongs to it.
const DEEPEST: usize = 5;

/// The operations that callbacks do too, and how often they come.
const ACTS: &[(&str, usize)] = &[
    ("spawn", 8),
    ("spawn_eager", 2),
    ("group_spawn", 8),
    ("start_gather", 3),
    ("start_shield", 2),
    ("cancel", 12),
    ("state", 3),
    ("result", 1),
    ("exception", 1),
    ("set_result", 4),
    ("set_exception", 2),
    ("add_callback", 4),
    ("remove_callback", 1),
    ("call_soon", 4),
    ("call_later", 3),
    ("call_at", 2),
    ("cancel_handle", 2),
    ("timers", 1),
    ("reschedule", 3),
    ("release", 2),
    ("event_set", 3),
    ("event_clear", 2),
    ("notify", 2),
    ("notify_all", 1),
    ("sem_release", 3),
    ("put_nowait", 4),
    ("get_nowait", 2),
    ("task_done", 2),
    ("shutdown", 1),
    ("bump", 2),
    ("tasks", 1),
    ("set_var", 1),
    ("get_var", 1),
    ("cancelling", 2),
    ("raise", 4),
];

/// Those that only coroutines do.
const WAITS: &[(&str, usize)] = &[
    ("sleep", 30),
    ("await", 14),
    ("acquire", 2),
    ("lock", 6),
    ("event_wait", 5),
    ("condition", 7),
    ("cond_wait", 4),
    ("cond_wait_for", 2),
    ("semaphore", 6),
    ("sem_acquire", 2),
    ("barrier_wait", 5),
    ("barrier_reset", 1),
    ("barrier_abort", 1),
    ("put", 6),
    ("get", 6),
    ("join", 2),
    ("gather", 6),
    ("shield", 5),
    ("wait", 6),
    ("wait_for", 7),
    ("as_completed", 5),
    ("timeout", 10),
    ("group", 10),
    ("try", 26),
    ("repeat", 3),
    ("uncancel", 3),
    ("return", 2),
];

/// The program of a seed, for CPython 3.`minor`.
pub(crate) fn program(seed: u64, minor: u32) -> Program {
    let mut random = Random(seed);
    let mut generator = Generator {
        eager: random.below(12) == 0 && minor >= since("spawn_eager"),
        random,
        minor,
        ids: 0,
        left: 0,
        callbacks: Vec::new(),
        handles: Vec::new(),
    };
    generator.left = 8 + generator.random.below(50);
    let main = generator.main();
    let eager = generator.eager;
    Program { eager, main }
}

fn since(name: &str) -> u32 {
    let found = SINCE.iter().find(|(other, _)| *other == name);
    found.map_or(0, |(_, minor)| *minor)
}

struct Generator {
    random: Random,
    minor: u32,
    eager: bool,
    ids: usize,
    /// How many operations there may still be.
    left: usize,
    /// The ids of the operations that have made a callback or a handle so far.
    callbacks: Vec<i64>,
    handles: Vec<i64>,
}

/// Where an operation stands.
#[derive(Clone, Default)]
struct Scope {
    /// The slot of the task. It waits for later ones only: no task waits, in the end, for itself,
    /// because CPython cannot cancel a circle.
    slot: usize,
    groups: Vec<i64>,
    limits: Vec<i64>,
    in_callback: bool,
    /// In how many statements with blocks it is, of the same function.
    depth: usize,
}

impl Scope {
    fn of_task(&self, slot: usize) -> Self {
        Self {
            slot,
            groups: self.groups.clone(),
            limits: self.limits.clone(),
            in_callback: false,
            depth: 0,
        }
    }
}

impl Generator {
    fn main(&mut self) -> Block {
        let scope = Scope::default();
        let mut ops = Vec::new();
        for _ in 0..1 + self.random.below(4) {
            ops.push(self.named("spawn", &scope));
        }
        while self.left > 0 {
            ops.push(self.statement(&scope));
        }
        if self.random.below(3) > 0 {
            ops.push(self.with_number("sleep", 20));
        }
        if self.random.below(3) > 0 {
            ops.extend((0..PLAIN as i64).map(|plain| self.with_number("settle", plain)));
        }
        ops.into()
    }

    fn with_number(&mut self, name: &'static str, number: i64) -> Op {
        let mut op = self.op(name);
        op.numbers.push(number);
        op
    }

    fn block(&mut self, scope: &Scope, most: usize) -> Block {
        let wanted = 1 + self.random.below(most);
        let mut ops = Vec::new();
        while ops.len() < wanted && self.left > 0 {
            ops.push(self.statement(scope));
        }
        ops.into()
    }

    fn statement(&mut self, scope: &Scope) -> Op {
        let waits = !scope.in_callback && self.random.below(100) < 65;
        let table = if waits { WAITS } else { ACTS };
        loop {
            let name = self.random.weighted(table);
            let nowhere = match name {
                "group_spawn" => scope.groups.is_empty(),
                "reschedule" => scope.limits.is_empty(),
                "cancel_handle" => self.handles.is_empty(),
                "remove_callback" => self.callbacks.is_empty(),
                "try" | "lock" | "condition" | "semaphore" | "repeat" | "group" | "timeout" => {
                    scope.depth == DEEPEST
                }
                _ => since(name) > self.minor,
            };
            if !nowhere {
                return self.named(name, scope);
            }
        }
    }

    fn op(&mut self, name: &'static str) -> Op {
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

    fn named(&mut self, name: &'static str, scope: &Scope) -> Op {
        let mut op = self.op(name);
        op.numbers = self.numbers(name, scope);
        match name {
            "call_soon" | "call_later" | "call_at" => self.handles.push(op.id as i64),
            "add_callback" => self.callbacks.push(op.id as i64),
            _ => {}
        }
        op.blocks = self.blocks(&op, scope);
        op
    }

    fn numbers(&mut self, name: &str, scope: &Scope) -> Vec<i64> {
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
            "raise" => vec![[0, 0, 0, 1, 1, 2, 3][below(7) as usize]],
            "repeat" => vec![2 + below(2)],
            "timers" => vec![if below(6) == 0 { 150 } else { 12 }],
            "try" => vec![[0, 0, 1, 2, 3, 3, 4][below(7) as usize], below(2)],
            "cancel" => vec![below(SLOTS), [0, 0, 1, 2][below(4) as usize]],
            "state" | "result" | "exception" | "add_callback" => vec![below(SLOTS)],
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
            "spawn" | "spawn_eager" => vec![self.block(&scope.of_task(own), 6)],
            "group_spawn" => {
                let inner = scope.of_task(op.numbers[1] as usize);
                vec![self.block(&inner, 5)]
            }
            "add_callback" | "call_soon" | "call_later" | "call_at" => {
                let in_callback = true;
                let inner = Scope {
                    in_callback,
                    ..scope.clone()
                };
                vec![self.block(&inner, 3)]
            }
            "lock" | "condition" | "semaphore" | "repeat" => vec![self.block(scope, 3)],
            "group" => {
                let mut inner = scope.clone();
                inner.groups.push(op.id as i64);
                let spawn = self.named("group_spawn", &inner);
                let rest = self.block(&inner, 4);
                vec![[&[spawn], &*rest].concat().into()]
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
        for _ in 0..self.random.below(4) {
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
        coroutine.blocks = vec![self.block(&scope.of_task(slot), 3)];
        coroutine
    }

    fn reference(&mut self, slot: usize, lists: bool) -> Op {
        let found = self.awaitable(slot, lists);
        self.with_number("ref", found)
    }

    /// A slot that the task in `slot` may wait for.
    fn awaitable(&mut self, slot: usize, lists: bool) -> i64 {
        let first = (slot + 1).max(PLAIN);
        loop {
            let found = match self.random.below(5) > 0 && first < SLOTS {
                true => first + self.random.below(SLOTS - first),
                false => self.random.below(PLAIN),
            };
            if lists || !LISTS.contains(&found) {
                return found as i64;
            }
        }
    }

    fn task_slot(&mut self) -> i64 {
        loop {
            let slot = PLAIN + self.random.below(SLOTS - PLAIN);
            if !LISTS.contains(&slot) {
                return slot as i64;
            }
        }
    }

    fn delay(&mut self) -> i64 {
        self.random
            .among(&[0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 7, 10, -1])
    }

    fn limit(&mut self) -> i64 {
        self.random.among(&[-1, 0, 1, 1, 2, 2, 3, 5, 10])
    }
}

/// Steele's SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn among(&mut self, numbers: &[i64]) -> i64 {
        numbers[self.below(numbers.len())]
    }

    fn weighted(&mut self, table: &[(&'static str, usize)]) -> &'static str {
        let total = table.iter().map(|(_, weight)| weight).sum();
        let mut place = self.below(total);
        for (name, weight) in table {
            match place.checked_sub(*weight) {
                Some(rest) => place = rest,
                None => return name,
            }
        }
        unreachable!("the place is below the total")
    }
}
