//! `readuntil`.

use hilos::asyncio::{self, IncompleteReadError, LimitOverrunError, StreamReader};

use super::{limited, rest, soon};
use crate::support::{fails, run};

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
