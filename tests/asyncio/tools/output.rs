//! What `ps` and `pstree` print.

use std::path::Path;
use std::sync::mpsc;

use hilos::asyncio::tools::{self, ToolsError};
use hilos::asyncio::{self, create_task, sleep};

use super::programs::FILE;
use super::{Runtime, fails, succeeds};

/// The text without the numbers of lines.
fn plain(text: &str) -> String {
    let lines = text.lines();
    let lines = lines.map(|line| match line.rsplit_once(':') {
        Some((place, number)) if number.parse::<u32>().is_ok() => format!("{place}:N\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn pstree_prints_what_awaits_what() {
    let runtime = Runtime::new();
    let program = runtime.start("restaurant");
    let (text, notes) = succeeds(runtime.hilos(&["pstree", &program.pid()]));
    let here = FILE;
    let expected = format!(
        "\
└── (T) Task-1
    └──  restaurant {here}:N
        └──  Future.await {here}:N
            └── (T) table
                └──  table {here}:N
                    └──  task_group {here}:N
                        ├── (T) soup
                        │   └──  cook {here}:N
                        │       └──  sleep {here}:N
                        └── (T) cake
                            └──  dessert {here}:N
                                └──  Event.wait {here}:N
"
    );
    assert_eq!((plain(&text), notes.as_str()), (expected, ""));
}

const HEADS: [&str; 7] = [
    "tid",
    "task id",
    "task name",
    "coroutine stack",
    "awaiter chain",
    "awaiter name",
    "awaiter id",
];

/// What stands in each column of a line.
fn columns(line: &str) -> [String; 7] {
    let widths = [10, 20, 20, 50, 50, 15, 15];
    let mut rest = line;
    widths.map(|width| {
        let (column, others) = rest.split_at(width);
        rest = others.strip_prefix(' ').unwrap_or(others);
        column.trim_end().to_owned()
    })
}

#[test]
fn ps_prints_a_row_for_each_task_and_awaiter() {
    let runtime = Runtime::new();
    let program = runtime.start("restaurant");
    let (text, notes) = succeeds(runtime.hilos(&["ps", &program.pid()]));
    assert_eq!(notes, "");
    let mut lines = text.lines();
    assert_eq!(columns(lines.next().unwrap()), HEADS);
    assert_eq!(lines.next().unwrap(), "-".repeat(180));
    let rows: Vec<_> = lines.map(columns).collect();
    let of = |name: &str| {
        let row = rows.iter().find(|row| row[2] == name).unwrap();
        let thread = format!("/proc/{}/task/{}", program.pid(), row[0]);
        assert!(Path::new(&thread).exists(), "{thread}");
        row[3..].iter().map(String::as_str).collect::<Vec<_>>()
    };
    let id = |name: &str| rows.iter().find(|row| row[2] == name).unwrap()[1].as_str();
    assert_eq!(rows.len(), 4, "{text}");
    assert_eq!(of("Task-1"), ["Future.await -> restaurant", "", "", "0x0"]);
    assert_eq!(
        of("table"),
        [
            "task_group -> table",
            "Future.await -> restaurant",
            "Task-1",
            id("Task-1")
        ]
    );
    assert_eq!(
        of("soup"),
        ["sleep -> cook", "task_group -> table", "table", id("table")]
    );
    assert_eq!(
        of("cake"),
        [
            "Event.wait -> dessert",
            "task_group -> table",
            "table",
            id("table")
        ]
    );
}

#[test]
fn a_busy_loop_is_shown_as_such_and_others_answer() {
    let runtime = Runtime::new();
    let program = runtime.start("busy");
    for command in ["ps", "pstree"] {
        let (text, notes) = succeeds(runtime.hilos(&[command, &program.pid()]));
        assert!(text.contains("hog") && text.contains("sleep"), "{text}");
        let note = "the loop is busy and shows no other tasks: hog runs hog() for ";
        assert!(notes.contains(note), "{notes}");
        assert_eq!(notes.lines().count(), 1, "{notes}");
    }
}

#[test]
fn a_loop_in_a_callback_is_busy_without_a_task() {
    let runtime = Runtime::new();
    let program = runtime.start("callback");
    let (text, notes) = succeeds(runtime.hilos(&["pstree", &program.pid()]));
    assert_eq!(text, "");
    assert!(
        notes.ends_with(": the loop is busy and shows no tasks\n"),
        "{notes}"
    );
}

#[test]
fn a_program_without_tasks_has_an_empty_tree() {
    let runtime = Runtime::new();
    let program = runtime.start("idle");
    let (text, notes) = succeeds(runtime.hilos(&["pstree", &program.pid()]));
    assert_eq!((text.as_str(), notes.as_str()), ("", ""));
    let (text, _) = succeeds(runtime.hilos(&["ps", &program.pid()]));
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn circles_are_no_tree() {
    let runtime = Runtime::new();
    let program = runtime.start("circle");
    let text = fails(runtime.hilos(&["pstree", &program.pid()]), 1);
    let names =
        text.strip_prefix("ERROR: await-graph contains cycles - cannot print a tree!\n\ncycle: ");
    assert!(
        matches!(names, Some("two → one → two\n" | "one → two → one\n")),
        "{text}"
    );
    let (text, _) = succeeds(runtime.hilos(&["ps", &program.pid()]));
    assert_eq!(text.lines().count(), 2 + 4, "one is awaited by two: {text}");
}

#[test]
fn usage_errors_are_told() {
    let runtime = Runtime::new();
    let wrong: [&[&str]; 5] = [
        &[],
        &["top", "1"],
        &["ps"],
        &["ps", "1", "2"],
        &["ps", "one"],
    ];
    for arguments in wrong {
        let text = fails(runtime.hilos(arguments), 2);
        assert!(
            text.starts_with("hilos: ") && text.contains("usage: hilos ps PID"),
            "{text}"
        );
    }
    let (text, _) = succeeds(runtime.hilos(&["--help"]));
    assert!(text.starts_with("usage: hilos ps PID"), "{text}");
}

#[test]
fn a_program_can_look_into_itself() {
    tools::serve().unwrap();
    tools::serve().expect("once is enough, twice is no error");
    let (sender, receiver) = mpsc::channel();
    let pid = std::process::id();
    asyncio::run(async move {
        let _task = create_task(sleep(3600)).with_name("asleep in this very process");
        sleep(0).await?;
        sender
            .send(
                asyncio::try_to_thread(move || tools::pstree(pid))
                    .await?
                    .text,
            )
            .unwrap();
        Ok(())
    })
    .unwrap();
    let text = receiver.recv().unwrap();
    assert!(text.contains("(T) asleep in this very process"), "{text}");
    assert!(matches!(
        tools::ps(u32::MAX),
        Err(ToolsError::NoSuchProcess(u32::MAX))
    ));
}
