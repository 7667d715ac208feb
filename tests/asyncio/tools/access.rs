//! Who finds a program, and who may ask it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Runtime, fails, succeeds};

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
