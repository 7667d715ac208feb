//! Lists in shared memory, byte for byte as CPython has them.

use std::io::ErrorKind;

use hilos::multiprocessing::connection::pipe;
use hilos::multiprocessing::shared_memory::{Item, ShareableList, SharedMemory};
use hilos::multiprocessing::{Error, Process, StartMethod};

use crate::python;
use crate::shareable_list_vectors::{ASSIGNMENTS, LISTS, bytes};
use crate::shared_memory::{exists, kind, text};
use crate::support::{each_start_method, run_to_end};

fn howdy() -> Vec<Item> {
    vec![
        "howdy".into(),
        b"HoWdY".into(),
        (-273.154).into(),
        100.into(),
        Item::None,
        true.into(),
        42.into(),
    ]
}

const TOO_LONG: &str = "ValueError: bytes/str item exceeds available storage";

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_ShareableList_basics
#[test]
fn items_are_read_found_and_replaced() {
    let sl = ShareableList::new(howdy()).unwrap();
    let name = sl.shm().name().to_owned();
    let shown =
        format!("ShareableList(['howdy', b'HoWdY', -273.154, 100, None, True, 42], name='{name}')");
    assert_eq!(sl.to_string(), shown);
    items_are_read(&sl);
    items_are_replaced(&sl);
    items_are_counted(&sl);
    a_copy_is_a_list_of_its_own(&sl);

    let tethered = ShareableList::open(&name).unwrap();
    tethered.set(-1, 880).unwrap();
    assert_eq!(sl.get(-1).unwrap(), 880.into());
    tethered.shm().close();
    sl.shm().close();
    assert_eq!(text(sl.get(0)), "ValueError: the shared memory is closed");
    sl.shm().unlink().unwrap();
}

fn items_are_read(sl: &ShareableList) {
    for position in [7, -8, isize::MAX, isize::MIN] {
        assert!(matches!(sl.get(position), Err(Error::Index)));
        assert!(matches!(sl.set(position, 2), Err(Error::Index)));
    }
    sl.set(0, "howdy").unwrap();
    assert_eq!(sl.format().unwrap(), "8s8sdqxxxxxx?xxxxxxxx?q");
    assert_eq!((sl.len(), sl.is_empty()), (7, false));
    assert_eq!(
        text(sl.index("100")),
        "ValueError: '100' not in this container"
    );
    assert_eq!(sl.index(100).unwrap(), 3);
    assert_eq!(sl.get(0).unwrap(), "howdy".into());
    assert_eq!(sl.get(-2).unwrap(), true.into());
    assert_eq!(sl.to_vec().unwrap(), howdy());
}

fn items_are_replaced(sl: &ShareableList) {
    sl.set(3, 42).unwrap();
    assert_eq!(sl.get(3).unwrap(), 42.into());
    sl.set(4, "some").unwrap();
    assert_eq!(sl.get(4).unwrap(), "some".into());
    assert_eq!(sl.format().unwrap(), "8s8sdq8sxxxxxxx?q");
    assert_eq!(text(sl.set(4, "far too many")), TOO_LONG);
    assert_eq!(sl.get(4).unwrap(), "some".into());
    sl.set(0, "encodés").unwrap();
    assert_eq!(sl.get(0).unwrap(), "encodés".into());
    assert_eq!(sl.get(1).unwrap(), b"HoWdY".into(), "no spillage");
    assert_eq!(text(sl.set(0, "encodées")), TOO_LONG);
    assert_eq!(text(sl.set(1, b"123456789")), TOO_LONG);
    assert_eq!(sl.get(1).unwrap(), b"HoWdY".into());
}

fn items_are_counted(sl: &ShareableList) {
    assert_eq!(sl.count(42).unwrap(), 2);
    assert_eq!(sl.count(b"HoWdY").unwrap(), 1);
    assert_eq!(sl.count(b"adios").unwrap(), 0);
    assert_eq!(sl.count(1).unwrap(), 1, "True is 1");
}

fn a_copy_is_a_list_of_its_own(sl: &ShareableList) {
    let duplicate = format!("hilos_duplicate{}", std::process::id());
    let copy = ShareableList::new_named(&duplicate, sl.to_vec().unwrap()).unwrap();
    assert_eq!(copy.shm().name(), duplicate);
    assert_eq!(copy.to_vec().unwrap(), sl.to_vec().unwrap());
    assert_eq!(copy.format().unwrap(), sl.format().unwrap());
    copy.set(-1, 77).unwrap();
    assert_eq!(copy.get(-1).unwrap(), 77.into());
    assert_eq!(sl.get(-1).unwrap(), 42.into());
    copy.shm().close();
    copy.shm().unlink().unwrap();
}

#[test]
fn a_list_may_be_empty() {
    let empty = ShareableList::new([Item::None; 0]).unwrap();
    assert_eq!(
        (empty.len(), empty.is_empty(), empty.shm().size()),
        (0, true, 16)
    );
    assert_eq!(empty.format().unwrap(), "");
    assert_eq!(empty.count("any").unwrap(), 0);
    assert_eq!(
        text(empty.index(Item::None)),
        "ValueError: None not in this container"
    );
    assert!(matches!(empty.get(-1), Err(Error::Index)));
    empty.shm().unlink().unwrap();
}

#[test]
fn the_bytes_are_cpythons() {
    for list in LISTS {
        let ours = ShareableList::new((list.items)()).unwrap();
        assert_eq!(
            ours.shm().buf().unwrap().to_vec(),
            bytes(list.bytes),
            "{ours}"
        );
        assert_eq!(ours.to_vec().unwrap(), (list.read_back)());
        ours.shm().unlink().unwrap();
    }
}

#[test]
fn the_bytes_after_each_assignment_are_cpythons() {
    let start: [Item; 3] = [1.into(), "abc".into(), Item::None];
    let list = ShareableList::new(start).unwrap();
    for step in ASSIGNMENTS {
        list.set(step.position, (step.value)()).unwrap();
        assert_eq!(
            list.shm().buf().unwrap().to_vec(),
            bytes(step.bytes),
            "{list}"
        );
        assert_eq!(list.to_vec().unwrap(), (step.read_back)());
        assert_eq!(list.format().unwrap(), step.format);
    }
    list.shm().unlink().unwrap();
}

#[test]
fn a_list_that_cpython_has_written_is_read() {
    for list in LISTS {
        let written = bytes(list.bytes);
        let block = SharedMemory::create(written.len()).unwrap();
        block.write(0, &written).unwrap();
        let read = ShareableList::open(block.name()).unwrap();
        assert_eq!(read.to_vec().unwrap(), (list.read_back)());
        block.unlink().unwrap();
    }
}

#[test]
fn garbage_is_an_error_and_nothing_worse() {
    let good = ShareableList::new(howdy()).unwrap();
    let good_bytes = good.shm().buf().unwrap().to_vec();
    good.shm().unlink().unwrap();
    let block = SharedMemory::create(good_bytes.len()).unwrap();
    let use_all = || {
        let Ok(list) = ShareableList::open(block.name()) else {
            return;
        };
        assert!(list.len() <= good_bytes.len());
        let _ = (
            list.to_vec(),
            list.format(),
            list.to_string(),
            list.count(1),
        );
        for position in 0..list.len() as isize {
            let _ = (list.set(position, "x"), list.set(position, 1));
        }
    };
    for at in 0..good_bytes.len() {
        for byte in [0, 1, 7, b'9', 0x7f, 0x80, 0xff] {
            block.write(0, &good_bytes).unwrap();
            block.set(at, byte).unwrap();
            use_all();
        }
    }
    for filler in [0x00, 0x01, 0xff] {
        block.write(0, &vec![filler; good_bytes.len()]).unwrap();
        use_all();
    }
    block.write(0, &good_bytes).unwrap();
    block.set(0, i64::MAX).unwrap();
    let expected = "ValueError: the block holds no ShareableList";
    assert_eq!(text(ShareableList::open(block.name())), expected);
    block.set(0, -1_i64).unwrap();
    assert_eq!(text(ShareableList::open(block.name())), expected);
    block.unlink().unwrap();
    let short = SharedMemory::create(3).unwrap();
    assert_eq!(text(ShareableList::open(short.name())), expected);
    short.unlink().unwrap();
}

#[test]
fn damaged_items_are_errors_of_their_own() {
    let list = ShareableList::new(["ñandú", "ok"]).unwrap();
    let buf = list.shm().buf().unwrap();
    // The first item's bytes follow the number of items and three offsets.
    buf.set(32, 0xff_u8).unwrap();
    assert!(text(list.get(0)).starts_with("ValueError: 'utf-8' codec can't decode"));
    assert_eq!(list.get(1).unwrap(), "ok".into());
    buf.write(48, b"99999s\0\0").unwrap();
    assert_eq!(
        text(list.get(0)),
        "ValueError: the ShareableList is damaged"
    );
    list.set(0, "mended").unwrap();
    assert_eq!(list.to_vec().unwrap(), ["mended".into(), Item::from("ok")]);
    list.shm().unlink().unwrap();
}

#[test]
fn a_text_has_a_greatest_length() {
    let longest = "y".repeat(9_999_991);
    let list = ShareableList::new([&*longest]).unwrap();
    assert_eq!(list.format().unwrap(), "9999992s");
    assert_eq!(list.get(0).unwrap(), longest.into());
    list.shm().unlink().unwrap();
    let refused = ShareableList::new(["y".repeat(9_999_992)]);
    assert!(matches!(refused, Err(Error::Value(_))));
}

#[test]
fn items_compare_and_print_as_in_python() {
    assert_eq!(Item::from(true), Item::from(1.0));
    assert_eq!(
        Item::from(i64::MIN),
        Item::from(-9_223_372_036_854_775_808.0)
    );
    assert_ne!(
        Item::from(i64::MAX),
        Item::from(9_223_372_036_854_775_808.0)
    );
    assert_ne!(Item::from(f64::NAN), Item::from(f64::NAN));
    assert_ne!(Item::from(0), Item::None);
    assert_ne!(Item::from("a"), Item::from(b"a"));
    assert_eq!(Item::from(Some(3)), Item::from(3_i64));
    assert_eq!(Item::from(None::<i32>), Item::None);
    let shown = [
        (Item::from(1e16), "1e+16"),
        (Item::from(1.5e-7), "1.5e-07"),
        (Item::from(3.0), "3.0"),
        (Item::from(f64::NEG_INFINITY), "-inf"),
        (Item::from(f64::NAN), "nan"),
        (Item::from("it's"), r#""it's""#),
        (Item::from("it's \"x\""), r#"'it\'s "x"'"#),
        (Item::from("a\n\\ñ\0\u{7f}"), r"'a\n\\ñ\x00\x7f'"),
        (Item::from(b"\xffa'\t"), r#"b"\xffa'\t""#),
    ];
    for (item, expected) in shown {
        assert_eq!(item.to_string(), expected);
    }
}

#[test]
fn numbers_are_shown_as_in_python() {
    let numbers = [
        1e15,
        1e16,
        1e22,
        0.0001,
        0.00001,
        123456789.125,
        -0.0,
        5e-324,
        1.7e308,
    ];
    let list = ShareableList::new(numbers).unwrap();
    let script = "if 1:
        import sys
        from multiprocessing import shared_memory, resource_tracker
        sl = shared_memory.ShareableList(name=sys.argv[1])
        resource_tracker.unregister(sl.shm._name, 'shared_memory')
        print(sl)
    ";
    if let Some((output, _)) = python::run(script, &[list.shm().name()]) {
        assert_eq!(output.trim_end(), list.to_string());
    }
    list.shm().unlink().unwrap();
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_ShareableList_pickling
#[test]
fn a_list_travels_by_its_name() {
    let (one, other) = pipe(true).unwrap();
    let sl = ShareableList::new(0..10).unwrap();
    one.send(&sl).unwrap();
    let size = other.recv_bytes().unwrap().len();
    one.send(&sl).unwrap();
    let also_sl: ShareableList = other.recv().unwrap();
    assert_eq!(also_sl.get(-1).unwrap(), 9.into());
    also_sl.set(4, "changed").unwrap();
    assert_eq!(sl.get(4).unwrap(), "changed".into());
    sl.set(3, "newvalue").unwrap();
    assert_eq!(also_sl.get(3).unwrap(), "newvalue".into());

    let larger = ShareableList::new(0..400).unwrap();
    one.send(&larger).unwrap();
    assert_eq!(other.recv_bytes().unwrap().len(), size);
    larger.shm().unlink().unwrap();
    sl.shm().unlink().unwrap();
}

// cpython: _test_multiprocessing.py::_TestSharedMemory::test_shared_memory_ShareableList_pickling_dead_object
#[test]
fn a_list_that_is_unlinked_does_not_arrive() {
    let (one, other) = pipe(true).unwrap();
    let sl = ShareableList::new(0..10).unwrap();
    one.send(&sl).unwrap();
    sl.shm().close();
    sl.shm().unlink().unwrap();
    assert!(matches!(
        other.recv::<ShareableList>(),
        Err(Error::Encoding { .. })
    ));
    assert_eq!(
        kind(ShareableList::open(sl.shm().name())),
        ErrorKind::NotFound
    );
}

each_start_method! {
    fn other_processes_change_the_items(method: StartMethod) {
        fn change(list: ShareableList) -> Result<(), Error> {
            list.set(0, "hola")?;
            list.set(-1, 2.5)
        }
        let list = ShareableList::new(howdy()).unwrap();
        let process = Process::new(change, (list.clone(),)).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        assert_eq!(list.get(0).unwrap(), "hola".into());
        assert_eq!(list.get(6).unwrap(), 2.5.into());
        list.shm().unlink().unwrap();
    }
}

#[test]
fn cpython_reads_and_changes_a_list_of_hilos() {
    let list = ShareableList::new(howdy()).unwrap();
    let script = "if 1:
        import sys
        from multiprocessing import shared_memory, resource_tracker
        sl = shared_memory.ShareableList(name=sys.argv[1])
        resource_tracker.unregister(sl.shm._name, 'shared_memory')
        print(sl, sl.format, len(sl), sl.index(42))
        sl[0], sl[1], sl[2], sl[3], sl[4], sl[5] = 7, 'ñ', None, b'xyz', False, -1.5
        sl.shm.close()
    ";
    if let Some((output, errors)) = python::run(script, &[list.shm().name()]) {
        let expected = ShareableList::new(howdy()).unwrap();
        let format = expected.format().unwrap();
        let shown = expected.to_string();
        let shown = shown.replace(expected.shm().name(), list.shm().name());
        expected.shm().unlink().unwrap();
        assert_eq!(output, format!("{shown} {format} 7 6\n"));
        assert_eq!(errors, "");
        let changed: [Item; 7] = [
            7.into(),
            "ñ".into(),
            Item::None,
            b"xyz".into(),
            false.into(),
            (-1.5).into(),
            42.into(),
        ];
        assert_eq!(list.to_vec().unwrap(), changed);
    }
    list.shm().unlink().unwrap();
}

#[test]
fn hilos_reads_and_changes_a_list_of_cpython() {
    let script = "if 1:
        from multiprocessing.shared_memory import ShareableList
        sl = ShareableList(['howdy', b'HoWdY', -273.154, 100, None, True, 42])
        print('says', sl.shm.name, flush=True)
        input()
        print('says', list(sl), flush=True)
        sl.shm.close(); sl.shm.unlink()
    ";
    let Some(mut python) = python::start(script, &[]) else {
        return;
    };
    let name = python.line();
    let list = ShareableList::open(&name).unwrap();
    assert_eq!(list.to_vec().unwrap(), howdy());
    assert_eq!(list.format().unwrap(), "8s8sdqxxxxxx?xxxxxxxx?q");
    list.set(0, i64::MIN).unwrap();
    list.set(1, "wide ñ").unwrap();
    list.set(4, b"\x00\x01").unwrap();
    list.set(6, Item::None).unwrap();
    python.go_on();
    let expected = r"[-9223372036854775808, 'wide ñ', -273.154, 100, b'\x00\x01', True, None]";
    assert_eq!(python.line(), expected);
    let (_, errors) = python.finish();
    assert_eq!(errors, "");
    assert!(!exists(&name));
}
