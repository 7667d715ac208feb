//! `Task.get_stack` and `print_stack`.

use std::process::Command;

use hilos::asyncio::{self, FrameCallGraphEntry, Task, create_task, current_task, sleep};

use crate::support::run;

async fn work() -> asyncio::Result<()> {
    sleep(1).await
}

fn names(stack: &[FrameCallGraphEntry]) -> Vec<&str> {
    stack.iter().map(|entry| entry.name.as_str()).collect()
}

#[test]
fn a_stack_has_the_coroutine_and_what_it_waits_in() {
    run(async {
        let task = create_task(work());
        assert_eq!(names(&task.get_stack()), ["work"]);
        sleep(0).await?;
        let stack = task.get_stack();
        assert_eq!(names(&stack), ["work", "sleep"]);
        assert!(
            stack
                .iter()
                .all(|entry| entry.location.file().ends_with("stack.rs"))
        );
        assert_eq!(task.any().get_stack(), stack);
        // A task that runs waits for nothing.
        assert_eq!(current_task().unwrap().get_stack().len(), 1);
        (&task).await?;
        assert!(task.get_stack().is_empty());
        Ok(())
    });
}

#[test]
#[ignore = "a program of another test"]
fn printing() {
    run(async {
        let task: Task<()> = create_task(work()).with_name("worker");
        sleep(0).await?;
        task.print_stack();
        (&task).await?;
        task.print_stack();
        Ok(())
    });
}

#[test]
fn a_stack_is_printed_on_the_standard_error_output() {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "stack::printing", "--ignored", "--nocapture"]);
    let output = program.output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    let place = |line: &str, ending: &str| {
        assert!(line.starts_with("  File '"), "{printed}");
        assert!(line.ends_with(ending), "{printed}");
    };
    assert_eq!(lines.len(), 4, "{printed}");
    assert!(lines[0].starts_with("Stack for <Task pending name='worker'"));
    assert!(lines[0].ends_with(" (most recent call last):"));
    place(lines[1], ", in async work()");
    place(lines[2], ", in async sleep()");
    assert!(lines[3].starts_with("No stack for <Task finished name='worker'"));
}
