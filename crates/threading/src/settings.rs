//! What the types that are threads too take from `Thread`.

/// The methods `with_name` and `with_daemon` of a type with a field `thread`.
macro_rules! thread_settings {
    () => {
        /// Names the thread.
        #[must_use]
        pub fn with_name<N: Into<String>>(self, name: N) -> Self {
            self.thread.set_name(name);
            self
        }

        /// Says whether the program may end without waiting for the thread.
        #[must_use]
        pub fn with_daemon(mut self, daemon: bool) -> Self {
            self.thread = self.thread.with_daemon(daemon);
            self
        }
    };
}
pub(crate) use thread_settings;
