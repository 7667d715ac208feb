//! Connections as a loop makes them: where they go to and come from.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;

use hilos::asyncio::{self, Result, Transport};

use super::{Counter, unused_port};
use crate::support::{Httpd, SocketPath, fails, run, unix_httpd, until};

/// Asks for a page and reads it to its end.
async fn fetch(connection: (Transport, Rc<Counter>)) -> Result<()> {
    let (transport, counter) = connection;
    assert!(counter.transport().is(&transport));
    assert!(transport.get_extra_info("sockname").is_some());
    transport.write("GET / HTTP/1.0\r\n\r\n")?;
    until(|| counter.lost.get()).await?;
    assert!(counter.received.get() > 0 && counter.ended.get());
    transport.close();
    Ok(())
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection
#[test]
fn a_connection_reads_to_the_end() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let httpd = Httpd::start();
        let (host, port) = (httpd.address.ip().to_string(), httpd.address.port());
        let counter = Counter::default;
        fetch(event_loop.create_connection(counter, &host, port).await?).await?;
        httpd.join();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_unix_connection
#[test]
fn a_connection_to_a_path_reads_to_the_end() {
    let path = SocketPath::new("events-client");
    let httpd = unix_httpd(path.path());
    run(async move {
        let event_loop = asyncio::get_running_loop()?;
        let create = event_loop.create_unix_connection(Counter::default, path.path());
        fetch(create.await?).await
    });
    httpd.join().unwrap();
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection_local_addr
#[test]
fn a_connection_comes_from_the_port_it_is_given() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let httpd = Httpd::start();
        let ours = unused_port();
        let create = event_loop.create_connection(Counter::new, "127.0.0.1", httpd.address.port());
        let (transport, counter) = create.with_local_addr("127.0.0.1", ours).await?;
        let sockname = transport.get_extra_info("sockname").unwrap();
        assert_eq!(sockname.as_address().unwrap().port(), Some(ours));
        transport.close();
        until(|| counter.lost.get()).await?;
        httpd.join();
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection_local_addr_skip_different_family
// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection_local_addr_nomatch_family
#[test]
fn a_connection_comes_from_an_address_of_its_own_family() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let unused = unused_port();
        let create = event_loop.create_connection(Counter::new, "127.0.0.1", unused);
        let refused = create.with_local_addr("127.0.0.1", 0).await.map(drop);
        fails(refused, "ConnectionRefusedError");
        let create = event_loop.create_connection(Counter::new, "127.0.0.1", unused);
        let create = create.with_local_addr("::1", 0).await.map(drop);
        assert_eq!(
            fails(create, "OSError"),
            "no matching local address with family=<AddressFamily.AF_INET: 2> found"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_create_connection_local_addr_in_use
#[test]
fn a_connection_cannot_come_from_where_somebody_listens() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let create = event_loop.create_connection(Counter::new, "127.0.0.1", port);
        let create = create.with_local_addr("127.0.0.1", port).await.map(drop);
        let expected = format!(
            "[Errno 98] error while attempting to bind on address ('127.0.0.1', {port}): \
             [errno 98] address already in use"
        );
        assert_eq!(fails(create, "OSError"), expected);
        Ok(())
    });
}

// cpython: test_asyncio/test_events.py::EventLoopTestsMixin::test_connect_accepted_socket
#[test]
fn a_connection_accepted_elsewhere_gets_a_protocol() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"test data").unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        answer
    });
    let (accepted, _) = listener.accept().unwrap();
    let counter = Rc::new(Counter {
        answer: b"roger",
        ..Counter::default()
    });
    let protocol = counter.clone();
    run(async move {
        let event_loop = asyncio::get_running_loop()?;
        let connect = event_loop.create_connection_over(move || protocol, accepted);
        let (transport, _) = connect.await?;
        until(|| counter.lost.get()).await?;
        transport.close();
        assert_eq!(counter.received.get(), b"test data".len());
        Ok(())
    });
    assert_eq!(&client.join().unwrap(), b"roger");
}
