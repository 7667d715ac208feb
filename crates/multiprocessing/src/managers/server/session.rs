//! What a server does for a client that calls methods: request and reply, until the client hangs up.

use std::sync::Arc;

use hilos_core::panic::{Unwound, catch};
use hilos_pickle::Object;

use super::Shared;
use super::held::Held;
use super::home::Home;
use super::line::{self, Line};
use crate::error::Error;
use crate::managers::args::Args;
use crate::managers::change;
use crate::managers::exception::Exception;
use crate::managers::message::{Reply, Request, decode};
use crate::managers::referent::{Answer, Referent};
use crate::managers::token::Token;

/// Serves the proxies of one thread of a client's.
pub(super) fn serve(shared: &Shared, line: &Line, client: Option<u64>) -> Result<(), Error> {
    let mut held = Held::new(shared);
    let mut carried = Carried::new(&shared.home);
    while !shared.stop.is_set() {
        let bytes = match line.recv() {
            // Python's unpickler finds the end of its input in it, and takes that for a farewell.
            Ok(bytes) if bytes.is_empty() => return Ok(()),
            Ok(bytes) => bytes,
            Err(Error::Eof) => return Ok(()),
            Err(error) => return Err(error),
        };
        // Whoever asks for more has unpickled what he got.
        carried.take(Vec::new());
        let reply = match understand(shared, &bytes) {
            Ok(message) => match shared.home.objects.get(message.request.ident()) {
                Ok(referent) => {
                    let reply = reply(shared, &message, &referent, client, line);
                    held.note(&referent, &message.request, &reply);
                    reply
                }
                Err(exception) => Reply::Traceback(exception.traceback()),
            },
            Err(text) => Reply::Traceback(text),
        };
        let bytes = line::encode(&reply)?;
        if let Reply::Return(value) | Reply::Error(value) = &reply {
            carried.take(shared.home.objects.mentioned(&bytes, || value.clone()));
        }
        if held.has_news() && line.is_over() {
            return Ok(());
        }
        line.send_bytes(&bytes)?;
        held.told();
    }
    Ok(())
}

/// The objects whose proxies are on their way to a client, which has no reference to them yet.
pub(super) struct Carried<'a> {
    home: &'a Home,
    idents: Vec<String>,
}

impl<'a> Carried<'a> {
    fn new(home: &'a Home) -> Self {
        let idents = Vec::new();
        Self { home, idents }
    }

    /// Keeps these objects, and those before no longer.
    fn take(&mut self, idents: Vec<String>) {
        if idents.is_empty() && self.idents.is_empty() {
            return;
        }
        self.home.objects.carry(&idents);
        self.home
            .objects
            .deliver(&std::mem::replace(&mut self.idents, idents));
    }
}

impl Drop for Carried<'_> {
    fn drop(&mut self) {
        self.take(Vec::new());
    }
}

/// A request, and the objects of this server whose proxies are among its arguments.
pub(super) struct Message {
    pub(super) request: Request,
    mentioned: Vec<String>,
}

/// The request that a message holds, or what CPython says of a message that holds none.
pub(super) fn understand(shared: &Shared, bytes: &[u8]) -> Result<Message, String> {
    let request: Request = decode(bytes)
        .map_err(|error| format!("Traceback (most recent call last):\n{error:?}\n"))?;
    let objects = &shared.home.objects;
    let arguments = || (request.args.clone(), request.kwds.clone()).into();
    let mentioned = objects.mentioned(bytes, arguments);
    // Another object may come to hold them.
    let nested = objects.nest(&mentioned);
    nested.map_err(|exception| exception.traceback())?;
    Ok(Message { request, mentioned })
}

impl Message {
    /// The arguments, for an object that may keep them; they are there until it has done so.
    pub(super) fn hand_over<'a>(
        &self,
        shared: &'a Shared,
        referent: &Arc<dyn Referent>,
    ) -> Carried<'a> {
        if !self.mentioned.is_empty() && referent.contents().is_none() {
            shared.home.objects.keep(&self.mentioned);
        }
        // A queue that is full takes its time.
        let mut carried = Carried::new(&shared.home);
        carried.take(self.mentioned.clone());
        carried
    }
}

fn reply(
    shared: &Shared,
    message: &Message,
    referent: &Arc<dyn Referent>,
    client: Option<u64>,
    line: &Line,
) -> Reply {
    let (request, method) = (&message.request, message.request.method());
    let args = Args::new(&request.args, &request.kwds, &shared.home).brought_by(line);
    if !referent.exposed().contains(&method) {
        return unexposed(referent, method, &args);
    }
    let _arguments = message.hand_over(shared, referent);
    match guarded(|| referent.call(method, &args)) {
        Ok(Answer::Value(value)) => Reply::Return(value),
        Ok(Answer::Shared(typeid, referent)) => {
            let reply = proxy(shared, typeid, referent);
            if let Reply::Proxy { token, .. } = &reply {
                shared.clients.count(client, &token.id, 1);
            }
            reply
        }
        Err(exception) => Reply::Error(exception.into()),
    }
}

/// Shares what a method has returned; the client has a reference to it.
fn proxy(shared: &Shared, typeid: String, referent: Arc<dyn Referent>) -> Reply {
    let exposed = referent.exposed().iter().map(|&name| name.into()).collect();
    let ident = shared.home.objects.add(referent);
    let token = Token::new(typeid, shared.listener.address().clone(), ident);
    Reply::Proxy { exposed, token }
}

/// What works with every object, or every one that has places, exposed or not.
fn unexposed(referent: &Arc<dyn Referent>, method: &str, args: &Args<'_>) -> Reply {
    let places = change::places(&**referent);
    let result = match method {
        change::INCR if let Some(places) = places => return changed(|| change::incr(places, args)),
        change::UPDATE if let Some(places) = places => {
            return changed(|| change::update(places, args));
        }
        "__str__" | "__repr__" => guarded(|| Ok(Object::from(referent.repr()))),
        "#GETVALUE" => guarded(|| referent.value()),
        other => return Reply::Traceback(refused(referent, other)),
    };
    match result {
        Ok(value) => Reply::Return(value),
        // CPython returns the object and fails to pickle it.
        Err(exception) => Reply::Unserializable(exception.traceback()),
    }
}

fn changed(change: impl FnOnce() -> Result<Object, Exception>) -> Reply {
    match guarded(change) {
        Ok(value) => Reply::Return(value),
        Err(exception) => Reply::Error(exception.into()),
    }
}

fn refused(referent: &Arc<dyn Referent>, method: &str) -> String {
    let (class, method) = (referent.type_name(), Object::from(method));
    let exposed: Vec<String> = referent
        .exposed()
        .iter()
        .map(|name| format!("'{name}'"))
        .collect();
    let text = format!(
        "method {method:?} of <class '{class}'> object is not in exposed={{{}}}",
        exposed.join(", ")
    );
    let first = Exception::new("AttributeError", text).traceback();
    let second = Exception::new("KeyError", method).traceback();
    format!(
        "{first}\nDuring handling of the above exception, another exception occurred:\n\n{second}"
    )
}

/// Calls code of the user's: a panic is an exception like others.
pub(super) fn guarded<R>(f: impl FnOnce() -> Result<R, Exception>) -> Result<R, Exception> {
    match catch(f) {
        Ok(result) => result,
        Err(Unwound::Panic(panic)) => Err(Exception::runtime_error(panic)),
        Err(Unwound::Exit) => Err(Exception::new("SystemExit", ())),
    }
}
