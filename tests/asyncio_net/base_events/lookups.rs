//! Names that are looked up, and addresses that are not.

use std::net::SocketAddr;

use hilos::asyncio::{AddressFamily, get_running_loop, open_connection, start_server};

use super::{Datagrams, Nothing, close, socket_of};
use crate::addresses::{has_ipv6, resolve_to};
use crate::support::{fails, port, run};

/// Fails the test if the loop has to look a name up.
fn forbid_lookups() {
    let event_loop = get_running_loop().unwrap();
    event_loop.set_resolver(async |_, _, _| panic!("an address needs no lookup"));
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_no_getaddrinfo
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_no_local_addr
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_empty_host
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_no_getaddrinfo
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_no_addrinfo
#[test]
fn a_name_that_stands_for_nothing_is_an_error() {
    run(async {
        let event_loop = get_running_loop()?;
        resolve_to([]);
        let create = event_loop.create_connection(|| Nothing, "example.com", 80);
        let message = fails(create.await.map(drop), "OSError");
        assert_eq!(message, "getaddrinfo() returned empty list");
        let local = event_loop.create_connection(|| Nothing, "127.0.0.1", 80);
        let local = local.with_local_addr("", 8080).await.map(drop);
        let message = fails(local, "OSError");
        assert_eq!(message, "getaddrinfo() returned empty list");
        let server = event_loop.create_server(|| Nothing, "python.org", 0).await;
        let message = fails(server, "OSError");
        assert_eq!(message, "getaddrinfo('python.org') returned empty list");
        let server = event_loop.create_server(|| Nothing, "", 0).await;
        let message = fails(server, "OSError");
        assert_eq!(message, "getaddrinfo(None) returned empty list");
        let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
        let endpoint = endpoint.with_local_addr("localhost", 0).await.map(drop);
        let message = fails(endpoint, "OSError");
        assert_eq!(message, "getaddrinfo() returned empty list");
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_ip_addr
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_ip_addr
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_server_ipv6
#[test]
fn an_address_is_not_looked_up() {
    run(async {
        forbid_lookups();
        let hosts = match has_ipv6() {
            true => ["127.0.0.1", "::1"].as_slice(),
            false => &["127.0.0.1"],
        };
        for host in hosts {
            let server = start_server(close, *host, 0).await?;
            assert!(!server.sockets().is_empty());
            let (_, writer) = open_connection(host, port(&server)).await?;
            let peername = writer.get_extra_info("peername").unwrap();
            let peername = peername.as_address().unwrap().as_inet().unwrap();
            assert_eq!(peername, SocketAddr::new(host.parse()?, port(&server)));
            writer.close();
            server.close();
            server.wait_closed().await?;
            let event_loop = get_running_loop()?;
            let endpoint = event_loop.create_datagram_endpoint(Datagrams::new);
            let endpoint = endpoint.with_local_addr(host, 0).with_reuse_port(true);
            let (transport, _) = endpoint.await?;
            let bound = socket_of(&transport).getsockname()?.as_inet().unwrap();
            assert_eq!(bound.ip().to_string(), *host);
            transport.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_ipv6_scope
#[test]
fn an_address_may_say_on_which_link_it_is() {
    if !has_ipv6() {
        return;
    }
    run(async {
        let event_loop = get_running_loop()?;
        let found = event_loop
            .getaddrinfo("fe80::1%1", 80, AddressFamily::Unspec)
            .await?;
        let [SocketAddr::V6(found)] = found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(found.ip().to_string(), "fe80::1");
        assert_eq!((found.port(), found.scope_id()), (80, 1));
        let server = start_server(close, "::1", 0).await?;
        let (reader, writer) = open_connection("::1%1", port(&server)).await?;
        assert_eq!(reader.read_to_end().await?, b"");
        writer.close();
        server.close();
        Ok(())
    });
}
