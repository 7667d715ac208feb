//! Connections whose addresses are tried in turn, and what their sockets are set to.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};

use hilos::asyncio::{self, StreamWriter, get_running_loop, open_connection, start_server};
use nix::sys::socket::{getsockopt, sockopt};

use super::{Nothing, close};
use crate::addresses::{Refusing, Silent, resolve_to};
use crate::support::{fails, port, run};

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_multiple_errors
// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_multiple
#[test]
fn each_address_is_tried() {
    run(async {
        let refusing = [Refusing::new("127.0.0.1"), Refusing::new("127.0.0.2")];
        resolve_to(refusing.each_ref().map(|refusing| refusing.address));
        let event_loop = get_running_loop()?;
        let create = || event_loop.create_connection(|| Nothing, "example.com", 80);
        let messages = refusing.each_ref().map(Refusing::message);
        let message = fails(create().await.map(drop), "OSError");
        assert_eq!(
            message,
            format!("Multiple exceptions: {}", messages.join(", "))
        );
        let exception = create().with_all_errors(true).await.map(drop).unwrap_err();
        let group = exception.group().unwrap();
        assert_eq!(group.message(), "create_connection failed");
        let failures = group.exceptions().iter();
        assert_eq!(
            failures.map(ToString::to_string).collect::<Vec<_>>(),
            messages
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_connect_err
#[test]
fn errors_that_say_the_same_are_one() {
    run(async {
        let refusing = Refusing::new("127.0.0.1");
        resolve_to([refusing.address, refusing.address]);
        let event_loop = get_running_loop()?;
        let create = || event_loop.create_connection(|| Nothing, "example.com", 80);
        let message = fails(create().await.map(drop), "ConnectionRefusedError");
        assert_eq!(message, refusing.message());
        let exception = create().with_all_errors(true).await.map(drop).unwrap_err();
        assert_eq!(exception.group().unwrap().exceptions().len(), 2);
        resolve_to([refusing.address]);
        let exception = create().with_all_errors(true).await.map(drop).unwrap_err();
        let [only] = exception.group().unwrap().exceptions() else {
            panic!("{exception:?}");
        };
        assert_eq!(only.type_name(), "ConnectionRefusedError");
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_multiple_errors_local_addr
#[test]
fn a_local_address_that_is_taken_is_among_the_errors() {
    run(async {
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let taken = taken.local_addr().map(|address| (taken, address))?;
        let refusing = [Refusing::new("127.0.0.2"), Refusing::new("127.0.0.3")];
        let remote = refusing.each_ref().map(|refusing| refusing.address);
        let local = [taken.1, SocketAddr::from(([127, 0, 0, 4], 0))];
        let event_loop = get_running_loop()?;
        event_loop.set_resolver(async move |host: Option<String>, _, _| match host {
            Some(_) => Ok(remote.to_vec()),
            None => Ok(local.to_vec()),
        });
        let create = || {
            let create = event_loop.create_connection(|| Nothing, "example.com", 80);
            create.with_local_addr("", 8080)
        };
        let bind = format!(
            "[Errno 98] error while attempting to bind on address ('127.0.0.1', {}): [errno 98] \
             address already in use",
            taken.1.port()
        );
        let [first, second] = refusing.each_ref().map(Refusing::message);
        let expected = [bind.clone(), first, bind, second];
        let message = fails(create().await.map(drop), "OSError");
        assert_eq!(
            message,
            format!("Multiple exceptions: {}", expected.join(", "))
        );
        let exception = create().with_all_errors(true).await.map(drop).unwrap_err();
        let failures = exception.group().unwrap().exceptions().iter();
        assert_eq!(
            failures.map(ToString::to_string).collect::<Vec<_>>(),
            expected
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_timeout
#[test]
fn a_connection_that_takes_too_long_leaves_no_socket() {
    run(async {
        let silent = Silent::new("127.0.0.1");
        let port = silent.address.port();
        let from = TcpListener::bind("127.0.0.5:0")?.local_addr()?;
        let open = async move {
            let open = open_connection("127.0.0.1", port);
            open.with_local_addr("127.0.0.5", from.port())
                .await
                .map(drop)
        };
        let exception = asyncio::wait_for(open, 0.05).await.unwrap_err();
        assert!(exception.is_timeout());
        // Nobody has the address any more.
        TcpListener::bind(from)?;
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_accept_connection_retry
#[test]
fn a_connection_that_another_took_does_no_harm() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        // Both are told of each connection, and one of them gets it.
        let first = asyncio::start_server_on(close, listener.try_clone()?).await?;
        let second = asyncio::start_server_on(close, listener).await?;
        for _ in 0..3 {
            let mut client = TcpStream::connect(address)?;
            let reading = asyncio::try_to_thread(move || client.read(&mut [0]));
            assert_eq!(reading.await?, 0);
        }
        assert!(first.is_serving() && second.is_serving());
        first.close();
        second.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::TestSelectorUtils::test_set_nodelay
#[test]
fn small_pieces_are_sent_at_once() {
    run(async {
        let server = start_server(
            async |_, writer: StreamWriter| {
                writer.write([u8::from(has_no_delay(&writer))])?;
                writer.close();
                Ok(())
            },
            "127.0.0.1",
            0,
        )
        .await?;
        let plain = TcpStream::connect(("127.0.0.1", port(&server)))?;
        assert!(!plain.nodelay()?);
        let (reader, writer) = asyncio::open_connection_over(plain).await?;
        assert!(has_no_delay(&writer));
        assert_eq!(reader.read_to_end().await?, [1]);
        writer.close();
        server.close();
        Ok(())
    });
}

fn has_no_delay(writer: &StreamWriter) -> bool {
    let socket = writer.get_extra_info("socket").unwrap();
    let socket = socket.as_socket().unwrap().clone();
    let option = socket.with_fd(|fd| getsockopt(&fd, sockopt::TcpNoDelay));
    option.unwrap().unwrap()
}
