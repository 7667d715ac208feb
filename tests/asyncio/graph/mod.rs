//! `test_graph.py`: where tasks are, and who awaits them.

mod awaiters;
mod stacks;

use hilos::asyncio::FutureCallGraph;

/// A graph in one line: `task[innermost outermost](awaiters)`. Tasks without a name of their own are
/// `T`, futures `F`; awaiters are sorted.
fn walk(graph: &FutureCallGraph) -> String {
    let name = match graph.future.task() {
        Some(task) if task.get_name().starts_with("Task-") => "T".to_owned(),
        Some(task) => task.get_name(),
        None => "F".to_owned(),
    };
    let stack = graph.call_stack.iter();
    let stack: Vec<_> = stack.map(|entry| entry.name.as_str()).collect();
    let mut awaited_by: Vec<_> = graph.awaited_by.iter().map(walk).collect();
    awaited_by.sort();
    format!("{name}[{}]({})", stack.join(" "), awaited_by.join(", "))
}
