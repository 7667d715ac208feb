//! Texts of values that clients have sent.

use std::fmt::{self, Write};
use std::panic::resume_unwind;

/// No text is longer. A few bytes can describe a value whose text fills all memory: a tuple that has
/// another one twice, which has another one twice, and so on.
const LONGEST: usize = 16 << 20;

/// The text of something.
///
/// # Panics
/// If it is too long; the client gets that as an exception.
pub(crate) fn text(value: fmt::Arguments<'_>) -> String {
    let mut bounded = Bounded(String::new());
    match bounded.write_fmt(value) {
        Ok(()) => bounded.0,
        // Nobody has made a mistake here that had to be printed.
        Err(fmt::Error) => resume_unwind(Box::new("the text is longer than 16 MiB")),
    }
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.0.len() + part.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}
