//! `create_subprocess_exec`, `create_subprocess_shell` and `Process`.

mod endings;
mod protocol;
mod starting;
mod talking;

use std::path::Path;

use hilos::asyncio::subprocess::{PIPE, Process};
use hilos::asyncio::{self, Result};

const NONE: [&str; 0] = [];

/// A child that reads its input and writes it back.
async fn cat() -> Result<Process> {
    let cat = asyncio::create_subprocess_exec("cat", NONE);
    cat.with_stdin(PIPE).with_stdout(PIPE).await
}

/// A child that runs until it is ended.
async fn blocked() -> Result<Process> {
    asyncio::create_subprocess_exec("sleep", ["3600"]).await
}

fn exists(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}
