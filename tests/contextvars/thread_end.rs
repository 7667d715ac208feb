//! Context variables while a thread's locals are being destroyed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use hilos::contextvars::{Context, ContextVar, copy_context};

static VAR: ContextVar<i32> = ContextVar::new("var").with_default(7);

/// Uses context variables when it is dropped, and reports what it found.
#[derive(Clone)]
struct LastWords(Sender<Found>);

#[derive(Debug, PartialEq)]
struct Found {
    value: i32,
    /// What is found after setting the variable.
    after_set: i32,
    in_copy: usize,
    in_run: i32,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        let value = VAR.get().unwrap();
        let token = VAR.set(1);
        let found = Found {
            value,
            after_set: VAR.get().unwrap(),
            in_copy: copy_context().len(),
            in_run: Context::new().run(|| VAR.get_or(0)).unwrap(),
        };
        VAR.reset(&token).unwrap_err();
        self.0.send(found).unwrap();
    }
}

fn last_words_of(f: impl FnOnce(LastWords) + Send + 'static) -> Receiver<Found> {
    let (sender, receiver) = channel();
    thread::spawn(move || f(LastWords(sender))).join().unwrap();
    receiver
}

#[test]
fn the_last_value_of_a_thread_finds_defaults() {
    static WORDS: ContextVar<LastWords> = ContextVar::new("words");
    let words = last_words_of(|words| {
        VAR.set(3);
        WORDS.set(words);
    });
    let found: Vec<Found> = words.into_iter().collect();
    let expected = Found {
        value: 7,
        after_set: 7,
        in_copy: 0,
        in_run: 0,
    };
    assert_eq!(found, [expected]);
}
