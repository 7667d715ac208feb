//! Variables themselves, and how they and their tokens print.

use std::collections::HashSet;

use hilos::contextvars::ContextVar;

use super::isolated_context;

// cpython: test_context.py::ContextTest::test_context_var_new_1
#[test]
fn a_variable_has_its_name_and_is_not_its_name() {
    static AAA: ContextVar<i32> = ContextVar::new("aaa");
    assert_eq!(AAA.name(), "aaa");

    let computed = ContextVar::<i32>::from(format!("a{}", "aa"));
    assert_eq!(computed.name(), "aaa");
    assert_ne!(AAA, computed);
    assert_eq!(computed, computed.clone());
    #[allow(clippy::mutable_key_type, reason = "what is hashed does not change")]
    let different = HashSet::from([&AAA, &computed]);
    assert_eq!(different.len(), 2);
}

#[test]
fn statics_may_have_defaults_that_need_dropping() {
    static NAMES: ContextVar<Vec<String>> = ContextVar::new("names")
        .with_default(vec![])
        .with_default(Vec::new());
    isolated_context(|| {
        assert_eq!(NAMES.get(), Ok(vec![]));
        NAMES.set(vec!["ana".to_owned()]);
        assert_eq!(NAMES.get(), Ok(vec!["ana".to_owned()]));
    });
}

#[test]
fn clones_and_moves_of_a_variable_are_that_variable() {
    isolated_context(|| {
        let c = ContextVar::new("c").with_default(0);
        c.set(1);
        let clone = c.clone();
        let moved = Box::new(c);
        assert_eq!(clone.get(), Ok(1));
        assert_eq!(moved.get(), Ok(1));
        assert_eq!(moved.to_string(), clone.to_string());
    });
}

// cpython: test_context.py::ContextTest::test_context_var_repr_1
#[test]
fn variables_print_their_name_and_default() {
    isolated_context(|| {
        let c = ContextVar::<i32>::new("a");
        assert!(c.to_string().starts_with("<ContextVar name='a' at 0x"));
        assert!(!c.to_string().contains("default"));

        let c = ContextVar::new("a").with_default(123);
        let repr = c.to_string();
        assert!(
            repr.starts_with("<ContextVar name='a' default=123 at 0x"),
            "{repr}"
        );
        assert!(repr.ends_with('>'));

        let token = c.set(1);
        assert!(token.to_string().contains(&c.to_string()));
        assert!(!token.to_string().contains(" used "));
        c.reset(&token).unwrap();
        assert!(token.to_string().contains(" used "));
    });
}

#[test]
fn names_are_quoted_as_python_quotes_them() {
    let repr = |name: &str| ContextVar::<i32>::from(name.to_owned()).to_string();
    assert!(repr("it's").starts_with("<ContextVar name=\"it's\" at "));
    assert!(repr("\"a\"").starts_with("<ContextVar name='\"a\"' at "));
    assert!(repr("'a\"").starts_with(r#"<ContextVar name='\'a"' at "#));
    assert!(repr("a\n\\").starts_with(r"<ContextVar name='a\n\\' at "));
}

// cpython: test_context.py::ContextTest::test_token_repr_1
#[test]
fn tokens_print_their_variable_and_whether_they_are_used() {
    isolated_context(|| {
        let c = ContextVar::new("a");
        let token = c.set(1);
        let start = format!("<Token var={c} at 0x");
        assert!(token.to_string().starts_with(&start), "{token} {start}");
        c.reset(&token).unwrap();
        let start = format!("<Token used var={c} at 0x");
        assert!(token.to_string().starts_with(&start), "{token} {start}");
    });
}
