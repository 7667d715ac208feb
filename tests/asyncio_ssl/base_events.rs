//! `test_base_events.py`: what encrypted connections are told, and what makes no sense without.

use hilos::asyncio::{self, Protocol, get_running_loop};

use crate::certificates::{believing, showing};
use crate::parties::echo_server;
use crate::support::{fails, port, run};

struct Nothing;
impl Protocol for Nothing {}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_ssl_server_hostname_default
#[test]
fn the_host_is_the_name_that_the_server_has_to_show() {
    run(async {
        let server = echo_server("server").await?;
        let port = port(&server);
        let event_loop = get_running_loop()?;
        let here = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        event_loop.set_resolver(async move |_, _, _| Ok(vec![here]));
        let create = |host| {
            let create = event_loop.create_connection(|| Nothing, host, port);
            create.with_ssl(&believing())
        };
        // The certificate is that of localhost.
        create("localhost").await?.0.close();
        create("python.org")
            .with_server_hostname("localhost")
            .await?
            .0
            .close();
        fails(
            create("python.org").await.map(drop),
            "SSLCertVerificationError",
        );
        let other = create("localhost").with_server_hostname("perl.com").await;
        fails(other.map(drop), "SSLCertVerificationError");
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_ssl_server_hostname_errors
#[test]
fn without_a_host_there_must_be_a_name() {
    run(async {
        let event_loop = get_running_loop()?;
        let create = event_loop.create_connection(|| Nothing, "", 80);
        let message = fails(create.with_ssl(&believing()).await.map(drop), "ValueError");
        let expected = "You must set server_hostname when using ssl without a host";
        assert_eq!(message, expected);
        let (ours, _theirs) = std::os::unix::net::UnixStream::pair()?;
        let create = event_loop.create_connection_over(|| Nothing, ours);
        let message = fails(create.with_ssl(&believing()).await.map(drop), "ValueError");
        assert_eq!(message, expected);
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_no_ssl_server_hostname_errors
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_ssl_timeout_for_plain_socket
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_ssl_timeout_for_plain_socket
#[test]
fn names_and_timeouts_of_handshakes_need_encryption() {
    run(async {
        let event_loop = get_running_loop()?;
        let create = || event_loop.create_connection(|| Nothing, "example.invalid", 80);
        for name in ["", "python.org"] {
            let create = create().with_server_hostname(name);
            let message = fails(create.await.map(drop), "ValueError");
            assert_eq!(message, "server_hostname is only meaningful with ssl");
        }
        let handshake = "ssl_handshake_timeout is only meaningful with ssl";
        let shutdown = "ssl_shutdown_timeout is only meaningful with ssl";
        let created = create().with_ssl_handshake_timeout(1.0).await.map(drop);
        assert_eq!(fails(created, "ValueError"), handshake);
        let created = create().with_ssl_shutdown_timeout(1.0).await.map(drop);
        assert_eq!(fails(created, "ValueError"), shutdown);
        let serve = || event_loop.create_server(|| Nothing, "example.invalid", 80);
        let served = serve().with_ssl_handshake_timeout(1.0).await;
        assert_eq!(fails(served, "ValueError"), handshake);
        let served = serve().with_ssl_shutdown_timeout(1.0).await;
        assert_eq!(fails(served, "ValueError"), shutdown);
        // With encryption they are what they say.
        let server = asyncio::start_server(async |_, _| Ok(()), "127.0.0.1", 0);
        let server = server.with_ssl(&showing("server"));
        server.with_ssl_handshake_timeout(1.0).await?.close();
        Ok(())
    });
}
