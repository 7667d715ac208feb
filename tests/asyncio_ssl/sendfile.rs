//! `loop.sendfile` over encrypted connections, which goes in pieces.

use std::fs::File;
use std::io::{Seek, Write};

use hilos::asyncio::{self, Result};

use crate::parties::{Recorder, believing, showing};
use crate::support::{SocketPath, fails, port, run, until};

const LENGTH: usize = 64 * 17 * 1024 + 1;

/// No two pieces of it are alike.
fn data() -> Vec<u8> {
    (0..LENGTH as u32)
        .flat_map(|i| (i / 3).to_le_bytes())
        .take(LENGTH)
        .collect()
}

/// Sends what `send` does over a connection, and returns what arrives.
async fn sent<F>(send: F) -> Result<Vec<u8>>
where
    F: AsyncFnOnce(&asyncio::EventLoop, &asyncio::Transport, &File) -> Result<()>,
{
    let event_loop = asyncio::get_running_loop()?;
    let receiver = Recorder::new();
    let told = receiver.clone();
    let create = event_loop.create_server(move || told.clone(), "127.0.0.1", 0);
    let server = create.with_ssl(&showing("server")).await?;
    let create = event_loop.create_connection(Recorder::default, "127.0.0.1", port(&server));
    let (transport, sender) = create.with_ssl(&believing()).await?;
    let directory = SocketPath::new(&format!("sendfile-{:?}", std::thread::current().id()));
    let path = directory.path();
    File::create(path)?.write_all(&data())?;
    send(&event_loop, &transport, &File::open(path)?).await?;
    transport.close();
    assert_eq!(receiver.is_lost().await?, None);
    assert_eq!(sender.is_lost().await?, None);
    assert!(!sender.paused.get());
    server.close();
    Ok(receiver.data.take())
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_ssl
// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_ssl_pre_and_post_data
#[test]
fn a_file_goes_between_what_is_written_before_and_after() {
    run(async {
        let all = sent(async |event_loop, transport, mut file| {
            transport.write([b'<'; 7000])?;
            assert_eq!(event_loop.sendfile(transport, file).await?, LENGTH as u64);
            assert_eq!(file.stream_position()?, LENGTH as u64);
            transport.write([b'>'; 10_000])
        });
        let expected = [&[b'<'; 7000][..], &data(), &[b'>'; 10_000]].concat();
        assert!(all.await? == expected);
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_ssl_partial
#[test]
fn a_part_of_a_file_is_sent() {
    run(async {
        let all = sent(async |event_loop, transport, mut file| {
            let send = event_loop.sendfile(transport, file);
            assert_eq!(send.with_offset(1000).with_count(100).await?, 100);
            assert_eq!(file.stream_position()?, 1100);
            // The system knows nothing of encryption.
            let native = event_loop.sendfile(transport, file).with_fallback(false);
            fails(native.await, "RuntimeError");
            Ok(())
        });
        assert_eq!(all.await?, &data()[1000..1100]);
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_ssl_close_peer_after_receiving
#[test]
fn a_receiver_may_close_when_it_has_all() {
    run(async {
        let event_loop = asyncio::get_running_loop()?;
        let receiver = Recorder::new();
        let told = receiver.clone();
        let create = event_loop.create_server(move || told.clone(), "127.0.0.1", 0);
        let server = create.with_ssl(&showing("server")).await?;
        let create = event_loop.create_connection(Recorder::default, "127.0.0.1", port(&server));
        let (transport, sender) = create.with_ssl(&believing()).await?;
        let path = SocketPath::new("sendfile-closed");
        File::create(path.path())?.write_all(&data())?;
        let file = File::open(path.path())?;
        let seen = receiver.clone();
        let closing = asyncio::create_task(async move {
            until(|| seen.data.borrow().len() == LENGTH).await?;
            seen.transport().close();
            Ok(())
        });
        assert_eq!(event_loop.sendfile(&transport, &file).await?, LENGTH as u64);
        closing.await?;
        assert_eq!(receiver.is_lost().await?, None);
        assert_eq!(sender.is_lost().await?, None);
        assert!(*receiver.data.borrow() == data());
        server.close();
        Ok(())
    });
}
