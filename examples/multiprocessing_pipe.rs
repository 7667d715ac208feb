//! M13: a list goes through a pipe, one that works both ways and one that does not.
//!
//! Run: cargo run --release --example multiprocessing_pipe

use hilos::multiprocessing::connection::Connection;
use hilos::multiprocessing::{self, Process, pipe};
use serde::{Deserialize, Serialize};

/// What the list of the Python program holds: a number, nothing, a text.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Item {
    Number(i64),
    None,
    Text(String),
}

fn f(conn: Connection) -> Result<(), multiprocessing::Error> {
    conn.send(
        &[
            Item::Number(42),
            Item::None,
            Item::Text("hello".to_string()),
        ][..],
    )?;
    conn.close();
    Ok(())
}

fn main() -> Result<(), multiprocessing::Error> {
    for duplex in [true, false] {
        let (parent_conn, child_conn) = pipe(duplex)?;
        let p = Process::new(f, (child_conn,));
        p.start()?;
        let list: Vec<Item> = parent_conn.recv()?;
        println!("{list:?}");
        assert_eq!(
            list,
            [
                Item::Number(42),
                Item::None,
                Item::Text("hello".to_string())
            ]
        );
        p.join(None)?;
    }
    Ok(())
}
