//! Beyond Python: virtual time, and other orders.

use std::collections::HashSet;

use hilos::asyncio::testing::{self, run_with_shuffle};
use hilos::asyncio::{self, Lock, Result, create_task, gather, get_running_loop, sleep};

use crate::support::{Log, run};

const DAY: f64 = 24.0 * 3600.0;

/// A program of years: who wakes when.
async fn calendar() -> Result<Vec<String>> {
    let log = Log::new();
    let person = |number: u32| {
        let log = log.clone();
        async move {
            let event_loop = get_running_loop()?;
            for day in 1..=100 {
                sleep(DAY * f64::from(number)).await?;
                log.push(format!("{number} {day} {}", event_loop.time() / DAY));
            }
            Ok(())
        }
    };
    gather((1..=20).map(person)).await?;
    Ok(log.take())
}

#[test]
fn years_of_sleeps_take_no_time_and_are_the_same_in_each_run() {
    let first = run(calendar());
    assert_eq!(first.len(), 2000);
    assert_eq!(first.last().unwrap(), "20 100 2000");
    assert!((0..3).all(|_| run(calendar()) == first));
}

#[test]
fn time_stands_still_while_nobody_sleeps() {
    run(async {
        let event_loop = get_running_loop()?;
        assert_eq!(event_loop.time(), 0.0);
        for _ in 0..1000 {
            sleep(0).await?;
        }
        assert_eq!(event_loop.time(), 0.0);
        // Another thread takes its own time, which is none of the loop's.
        let nap = create_task(sleep(DAY));
        asyncio::to_thread(|| ()).await?;
        assert_eq!((event_loop.time(), nap.done()), (0.0, false));
        nap.await?;
        assert_eq!(event_loop.time(), DAY);
        Ok(())
    });
}

/// In which order ten tasks run, and then once more.
async fn order() -> Result<String> {
    let log = Log::new();
    let task = |name: char| {
        let log = log.clone();
        async move {
            log.push(name);
            sleep(0).await?;
            log.push(name);
            Ok(())
        }
    };
    gather("abcdefghij".chars().map(task)).await?;
    Ok(log.take().into_iter().collect())
}

#[test]
fn nothing_is_shuffled_unless_asked() {
    assert!((0..10).all(|_| run(order()) == "abcdefghijabcdefghij"));
}

#[test]
fn a_seed_decides_the_order() {
    let orders: Vec<_> = (0..50)
        .map(|seed| run_with_shuffle(seed, order()).unwrap())
        .collect();
    for (seed, order_then) in (0..).zip(&orders) {
        assert_eq!(
            &run_with_shuffle(seed, order()).unwrap(),
            order_then,
            "seed {seed}"
        );
        for half in [&order_then[..10], &order_then[10..]] {
            let mut names: Vec<_> = half.chars().collect();
            names.sort_unstable();
            assert_eq!(names, ('a'..='j').collect::<Vec<_>>(), "each runs once");
        }
    }
    let different: HashSet<_> = orders.iter().collect();
    assert!(different.len() > 45, "of 50 seeds hardly two agree");
}

#[test]
fn callbacks_keep_their_order() {
    async fn main() -> Result<Vec<i32>> {
        let (event_loop, log) = (get_running_loop()?, Log::new());
        for number in 0..20 {
            let log = log.clone();
            event_loop.call_soon(move || log.push(number))?;
            let _between = create_task(sleep(0));
        }
        sleep(1).await?;
        Ok(log.take())
    }
    for seed in 0..20 {
        let expected: Vec<_> = (0..20).collect();
        assert_eq!(run_with_shuffle(seed, main()).unwrap(), expected);
    }
}

#[test]
fn a_lock_protects_in_any_order() {
    async fn main() -> Result<u32> {
        let (lock, log) = (Lock::new(), Log::new());
        log.push(0);
        let add = |_| {
            let (lock, log) = (lock.clone(), log.clone());
            async move {
                let _held = lock.lock().await?;
                let sum = log.take()[0];
                sleep(0).await?;
                log.push(sum + 1);
                Ok(())
            }
        };
        gather((0..20).map(add)).await?;
        Ok(log.take()[0])
    }
    assert!((0..100).all(|seed| run_with_shuffle(seed, main()).unwrap() == 20));
}

#[test]
fn a_loop_of_ones_own_can_be_shuffled() {
    let event_loop = asyncio::new_event_loop();
    testing::shuffle(&event_loop, 7);
    async fn short() -> Result<String> {
        let log = Log::new();
        let task = |name: char| {
            let log = log.clone();
            async move {
                log.push(name);
                Ok(())
            }
        };
        gather("abcdefghij".chars().map(task)).await?;
        Ok(log.take().into_iter().collect())
    }
    let shuffled = event_loop.run_until_complete(short()).unwrap();
    assert_eq!(shuffled, run_with_shuffle(7, short()).unwrap());
    assert_ne!(shuffled, "abcdefghij");
    event_loop.close().unwrap();
}
