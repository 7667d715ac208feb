//! `--url URL`: another server than the one that the program starts itself.

pub(crate) fn from_args() -> Option<String> {
    let mut args = std::env::args();
    args.find(|arg| arg == "--url")?;
    args.next()
}
