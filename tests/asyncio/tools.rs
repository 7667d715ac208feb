//! `hilos ps` and `hilos pstree`: each program under observation is a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::{env, fs};

use hilos::asyncio::tools::{self, ToolsError};
use hilos::asyncio::{
    self, Event, Result, create_task, future_add_to_awaited_by, sleep, task_group,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Which program a child is.
const PROGRAM: &str = "HILOS_TEST_PROGRAM";

/// A directory of this test's own, as `XDG_RUNTIME_DIR`.
struct Runtime(PathBuf);

impl Runtime {
    fn new() -> Self {
        static COUNTED: AtomicU32 = AtomicU32::new(0);
        let number = COUNTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("hilos-test-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        Self(path)
    }

    fn sockets(&self) -> PathBuf {
        self.0.join("hilos")
    }

    /// Starts a program and waits for its first line.
    fn start(&self, program: &str) -> Program {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "tools::program", "--ignored", "--nocapture"]);
        child.env(PROGRAM, program).env("XDG_RUNTIME_DIR", &self.0);
        child.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines
            .map(Result::unwrap)
            .find_map(|line| Some(line.split_once("says: ")?.1.to_owned()));
        let said = said.expect("the program says something");
        Program { child, said }
    }

    /// Runs the command.
    fn hilos(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hilos"));
        command.args(arguments).env("XDG_RUNTIME_DIR", &self.0);
        command.output().unwrap()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Program {
    child: Child,
    /// The program's first line.
    said: String,
}

impl Program {
    fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The text of a successful run.
#[track_caller]
fn succeeds(output: Output) -> (String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    (stdout, stderr)
}

/// What a run that failed says.
#[track_caller]
fn fails(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
#[ignore = "the programs that the tests look into"]
fn program() {
    let program = env::var(PROGRAM).unwrap_or_default();
    let serving = match program.as_str() {
        "silent" => Ok(()),
        _ => tools::serve(),
    };
    match (program.as_str(), serving) {
        (_, Err(error)) => say(&error.to_string()),
        ("restaurant", _) => asyncio::run(restaurant()).unwrap(),
        ("busy", _) => asyncio::run(busy()).unwrap(),
        ("callback", _) => asyncio::run(callback()).unwrap(),
        ("circle", _) => asyncio::run(circle()).unwrap(),
        _ => say("ready"),
    }
    wait_for_the_end();
}

fn say(what: &str) {
    println!("says: {what}");
}

/// Until the test kills the program, or has ended itself.
fn wait_for_the_end() {
    let _ = std::io::stdin().read(&mut [0]);
}

async fn restaurant() -> Result<()> {
    async fn cook() -> Result<()> {
        sleep(3600).await
    }
    async fn dessert(after: Event) -> Result<()> {
        after.wait().await
    }
    async fn table() -> Result<()> {
        task_group(async |dishes| {
            let _soup = dishes.create_task(cook()).with_name("soup");
            let _cake = dishes.create_task(dessert(Event::new())).with_name("cake");
            Ok(())
        })
        .await
    }
    let table = create_task(table()).with_name("table");
    sleep(0).await?;
    sleep(0).await?;
    asyncio::get_running_loop()?.call_soon(|| say("ready"))?;
    (&table).await
}

async fn busy() -> Result<()> {
    async fn hog() -> Result<()> {
        say("ready");
        wait_for_the_end();
        Ok(())
    }
    // Another loop is not.
    let (began, begun) = mpsc::channel();
    std::thread::spawn(move || {
        asyncio::run(async move {
            began.send(()).unwrap();
            sleep(3600).await
        })
    });
    begun.recv().unwrap();
    create_task(hog()).with_name("hog").await
}

async fn callback() -> Result<()> {
    asyncio::get_running_loop()?.call_soon(|| {
        say("ready");
        wait_for_the_end();
    })?;
    sleep(3600).await
}

async fn circle() -> Result<()> {
    let (one, two) = (create_task(sleep(3600)), create_task(sleep(3600)));
    one.set_name("one");
    two.set_name("two");
    future_add_to_awaited_by(&one, &two);
    future_add_to_awaited_by(&two, &one);
    sleep(0).await?;
    say("ready");
    one.await
}

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
    let here = file!();
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

#[test]
fn ps_prints_a_row_for_each_task_and_awaiter() {
    let runtime = Runtime::new();
    let program = runtime.start("restaurant");
    let (text, notes) = succeeds(runtime.hilos(&["ps", &program.pid()]));
    assert_eq!(notes, "");
    let mut lines = text.lines();
    let columns = |line: &str| {
        let widths = [10, 20, 20, 50, 50, 15, 15];
        let mut rest = line;
        widths.map(|width| {
            let (column, others) = rest.split_at(width);
            rest = others.strip_prefix(' ').unwrap_or(others);
            column.trim_end().to_owned()
        })
    };
    let heads = columns(lines.next().unwrap());
    let expected = [
        "tid",
        "task id",
        "task name",
        "coroutine stack",
        "awaiter chain",
        "awaiter name",
        "awaiter id",
    ];
    assert_eq!(heads, expected);
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
fn a_program_that_does_not_serve_is_told_from_none() {
    let runtime = Runtime::new();
    let mut program = runtime.start("silent");
    let pid = program.pid();
    let text = fails(runtime.hilos(&["ps", &pid]), 1);
    let not_serving = format!(
        "hilos: process {pid} cannot be looked into: it is no hilos program, or does not call \
         asyncio::tools::serve()\n"
    );
    assert_eq!(text, not_serving);
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    let text = fails(runtime.hilos(&["ps", &pid]), 1);
    assert_eq!(text, format!("hilos: there is no process {pid}\n"));
}

#[test]
fn a_socket_of_another_process_is_not_the_programs() {
    let runtime = Runtime::new();
    let program = runtime.start("silent");
    fs::DirBuilder::new()
        .mode(0o700)
        .create(runtime.sockets())
        .unwrap();
    let path = runtime.sockets().join(format!("{}.sock", program.pid()));
    let _false_one = UnixListener::bind(path).unwrap();
    let text = fails(runtime.hilos(&["ps", &program.pid()]), 1);
    assert!(text.contains("cannot be looked into"), "{text}");
}

#[test]
fn processes_of_other_users_are_not_asked() {
    let runtime = Runtime::new();
    let nobody = 65534;
    let mut sleeper = Command::new("sleep");
    // Only root can run a program as somebody else; to all others, the first process is root's.
    let child = sleeper.arg("3600").uid(nobody).spawn();
    let pid = child.as_ref().map_or(1, Child::id);
    let text = fails(runtime.hilos(&["pstree", &pid.to_string()]), 1);
    if let Ok(mut child) = child {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(
        text,
        format!("hilos: process {pid} belongs to another user\n")
    );
}

#[test]
fn a_process_that_is_stopped_does_not_keep_the_caller() {
    let runtime = Runtime::new();
    let program = runtime.start("idle");
    let pid = Pid::from_raw(program.child.id().cast_signed());
    kill(pid, Signal::SIGSTOP).unwrap();
    let text = fails(runtime.hilos(&["ps", &program.pid()]), 1);
    kill(pid, Signal::SIGCONT).unwrap();
    assert_eq!(
        text,
        format!("hilos: process {pid} has not answered in time\n")
    );
}

#[test]
fn the_socket_is_its_users_alone() {
    let runtime = Runtime::new();
    let program = runtime.start("idle");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(program.said, "ready");
    assert_eq!(mode(&runtime.sockets()), 0o700);
    let path = runtime.sockets().join(format!("{}.sock", program.pid()));
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_program_is_found_by_its_own_environment() {
    let (runtime, other) = (Runtime::new(), Runtime::new());
    let program = runtime.start("restaurant");
    let (text, _) = succeeds(other.hilos(&["pstree", &program.pid()]));
    assert!(text.contains("soup"), "{text}");
}

#[test]
fn a_directory_that_others_can_enter_is_refused() {
    let runtime = Runtime::new();
    fs::DirBuilder::new()
        .mode(0o755)
        .create(runtime.sockets())
        .unwrap();
    fs::set_permissions(runtime.sockets(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = runtime.start("idle");
    assert!(
        program
            .said
            .ends_with("is not a directory of this user alone"),
        "{}",
        program.said
    );
}

#[test]
fn what_gone_processes_leave_behind_goes() {
    let runtime = Runtime::new();
    let program = runtime.start("idle");
    let left = runtime.sockets().join(format!("{}.sock", program.pid()));
    drop(program);
    assert!(left.exists(), "a process that is killed cleans nothing up");
    let _next = runtime.start("idle");
    assert!(!left.exists());
}

#[test]
fn a_slow_or_silly_question_disturbs_nobody() {
    let runtime = Runtime::new();
    let program = runtime.start("restaurant");
    let path = runtime.sockets().join(format!("{}.sock", program.pid()));
    let mut silly = UnixStream::connect(&path).unwrap();
    std::io::Write::write_all(&mut silly, b"what is the meaning of life\n").unwrap();
    let _slow = UnixStream::connect(&path).unwrap();
    let (text, _) = succeeds(runtime.hilos(&["pstree", &program.pid()]));
    assert!(text.contains("soup"), "{text}");
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
