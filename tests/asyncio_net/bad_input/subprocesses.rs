//! Programs that cannot be started.

use hilos::asyncio;
use hilos::asyncio::subprocess::{PIPE, STDOUT};

use super::{NONE, refused};
use crate::support::run;

#[test]
fn a_program_that_cannot_be_started() {
    run(async {
        let exec = |program: &str| asyncio::create_subprocess_exec(program, NONE);
        let message = "[Errno 2] No such file or directory: '/no/such/program'";
        refused(exec("/no/such/program").await, "FileNotFoundError", message);
        let message = "[Errno 13] Permission denied: '/etc/passwd'";
        refused(exec("/etc/passwd").await, "PermissionError", message);
        let nowhere = exec("true").with_command(|command| {
            command.current_dir("/no/such/directory");
        });
        let message = "[Errno 2] No such file or directory: '/no/such/directory'";
        refused(nowhere.await, "FileNotFoundError", message);
        let cut = asyncio::create_subprocess_exec("true", ["a\0b"]).await;
        refused(cut, "ValueError", "embedded null byte");
        let message = "STDOUT can only be used for stderr";
        refused(
            exec("true").with_stdout(STDOUT).await,
            "ValueError",
            message,
        );
        refused(exec("true").with_stdin(STDOUT).await, "ValueError", message);
        let process = exec("cat").with_stdin(PIPE).await?;
        refused(
            process.send_signal(1000),
            "OSError",
            "[Errno 22] Invalid argument",
        );
        process.kill()?;
        process.wait().await?;
        Ok(())
    });
}
