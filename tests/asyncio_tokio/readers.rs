//! The loop's own descriptors while tokio sleeps for it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use hilos::asyncio::{self, get_running_loop};

#[test]
fn a_reader_is_called_as_long_as_there_is_data() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let theirs = Rc::new(theirs);
    let text = asyncio::run(async move {
        let event_loop = get_running_loop()?;
        let future = event_loop.create_future();
        let (done, reader) = (future.clone(), theirs.clone());
        let mut text = String::new();
        event_loop.add_reader(&theirs, move || {
            let mut byte = [0];
            if (&*reader).read(&mut byte)? == 1 {
                text.push(char::from(byte[0]));
                return Ok(());
            }
            done.set_result(std::mem::take(&mut text))
        })?;
        // The loop has nothing to do but to wait, between the bytes too.
        let writer = std::thread::spawn(move || {
            for part in ["abc", "de", "f"] {
                std::thread::sleep(Duration::from_millis(5));
                ours.write_all(part.as_bytes()).unwrap();
            }
        });
        let text = future.await?;
        writer.join().unwrap();
        event_loop.remove_reader(&theirs);
        Ok(text)
    });
    assert_eq!(text.unwrap(), "abcdef");
}

#[test]
fn a_descriptor_that_is_always_ready_leaves_tokio_its_turns() {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    asyncio::run(async move {
        let event_loop = get_running_loop()?;
        event_loop.add_writer(&ours, || ())?;
        tokio::time::sleep(Duration::from_millis(2)).await;
        let spawned = tokio::spawn(tokio::time::sleep(Duration::from_millis(2)));
        spawned.await?;
        event_loop.remove_writer(&ours);
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok(())
    })
    .unwrap();
}
