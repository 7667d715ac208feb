//! The outline of a program.

use crate::generate::{Generator, Scope};
use crate::operations::{CONTESTS, HELPFUL, since};
use crate::program::{Block, Op, PLAIN};

impl Generator {
    /// Some tasks, what main does beside them, and how it ends.
    pub(crate) fn main(&mut self) -> Block {
        let scope = Scope::default();
        let mut ops = Vec::new();
        let contests = self.random.below(2) > 0;
        let tasks = if contests { 1 } else { 2 };
        for _ in 0..tasks + self.random.below(4) {
            self.left = 4 + self.random.below(14);
            ops.push(self.named("spawn", &scope));
        }
        match contests {
            true => self.contest(&mut ops),
            false => ops.push(self.helper()),
        }
        self.left = 4 + self.random.below(14);
        let body = self.block(&scope, 10);
        match self.random.below(4) {
            0 => ops.extend(body.iter().cloned()),
            _ => ops.push(self.caught(4, body)),
        }
        if self.random.below(4) > 0 {
            ops.push(self.with_number("sleep", 20));
        }
        if self.random.below(3) > 0 {
            ops.extend((0..PLAIN as i64).map(|plain| self.with_number("settle", plain)));
        }
        ops.into()
    }

    /// A task that now and then does what others wait for.
    fn helper(&mut self) -> Op {
        let slot = self.task_slot();
        let scope = Scope::default().of_task(slot as usize);
        self.left = 10;
        let mut ops = vec![self.with_number("sleep", 1)];
        for _ in 0..3 {
            let name = self.random.pick(HELPFUL);
            ops.push(self.statement_of(name, &scope));
        }
        self.repeating(slot, ops)
    }

    /// Tasks that want the same, one that lets some of them have it, and cancels others.
    fn contest(&mut self, ops: &mut Vec<Op>) {
        let (want, wake) = loop {
            let (want, wake) = CONTESTS[self.random.below(CONTESTS.len())];
            if since(want) <= self.minor {
                break (want, wake);
            }
        };
        let object = self.numbers(want, &Scope::default())[0];
        if want == "join" {
            for _ in 0..2 {
                let mut put = self.with_number("put_nowait", object);
                put.numbers.push(1);
                ops.push(self.caught(3, Block::from([put])));
            }
        }
        let mut slots = Vec::new();
        for _ in 0..2 + self.random.below(3) {
            let slot = self.task_slot();
            self.left = 6;
            let wanting = self.wanting(want, object, slot);
            ops.push(self.spawning(slot, wanting));
            slots.push(slot);
        }
        let slot = self.task_slot();
        self.left = 10;
        let delay = self.random.among(&[0, 0, 1]);
        let mut waking = vec![self.with_number("sleep", delay)];
        for _ in 0..2 + self.random.below(3) {
            let scope = Scope::default().of_task(slot as usize);
            waking.push(match self.random.below(8) {
                0 | 1 => {
                    let slot = self.random.among(&slots);
                    let mut cancel = self.with_number("cancel", slot);
                    cancel.numbers.push(0);
                    cancel
                }
                2 => self.on(want, object, &scope),
                _ => self.on(wake, object, &scope),
            });
        }
        let waker = self.repeating(slot, waking);
        ops.push(waker);
    }

    /// The body of a task that wants something.
    fn wanting(&mut self, want: &'static str, object: i64, slot: i64) -> Vec<Op> {
        let scope = Scope::default().of_task(slot as usize);
        let mut wanting = Vec::new();
        if self.random.below(2) > 0 {
            let delay = self.delay();
            wanting.push(self.with_number("sleep", delay));
        }
        wanting.push(self.on(want, object, &scope));
        wanting.extend(self.block(&scope, 2).iter().cloned());
        wanting
    }

    /// An operation on a certain object.
    fn on(&mut self, name: &'static str, object: i64, scope: &Scope) -> Op {
        let mut op = self.named(name, scope);
        op.numbers[0] = object;
        if name.starts_with("cond") || name.starts_with("notify") {
            let mut condition = self.with_number("condition", object);
            condition.blocks = vec![Block::from([op])];
            op = condition;
        }
        match self.random.below(2) {
            0 => op,
            _ => self.caught(3, Block::from([op])),
        }
    }

    fn spawning(&mut self, slot: i64, body: Vec<Op>) -> Op {
        let mut spawn = self.with_number("spawn", slot);
        spawn.blocks = vec![body.into()];
        self.used.push(slot as usize);
        spawn
    }

    fn repeating(&mut self, slot: i64, body: Vec<Op>) -> Op {
        let mut repeat = self.with_number("repeat", 3);
        repeat.blocks = vec![body.into()];
        self.spawning(slot, vec![repeat])
    }

    /// The block in a `try` that takes exceptions of a kind as if nothing had happened.
    pub(crate) fn caught(&mut self, kind: i64, block: Block) -> Op {
        let mut caught = self.op("try");
        caught.numbers = vec![kind, 0];
        caught.blocks = vec![block, Block::from([]), Block::from([])];
        caught
    }
}
