//! `StreamReader` by itself.

use hilos::asyncio::{self, IncompleteReadError, LimitOverrunError, Result, StreamReader};

use crate::support::{fails, run};

const DATA: &[u8] = b"line1\nline2\nline3\n";

/// What the reader holds.
async fn rest(reader: &StreamReader) -> Vec<u8> {
    reader.feed_eof();
    reader.read_to_end().await.unwrap()
}

fn limited(limit: usize) -> StreamReader {
    StreamReader::with_limit(limit).unwrap()
}

/// Has `feed` called when the task waits.
fn soon<F: FnOnce(&StreamReader) + 'static>(reader: &StreamReader, feed: F) {
    let reader = reader.clone();
    let event_loop = asyncio::get_running_loop().unwrap();
    event_loop.call_soon(move || feed(&reader)).unwrap();
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_feed_empty_data
// cpython: test_asyncio/test_streams.py::StreamTests::test_feed_nonempty_data
#[test]
fn what_is_fed_is_there_to_be_read() {
    run(async {
        let reader = StreamReader::new();
        reader.feed_data(b"");
        assert_eq!(reader.to_string(), "<StreamReader>");
        reader.feed_data(DATA);
        assert_eq!(rest(&reader).await, DATA);
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_read_zero
// cpython: test_asyncio/test_streams.py::StreamTests::test_read
// cpython: test_asyncio/test_streams.py::StreamTests::test_read_line_breaks
// cpython: test_asyncio/test_streams.py::StreamTests::test_read_limit
#[test]
fn read_takes_up_to_so_many_bytes() {
    run(async {
        let reader = StreamReader::new();
        reader.feed_data(DATA);
        assert_eq!(reader.read(0).await?, b"");
        assert_eq!(reader.read(30).await?, DATA);

        reader.feed_data(b"line1");
        reader.feed_data(b"line2");
        assert_eq!(reader.read(5).await?, b"line1");
        assert_eq!(reader.read(9).await?, b"line2");

        let small = limited(3);
        small.feed_data(b"chunk");
        assert_eq!(small.read(5).await?, b"chunk");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_read_eof
// cpython: test_asyncio/test_streams.py::StreamTests::test_read_until_eof
#[test]
fn read_waits_for_data_or_the_end() {
    run(async {
        let reader = StreamReader::new();
        soon(&reader, |reader| reader.feed_eof());
        assert_eq!(reader.read(1024).await?, b"");

        let reader = StreamReader::new();
        soon(&reader, |reader| {
            reader.feed_data(b"chunk1\n");
            reader.feed_data(b"chunk2");
            reader.feed_eof();
        });
        assert_eq!(reader.read_to_end().await?, b"chunk1\nchunk2");
        assert!(reader.at_eof());
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_read_exception
// cpython: test_asyncio/test_streams.py::StreamTests::test_readline_exception
// cpython: test_asyncio/test_streams.py::StreamTests::test_readexactly_exception
// cpython: test_asyncio/test_streams.py::StreamTests::test_exception
#[test]
fn an_exception_ends_the_stream_for_all_readers() {
    run(async {
        let reader = StreamReader::new();
        assert!(reader.exception().is_none());
        reader.feed_data(b"line\nmore");
        assert_eq!(reader.readline().await?, b"line\n");
        assert_eq!(reader.read(2).await?, b"mo");
        let exception = asyncio::Exception::from(asyncio::ValueError::default());
        reader.set_exception(exception.clone());
        assert!(
            reader
                .exception()
                .is_some_and(|other| other.is_same(&exception))
        );
        fails(reader.read(2).await, "ValueError");
        fails(reader.readline().await, "ValueError");
        fails(reader.readexactly(2).await, "ValueError");
        fails(reader.readuntil(b"x").await, "ValueError");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_exception_waiter
// cpython: test_asyncio/test_streams.py::StreamTests::test_exception_cancel
#[test]
fn an_exception_wakes_who_waits_and_harms_nobody_who_was_cancelled() {
    run(async {
        let reader = StreamReader::new();
        let waiting = reader.clone();
        let task = asyncio::create_task(async move { waiting.readline().await });
        asyncio::sleep(0).await?;
        task.cancel();
        asyncio::sleep(0).await?;
        assert!(task.cancelled());
        reader.set_exception(asyncio::RuntimeError::new("message"));
        assert_eq!(
            reader.to_string(),
            "<StreamReader exception=RuntimeError('message')>"
        );

        let reader = StreamReader::new();
        soon(&reader, |reader| {
            reader.set_exception(asyncio::ValueError::default())
        });
        fails(reader.readline().await, "ValueError");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_invalid_limit
#[test]
fn a_limit_is_not_zero() {
    run(async {
        let message = fails(StreamReader::with_limit(0), "ValueError");
        assert_eq!(message, "Limit cannot be <= 0");
        let opened = asyncio::open_connection("127.0.0.1", 1).with_limit(0).await;
        fails(opened.map(drop), "ValueError");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readline
// cpython: test_asyncio/test_streams.py::StreamTests::test_readline_nolimit_nowait
// cpython: test_asyncio/test_streams.py::StreamTests::test_readline_read_byte_count
#[test]
fn readline_waits_for_the_newline_and_leaves_what_follows() {
    run(async {
        let reader = StreamReader::new();
        reader.feed_data(b"chunk1 ");
        soon(&reader, |reader| {
            reader.feed_data(b"chunk2 ");
            reader.feed_data(b"chunk3 ");
            reader.feed_data(b"\n chunk4");
        });
        assert_eq!(reader.readline().await?, b"chunk1 chunk2 chunk3 \n");
        assert_eq!(rest(&reader).await, b" chunk4");

        let reader = StreamReader::new();
        reader.feed_data(&DATA[..6]);
        reader.feed_data(&DATA[6..]);
        assert_eq!(reader.readline().await?, b"line1\n");
        assert_eq!(reader.read(7).await?, b"line2\nl");
        assert_eq!(rest(&reader).await, b"ine3\n");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readline_limit_with_existing_data
// cpython: test_asyncio/test_streams.py::StreamTests::test_readline_limit
#[test]
fn a_line_beyond_the_limit_is_lost_and_no_more_than_it() {
    run(async {
        let reader = limited(3);
        reader.feed_data(b"li");
        reader.feed_data(b"ne1\nline2\n");
        let message = fails(reader.readline().await, "ValueError");
        assert_eq!(
            message,
            "Separator is found, but chunk is longer than limit"
        );
        assert_eq!(rest(&reader).await, b"line2\n");

        let reader = limited(3);
        reader.feed_data(b"line1li");
        let message = fails(reader.readline().await, "ValueError");
        assert_eq!(
            message,
            "Separator is not found, and chunk exceed the limit"
        );
        assert_eq!(rest(&reader).await, b"");

        let reader = limited(7);
        soon(&reader, |reader| {
            reader.feed_data(b"chunk1");
            reader.feed_data(b"chunk2\n");
            reader.feed_data(b"chunk3\n");
        });
        fails(reader.readline().await, "ValueError");
        assert_eq!(rest(&reader).await, b"chunk3\n");

        let reader = limited(7);
        reader.feed_data(b"1234567\n");
        assert_eq!(reader.readline().await?, b"1234567\n");
        reader.feed_data(b"12345678\n");
        fails(reader.readline().await, "ValueError");
        reader.feed_data(b"12345678");
        fails(reader.readline().await, "ValueError");
        assert_eq!(rest(&reader).await, b"");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readline_eof
// cpython: test_asyncio/test_streams.py::StreamTests::test_readline_empty_eof
// cpython: test_asyncio/test_streams.py::StreamTests::test_at_eof
#[test]
fn the_last_line_needs_no_newline() {
    run(async {
        let reader = StreamReader::new();
        assert!(!reader.at_eof());
        reader.feed_data(b"some data\n");
        assert!(!reader.at_eof());
        reader.readline().await?;
        reader.feed_data(b"some data");
        reader.feed_eof();
        assert!(!reader.at_eof());
        assert_eq!(reader.readline().await?, b"some data");
        assert!(reader.at_eof());
        assert_eq!(reader.readline().await?, b"");
        Ok(())
    });
}

#[test]
fn lines_come_one_by_one_until_the_end() {
    run(async {
        let reader = StreamReader::new();
        reader.feed_data(DATA);
        reader.feed_eof();
        let mut lines = 0;
        while let Some(line) = reader.next().await? {
            lines += 1;
            assert_eq!(line, format!("line{lines}\n").into_bytes());
        }
        assert_eq!(lines, 3);
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_separator
#[test]
fn a_separator_is_not_empty() {
    run(async {
        let reader = StreamReader::new();
        let one = "Separator should be at least one-byte string";
        assert_eq!(fails(reader.readuntil(b"").await, "ValueError"), one);
        assert_eq!(
            fails(reader.readuntil([b"".as_slice()]).await, "ValueError"),
            one
        );
        let none: [&[u8]; 0] = [];
        let message = fails(reader.readuntil(none).await, "ValueError");
        assert_eq!(message, "Separator should contain at least one element");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_multi_chunks
// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_multi_chunks_1
// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_bytearray
#[test]
fn a_separator_is_found_across_chunks() {
    run(async {
        let reader = StreamReader::new();
        reader.feed_data(b"lineAAAxxx");
        assert_eq!(reader.readuntil(b"AAA").await?, b"lineAAA");
        assert_eq!(reader.read(3).await?, b"xxx");
        let cases: [(&[&[u8]], &[u8]); 4] = [
            (&[b"QWEaa", b"XYaa", b"a"], b"QWEaaXYaaa"),
            (&[b"QWEaa", b"XYa", b"aa"], b"QWEaaXYaaa"),
            (&[b"aaa"], b"aaa"),
            (&[b"XXX", b"a", b"a", b"a"], b"XXXaaa"),
        ];
        for (chunks, whole) in cases {
            for chunk in chunks {
                reader.feed_data(chunk);
            }
            assert_eq!(reader.readuntil(b"aaa").await?, whole);
        }
        // Each chunk after another wait.
        let feeding = reader.clone();
        let task = asyncio::create_task(async move { feeding.readuntil(b"aaa").await });
        for chunk in [b"x", b"a", b"a", b"a"] {
            asyncio::sleep(0).await?;
            reader.feed_data(chunk);
        }
        assert_eq!(task.await?, b"xaaa");
        reader.feed_data(b"some data\r\n");
        assert_eq!(
            reader.readuntil(vec![b'\r', b'\n'].as_slice()).await?,
            b"some data\r\n"
        );
        assert_eq!(rest(&reader).await, b"");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_eof
#[test]
fn a_stream_that_ends_before_the_separator_gives_what_it_had() {
    run(async {
        let reader = StreamReader::new();
        reader.feed_data(b"some dataAA");
        reader.feed_eof();
        let exception = reader.readuntil(b"AAA").await.unwrap_err();
        assert_eq!(
            exception.to_string(),
            "11 bytes read on a total of undefined expected bytes"
        );
        let incomplete = exception.downcast_ref::<IncompleteReadError>().unwrap();
        assert_eq!(incomplete.partial, b"some dataAA");
        assert_eq!(incomplete.expected, None);
        assert!(reader.at_eof());
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_limit_found_sep
// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_multi_separator_limit
#[test]
fn what_is_beyond_the_limit_stays_to_be_read_in_another_way() {
    run(async {
        let reader = limited(3);
        reader.feed_data(b"some dataAA");
        let exception = reader.readuntil(b"AAA").await.unwrap_err();
        assert_eq!(
            exception
                .downcast_ref::<LimitOverrunError>()
                .unwrap()
                .consumed,
            9
        );
        assert!(exception.to_string().contains("not found"));
        reader.feed_data(b"A");
        let exception = reader.readuntil(b"AAA").await.unwrap_err();
        assert_eq!(
            exception
                .downcast_ref::<LimitOverrunError>()
                .unwrap()
                .consumed,
            9
        );
        assert!(exception.to_string().contains("is found"));
        assert_eq!(rest(&reader).await, b"some dataAAA");

        let reader = limited(3);
        reader.feed_data(b"some dataA");
        let either = [b"A".as_slice(), b"ome dataA"];
        assert!(fails(reader.readuntil(either).await, "LimitOverrunError").contains("is found"));
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_multi_separator
// cpython: test_asyncio/test_streams.py::StreamTests::test_readuntil_multi_separator_negative_offset
#[test]
fn of_several_separators_the_one_that_ends_first_counts() {
    run(async {
        let reader = StreamReader::new();
        let either = [b"\r".as_slice(), b"\n"];
        reader.feed_data(b"line 1\nline 2\r");
        assert_eq!(reader.readuntil(either).await?, b"line 1\n");
        assert_eq!(reader.readuntil(either).await?, b"line 2\r");
        reader.feed_data(b"ABCDEFG");
        assert_eq!(
            reader.readuntil([b"DEF".as_slice(), b"BCDE"]).await?,
            b"ABCDE"
        );
        assert_eq!(reader.read(2).await?, b"FG");

        reader.feed_data(b"data");
        soon(&reader, |reader| reader.feed_data(b"Z"));
        soon(&reader, |reader| reader.feed_data(b"Aaaa"));
        assert_eq!(
            reader.readuntil([b"A".as_slice(), b"long sep"]).await?,
            b"dataZA"
        );
        assert_eq!(rest(&reader).await, b"aaa");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readexactly_zero_or_less
// cpython: test_asyncio/test_streams.py::StreamTests::test_readexactly
// cpython: test_asyncio/test_streams.py::StreamTests::test_readexactly_limit
#[test]
fn readexactly_waits_for_so_many_bytes() {
    run(async {
        let reader = StreamReader::new();
        assert_eq!(reader.readexactly(0).await?, b"");
        soon(&reader, |reader| {
            for _ in 0..3 {
                reader.feed_data(DATA);
            }
        });
        assert_eq!(
            reader.readexactly(2 * DATA.len()).await?,
            [DATA, DATA].concat()
        );
        assert_eq!(rest(&reader).await, DATA);

        let small = limited(3);
        small.feed_data(b"chunk");
        assert_eq!(small.readexactly(5).await?, b"chunk");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_readexactly_eof
#[test]
fn readexactly_says_how_much_is_missing() {
    run(async {
        let reader = StreamReader::new();
        soon(&reader, |reader| {
            reader.feed_data(DATA);
            reader.feed_eof();
        });
        let exception = reader.readexactly(36).await.unwrap_err();
        assert_eq!(
            exception.to_string(),
            "18 bytes read on a total of 36 expected bytes"
        );
        let incomplete = exception.downcast_ref::<IncompleteReadError>().unwrap();
        assert_eq!(
            (incomplete.partial.as_slice(), incomplete.expected),
            (DATA, Some(36))
        );
        assert!(reader.at_eof());
        Ok(())
    });
}

#[test]
fn only_one_task_may_wait() {
    run(async {
        let reader = StreamReader::new();
        let other = reader.clone();
        let first = asyncio::create_task(async move { other.read(10).await });
        asyncio::sleep(0).await?;
        let message = fails(reader.readline().await, "RuntimeError");
        let expected =
            "readuntil() called while another coroutine is already waiting for incoming data";
        assert_eq!(message, expected);
        reader.feed_data(b"for the first");
        assert_eq!(first.await?, b"for the fi");
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__nondefault_limit
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__eof
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__data
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__exception
// cpython: test_asyncio/test_streams.py::StreamTests::test___repr__waiter
#[test]
fn a_reader_prints_what_it_holds() {
    run(async {
        let reader = StreamReader::new();
        assert_eq!(reader.to_string(), "<StreamReader>");
        assert_eq!(limited(123).to_string(), "<StreamReader limit=123>");
        let other = reader.clone();
        let task = asyncio::create_task(async move { other.read(4).await });
        asyncio::sleep(0).await?;
        assert_eq!(reader.to_string(), "<StreamReader waiter=<Future pending>>");
        reader.feed_data(b"data");
        assert_eq!(reader.to_string(), "<StreamReader 4 bytes>");
        task.await?;
        reader.feed_eof();
        assert_eq!(reader.to_string(), "<StreamReader eof>");
        reader.set_exception(asyncio::RuntimeError::default());
        assert_eq!(
            reader.to_string(),
            "<StreamReader eof exception=RuntimeError()>"
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_streamreader_constructor_without_loop
#[test]
#[should_panic(expected = "RuntimeError: There is no current event loop in thread")]
fn a_reader_needs_a_running_loop() {
    StreamReader::new();
}

// cpython: test_asyncio/test_streams.py::StreamTests::test_streamreader_constructor_use_running_loop
#[test]
fn a_reader_belongs_to_the_running_loop() {
    let event_loop = asyncio::new_event_loop();
    let reader = event_loop
        .run_until_complete(async { Ok(StreamReader::new()) })
        .unwrap();
    let feeding = reader.clone();
    event_loop
        .call_soon(move || feeding.feed_data(b"x"))
        .unwrap();
    let read = async move { reader.read(1).await };
    let data: Result<Vec<u8>> = event_loop.run_until_complete(read);
    assert_eq!(data.unwrap(), b"x");
    event_loop.close().unwrap();
}
