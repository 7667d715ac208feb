//! `read` and `readexactly`.

use hilos::asyncio::{IncompleteReadError, StreamReader};

use super::{DATA, limited, rest, soon};
use crate::support::run;

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
