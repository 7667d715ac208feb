//! What this process knows of itself and of its parent.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use hilos_core::time::{Deadline, Timeout};
use serde::{Deserialize, Serialize};

use crate::authkey::AuthenticationString;
use crate::sys::pidfd::hung_up;

/// What a process is told about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) daemon: bool,
    #[serde(with = "crate::authkey::to_child")]
    pub(crate) authkey: AuthenticationString,
    pub(crate) parent_pid: u32,
    pub(crate) parent_name: String,
    /// The numbers that lead to it: `[1, 2]` is the second child of the first child.
    pub(crate) path: Vec<u32>,
}

/// This process, as [`current_process`] returns it.
#[derive(Clone, Debug)]
pub struct CurrentProcess {
    identity: Option<Identity>,
}

/// The process that started this one, as [`parent_process`] returns it.
#[derive(Clone, Debug)]
pub struct ParentProcess {
    name: String,
    pid: u32,
    socket: Arc<OwnedFd>,
}

struct State {
    /// `None` in a process that hilos did not start.
    identity: Option<(Identity, Arc<OwnedFd>)>,
    authkey: Option<AuthenticationString>,
    /// How many children were made.
    children: u32,
}

static STATE: Mutex<State> = Mutex::new(State {
    identity: None,
    authkey: None,
    children: 0,
});

fn with_state<R>(f: impl FnOnce(&mut State) -> R) -> R {
    f(&mut STATE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Makes this process the child that its parent has described.
pub(crate) fn become_child(identity: Identity, socket: Arc<OwnedFd>) {
    with_state(|state| {
        let authkey = Some(identity.authkey.clone());
        *state = State {
            identity: Some((identity, socket)),
            authkey,
            children: 0,
        };
    });
}

/// The next child's path.
pub(crate) fn next_path() -> Vec<u32> {
    with_state(|state| {
        state.children += 1;
        let mine = state
            .identity
            .as_ref()
            .map_or(&[][..], |(identity, _)| &identity.path);
        [mine, &[state.children]].concat()
    })
}

/// The secret that this process's children inherit; made when it is first asked for.
pub(crate) fn authkey() -> AuthenticationString {
    with_state(|state| state.authkey.get_or_insert_with(random_key).clone())
}

fn random_key() -> AuthenticationString {
    AuthenticationString::new(random_bytes::<32>())
}

/// Bytes that nobody can guess.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    use std::io::Read;
    let mut bytes = [0; N];
    let random =
        std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    // A guessable key would be worse than none.
    random.expect("the system has a source of random bytes");
    bytes
}

/// This process.
pub fn current_process() -> CurrentProcess {
    let identity = with_state(|state| {
        state
            .identity
            .as_ref()
            .map(|(identity, _)| identity.clone())
    });
    CurrentProcess { identity }
}

/// The process that started this one; `None` if hilos did not start it.
pub fn parent_process() -> Option<ParentProcess> {
    with_state(|state| {
        let (identity, socket) = state.identity.as_ref()?;
        let (name, pid) = (identity.parent_name.clone(), identity.parent_pid);
        Some(ParentProcess {
            name,
            pid,
            socket: socket.clone(),
        })
    })
}

impl CurrentProcess {
    /// The process's name: `MainProcess` if hilos did not start it.
    pub fn name(&self) -> &str {
        self.identity
            .as_ref()
            .map_or("MainProcess", |identity| &identity.name)
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Whether its parent does not wait for it.
    pub fn daemon(&self) -> bool {
        self.identity
            .as_ref()
            .is_some_and(|identity| identity.daemon)
    }

    /// The secret that it shares with its children.
    pub fn authkey(&self) -> Vec<u8> {
        authkey().to_vec()
    }
}

impl fmt::Display for CurrentProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.identity {
            None => f.write_str("<_MainProcess name='MainProcess' parent=None started>"),
            Some(Identity {
                name,
                parent_pid,
                daemon,
                ..
            }) => {
                let daemon = if *daemon { " daemon" } else { "" };
                write!(
                    f,
                    "<Process name='{name}' parent={parent_pid} started{daemon}>"
                )
            }
        }
    }
}

impl ParentProcess {
    /// The parent's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parent's number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the parent runs.
    pub fn is_alive(&self) -> bool {
        !hung_up(self.socket.as_fd(), Deadline::PAST)
    }

    /// Waits until the parent has ended; `false` when `timeout` has passed before.
    ///
    /// A process ends with its parent, so that it sees the end only by chance.
    pub fn join<T: Into<Timeout>>(&self, timeout: T) -> bool {
        hung_up(self.socket.as_fd(), timeout.into().deadline())
    }
}

impl fmt::Display for ParentProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, pid, .. } = self;
        let state = if self.is_alive() {
            "unknown"
        } else {
            "stopped"
        };
        write!(
            f,
            "<_ParentProcess name='{name}' parent=None pid={pid} {state}>"
        )
    }
}
