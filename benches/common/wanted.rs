//! Which rows the command line asks for, as criterion takes it.

/// Whether the row is to be measured.
pub(crate) fn wanted(row: &str) -> bool {
    let arguments = || std::env::args().skip(1);
    let mut filters = arguments().filter(|it| !it.starts_with('-')).peekable();
    let listing = arguments().any(|it| it == "--list");
    !listing && (filters.peek().is_none() || filters.any(|it| row.contains(&it)))
}
