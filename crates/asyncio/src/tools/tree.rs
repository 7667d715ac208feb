//! `pstree`: who awaits whom, as a tree.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::graph::FrameCallGraphEntry;
use crate::tools::snapshot::{Answer, LoopSeen, TaskSeen};

/// How long the text may become, in bytes: a task stands under each that awaits it, and a line
/// grows with its depth.
const MAXIMUM_LENGTH: usize = 16 << 20;

/// The tree, in CPython's layout; what it prints of circles if there are any.
pub(super) fn tree(loops: &[LoopSeen]) -> Result<String, String> {
    let mut graph = Graph::default();
    for seen in loops {
        match &seen.answer {
            Answer::Tasks(tasks) => graph.add_tasks(tasks),
            Answer::Busy(Some(step)) => graph.add_busy(step.task_id, &step.task_name, {
                let (file, line) = (step.location.file(), step.location.line());
                format!(" {} {file}:{line}", (step.coroutine)())
            }),
            Answer::Busy(None) => {}
        }
    }
    match graph.cycles() {
        cycles if cycles.is_empty() => Ok(graph.draw()),
        cycles => Err(graph.describe(&cycles)),
    }
}

/// Tasks, and the coroutines between a task and those that it awaits.
#[derive(Default)]
struct Graph {
    labels: Vec<String>,
    children: Vec<Vec<usize>>,
    /// The nodes of tasks, by the tasks' ids.
    tasks: HashMap<usize, usize>,
    names: HashMap<usize, String>,
    /// The nodes of coroutines, by what is above them and their label.
    coroutines: HashMap<(usize, String), usize>,
    /// Which tasks await which, by their ids; in the order in which they were found.
    awaits: Vec<(usize, usize)>,
    /// Which tasks stand below which nodes.
    placed: HashSet<(usize, usize)>,
}

impl Graph {
    fn add_tasks(&mut self, tasks: &[TaskSeen]) {
        let mut stacks = HashMap::new();
        for task in tasks {
            self.add_task(task.id, &task.name);
            stacks.insert(task.id, &task.stack);
        }
        let mut awaiting = HashSet::new();
        for task in tasks {
            for awaiter in &task.awaited_by {
                let Some(stack) = stacks.get(awaiter) else {
                    continue;
                };
                awaiting.insert(*awaiter);
                let (above, child) = (self.tasks[awaiter], self.tasks[&task.id]);
                let innermost = self.add_stack(above, stack);
                if self.placed.insert((innermost, child)) {
                    self.children[innermost].push(child);
                }
                self.awaits.push((*awaiter, task.id));
            }
        }
        for task in tasks.iter().filter(|task| !awaiting.contains(&task.id)) {
            self.add_stack(self.tasks[&task.id], &task.stack);
        }
    }

    fn add_busy(&mut self, id: usize, name: &str, coroutine: String) {
        self.add_task(id, name);
        self.add_coroutine(self.tasks[&id], coroutine);
    }

    fn add_task(&mut self, id: usize, name: &str) {
        let node = self.add_node(format!("(T) {name}"));
        self.tasks.insert(id, node);
        self.names.insert(id, name.to_owned());
    }

    /// Hangs a call stack below a node, and returns the node of the innermost entry.
    fn add_stack(&mut self, above: usize, stack: &[FrameCallGraphEntry]) -> usize {
        stack.iter().rev().fold(above, |above, entry| {
            let (file, line) = (entry.location.file(), entry.location.line());
            // CPython leaves room for a sign of coroutines, which is empty.
            self.add_coroutine(above, format!(" {} {file}:{line}", entry.name))
        })
    }

    fn add_coroutine(&mut self, above: usize, label: String) -> usize {
        let key = (above, label);
        if let Some(node) = self.coroutines.get(&key) {
            return *node;
        }
        let node = self.add_node(key.1.clone());
        self.coroutines.insert(key, node);
        self.children[above].push(node);
        node
    }

    fn add_node(&mut self, label: String) -> usize {
        self.labels.push(label);
        self.children.push(Vec::new());
        self.labels.len() - 1
    }

    /// The circles of tasks that await each other, each from a task to the same task.
    ///
    /// A search in depth, with a stack of its own: chains may be longer than a thread's.
    fn cycles(&self) -> Vec<Vec<usize>> {
        let mut awaited: HashMap<usize, Vec<usize>> = HashMap::new();
        for (awaiter, task) in &self.awaits {
            awaited.entry(*awaiter).or_default().push(*task);
        }
        let mut cycles = Vec::new();
        let mut seen = HashSet::new();
        for (start, _) in &self.awaits {
            if !seen.insert(*start) {
                continue;
            }
            let (mut path, mut left) = (vec![*start], vec![awaited[start].iter()]);
            let mut places = HashMap::from([(*start, 0)]);
            while let Some(next) = left.last_mut().map(Iterator::next) {
                let Some(task) = next else {
                    left.pop();
                    path.pop().map(|task| places.remove(&task));
                    continue;
                };
                if let Some(&place) = places.get(task) {
                    cycles.push([&path[place..], &[*task]].concat());
                } else if seen.insert(*task) {
                    places.insert(*task, path.len());
                    path.push(*task);
                    left.push(awaited.get(task).map_or([].iter(), |tasks| tasks.iter()));
                }
            }
        }
        cycles
    }

    fn describe(&self, cycles: &[Vec<usize>]) -> String {
        let mut text = "ERROR: await-graph contains cycles - cannot print a tree!\n".to_owned();
        for cycle in cycles {
            let names: Vec<_> = cycle.iter().map(|id| self.names[id].as_str()).collect();
            // A `String` takes any text.
            let _ = write!(text, "\ncycle: {}", names.join(" → "));
        }
        text
    }

    fn draw(&self) -> String {
        let below: HashSet<usize> = self.children.iter().flatten().copied().collect();
        let mut text = String::new();
        for root in (0..self.labels.len()).filter(|node| !below.contains(node)) {
            self.draw_from(root, &mut text);
        }
        text
    }

    fn draw_from(&self, root: usize, text: &mut String) {
        // What is left to draw, the next one last: a node, what stands before it, whether it is
        // the last of its siblings.
        let mut todo = vec![(root, String::new(), true)];
        while let Some((node, indent, last)) = todo.pop() {
            if text.len() > MAXIMUM_LENGTH {
                text.push_str("…\n");
                return;
            }
            let (branch, below) = if last {
                ("└── ", "    ")
            } else {
                ("├── ", "│   ")
            };
            let _ = writeln!(text, "{indent}{branch}{}", self.labels[node]);
            let children = self.children[node].iter().rev().enumerate();
            todo.extend(
                children.map(|(place, child)| (*child, format!("{indent}{below}"), place == 0)),
            );
        }
    }
}
