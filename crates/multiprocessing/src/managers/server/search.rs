//! Whether a message can have a proxy in it.

const MARK: &[u8] = b"RebuildProxy";

/// Whether a message names the function that makes proxies, found without unpickling it.
pub(super) fn mentions_proxy(bytes: &[u8]) -> bool {
    let mut end = MARK.len();
    while let Some(window) = bytes.get(end - MARK.len()..end) {
        if window == MARK {
            return true;
        }
        // As far as the last byte allows that a mark begins.
        let (before, last) = (&MARK[..MARK.len() - 1], window[MARK.len() - 1]);
        end += before
            .iter()
            .rev()
            .position(|&byte| byte == last)
            .map_or(MARK.len(), |at| at + 1);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::mentions_proxy;

    #[test]
    fn the_mark_is_found_wherever_it_is() {
        for before in 0..40 {
            let text = format!(
                "{}RebuildProxy{}",
                "oxyR".repeat(before),
                "x".repeat(before % 5)
            );
            assert!(mentions_proxy(text.as_bytes()), "{text}");
            assert!(
                !mentions_proxy(&text.as_bytes()[1 + 4 * before..]),
                "{text}"
            );
            let without = text.replace("Proxy", "Pro");
            assert!(!mentions_proxy(without.as_bytes()), "{without}");
        }
        assert!(!mentions_proxy(b""));
    }
}
