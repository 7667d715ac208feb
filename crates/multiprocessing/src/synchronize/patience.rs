//! How long to wait before looking whether somebody has died.

use std::time::Duration;

use hilos_core::time::Deadline;

/// Cuts a wait into pieces, so that it ends even if nobody is left to end it.
#[derive(Debug)]
pub(crate) struct Patience {
    deadline: Deadline,
    /// The next piece's length.
    piece: Duration,
    end: Deadline,
}

impl Patience {
    /// For a wait until `deadline`.
    pub(crate) fn until(deadline: Deadline) -> Self {
        // A wait that is over at once looks at once.
        let end = if deadline.is_past() {
            deadline
        } else {
            Deadline::NEVER
        };
        Self {
            deadline,
            piece: Duration::from_millis(10),
            end,
        }
    }

    /// Whether a piece of the wait is over: time to look.
    pub(crate) fn exhausted(&self) -> bool {
        self.end.passed()
    }

    /// The end of the piece that is under way, or of the next one.
    pub(crate) fn next(&mut self) -> Deadline {
        if self.end.is_never() || self.end.passed() {
            let end = Deadline::after(self.piece);
            self.end = match (self.deadline.instant(), end.instant()) {
                (Some(limit), Some(piece)) => Deadline::at(limit.min(piece)),
                _ => end,
            };
            self.piece = Duration::from_millis(100);
        }
        self.end
    }
}
