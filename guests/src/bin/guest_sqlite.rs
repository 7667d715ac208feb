//! A database client of tokio's world in the loop's tasks: SQLite, with queries that take too long.
//!
//! The client runs its queries one by one in a thread of its own. A query that nobody waits for any
//! more goes on there until it is interrupted.
//!
//! Run: cargo run --release --manifest-path guests/Cargo.toml --bin guest_sqlite

use hilos::asyncio::{self, Result, create_task, gather, sleep, timeout};
use tokio_rusqlite::rusqlite::InterruptHandle;
use tokio_rusqlite::{Connection, params, rusqlite};

const ORDERS: [(&str, f64); 4] = [
    ("burger", 7.5),
    ("frites", 4.0),
    ("soda", 1.0),
    ("beer", 1.2),
];

async fn create(db: &Connection) -> Result<()> {
    let create = "CREATE TABLE menu (product TEXT PRIMARY KEY, seconds REAL)";
    let create = db.call(move |db| db.execute_batch(create));
    Ok(create.await?)
}

async fn insert(db: Connection, product: &'static str, seconds: f64) -> Result<()> {
    let insert = "INSERT INTO menu VALUES (?, ?)";
    let insert = db.call(move |db| db.execute(insert, params![product, seconds]));
    assert_eq!(insert.await?, 1);
    Ok(())
}

async fn slowest(db: &Connection) -> Result<String> {
    let query = "SELECT product FROM menu ORDER BY seconds DESC LIMIT 1";
    let query = db.call(move |db| db.query_row(query, [], |row| row.get(0)));
    Ok(query.await?)
}

/// Counts without end.
async fn endless(db: &Connection) -> Result<i64> {
    let query =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let query = db.call(move |db| db.query_row(query, [], |row| row.get(0)));
    Ok(query.await?)
}

async fn interrupt_handle(db: &Connection) -> Result<InterruptHandle> {
    let handle = db.call(|db| Ok::<_, rusqlite::Error>(db.get_interrupt_handle()));
    Ok(handle.await?)
}

/// Interrupts what the client's thread is at, which may not have begun, until the thread is free.
async fn interrupt(db: Connection, handle: &InterruptHandle) -> Result<()> {
    let nothing = async move { Ok(db.call(|_| Ok::<_, rusqlite::Error>(())).await?) };
    let free = create_task(nothing);
    while !free.done() {
        handle.interrupt();
        sleep(0.01).await?;
    }
    free.await
}

fn main() -> Result<()> {
    asyncio::run(async {
        let db = Connection::open_in_memory().await?;
        create(&db).await?;
        let inserts = ORDERS.map(|(product, seconds)| insert(db.clone(), product, seconds));
        gather(inserts).await?;
        let slow = slowest(&db).await?;
        println!("slowest: {slow}");
        assert_eq!(slow, "burger");

        let handle = interrupt_handle(&db).await?;
        let count = timeout(0.05, async |_| endless(&db).await).await;
        println!("timeout: {:?}", count.as_ref().map_err(|e| e.type_name()));
        assert!(count.unwrap_err().is_timeout());
        interrupt(db.clone(), &handle).await?;

        let other = db.clone();
        let task = create_task(async move { endless(&other).await });
        sleep(0.05).await?;
        task.cancel();
        let count = task.await;
        println!("cancel: {:?}", count.as_ref().map_err(|e| e.type_name()));
        assert!(count.unwrap_err().is_cancelled());
        interrupt(db.clone(), &handle).await?;

        println!("then: {}", slowest(&db).await?);
        Ok(())
    })
}
