//! What streams and their servers do not do.

use std::net::TcpListener;

use hilos::asyncio::subprocess::PIPE;
use hilos::asyncio::{self, StreamReader};

use super::{NONE, ignore, refused};
use crate::support::{fails, port, run};

#[test]
fn a_limit_below_one() {
    run(async {
        let message = "Limit cannot be <= 0";
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let open = asyncio::open_connection("127.0.0.1", port);
        refused(open.with_limit(0).await, "ValueError", message);
        let start = asyncio::start_server(ignore, "127.0.0.1", 0);
        refused(start.with_limit(0).await, "ValueError", message);
        let start = asyncio::create_subprocess_exec("true", NONE).with_stdout(PIPE);
        refused(start.with_limit(0).await, "ValueError", message);
        refused(StreamReader::with_limit(0), "ValueError", message);
        Ok(())
    });
}

#[test]
fn a_line_without_end() {
    run(async {
        let reader = StreamReader::with_limit(4)?;
        reader.feed_data(b"abcdefgh");
        let message = "Separator is not found, and chunk exceed the limit";
        refused(reader.readline().await, "ValueError", message);
        assert_eq!(reader.to_string(), "<StreamReader limit=4>");
        reader.feed_data(b"abcdefgh\nij\n");
        let message = "Separator is found, but chunk is longer than limit";
        refused(reader.readuntil(b"\n").await, "LimitOverrunError", message);
        assert_eq!(reader.to_string(), "<StreamReader 12 bytes limit=4>");
        refused(reader.readline().await, "ValueError", message);
        assert_eq!(reader.readline().await?, b"ij\n");
        reader.feed_data(b"ab");
        reader.feed_eof();
        let message = "2 bytes read on a total of 3 expected bytes";
        refused(reader.readexactly(3).await, "IncompleteReadError", message);
        let message = "0 bytes read on a total of undefined expected bytes";
        refused(
            reader.readuntil(b"\n").await,
            "IncompleteReadError",
            message,
        );
        Ok(())
    });
}

#[test]
fn a_separator_of_nothing() {
    run(async {
        let reader = StreamReader::new();
        let message = "Separator should be at least one-byte string";
        refused(reader.readuntil(b"").await, "ValueError", message);
        let some: [&[u8]; 2] = [b"a", b""];
        refused(reader.readuntil(some).await, "ValueError", message);
        let none: [&[u8]; 0] = [];
        let message = "Separator should contain at least one element";
        refused(reader.readuntil(none).await, "ValueError", message);
        Ok(())
    });
}

#[test]
fn reading_by_two_at_once() {
    run(async {
        let reader = StreamReader::new();
        let first = reader.clone();
        let first = asyncio::create_task(async move { first.read(1).await });
        asyncio::sleep(0).await?;
        let message = |name: &str| {
            format!("{name}() called while another coroutine is already waiting for incoming data")
        };
        refused(reader.read(1).await, "RuntimeError", &message("read"));
        refused(
            reader.readexactly(2).await,
            "RuntimeError",
            &message("readexactly"),
        );
        refused(
            reader.readuntil(b"x").await,
            "RuntimeError",
            &message("readuntil"),
        );
        refused(
            reader.readline().await,
            "RuntimeError",
            &message("readuntil"),
        );
        refused(reader.read_to_end().await, "RuntimeError", &message("read"));
        refused(reader.next().await, "RuntimeError", &message("readuntil"));
        // The first is not disturbed.
        reader.feed_data(b"ab");
        assert_eq!(first.await?, b"a");
        assert_eq!(reader.readexactly(1).await?, b"b");
        Ok(())
    });
}

#[test]
fn reading_by_two_of_whom_the_second_is_quicker() {
    run(async {
        let reader = StreamReader::new();
        let first = reader.clone();
        let first = asyncio::create_task(async move { first.readexactly(1).await });
        asyncio::sleep(0).await?;
        // It is woken, but finds nothing left, and somebody who waits.
        reader.feed_data(b"x");
        assert_eq!(reader.read(1).await?, b"x");
        let feeding = reader.clone();
        asyncio::get_running_loop()?.call_later(0.01, move || feeding.feed_data(b"y"))?;
        assert_eq!(reader.readexactly(1).await?, b"y");
        fails(first.await, "RuntimeError");
        Ok(())
    });
}

#[test]
fn writing_after_the_end() {
    run(async {
        let server = asyncio::start_server(ignore, "127.0.0.1", 0).await?;
        let (reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.write_eof()?;
        let message = "Cannot call write() after write_eof()";
        refused(writer.write(b"x"), "RuntimeError", message);
        let message = "Cannot call writelines() after write_eof()";
        refused(writer.writelines([b"x"]), "RuntimeError", message);
        writer.close();
        writer.wait_closed().await?;
        let lost = writer.drain().await;
        assert_eq!(
            lost.as_ref().unwrap_err().repr(),
            "ConnectionResetError('Connection lost')"
        );
        refused(lost, "ConnectionResetError", "Connection lost");
        assert_eq!(reader.read_to_end().await?, b"");

        // Without an end before it, what is written after the close is lost without a word.
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.close();
        writer.write(b"x")?;
        writer.writelines([b"x"])?;
        writer.write_eof()?;
        writer.wait_closed().await?;
        writer.write(b"x")?;
        refused(
            writer.drain().await,
            "ConnectionResetError",
            "Connection lost",
        );

        // An aborted connection is lost a little later, and its writer knows.
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        writer.transport().abort();
        asyncio::sleep(0).await?;
        writer.write(b"x")?;
        let lost = writer.drain().await;
        refused(lost, "ConnectionResetError", "Connection lost");
        server.close();
        Ok(())
    });
}

#[test]
fn water_marks_the_wrong_way_round() {
    run(async {
        let server = asyncio::start_server(ignore, "127.0.0.1", 0).await?;
        let (_reader, writer) = asyncio::open_connection("127.0.0.1", port(&server)).await?;
        let message = "high (1) must be >= low (2) must be >= 0";
        let set = writer.transport().set_write_buffer_limits(1, 2);
        refused(set, "ValueError", message);
        let marks = writer.transport().get_write_buffer_limits();
        assert_eq!(marks, (16 * 1024, 64 * 1024));
        writer.close();
        server.close();
        Ok(())
    });
}

#[test]
fn a_server_that_is_closed() {
    run(async {
        let server = asyncio::start_server(ignore, "127.0.0.1", 0).await?;
        server.close();
        let message = "server <Server sockets=()> is closed";
        refused(server.serve_forever().await, "RuntimeError", message);
        refused(server.start_serving().await, "RuntimeError", message);
        Ok(())
    });
}
