//! What is left of a connection that is over: nothing.

use std::rc::Rc;

use hilos::asyncio::{self, Protocol};

use crate::certificates::believing;
use crate::parties::{Recorder, echo_server, is_dropped};
use crate::support::{port, run};

// cpython: test_asyncio/test_ssl.py::TestSSL::test_create_connection_memory_leak
// cpython: test_asyncio/test_sslproto.py::BaseStartTLS::test_create_connection_memory_leak
// cpython: test_asyncio/test_ssl.py::TestSSL::test_shutdown_timeout_handler_leak
#[test]
fn a_connection_that_is_over_is_forgotten() {
    run(async {
        let server = echo_server("server").await?;
        let at = port(&server);
        let event_loop = asyncio::get_running_loop()?;
        let create = |protocol: &Rc<Recorder>| {
            let told = protocol.clone();
            let create = event_loop.create_connection(move || told, "127.0.0.1", at);
            create.with_ssl(&believing())
        };
        // The protocol keeps its transport, which keeps the protocol.
        for ends in ["close", "abort", "server"] {
            let protocol = Recorder::new();
            let (transport, again) = create(&protocol).await?;
            transport.write(b"x")?;
            protocol.has(b"x").await?;
            match ends {
                "close" => transport.close(),
                "abort" => transport.abort(),
                _ => server.close_clients(),
            }
            assert_eq!(protocol.is_lost().await?, None);
            let weak = Rc::downgrade(&protocol);
            drop((transport, again, protocol));
            is_dropped(&weak).await?;
        }
        server.close();
        server.wait_closed().await
    });
}

#[test]
fn a_loop_that_is_closed_forgets_its_connections() {
    let event_loop = asyncio::new_event_loop();
    let weak = event_loop
        .run_until_complete(async {
            let server = echo_server("server").await?;
            let protocol = Recorder::new();
            let weak = Rc::downgrade(&protocol);
            let event_loop = asyncio::get_running_loop()?;
            let at = port(&server);
            let create = event_loop.create_connection(move || protocol, "127.0.0.1", at);
            create.with_ssl(&believing()).await?;
            Ok(weak)
        })
        .unwrap();
    assert!(weak.upgrade().is_some());
    event_loop.close().unwrap();
    assert!(weak.upgrade().is_none());
}

// cpython: test_asyncio/test_sslproto.py::SslProtoHandshakeTests::test_get_extra_info_on_closed_connection
// cpython: test_asyncio/test_sslproto.py::SslProtoHandshakeTests::test_set_new_app_protocol
#[test]
fn a_closed_connection_knows_nothing_of_its_socket() {
    run(async {
        let server = echo_server("server").await?;
        let event_loop = asyncio::get_running_loop()?;
        let first = Recorder::new();
        let told = first.clone();
        let create = event_loop.create_connection(move || told, "127.0.0.1", port(&server));
        let (transport, _) = create.with_ssl(&believing()).await?;
        assert!(transport.get_extra_info("socket").is_some());
        let second = Recorder::new();
        let new: Rc<dyn Protocol> = second.clone();
        transport.set_protocol(new.clone());
        let now = transport.get_protocol().unwrap();
        assert!(std::ptr::addr_eq(Rc::as_ptr(&now), Rc::as_ptr(&new)));
        transport.write(b"x")?;
        second.has(b"x").await?;
        transport.close();
        assert!(transport.is_closing());
        // It is lost with the connection.
        transport.write(b"y")?;
        assert_eq!(second.is_lost().await?, None);
        assert_eq!(
            (first.data.borrow().len(), &*first.lost.borrow()),
            (0, &None)
        );
        assert!(transport.get_extra_info("socket").is_none());
        assert!(transport.get_protocol().is_none());
        server.close();
        Ok(())
    });
}
