//! Encrypted connections and servers as a loop makes them.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::rc::Rc;

use hilos::asyncio::ssl::{CERT_NONE, SslContext};
use hilos::asyncio::{self, EventLoop, Result, Server, Transport};

use crate::certificates::{believing, file, showing};
use crate::parties::Recorder;
use crate::support::{SocketPath, fails, port, run, until};

/// A context for a client that believes anybody.
fn trusting() -> SslContext {
    SslContext::new().with_verify_mode(CERT_NONE)
}

/// A context for a client that believes somebody else.
fn suspicious() -> SslContext {
    let other = SslContext::new().with_cafile(file("alone.pem"));
    other.expect("a certificate")
}

/// Where a server is.
enum Place {
    Port(u16),
    Path(PathBuf),
}

/// A server of one protocol at `path` or at a port, and where it is.
async fn serve(path: Option<&SocketPath>) -> Result<(Server, Rc<Recorder>, Place)> {
    let event_loop = asyncio::get_running_loop()?;
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let factory = move || protocol.clone();
    let (create, place) = match path {
        None => (event_loop.create_server(factory, "127.0.0.1", 0), None),
        Some(path) => {
            let at = path.path().to_owned();
            (event_loop.create_unix_server(factory, &at), Some(at))
        }
    };
    let server = create.with_ssl(&showing("server")).await?;
    let place = place.map_or_else(|| Place::Port(port(&server)), Place::Path);
    Ok((server, recorder, place))
}

/// A client of the server that is at `place`, which it expects to be `name`.
async fn connect(
    place: &Place,
    context: &SslContext,
    name: &str,
) -> Result<(Transport, Rc<Recorder>)> {
    let event_loop: EventLoop = asyncio::get_running_loop()?;
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let factory = move || protocol;
    let create = match place {
        Place::Port(port) => event_loop.create_connection(factory, "127.0.0.1", *port),
        Place::Path(path) => event_loop.create_unix_connection(factory, path),
    };
    let create = create.with_ssl(context).with_server_hostname(name);
    Ok((create.await?.0, recorder))
}

/// Checks what is known of an encrypted connection.
fn check_extra_info(transport: &Transport) {
    for name in ["sockname", "peername", "cipher", "version", "socket"] {
        assert!(transport.get_extra_info(name).is_some(), "{name}");
    }
    assert!(transport.to_string().starts_with("<_SSLProtocolTransport "));
}

/// A client that believes anybody, and one that believes somebody else, talk to a server.
async fn a_client_talks(path: Option<SocketPath>) -> Result<()> {
    let (server, serving, place) = serve(path.as_ref()).await?;
    let refused = connect(&place, &suspicious(), "localhost").await.map(drop);
    let message = fails(refused, "SSLCertVerificationError");
    assert!(
        message.starts_with("[SSL: CERTIFICATE_VERIFY_FAILED] "),
        "{message}"
    );
    assert_eq!(serving.made.get(), 0);

    let (transport, client) = connect(&place, &trusting(), "").await?;
    check_extra_info(&transport);
    transport.write(b"xxx")?;
    serving.has(b"xxx").await?;
    check_extra_info(&serving.transport());
    serving.transport().write(b"answer")?;
    serving.transport().close();
    assert_eq!(serving.is_lost().await?, None);
    client.has(b"answer").await?;
    assert_eq!(client.is_lost().await?, None);
    transport.close();
    server.close();
    Ok(())
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_ssl_connection
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_ssl
#[test]
fn a_connection_is_encrypted() {
    run(async { a_client_talks(None).await });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_ssl_unix_connection
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_server_ssl
#[test]
fn a_connection_to_a_path_is_encrypted() {
    run(async { a_client_talks(Some(SocketPath::new("ssl-events"))).await });
}

/// A client that does not believe the server hangs up, and no protocol hears of it.
async fn a_client_is_suspicious(path: Option<SocketPath>) -> Result<()> {
    let (server, serving, place) = serve(path.as_ref()).await?;
    let refused = connect(&place, &suspicious(), "localhost").await.map(drop);
    let message = fails(refused, "SSLCertVerificationError");
    assert!(message.contains("certificate verify failed"), "{message}");
    // The server has heard of it, too, before somebody else is served.
    let (transport, _) = connect(&place, &believing(), "localhost").await?;
    until(|| serving.made.get() > 0).await?;
    assert_eq!((serving.made.get(), serving.ended.get()), (1, 0));
    transport.abort();
    server.close();
    Ok(())
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_ssl_verify_failed
#[test]
fn a_server_that_is_not_believed_has_no_connection() {
    run(async { a_client_is_suspicious(None).await });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_server_ssl_verify_failed
#[test]
fn a_server_on_a_path_that_is_not_believed_has_no_connection() {
    run(async { a_client_is_suspicious(Some(SocketPath::new("ssl-suspicious"))).await });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_ssl_match_failed
#[test]
fn a_server_must_have_the_name_or_number_it_is_called_by() {
    run(async {
        let (server, serving, place) = serve(None).await?;
        let prefix = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: ";
        for (name, kind) in [("127.0.0.2", "IP address"), ("example.org", "Hostname")] {
            let refused = connect(&place, &believing(), name).await.map(drop);
            let message = fails(refused, "SSLCertVerificationError");
            let why = format!("{kind} mismatch, certificate is not valid for '{name}'.");
            assert_eq!(message, format!("{prefix}{why}"));
        }
        assert_eq!(serving.made.get(), 0);
        server.close();
        Ok(())
    });
}

/// A client that knows the server's authority and name is let in.
async fn a_client_believes(path: Option<SocketPath>) -> Result<()> {
    let (server, serving, place) = serve(path.as_ref()).await?;
    let (transport, client) = connect(&place, &believing(), "localhost").await?;
    until(|| serving.made.get() == 1).await?;
    check_extra_info(&transport);
    serving.transport().close();
    transport.close();
    server.close();
    assert_eq!(client.is_lost().await?, None);
    assert_eq!(serving.is_lost().await?, None);
    server.wait_closed().await
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_server_ssl_verified
#[test]
fn a_server_that_is_believed_has_a_connection() {
    run(async { a_client_believes(None).await });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_server_ssl_verified
#[test]
fn a_server_on_a_path_that_is_believed_has_a_connection() {
    run(async { a_client_believes(Some(SocketPath::new("ssl-believed"))).await });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_ssl_connect_accepted_socket
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_connect_accepted_socket_ssl_timeout_for_plain_socket
#[test]
fn an_accepted_socket_is_encrypted_if_it_is_told_to() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let place = Place::Port(listener.local_addr()?.port());
        let talk = async move {
            let (transport, client) = connect(&place, &trusting(), "").await?;
            transport.write(b"test data")?;
            client.has(b"roger").await?;
            transport.close();
            client.is_lost().await
        };
        let talking = asyncio::create_task(talk);
        let (accepted, _) = asyncio::try_to_thread(move || listener.accept()).await?;
        let serving = Recorder::new();
        let protocol = serving.clone();
        let accept = event_loop.connect_accepted_socket(move || protocol, accepted);
        let (transport, _) = accept.with_ssl(&showing("server")).await?;
        serving.has(b"test data").await?;
        transport.write(b"roger")?;
        assert_eq!(talking.await?, None);
        assert_eq!(serving.is_lost().await?, None);

        let listener = TcpListener::bind("127.0.0.1:0")?;
        let plain = TcpStream::connect(listener.local_addr()?)?;
        let accept = event_loop.connect_accepted_socket(Recorder::new, plain);
        let accept = accept.with_ssl_handshake_timeout(1.0).await.map(drop);
        let message = "ssl_handshake_timeout is only meaningful with ssl";
        assert_eq!(fails(accept, "ValueError"), message);
        Ok(())
    });
}
