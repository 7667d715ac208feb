//! Keys from outside of the program, which are never printed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use hilos::multiprocessing::connection::{Address, Connection, Family, Listener, client, pipe};
use hilos::multiprocessing::managers::{BaseManager, DictProxy, SyncManager};
use hilos::multiprocessing::{AuthenticationString, Error, Process, current_process};

use crate::program::{Program, args, say};
use crate::support::LONG;

/// A file with a key, which goes when this is dropped.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new(name: &str, content: &str, mode: u32) -> Self {
        let name = format!("hilos-key-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        Self(path)
    }

    fn read(&self) -> Result<AuthenticationString, Error> {
        AuthenticationString::from_file(&self.0)
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_private_file() {
    for (content, key) in [
        ("secret", "secret"),
        ("secret\n", "secret"),
        ("secret\r\n", "secret"),
        (" secret \n\n", " secret \n"),
    ] {
        let read = KeyFile::new("good", content, 0o600).read().unwrap();
        assert_eq!(*read, *key.as_bytes());
        assert_eq!(read, AuthenticationString::new(key));
    }
    KeyFile::new("read-only", "x", 0o400).read().unwrap();
    let error = KeyFile::new("empty", "\n", 0o600).read().unwrap_err();
    assert!(matches!(error, Error::Value(_)), "{error:?}");
    let error = AuthenticationString::from_file("/no/such/file").unwrap_err();
    assert!(format!("{error:?}").starts_with("FileNotFoundError"));
}

#[test]
fn a_file_that_others_can_use_is_refused() {
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601, 0o777] {
        let file = KeyFile::new("bad", "secret", mode);
        let error = file.read().unwrap_err();
        assert!(matches!(error, Error::Permission(_)), "{error:?}");
        let text = format!("{error:?}");
        let advice = format!("`chmod 600 '{}'`", file.0.display());
        assert!(
            text.starts_with("PermissionError: ") && text.contains(&advice),
            "{text}"
        );
        assert!(text.contains(&format!("whose mode is {mode:o}")), "{text}");
        assert!(!text.contains("secret"));
    }
}

#[test]
fn the_environment() {
    let file = KeyFile::new("env", "in a file\n", 0o600);
    let path = file.0.to_str().unwrap();
    let own = ("HILOS_AUTHKEY", "in the environment");
    let named = ("HILOS_AUTHKEY_FILE", path);
    for (variables, expected) in [
        (&[own][..], "b\"in the environment\""),
        (&[named], "b\"in a file\""),
        (&[own, named], "b\"in the environment\""),
        (
            &[("HILOS_AUTHKEY", "")],
            "ValueError: the key in HILOS_AUTHKEY is empty",
        ),
        (
            &[],
            "ValueError: neither HILOS_AUTHKEY nor HILOS_AUTHKEY_FILE is set",
        ),
    ] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .env_remove("HILOS_AUTHKEY")
            .env_remove("HILOS_AUTHKEY_FILE");
        command.envs(variables.iter().copied());
        let mut program = Program::run_test(command, "authkey::with_environment", &[]);
        assert_eq!(program.line(), expected);
    }
}

#[test]
#[ignore = "a program"]
fn with_environment() {
    let Some(_) = args() else { return };
    match AuthenticationString::from_env() {
        Ok(key) => say(&format!("b\"{}\"", key.escape_ascii())),
        Err(error) => say(&format!("{error:?}")),
    }
}

#[test]
fn nothing_prints_a_key() {
    fn child(connection: Connection) -> Result<(), Error> {
        let me = current_process();
        assert_eq!(me.authkey(), b"secret");
        connection.send(&format!("{me:?} {me:#?} {me}"))
    }
    let key = AuthenticationString::new("secret");
    let (ours, theirs) = pipe(true).unwrap();
    let process = Process::new(child, (theirs,));
    process.set_authkey(key.to_vec());
    process.start().unwrap();
    let of_child: String = ours.recv_timeout(LONG).unwrap();
    let listener = Listener::new(None).unwrap().with_authkey(&key);
    let manager = SyncManager::new().with_authkey(&key);
    let server = BaseManager::new().with_authkey(&key).get_server().unwrap();
    let texts = [
        format!("{key:?} {key:#?}"),
        format!("{listener:?} {manager:?} {server:?} {process:?}"),
        of_child,
    ];
    for text in texts {
        // In whatever form: as it is, and as the numbers of its bytes.
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        assert!(
            !text.contains("secret") && !digits.contains("115101"),
            "{text}"
        );
    }
    process.join(LONG).unwrap();
    assert_eq!(process.result(), Some(Ok(())));
}

#[test]
fn whoever_calls_is_told_no_key() {
    let key = b"of this manager alone";
    let manager = SyncManager::new().with_authkey(key);
    manager.start().unwrap();
    let proxy = manager.dict().unwrap();
    for family in [Family::Unix, Family::Inet] {
        let listener = Listener::new(Address::arbitrary(family).unwrap()).unwrap();
        let caller = client(listener.address().clone(), None).unwrap();
        let accepted = listener.accept().unwrap();
        for (from, to) in [(&caller, &accepted), (&accepted, &caller)] {
            from.send(&proxy).unwrap();
            let message = to.recv_bytes().unwrap();
            assert!(message.windows(4).any(|bytes| bytes == b"dict"));
            assert!(
                !message.windows(key.len()).any(|bytes| bytes == key),
                "{family:?}"
            );
        }
    }
    // The program's own processes need it.
    let (ours, theirs) = pipe(true).unwrap();
    ours.send(&proxy).unwrap();
    let again: DictProxy = theirs.recv().unwrap();
    again.insert("a", 1).unwrap();
    assert_eq!(proxy.len().unwrap(), 1);
}
