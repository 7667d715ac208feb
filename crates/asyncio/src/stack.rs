//! `Task.get_stack` and `Task.print_stack`.

use std::fmt;
use std::io::Write as _;

use crate::any_task::AnyTask;
use crate::graph::{FrameCallGraphEntry, call_stack};
use crate::tasks::Task;

impl AnyTask {
    /// Where the task is, the outermost level first; empty when it is done.
    ///
    /// ```
    /// use hilos_asyncio as asyncio;
    ///
    /// async fn work() -> asyncio::Result<()> {
    ///     asyncio::sleep(3600).await
    /// }
    ///
    /// asyncio::run(async {
    ///     let task = asyncio::create_task(work());
    ///     asyncio::sleep(0).await?;
    ///     let stack = task.get_stack();
    ///     assert_eq!(stack[0].name, "work");
    ///     assert_eq!(stack[1].name, "sleep");
    ///     Ok(())
    /// })?;
    /// # Ok::<(), asyncio::Exception>(())
    /// ```
    ///
    /// # Differences from Python
    /// - Only what asyncio knows is there, see [`FrameCallGraphEntry`]; of a task that has failed,
    ///   nothing.
    ///
    /// Mirrors [`asyncio.Task.get_stack`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.Task.get_stack).
    pub fn get_stack(&self) -> Vec<FrameCallGraphEntry> {
        let mut stack = call_stack(&self.0);
        stack.reverse();
        stack
    }

    /// Prints the stack on the standard error output.
    ///
    /// Mirrors [`asyncio.Task.print_stack`](https://docs.python.org/3.14/library/asyncio-task.html#asyncio.Task.print_stack).
    pub fn print_stack(&self) {
        // A closed standard error output is no reason to fail.
        let _ = write!(std::io::stderr(), "{}", Stack(self));
    }
}

impl<T: 'static> Task<T> {
    /// As [`AnyTask::get_stack`].
    pub fn get_stack(&self) -> Vec<FrameCallGraphEntry> {
        self.any().get_stack()
    }

    /// As [`AnyTask::print_stack`].
    pub fn print_stack(&self) {
        self.any().print_stack();
    }
}

/// What is printed of a task's stack.
struct Stack<'t>(&'t AnyTask);

impl fmt::Display for Stack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (task, stack) = (self.0, self.0.get_stack());
        match stack.is_empty() {
            true => writeln!(f, "No stack for {task}")?,
            false => writeln!(f, "Stack for {task} (most recent call last):")?,
        }
        stack.iter().try_for_each(|entry| writeln!(f, "  {entry}"))
    }
}
