//! The smallest program that still shows a difference.

use crate::program::{Block, Op, Program};

/// Makes `program` smaller as long as `differs` holds.
pub(crate) fn shrink(mut program: Program, mut differs: impl FnMut(&Program) -> bool) -> Program {
    loop {
        let smaller = variants(&program.main, true)
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

/// The blocks that are a little smaller, the smallest first.
fn variants(block: &Block, removable: bool) -> Vec<Block> {
    let mut found = Vec::new();
    if removable {
        let mut length = block.len();
        while length > 0 {
            for start in (0..block.len()).step_by(length) {
                let end = (start + length).min(block.len());
                found.push([&block[..start], &block[end..]].concat().into());
            }
            length /= 2;
        }
    }
    for (place, op) in block.iter().enumerate() {
        let with = |ops: &[Op]| [&block[..place], ops, &block[place + 1..]].concat().into();
        if removable && !matches!(op.name, "coro" | "ref") {
            found.extend(statements(op).iter().map(|inner| with(inner)));
        }
        found.extend(smaller(op).iter().map(|op| with(std::slice::from_ref(op))));
    }
    found
}

/// The blocks of statements in an operation, which may stand in its place.
fn statements(op: &Op) -> Vec<Block> {
    let inside = |block: &Block| match block.first() {
        Some(first) if matches!(first.name, "coro" | "ref") => block
            .iter()
            .flat_map(|argument| argument.blocks.clone())
            .collect(),
        _ => vec![block.clone()],
    };
    op.blocks.iter().flat_map(inside).collect()
}

fn smaller(op: &Op) -> Vec<Op> {
    let mut found = Vec::new();
    for (place, block) in op.blocks.iter().enumerate() {
        let removable = !matches!(op.name, "shield" | "start_shield" | "wait_for");
        for block in variants(block, removable) {
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
