//! Hosts with several addresses, tried in turn or in a race.

use std::net::SocketAddr;

use hilos::asyncio::{
    self, Protocol, Result, Server, StreamReader, StreamWriter, all_tasks, create_task,
    get_running_loop, open_connection, start_server,
};

use crate::addresses::{Refusing, Silent, has_ipv6, resolve_to};
use crate::support::{fails, port, run, until};

struct Nothing;
impl Protocol for Nothing {}

async fn greet(_: StreamReader, writer: StreamWriter) -> Result<()> {
    writer.write("hello")?;
    writer.close();
    Ok(())
}

/// A server that greets, and its address.
async fn greeting(ip: &str) -> Result<(Server, SocketAddr)> {
    let server = start_server(greet, ip, 0).await?;
    let address = SocketAddr::new(ip.parse()?, port(&server));
    Ok((server, address))
}

/// Connects to a host with these addresses, and says at which of them somebody answered.
async fn connected_to(delay: f64, addresses: &[SocketAddr]) -> Result<SocketAddr> {
    resolve_to(addresses);
    let open = open_connection("example.com", 80).with_happy_eyeballs_delay(delay);
    let (reader, writer) = open.await?;
    assert_eq!(reader.read_to_end().await?, b"hello");
    let peername = writer.get_extra_info("peername").unwrap();
    writer.close();
    Ok(peername.as_address().unwrap().as_inet().unwrap())
}

#[test]
fn an_address_that_does_not_answer_is_not_waited_for() {
    run(async {
        let silent = Silent::new("127.0.0.1");
        let (server, address) = greeting("127.0.0.2").await?;
        let before = all_tasks().len();
        let answered = connected_to(0.02, &[silent.address, address]).await?;
        assert_eq!(answered, address);
        // The other attempt is given up.
        until(|| all_tasks().len() == before).await?;
        server.close();
        Ok(())
    });
}

#[test]
fn the_next_address_is_tried_at_once_when_one_fails() {
    run(async {
        let refusing = Refusing::new("127.0.0.1");
        let (server, address) = greeting("127.0.0.2").await?;
        let answered = connected_to(3600.0, &[refusing.address, address]).await?;
        assert_eq!(answered, address);
        server.close();
        Ok(())
    });
}

#[test]
fn the_first_address_that_answers_is_taken() {
    run(async {
        let (first, address) = greeting("127.0.0.1").await?;
        let (second, other) = greeting("127.0.0.2").await?;
        assert_eq!(connected_to(3600.0, &[address, other]).await?, address);
        assert_eq!(connected_to(3600.0, &[other, address]).await?, other);
        first.close();
        second.close();
        Ok(())
    });
}

#[test]
fn without_a_delay_an_address_is_tried_until_it_fails() {
    run(async {
        let silent = Silent::new("127.0.0.1");
        let (server, address) = greeting("127.0.0.2").await?;
        resolve_to([silent.address, address]);
        let open = async { open_connection("example.com", 80).await.map(drop) };
        let exception = asyncio::wait_for(open, 0.1).await.unwrap_err();
        assert!(exception.is_timeout());
        server.close();
        Ok(())
    });
}

/// The order in which four addresses of two families are tried.
async fn order(
    addresses: &[&Refusing],
    delay: Option<f64>,
    interleave: Option<usize>,
) -> Result<Vec<usize>> {
    resolve_to(
        addresses
            .iter()
            .map(|refusing| refusing.address)
            .collect::<Vec<_>>(),
    );
    let event_loop = get_running_loop()?;
    let mut create = event_loop.create_connection(|| Nothing, "example.com", 80);
    if let Some(delay) = delay {
        create = create.with_happy_eyeballs_delay(delay);
    }
    if let Some(interleave) = interleave {
        create = create.with_interleave(interleave);
    }
    let exception = create.with_all_errors(true).await.map(drop).unwrap_err();
    let group = exception.group().unwrap();
    assert_eq!(group.message(), "create_connection failed");
    let number = |failure: &asyncio::Exception| {
        let fits = |refusing: &&Refusing| refusing.message() == failure.to_string();
        addresses.iter().position(fits).unwrap()
    };
    Ok(group.exceptions().iter().map(number).collect())
}

#[test]
fn families_take_turns() {
    if !has_ipv6() {
        return;
    }
    run(async {
        let (a, b, c) = ("127.0.0.1", "127.0.0.2", "127.0.0.3");
        let refusing = [a, b, c, "::1", "::1"].map(Refusing::new);
        let all = refusing.each_ref();
        assert_eq!(order(&all, None, None).await?, [0, 1, 2, 3, 4]);
        assert_eq!(order(&all, None, Some(1)).await?, [0, 3, 1, 4, 2]);
        assert_eq!(order(&all, None, Some(2)).await?, [0, 1, 3, 2, 4]);
        assert_eq!(order(&all, None, Some(9)).await?, [0, 1, 2, 3, 4]);
        // A race has them take turns, unless it is told not to.
        assert_eq!(order(&all, Some(3600.0), None).await?, [0, 3, 1, 4, 2]);
        assert_eq!(order(&all, Some(3600.0), Some(0)).await?, [0, 1, 2, 3, 4]);
        let [a, b, c, d, e] = all;
        let sixes_first = [d, a, b, e, c];
        assert_eq!(
            order(&sixes_first, Some(3600.0), None).await?,
            [0, 1, 3, 2, 4]
        );
        Ok(())
    });
}

#[test]
fn a_race_that_nobody_wins_tells_why() {
    run(async {
        let refusing = [Refusing::new("127.0.0.1"), Refusing::new("127.0.0.2")];
        resolve_to(refusing.each_ref().map(|refusing| refusing.address));
        let open = open_connection("example.com", 80).with_happy_eyeballs_delay(0.01);
        let message = fails(open.await.map(drop), "OSError");
        let [first, second] = refusing.map(|refusing| refusing.message());
        assert_eq!(message, format!("Multiple exceptions: {first}, {second}"));
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseEventLoopWithSelectorTests::test_create_connection_happy_eyeballs_empty_exceptions
#[test]
fn a_race_in_which_nothing_failed_is_a_timeout() {
    run(async {
        let silent = Silent::new("127.0.0.1");
        resolve_to([silent.address]);
        let before = all_tasks();
        let opening = create_task(async {
            let open = open_connection("example.com", 80).with_happy_eyeballs_delay(3600);
            open.await.map(drop)
        });
        let attempts = || {
            let ours = |task: &asyncio::AnyTask| {
                !before.contains(task) && asyncio::AnyTask::from(&opening) != *task
            };
            all_tasks().into_iter().filter(ours).collect::<Vec<_>>()
        };
        // The first attempt, and the one that waits for it.
        until(|| attempts().len() == 2).await?;
        for attempt in attempts() {
            attempt.cancel();
        }
        let message = fails(opening.await, "TimeoutError");
        assert_eq!(message, "create_connection failed");
        Ok(())
    });
}

#[test]
fn cancelling_the_task_ends_the_race() {
    run(async {
        let silent = [Silent::new("127.0.0.1"), Silent::new("127.0.0.2")];
        resolve_to(silent.each_ref().map(|silent| silent.address));
        let before = all_tasks().len();
        let opening = create_task(async {
            let open = open_connection("example.com", 80).with_happy_eyeballs_delay(0.001);
            open.await.map(drop)
        });
        // Two attempts, one that would be the third, and the task itself.
        until(|| all_tasks().len() == before + 4).await?;
        opening.cancel();
        assert!(opening.await.unwrap_err().is_cancelled());
        until(|| all_tasks().len() == before).await
    });
}

#[test]
fn a_program_may_resolve_names_itself() {
    run(async {
        let event_loop = get_running_loop()?;
        let (server, address) = greeting("127.0.0.1").await?;
        event_loop.set_resolver(async move |host: Option<String>, port, family| {
            match host.as_deref() {
                Some("greeter.test") => Ok(vec![address]),
                host => get_running_loop()?.getaddrinfo(host, port, family).await,
            }
        });
        let (reader, writer) = open_connection("greeter.test", 1).await?;
        assert_eq!(reader.read_to_end().await?, b"hello");
        writer.close();
        let local = open_connection("localhost", address.port());
        let local = local.with_family(asyncio::AddressFamily::Inet).await?;
        assert_eq!(local.0.read_to_end().await?, b"hello");
        local.1.close();
        event_loop.reset_resolver();
        let unknown = open_connection("greeter.invalid", 1).await.map(drop);
        fails(unknown, "gaierror");
        // What the resolver fails with, the connection does.
        event_loop.set_resolver(async |_, _, _| Err(asyncio::Exception::new("LookupError", "no")));
        let failed = open_connection("greeter.test", 1).await.map(drop);
        assert_eq!(fails(failed, "LookupError"), "no");
        server.close();
        Ok(())
    });
}
