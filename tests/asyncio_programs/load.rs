//! Very many connections and messages, and too few descriptors: what concerns the whole process.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::rc::Rc;

use hilos::asyncio::{
    self, AddressFamily, DatagramProtocol, EventLoop, ExceptionContext, Protocol, Result, Server,
    StreamReader, StreamWriter,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::driver::{Scenario, quiet};

pub(crate) const SCENARIOS: &[Scenario] = &[
    quiet("ten_thousand_connections_on_one_loop", connections, ""),
    quiet("a_million_messages_need_no_memory", messages, ""),
    quiet("a_server_outlives_a_lack_of_descriptors", descriptors, ""),
    quiet("without_descriptors_there_are_no_sockets", sockets, ""),
];

async fn echo(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    while let Some(line) = reader.next().await? {
        writer.write(line)?;
        writer.drain().await?;
    }
    writer.close();
    writer.wait_closed().await
}

fn ended(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(exception) => {
            eprintln!("{exception:?}");
            ExitCode::FAILURE
        }
    }
}

fn address(server: &Server) -> Result<SocketAddr> {
    let address = server.sockets()[0].getsockname()?;
    Ok(address.as_inet().expect("an address of the internet"))
}

/// Raises the limit of descriptors as far as it goes.
fn raise_limit() -> u64 {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("no more than is allowed");
    hard
}

/// Each connection has both its ends in this process.
fn connections() -> ExitCode {
    let count = ((raise_limit() - 100) / 2).min(10_000);
    ended(asyncio::run(async move {
        let start = asyncio::start_server(echo, "127.0.0.1", 0);
        let server = start.with_backlog(4096).await?;
        let address = address(&server)?;
        let talked = asyncio::try_to_thread(move || {
            let connect = |_| TcpStream::connect(address);
            let clients: std::io::Result<Vec<_>> = (0..count).map(connect).collect();
            talk(&clients?)
        });
        talked.await?;
        server.close();
        server.wait_closed().await
    }))
}

/// All clients say something before the first hears its answer; twice.
fn talk(clients: &[TcpStream]) -> std::io::Result<()> {
    for turn in 0..2 {
        let message = |i: usize| format!("client {i} turn {turn}\n").into_bytes();
        for (i, mut client) in clients.iter().enumerate() {
            client.write_all(&message(i))?;
        }
        for (i, mut client) in clients.iter().enumerate() {
            let expected = message(i);
            let mut answer = vec![0; expected.len()];
            client.read_exact(&mut answer)?;
            assert_eq!(answer, expected);
        }
    }
    Ok(())
}

/// How many bytes of memory this process uses.
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).expect("its second number");
    4096 * pages.parse::<u64>().expect("a number")
}

/// A test without optimisation has not that much patience.
const MESSAGES: u32 = match cfg!(debug_assertions) {
    true => 50_000,
    false => 1_000_000,
};

fn messages() -> ExitCode {
    const AT_ONCE: u32 = 100;
    ended(asyncio::run(async {
        let server = asyncio::start_server(echo, "127.0.0.1", 0).await?;
        let port = address(&server)?.port();
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port).await?;
        let send = async |count: u32| {
            for _ in 0..count / AT_ONCE {
                for i in 0..AT_ONCE {
                    writer.write(format!("message {i}\n"))?;
                }
                for i in 0..AT_ONCE {
                    let line = reader.readline().await?;
                    assert_eq!(line, format!("message {i}\n").as_bytes());
                }
            }
            Ok::<(), asyncio::Exception>(())
        };
        send(MESSAGES / 10).await?;
        let before = memory();
        send(MESSAGES).await?;
        let growth = memory().saturating_sub(before);
        // A pointer a message would be as much.
        assert!(growth < u64::from(8 * MESSAGES), "{growth} bytes more");
        writer.close();
        server.close();
        server.wait_closed().await
    }))
}

/// Opens files until the system refuses.
fn all_that_can_be_opened() -> Vec<File> {
    let limit = 200;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).expect("less than is allowed");
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_accept_connection_exception
fn descriptors() -> ExitCode {
    let seen: Rc<RefCell<Vec<ExceptionContext>>> = Rc::default();
    let log = seen.clone();
    let clients_and_descriptors = async move {
        let event_loop = asyncio::get_running_loop()?;
        event_loop.set_exception_handler(move |_: &EventLoop, context: &ExceptionContext| {
            log.borrow_mut().push(context.clone());
        });
        let server = asyncio::start_server(echo, "127.0.0.1", 0).await?;
        let address = address(&server)?;
        let connect = |_| TcpStream::connect(address);
        // They wait to be accepted as long as the loop does not go round.
        let clients: Vec<_> = (0..5).map(connect).collect::<std::io::Result<_>>()?;
        let mut files = all_that_can_be_opened();
        files.truncate(files.len() - 2);
        while seen.borrow().is_empty() {
            asyncio::sleep(0.001).await?;
        }
        let context = seen.borrow()[0].clone();
        assert_eq!(context.message, "socket.accept() out of system resource");
        let exception = context.exception.expect("the system's error");
        assert!(exception.to_string().contains("Too many open files"));
        // Those that are there are served, and the others not forgotten.
        served(&clients[..2]).await?;
        drop(files);
        served(&clients).await?;
        // It waits between its attempts.
        assert!(seen.borrow().len() < 5);
        server.close();
        Ok(())
    };
    ended(asyncio::run(clients_and_descriptors))
}

/// Whether each of `clients` gets an answer.
async fn served(clients: &[TcpStream]) -> Result<()> {
    for mut client in clients {
        client.write_all(b"?\n")?;
        client.set_nonblocking(true)?;
        while client.read(&mut [0; 2]).is_err() {
            asyncio::sleep(0.001).await?;
        }
    }
    Ok(())
}

struct Nothing;
impl Protocol for Nothing {}
impl DatagramProtocol for Nothing {}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_datagram_endpoint_socket_err
fn sockets() -> ExitCode {
    ended(asyncio::run(async {
        let event_loop = asyncio::get_running_loop()?;
        let endpoint = || {
            let endpoint = event_loop.create_datagram_endpoint(|| Nothing);
            endpoint.with_family(AddressFamily::Inet)
        };
        let files = all_that_can_be_opened();
        let refused = [
            endpoint().await.map(drop),
            endpoint().with_local_addr("127.0.0.1", 0).await.map(drop),
            event_loop
                .create_connection(|| Nothing, "127.0.0.1", 9)
                .await
                .map(drop),
        ];
        for result in refused {
            let exception = result.expect_err("there is no descriptor left");
            assert_eq!(
                format!("{exception:?}"),
                "OSError: [Errno 24] Too many open files"
            );
        }
        drop(files);
        endpoint().await?.0.close();
        Ok(())
    }))
}
