//! What a server does for a new connection: one function of its own.

use hilos_pickle::{Object, Tuple};

use super::Shared;
use super::line::Line;
use super::session::{self, Message};
use crate::error::Error;
use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::message::Reply;
use crate::managers::token::Token;

/// Reads one request, replies, and goes on if the request was to.
pub(super) fn serve(shared: &Shared, line: &Line, client: Option<u64>) -> Result<(), Error> {
    let bytes = line.recv()?;
    let message = match session::understand(shared, &bytes) {
        Ok(message) => message,
        Err(error) => return line.send(&Reply::Traceback(error)),
    };
    let reply = match call(shared, &message, client) {
        Ok(value) => Reply::Return(value),
        Err(exception) => Reply::Traceback(exception.traceback()),
    };
    line.send(&reply)?;
    match (message.request.method(), &reply) {
        ("accept_connection", Reply::Return(_)) => session::serve(shared, line, client),
        ("shutdown", Reply::Return(_)) => {
            shared.stop();
            Ok(())
        }
        _ => Ok(()),
    }
}

fn call(shared: &Shared, message: &Message, client: Option<u64>) -> Result<Object, Exception> {
    let request = &message.request;
    let args = Args::new(&request.args, &request.kwds, &shared.home);
    match request.method() {
        "create" => create(shared, message, client),
        "incref" => {
            let ident = ident(&args, "incref")?;
            shared.home.objects.incref(ident)?;
            shared.clients.count(client, ident, 1);
            Ok(Object::None)
        }
        "decref" => {
            let ident = ident(&args, "decref")?;
            shared.home.objects.decref(ident)?;
            shared.clients.count(client, ident, -1);
            Ok(Object::None)
        }
        "get_methods" => {
            let [token] = args.bind("Server.get_methods", ["token"], 1)?;
            let token = Token::try_from(&token.unwrap_or(Object::None))?;
            let referent = shared.home.objects.get(&token.id)?;
            Ok(names(referent.exposed()))
        }
        "accept_connection" => args
            .bind("Server.accept_connection", ["name"], 1)
            .map(|_| Object::None),
        function @ ("debug_info" | "dummy" | "number_of_objects" | "shutdown") => {
            args.bind(&format!("Server.{function}"), [], 0)?;
            Ok(match function {
                "debug_info" => shared.home.objects.debug_info().into(),
                "number_of_objects" => shared.home.objects.len().into(),
                _ => Object::None,
            })
        }
        other => {
            let text = format!("{:?} unrecognized", Object::from(other));
            Err(Exception::new("AssertionError", text))
        }
    }
}

fn ident<'a>(args: &'a Args<'_>, function: &str) -> Result<&'a str, Exception> {
    args.bind(&format!("Server.{function}"), ["ident"], 1)?;
    match args.positional() {
        [ident] => Ok(ident.try_into()?),
        _ => Err(Exception::type_error("the ident is given by place")),
    }
}

/// Makes an object, which the caller has a reference to.
fn create(shared: &Shared, message: &Message, client: Option<u64>) -> Result<Object, Exception> {
    let request = &message.request;
    let Some((typeid, rest)) = request.args.split_first() else {
        let text = "Server.create() missing 1 required positional argument: 'typeid'";
        return Err(Exception::type_error(text));
    };
    let make = shared.home.registry.read().factory(typeid.try_into()?)?;
    let rest = rest.iter().cloned().collect();
    let args = Args::new(&rest, &request.kwds, &shared.home);
    let referent = session::guarded(|| make(&args))?;
    let _arguments = message.hand_over(shared, &referent);
    let exposed = names(referent.exposed());
    let ident = shared.home.objects.add(referent);
    shared.clients.count(client, &ident, 1);
    Ok((ident, exposed).into())
}

pub(super) fn names(exposed: &[&str]) -> Object {
    Tuple::from_iter(exposed.iter().map(|name| Object::from(*name))).into()
}
