//! The smallest program that still shows a difference.

use crate::program::{Block, Op, Program};

/// Makes `program` smaller as long as `differs` holds.
pub(crate) fn shrink(mut program: Program, mut differs: impl FnMut(&Program) -> bool) -> Program {
    loop {
        let smaller = variants(&program.main, Place::MAIN)
            .into_iter()
            .map(|main| Program {
                main,
                ..program.clone()
            })
            .chain(program.eager.then(|| Program {
                eager: false,
                ..program.clone()
            }))
            .find(|smaller| differs(smaller));
        match smaller {
            Some(smaller) => program = smaller,
            None => return program,
        }
    }
}

/// Where a block stands, which restricts what may be there.
#[derive(Clone, Copy)]
struct Place {
    /// The slot of the task, which waits for later ones only.
    slot: i64,
    in_callback: bool,
    /// Whether the task may have been started eagerly: then it does not ask to exit.
    eager: bool,
    /// Whether the number of operations matters.
    fixed: bool,
}

impl Place {
    const MAIN: Self = Self {
        slot: 0,
        in_callback: false,
        eager: false,
        fixed: false,
    };

    /// The place of the blocks in an operation.
    fn inside(self, op: &Op) -> Self {
        let slot = match op.name {
            "spawn" | "spawn_eager" | "start_gather" | "start_shield" => op.numbers[0],
            "group_spawn" => op.numbers[1],
            _ => self.slot,
        };
        let in_callback = match op.name {
            "call_soon" | "call_later" | "call_at" | "add_callback" => true,
            "spawn" | "spawn_eager" | "group_spawn" | "coro" => false,
            _ => self.in_callback,
        };
        let eager = match op.name {
            "spawn" | "group_spawn" => false,
            name => self.eager || name == "spawn_eager",
        };
        let fixed = matches!(op.name, "shield" | "start_shield" | "wait_for");
        Self {
            slot,
            in_callback,
            eager,
            fixed,
        }
    }

    /// Whether what stands in `other` may stand here instead.
    fn accepts(self, other: Self) -> bool {
        self.slot <= other.slot
            && (other.in_callback || !self.in_callback)
            && (other.eager || !self.eager)
    }
}

/// The blocks that are a little smaller, the smallest first.
fn variants(block: &Block, here: Place) -> Vec<Block> {
    let mut found = Vec::new();
    let mut length = if here.fixed { 0 } else { block.len() };
    while length > 0 {
        for start in (0..block.len()).step_by(length) {
            let end = (start + length).min(block.len());
            found.push([&block[..start], &block[end..]].concat().into());
        }
        length /= 2;
    }
    for (place, op) in block.iter().enumerate() {
        let with = |ops: &[Op]| [&block[..place], ops, &block[place + 1..]].concat().into();
        if !is_argument(op) {
            let statements = statements(op, here.inside(op));
            let fit = statements
                .into_iter()
                .filter(|(_, there)| here.accepts(*there));
            found.extend(fit.map(|(inner, _)| with(&inner)));
        }
        found.extend(
            smaller(op, here)
                .iter()
                .map(|op| with(std::slice::from_ref(op))),
        );
    }
    found
}

fn is_argument(op: &Op) -> bool {
    matches!(op.name, "coro" | "ref")
}

/// The blocks of statements in an operation, and where they stand.
fn statements(op: &Op, inside: Place) -> Vec<(Block, Place)> {
    let mut found = Vec::new();
    for block in &op.blocks {
        if block.iter().any(is_argument) {
            for argument in block.iter() {
                let there = inside.inside(argument);
                found.extend(argument.blocks.iter().map(|block| (block.clone(), there)));
            }
        } else {
            found.push((block.clone(), inside));
        }
    }
    found
}

fn smaller(op: &Op, here: Place) -> Vec<Op> {
    let mut found = Vec::new();
    for (place, block) in op.blocks.iter().enumerate() {
        for block in variants(block, here.inside(op)) {
            let mut smaller = op.clone();
            smaller.blocks[place] = block;
            found.push(smaller);
        }
    }
    // Numbers that name an object stay as they are: slots are ordered.
    let least = match op.name {
        "sleep" | "call_later" => 0,
        "repeat" | "timers" => 1,
        _ => return found,
    };
    if op.numbers[0] > least {
        let mut smaller = op.clone();
        smaller.numbers[0] = least;
        found.push(smaller);
    }
    found
}
