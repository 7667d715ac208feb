//! Where a program's socket is: in a directory that only its user can enter.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

/// The variable of the environment that names a directory for sockets, if there is one.
const RUNTIME: &str = "XDG_RUNTIME_DIR";

/// The directory in which this program's socket is.
pub(super) fn own_directory() -> PathBuf {
    directory_by(std::env::var_os(RUNTIME))
}

/// The directories in which the socket of another program may be: by its environment, or by this
/// one's if that has changed.
pub(super) fn directories_of(pid: u32) -> Vec<PathBuf> {
    let environment = fs::read(process(pid).join("environ")).unwrap_or_default();
    let mut variables = environment.split(|byte| *byte == 0);
    let start = format!("{RUNTIME}=");
    let theirs = variables.find_map(|variable| variable.strip_prefix(start.as_bytes()));
    let theirs = theirs.map(|value| OsStr::from_bytes(value).to_owned());
    let mut directories = vec![directory_by(theirs), own_directory(), directory_by(None)];
    directories.dedup();
    directories
}

fn directory_by(runtime: Option<OsString>) -> PathBuf {
    let runtime = runtime.map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute() && path.is_dir());
    match runtime {
        Some(path) => path.join("hilos"),
        None => PathBuf::from(format!("/tmp/hilos-{}", geteuid())),
    }
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
