//! `test_pep492.py`: what `async for` goes through.

use hilos::asyncio::StreamReader;

use crate::support::run;

// cpython: test_asyncio/test_pep492.py::StreamReaderTests::test_readline
#[test]
fn a_reader_is_read_line_by_line() {
    run(async {
        let reader = StreamReader::new();
        reader.feed_data(b"line1\nline2\nline3");
        reader.feed_eof();
        let mut lines = Vec::new();
        while let Some(line) = reader.next().await? {
            lines.push(line);
        }
        assert_eq!(lines, [&b"line1\n"[..], b"line2\n", b"line3"]);
        Ok(())
    });
}
