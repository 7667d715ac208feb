//! Where a program's socket is: in a directory that only its user can enter.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

/// The directories in which a program's socket may be, the preferred one first.
pub(super) fn directories() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute() && path.is_dir());
    let fallback = PathBuf::from(format!("/tmp/hilos-{}", geteuid()));
    runtime
        .map(|path| path.join("hilos"))
        .into_iter()
        .chain([fallback])
        .collect()
}

pub(super) fn socket_in(directory: &Path, pid: u32) -> PathBuf {
    directory.join(format!("{pid}.sock"))
}

/// Creates the directory, or checks that the one that is there is ours alone.
pub(super) fn prepare(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    match is_private(directory) {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{} is not a directory of this user alone",
                directory.display()
            ),
        )),
    }
}

/// Whether it is a directory, and no link to one, that nobody else can enter.
pub(super) fn is_private(directory: &Path) -> bool {
    fs::symlink_metadata(directory).is_ok_and(|metadata| {
        metadata.is_dir()
            && metadata.uid() == geteuid().as_raw()
            && metadata.permissions().mode() & 0o077 == 0
    })
}

/// Removes what processes that are gone have left behind.
pub(super) fn sweep(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let pid = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !process(pid).exists()) {
            // Somebody else may have been faster.
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

/// What the system tells of a process.
pub(super) fn process(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}
