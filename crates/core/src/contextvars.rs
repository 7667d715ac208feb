//! Python's context variables.
