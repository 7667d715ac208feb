//! A queue as a Redis Stream with a group of consumers.

use std::collections::HashSet;
use std::time::Duration;

use redis::{Connection, FromRedisValue, RedisError, ScriptInvocation, Value, cmd};

use super::entry::{Entry, claimed, delivery, entries, integer, results};
use super::keys::{GROUP, Keys};
use super::link::{Link, Server};
use super::scripts::Scripts;
use super::{Completion, Delivery, Engine, Fault, Lease, News, Results, Snapshot};
use crate::error::Error;

/// How many results are read at a time, and how many bytes they should have.
const RESULTS: usize = 256;
const RESULT_BYTES: usize = 16 << 20;

/// How many numbers go into one command.
const NUMBERS: usize = 512;

pub(crate) struct Redis {
    link: Link,
    keys: Keys,
    scripts: Scripts,
    /// How many results are read next: as many as there is room for if they are as large as the last.
    results: usize,
}

impl Redis {
    pub(crate) fn new(server: &Server, queue: &str) -> Self {
        Self {
            link: Link::new(server.clone()),
            keys: Keys::new(queue),
            scripts: Scripts::new(),
            results: 1,
        }
    }

    fn call<T: FromRedisValue>(link: &mut Link, script: &ScriptInvocation<'_>) -> Result<T, Fault> {
        link.run(|connection| script.invoke(connection))
    }

    /// Does what needs the group, which a new or an empty server does not have.
    fn with_group<T>(
        &mut self,
        mut what: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match what(self) {
            Err(Fault::Refused(reason)) if reason.contains("NOGROUP") => {
                let tasks = self.keys.tasks();
                let mut create = cmd("XGROUP");
                create
                    .arg("CREATE")
                    .arg(tasks)
                    .arg(GROUP)
                    .arg("0")
                    .arg("MKSTREAM");
                self.link.run(|connection| match create.exec(connection) {
                    Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
                    created => created,
                })?;
                what(self)
            }
            result => result,
        }
    }

    /// Has the server give `worker` what others have held for longer than `lease`.
    fn take_over(
        &mut self,
        worker: &str,
        lease: Duration,
        count: usize,
    ) -> Result<Vec<Value>, Fault> {
        self.with_group(|this| {
            let mut script = this.scripts.claim.prepare_invoke();
            script.key(this.keys.tasks()).key(this.keys.counts());
            script.arg(GROUP).arg(worker).arg(millis(lease)).arg(count);
            Self::call(&mut this.link, &script)
        })
    }

    /// The tasks among entries, each with how often it was given out; what is none is removed.
    fn tasks(&mut self, given: Vec<(Entry, u32)>) -> Result<Vec<Delivery>, Fault> {
        let (mut tasks, mut strange) = (Vec::new(), Vec::new());
        for (entry, attempt) in given {
            let id = entry.id.clone();
            match delivery(entry, attempt) {
                Some(task) => tasks.push(task),
                None => strange.push(id),
            }
        }
        if let Some(first) = strange.first() {
            let entries = strange.len();
            tracing::warn!(entries, first, "what is no task is removed from the queue");
            // Should it fail, they are claimed like tasks, and so come here again.
            let mut script = self.scripts.remove.prepare_invoke();
            script.key(self.keys.tasks()).arg(GROUP).arg(strange);
            Self::call::<()>(&mut self.link, &script)?;
        }
        Ok(tasks)
    }
}

impl Engine for Redis {
    fn connect(&mut self, patient: &dyn Fn() -> bool) -> Result<(), Error> {
        self.link.connect(patient)
    }

    fn submit(&mut self, news: &News<'_>) -> Result<bool, Fault> {
        let keys = &self.keys;
        let mut script = self.scripts.submit.prepare_invoke();
        script.key(keys.tasks()).key(keys.submitted(news.client));
        script.key(keys.results(news.client)).key(keys.counts());
        script
            .arg(news.client)
            .arg(millis(news.expiry))
            .arg(news.read_to);
        script.arg(news.answered.len());
        for number in news.answered {
            script.arg(*number);
        }
        for task in &news.tasks {
            let limit = task.limit.map_or(0, millis);
            script
                .arg(task.number)
                .arg(task.function)
                .arg(limit)
                .arg(task.args);
        }
        Self::call::<i64>(&mut self.link, &script).map(|known| known == 1)
    }

    fn known(&mut self, client: &str) -> Result<HashSet<u64>, Fault> {
        let mut script = self.scripts.known.prepare_invoke();
        script
            .key(self.keys.submitted(client))
            .key(self.keys.results(client));
        let fields: Vec<String> = Self::call(&mut self.link, &script)?;
        // One field is not a number, but says that the client lives.
        Ok(fields
            .iter()
            .filter_map(|field| field.parse().ok())
            .collect())
    }

    fn results(&mut self, client: &str, after: &str, wait: Duration) -> Result<Results, Fault> {
        let mut command = cmd("XREAD");
        command.arg("COUNT").arg(self.results);
        command.arg("BLOCK").arg(millis(wait).max(1));
        command
            .arg("STREAMS")
            .arg(self.keys.results(client))
            .arg(after);
        let reply = self.link.run(|connection| command.query(connection))?;
        let results = results(entries(reply));
        let bytes: usize = results
            .arrivals
            .iter()
            .map(|result| result.outcome.len())
            .sum();
        if let Some(average) = bytes.checked_div(results.arrivals.len()) {
            self.results = (RESULT_BYTES / average.max(1)).clamp(1, RESULTS);
        }
        Ok(results)
    }

    fn cancel(&mut self, client: &str, numbers: &[u64]) -> Result<usize, Fault> {
        let mut cancelled = 0;
        for numbers in numbers.chunks(NUMBERS) {
            let mut script = self.scripts.cancel.prepare_invoke();
            script
                .key(self.keys.tasks())
                .key(self.keys.submitted(client));
            script.key(self.keys.counts()).arg(GROUP);
            for number in numbers {
                script.arg(*number);
            }
            cancelled += Self::call::<usize>(&mut self.link, &script)?;
        }
        Ok(cancelled)
    }

    fn forget(&mut self, client: &str) -> Result<(), Fault> {
        let mut command = cmd("DEL");
        command
            .arg(self.keys.submitted(client))
            .arg(self.keys.results(client));
        self.link.run(|connection| command.exec(connection))
    }

    fn take(&mut self, worker: &str, count: usize, wait: Duration) -> Result<Vec<Delivery>, Fault> {
        let mut command = cmd("XREADGROUP");
        command
            .arg("GROUP")
            .arg(GROUP)
            .arg(worker)
            .arg("COUNT")
            .arg(count);
        command.arg("BLOCK").arg(millis(wait).max(1));
        command.arg("STREAMS").arg(self.keys.tasks()).arg(">");
        let reply =
            self.with_group(|this| this.link.run(|connection| command.query(connection)))?;
        self.tasks(entries(reply).map(|entry| (entry, 1)).collect())
    }

    fn claim(
        &mut self,
        worker: &str,
        lease: Duration,
        count: usize,
    ) -> Result<Vec<Delivery>, Fault> {
        loop {
            let taken = self.take_over(worker, lease, count.min(NUMBERS))?;
            let none = taken.is_empty();
            let tasks = self.tasks(taken.into_iter().filter_map(claimed).collect())?;
            // There may be tasks behind what is none.
            if none || !tasks.is_empty() {
                return Ok(tasks);
            }
        }
    }

    fn renew(&mut self, worker: &str, held: &[(String, String)]) -> Result<Vec<Lease>, Fault> {
        let mut leases = Vec::with_capacity(held.len());
        for held in held.chunks(NUMBERS) {
            let states: Vec<i64> = self.with_group(|this| {
                let mut script = this.scripts.renew.prepare_invoke();
                script.key(this.keys.tasks()).arg(GROUP).arg(worker);
                for (id, client) in held {
                    script.key(this.keys.submitted(client)).arg(&**id);
                }
                Self::call(&mut this.link, &script)
            })?;
            leases.extend(states.into_iter().map(|state| match state {
                1 => Lease::Held,
                2 => Lease::Orphan,
                _ => Lease::Lost,
            }));
        }
        Ok(leases)
    }

    fn complete(&mut self, client: &str, outcomes: &[Completion]) -> Result<usize, Fault> {
        let keys = &self.keys;
        let mut script = self.scripts.complete.prepare_invoke();
        script.key(keys.tasks()).key(keys.submitted(client));
        script
            .key(keys.results(client))
            .key(keys.counts())
            .arg(GROUP);
        for Completion {
            id,
            number,
            outcome,
            kind,
        } in outcomes
        {
            script.arg(&**id).arg(*number).arg(&**outcome).arg(*kind);
        }
        Self::call(&mut self.link, &script)
    }

    fn give_back(&mut self, held: &[(String, String)]) -> Result<(), Fault> {
        let mut script = self.scripts.give_back.prepare_invoke();
        script.key(self.keys.tasks()).arg(GROUP);
        for (id, client) in held {
            script.key(self.keys.submitted(client)).arg(&**id);
        }
        Self::call(&mut self.link, &script)
    }

    fn report(&mut self, worker: &str, text: &str, valid: Duration) -> Result<(), Fault> {
        let mut script = self.scripts.report.prepare_invoke();
        script.key(self.keys.workers()).key(self.keys.tasks());
        script.arg(GROUP).arg(worker).arg(text).arg(millis(valid));
        Self::call(&mut self.link, &script)
    }

    fn status(&mut self) -> Result<Snapshot, Fault> {
        let (tasks, workers, counts) = (self.keys.tasks(), self.keys.workers(), self.keys.counts());
        self.link.run(|connection| {
            let (seconds, micros): (u64, u64) = cmd("TIME").query(connection)?;
            let length: u64 = cmd("XLEN").arg(&tasks).query(connection)?;
            let held = held(connection, &tasks)?;
            let workers: Vec<(String, String)> = cmd("HGETALL").arg(&workers).query(connection)?;
            let seen = |(name, text): (String, String)| {
                let (seen, said) = text.split_once('\t')?;
                Some((name, seen.parse().ok()?, said.to_owned()))
            };
            Ok(Snapshot {
                now: seconds * 1000 + micros / 1000,
                tasks: length,
                held,
                workers: workers.into_iter().filter_map(seen).collect(),
                counts: cmd("HGETALL").arg(&counts).query(connection)?,
            })
        })
    }
}

/// How many tasks workers have.
fn held(connection: &mut Connection, tasks: &str) -> Result<u64, RedisError> {
    let mut command = cmd("XPENDING");
    match command.arg(tasks).arg(GROUP).query(connection) {
        Ok(Value::Array(parts)) => Ok(parts.first().map_or(0, integer)),
        Ok(_) => Ok(0),
        Err(error) if error.code() == Some("NOGROUP") => Ok(0),
        Err(error) => Err(error),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
