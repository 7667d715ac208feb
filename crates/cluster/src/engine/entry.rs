//! What the server's replies say: entries of streams, and what they stand for.

use std::time::Duration;

use redis::Value;

use super::{Arrival, Delivery, Results};

/// An entry of a stream.
pub(super) struct Entry {
    pub(super) id: String,
    /// What its fields say, whose names come in a known order.
    values: Vec<Vec<u8>>,
}

impl Entry {
    fn new(value: Value) -> Option<Self> {
        let Value::Array(mut parts) = value else {
            return None;
        };
        let Some(Value::Array(pairs)) = parts.pop() else {
            return None;
        };
        let id = text(bytes(parts.pop()?)?)?;
        let values = pairs.into_iter().skip(1).step_by(2).map(bytes);
        let values = values.collect::<Option<_>>()?;
        Some(Self { id, values })
    }
}

/// The entries of the one stream that was read, whatever the protocol's version.
pub(super) fn entries(reply: Value) -> impl Iterator<Item = Entry> {
    let stream = match reply {
        Value::Array(mut streams) if !streams.is_empty() => match streams.remove(0) {
            Value::Array(mut parts) => parts.pop(),
            _ => None,
        },
        Value::Map(mut streams) if !streams.is_empty() => Some(streams.remove(0).1),
        _ => None,
    };
    let entries = match stream {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    entries.into_iter().filter_map(Entry::new)
}

/// An entry that was taken over, and how often it has been given out.
pub(super) fn claimed(value: Value) -> Option<(Entry, u32)> {
    let Value::Array(mut parts) = value else {
        return None;
    };
    let attempt = integer(&parts.pop()?);
    let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
    Some((Entry::new(Value::Array(parts))?, attempt))
}

/// A task; nothing if the entry is none.
pub(super) fn delivery(entry: Entry, attempt: u32) -> Option<Delivery> {
    let [client, number, function, limit, before, args] = entry.values.try_into().ok()?;
    let limit = parse(limit)?;
    Some(Delivery {
        id: entry.id,
        client: text(client)?,
        number: parse(number)?,
        function: text(function)?,
        args,
        limit: (limit > 0).then(|| Duration::from_millis(limit)),
        attempt: attempt.checked_add(parse(before)?)?,
    })
}

/// The results among entries, and where they end.
pub(super) fn results(entries: impl Iterator<Item = Entry>) -> Results {
    let mut results = Results::default();
    for Entry { id, values } in entries {
        match arrival(values) {
            Some(arrival) => results.arrivals.push(arrival),
            None => tracing::warn!(id, "what is no result is skipped"),
        }
        results.last = Some(id);
    }
    results
}

fn arrival(values: Vec<Vec<u8>>) -> Option<Arrival> {
    let [number, outcome] = values.try_into().ok()?;
    let number = parse(number)?;
    Some(Arrival { number, outcome })
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        _ => None,
    }
}

fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

fn parse<T: std::str::FromStr>(bytes: Vec<u8>) -> Option<T> {
    text(bytes)?.parse().ok()
}

pub(super) fn integer(value: &Value) -> u64 {
    match value {
        Value::Int(number) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}
