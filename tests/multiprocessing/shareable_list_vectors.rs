//! The bytes of lists that CPython 3.13 has written.

use hilos::multiprocessing::shared_memory::Item;

/// A list: what it is made of, its bytes in hexadecimal digits, and what is read out of them.
pub(crate) struct List {
    pub(crate) items: fn() -> Vec<Item>,
    pub(crate) bytes: &'static str,
    pub(crate) read_back: fn() -> Vec<Item>,
}

/// One of the assignments to a list that begins as `[1, 'abc', None]`, in their order.
pub(crate) struct Assignment {
    pub(crate) position: isize,
    pub(crate) value: fn() -> Item,
    pub(crate) bytes: &'static str,
    pub(crate) read_back: fn() -> Vec<Item>,
    pub(crate) format: &'static str,
}

/// Digits, in pairs, as bytes.
pub(crate) fn bytes(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len()).step_by(2);
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    pairs.map(byte).collect()
}

pub(crate) const LISTS: &[List] = &[
    List {
        items: || vec![],
        bytes: "00000000000000000000000000000000",
        read_back: || vec![],
    },
    List {
        items: || vec![5.into()],
        bytes: "0100000000000000000000000000000008000000000000000500000000000000710000000000000000",
        read_back: || vec![5.into()],
    },
    List {
        items: || {
            vec![
                1.into(),
                (-2).into(),
                2.5.into(),
                true.into(),
                false.into(),
                Item::None,
                "abc".into(),
                b"xy".into(),
            ]
        },
        bytes: "08000000000000000000000000000000080000000000000010000000000000001800000000000000200000000000000028000000000000003000000000000000380000000000000040000000000000000100000000000000feffffffffffffff000000000000044000000000000000010000000000000000000000000000000061626300000000007879000000000000710000000000000071000000000000006400000000000000787878787878783f787878787878783f7878787878783f78387300000000000038730000000000000000000000030102",
        read_back: || {
            vec![
                1.into(),
                (-2).into(),
                2.5.into(),
                true.into(),
                false.into(),
                Item::None,
                "abc".into(),
                b"xy".into(),
            ]
        },
    },
    List {
        items: || vec!["".into(), b"".into()],
        bytes: "020000000000000000000000000000000800000000000000100000000000000000000000000000000000000000000000387300000000000038730000000000000102",
        read_back: || vec!["".into(), b"".into()],
    },
    List {
        items: || vec!["12345678".into(), "1234567".into()],
        bytes: "0200000000000000000000000000000010000000000000001800000000000000313233343536373800000000000000003132333435363700313673000000000038730000000000000101",
        read_back: || vec!["12345678".into(), "1234567".into()],
    },
    List {
        items: || vec!["éééééééééé".into()],
        bytes: "010000000000000000000000000000001000000000000000c3a9c3a9c3a9c3a9c3a9c3a9c3a9c3a9313673000000000001",
        read_back: || vec!["éééééééé".into()],
    },
    List {
        items: || vec!["trailing\0".into(), b"\0z\0".into()],
        bytes: "0200000000000000000000000000000010000000000000001800000000000000747261696c696e670000000000000000007a000000000000313673000000000038730000000000000102",
        read_back: || vec!["trailing".into(), b"\0z".into()],
    },
    List {
        items: || vec![b"a".repeat(100).into(), 7.into()],
        bytes: "020000000000000000000000000000006800000000000000700000000000000061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161000000000700000000000000313034730000000071000000000000000200",
        read_back: || vec![b"a".repeat(100).into(), 7.into()],
    },
];

pub(crate) const ASSIGNMENTS: &[Assignment] = &[
    Assignment {
        position: 0,
        value: || 2.5.into(),
        bytes: "03000000000000000000000000000000080000000000000010000000000000001800000000000000000000000000044061626300000000000000000000000000640000000000000038730000000000007878787878783f78000103",
        read_back: || vec![2.5.into(), "abc".into(), Item::None],
        format: "d8sxxxxxx?x",
    },
    Assignment {
        position: 0,
        value: || "x".into(),
        bytes: "03000000000000000000000000000000080000000000000010000000000000001800000000000000780000000000000061626300000000000000000000000000387300000000000038730000000000007878787878783f78010103",
        read_back: || vec!["x".into(), "abc".into(), Item::None],
        format: "8s8sxxxxxx?x",
    },
    Assignment {
        position: 1,
        value: || "aaaaaaaa".into(),
        bytes: "03000000000000000000000000000000080000000000000010000000000000001800000000000000780000000000000061616161616161610000000000000000387300000000000038730000000000007878787878783f78010103",
        read_back: || vec!["x".into(), "aaaaaaaa".into(), Item::None],
        format: "8s8sxxxxxx?x",
    },
    Assignment {
        position: 1,
        value: || 5.into(),
        bytes: "03000000000000000000000000000000080000000000000010000000000000001800000000000000780000000000000005000000000000000000000000000000387300000000000071000000000000007878787878783f78010003",
        read_back: || vec!["x".into(), 5.into(), Item::None],
        format: "8sqxxxxxx?x",
    },
    Assignment {
        position: 1,
        value: || "zz".into(),
        bytes: "0300000000000000000000000000000008000000000000001000000000000000180000000000000078000000000000007a7a0000000000000000000000000000387300000000000038730000000000007878787878783f78010103",
        read_back: || vec!["x".into(), "zz".into(), Item::None],
        format: "8s8sxxxxxx?x",
    },
    Assignment {
        position: 2,
        value: || true.into(),
        bytes: "0300000000000000000000000000000008000000000000001000000000000000180000000000000078000000000000007a7a000000000000000000000000000138730000000000003873000000000000787878787878783f010100",
        read_back: || vec!["x".into(), "zz".into(), true.into()],
        format: "8s8sxxxxxxx?",
    },
    Assignment {
        position: 0,
        value: || b"12345678".into(),
        bytes: "0300000000000000000000000000000008000000000000001000000000000000180000000000000031323334353637387a7a000000000000000000000000000138730000000000003873000000000000787878787878783f020100",
        read_back: || vec![b"12345678".into(), "zz".into(), true.into()],
        format: "8s8sxxxxxxx?",
    },
];
