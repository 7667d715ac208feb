//! `ps`: a table of tasks, a row for each that awaits them.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::graph::FrameCallGraphEntry;
use crate::tools::snapshot::{Answer, LoopSeen, TaskSeen};

/// The table, in CPython's layout.
pub(super) fn table(loops: &[LoopSeen]) -> String {
    let mut text = String::new();
    row(
        &mut text,
        "tid",
        [
            "task id",
            "task name",
            "coroutine stack",
            "awaiter chain",
            "awaiter name",
            "awaiter id",
        ],
    );
    text.push_str(&"-".repeat(180));
    text.push('\n');
    for seen in loops {
        match &seen.answer {
            Answer::Tasks(tasks) => rows(&mut text, seen.tid, tasks),
            Answer::Busy(Some(step)) => {
                let (id, coroutine) = (format!("{:#x}", step.task_id), (step.coroutine)());
                let task = [&id, &step.task_name, &coroutine, "", "", "0x0"];
                row(&mut text, seen.tid, task);
            }
            Answer::Busy(None) => {}
        }
    }
    text
}

fn rows(text: &mut String, tid: u64, tasks: &[TaskSeen]) {
    let by_id: HashMap<usize, &TaskSeen> = tasks.iter().map(|task| (task.id, task)).collect();
    for task in tasks {
        let (id, stack) = (format!("{:#x}", task.id), chain(&task.stack));
        if task.awaited_by.is_empty() {
            row(text, tid, [&id, &task.name, &stack, "", "", "0x0"]);
        }
        for awaiter in &task.awaited_by {
            let known = by_id.get(awaiter);
            let awaiter_chain = known.map_or_else(String::new, |task| chain(&task.stack));
            let name = known.map_or("Unknown", |task| &task.name);
            let awaiter = format!("{awaiter:#x}");
            row(
                text,
                tid,
                [&id, &task.name, &stack, &awaiter_chain, name, &awaiter],
            );
        }
    }
}

fn chain(stack: &[FrameCallGraphEntry]) -> String {
    let names: Vec<_> = stack.iter().map(|entry| entry.name.as_str()).collect();
    names.join(" -> ")
}

fn row(text: &mut String, tid: impl std::fmt::Display, columns: [&str; 6]) {
    let [id, name, stack, chain, awaiter, awaiter_id] = columns;
    // A `String` takes any text.
    let _ = writeln!(
        text,
        "{tid:<10} {id:<20} {name:<20} {stack:<50} {chain:<50} {awaiter:<15} {awaiter_id:<15}"
    );
}
