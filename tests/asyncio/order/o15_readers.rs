//! Descriptors that are ready, between what was ready before and timers.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use super::{check, python, raise, tick};
use hilos::asyncio::{self, EventLoop, create_task, get_running_loop, sleep};

type Socket = Rc<UnixStream>;

fn pair() -> asyncio::Result<(Socket, Socket)> {
    let (one, two) = UnixStream::pair()?;
    one.set_nonblocking(true)?;
    two.set_nonblocking(true)?;
    Ok((Rc::new(one), Rc::new(two)))
}

fn send(sock: &Socket, data: &str) -> asyncio::Result<()> {
    Ok((&**sock).write_all(data.as_bytes())?)
}

fn recv(sock: &Socket) -> asyncio::Result<String> {
    let mut byte = [0];
    let count = (&**sock).read(&mut byte)?;
    Ok(String::from_utf8_lossy(&byte[..count]).into_owned())
}

fn reader(name: &'static str, sock: &Socket) -> impl FnMut() -> asyncio::Result<()> + 'static {
    let sock = sock.clone();
    move || {
        say!("reader {name} '{}'", recv(&sock)?);
        Ok(())
    }
}

async fn level(event_loop: &EventLoop) -> asyncio::Result<()> {
    let (a, b) = pair()?;
    let (c, d) = pair()?;
    event_loop.add_reader(&a, reader("a", &a))?;
    event_loop.add_reader(&c, reader("c", &c))?;
    event_loop.call_soon(|| say!("soon 1"))?;
    send(&b, "12")?;
    say!("main 0");
    sleep(0).await?;
    send(&d, "3")?;
    event_loop.call_later(0, || say!("timer 0"))?;
    event_loop.call_soon(|| say!("soon 2"))?;
    say!("main 1");
    sleep(0).await?;
    say!("main 2");
    sleep(0).await?;
    say!("main 3");
    let removed = [
        event_loop.remove_reader(&a),
        event_loop.remove_reader(&a),
        event_loop.remove_writer(&a),
    ];
    say!("{}", removed.map(python).join(" "));
    event_loop.remove_reader(&c);
    Ok(())
}

async fn both(event_loop: &EventLoop) -> asyncio::Result<()> {
    let (a, b) = pair()?;
    let (remover, sock) = (event_loop.clone(), a.clone());
    event_loop.add_writer(&a, move || {
        say!("writer");
        remover.remove_writer(&sock);
    })?;
    event_loop.add_reader(&a, reader("a", &a))?;
    send(&b, "4")?;
    sleep(0).await?;
    say!("both 1");
    sleep(0).await?;
    say!("both 2");
    event_loop.remove_reader(&a);
    Ok(())
}

async fn removed(event_loop: &EventLoop) -> asyncio::Result<()> {
    let (a, b) = pair()?;
    let (c, d) = pair()?;
    event_loop.add_reader(&a, || say!("never"))?;
    let (remover, sock, other) = (event_loop.clone(), c.clone(), a.clone());
    event_loop.add_reader(&c, move || -> asyncio::Result<()> {
        let removed = || python(remover.remove_reader(&other));
        say!("remover b'{}' {}", recv(&sock)?, removed());
        Ok(())
    })?;
    send(&d, "5")?;
    sleep(0).await?;
    send(&b, "6")?;
    sleep(0).await?;
    sleep(0).await?;
    event_loop.add_reader(&a, || say!("replaced"))?;
    let (adder, sock) = (event_loop.clone(), a.clone());
    event_loop.call_soon(move || adder.add_reader(&sock, reader("new", &sock)))?;
    sleep(0).await?;
    sleep(0).await?;
    event_loop.remove_reader(&c);
    drop(b);
    let done = event_loop.create_future();
    let (ended, remover, sock) = (done.clone(), event_loop.clone(), a.clone());
    event_loop.add_reader(&a, move || -> asyncio::Result<()> {
        let text = recv(&sock)?;
        say!("end b'{text}' {}", python(remover.remove_reader(&sock)));
        ended.set_result(7)
    })?;
    say!("done {}", done.await?);
    Ok(())
}

async fn main() -> asyncio::Result<()> {
    let event_loop = get_running_loop()?;
    event_loop.set_exception_handler(|_: &EventLoop, context: &asyncio::ExceptionContext| {
        let first = context.message.split(' ').next().unwrap();
        say!(
            "handler {first} {}",
            context.exception.as_ref().unwrap().repr()
        );
    });
    let tk = create_task(tick(8));
    level(&event_loop).await?;
    tk.await?;
    let tk = create_task(tick(8));
    both(&event_loop).await?;
    tk.await?;
    let tk = create_task(tick(8));
    removed(&event_loop).await?;
    tk.await?;
    let (a, b) = pair()?;
    send(&b, "8")?;
    event_loop.add_reader(&a, || raise::<()>("ValueError", "again"))?;
    sleep(0).await?;
    sleep(0).await?;
    sleep(0).await?;
    say!("{}", python(event_loop.remove_reader(&a)));
    Ok(())
}

#[test]
fn readers() {
    check(main(), include_str!("o15_readers.out"));
}
