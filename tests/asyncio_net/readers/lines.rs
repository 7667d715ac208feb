//! `readline`, and lines one by one.

use hilos::asyncio::StreamReader;

use super::{DATA, limited, rest, soon};
use crate::support::{fails, run};

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
