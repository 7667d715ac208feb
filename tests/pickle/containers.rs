//! Lists, dicts, sets and text behave as Python's do.

use std::thread;

use hilos::pickle::{
    ByteArray, Bytes, Dict, Error, FrozenSet, Global, Instance, List, Object, Set, Slice, Str,
    Tuple, loads,
};

fn list<const N: usize>(items: [i64; N]) -> List {
    items.into_iter().map(Object::from).collect()
}

fn error<T>(result: Result<T, Error>) -> String {
    format!("{:?}", result.err().unwrap())
}

#[test]
fn lists() {
    let l = list([3, 1, 2]);
    assert_eq!(l.get(-3).unwrap(), Object::from(3));
    assert_eq!(error(l.get(3)), "IndexError: list index out of range");
    assert_eq!(error(l.get(-4)), "IndexError: list index out of range");
    assert_eq!(
        error(l.set(9, 1)),
        "IndexError: list assignment index out of range"
    );
    assert_eq!(
        error(l.delete(9)),
        "IndexError: list assignment index out of range"
    );
    assert_eq!(error(l.pop(9)), "IndexError: pop index out of range");
    assert_eq!(
        error(List::new().pop(-1)),
        "IndexError: pop from empty list"
    );
    assert_eq!(
        error(l.remove(9)),
        "ValueError: list.remove(x): x not in list"
    );
    assert_eq!(error(l.index("x")), "ValueError: 'x' is not in list");
    l.sort().unwrap();
    l.insert(-100, "first");
    l.insert(100, true);
    assert_eq!(format!("{l:?}"), "['first', 1, 2, 3, True]");
    assert_eq!(
        (l.count(1), l.index(1.0).unwrap(), l.contains(4)),
        (2, 1, false)
    );
    assert_eq!(
        error(l.sort()),
        "TypeError: '<' not supported between instances of 'int' and 'str'"
    );
    assert_eq!(l.len(), 5, "what cannot be sorted stays");
    l.remove(1).unwrap();
    l.reverse();
    l.set(0, None).unwrap();
    l.delete(-1).unwrap();
    assert_eq!(format!("{l:?}"), "[None, 3, 2]");
    let copy = l.copy();
    l.clear();
    assert_eq!((l.len(), copy.len()), (0, 3));
}

#[test]
fn sorting_keeps_the_order_of_equals() {
    let words = ["bb", "a", "cc", "aa", "b"];
    let pairs = words.map(|word| Object::from((word.len() as i64, word)));
    let l = List::from_iter(pairs);
    l.sort().unwrap();
    assert_eq!(
        format!("{l:?}"),
        "[(1, 'a'), (1, 'b'), (2, 'aa'), (2, 'bb'), (2, 'cc')]"
    );
    let l = List::from_iter([
        Object::from(1),
        true.into(),
        0.into(),
        1.0.into(),
        false.into(),
    ]);
    l.sort().unwrap();
    assert_eq!(format!("{l:?}"), "[0, False, 1, True, 1.0]");
}

#[test]
fn dicts() {
    let d = Dict::new();
    d.insert(1, "one").unwrap();
    d.insert("two", 2).unwrap();
    d.insert(1.0, "uno").unwrap();
    d.insert(0.25, None).unwrap();
    assert_eq!(
        format!("{d:?}"),
        "{1: 'uno', 'two': 2, 0.25: None}",
        "the first key stays"
    );
    assert_eq!(d.get(true).unwrap(), Some(Object::from("uno")));
    assert_eq!(error(d.get_item("x")), "KeyError: 'x'");
    assert_eq!(
        error(d.get(List::new())),
        "TypeError: unhashable type: 'list'"
    );
    let unhashable = (1, Dict::new());
    assert_eq!(
        error(d.insert(unhashable, 1)),
        "TypeError: unhashable type: 'dict'"
    );
    assert_eq!(
        error(d.contains(Set::new())),
        "TypeError: unhashable type: 'set'"
    );
    let bytes = ByteArray::from(b"x".as_slice());
    assert_eq!(
        error(d.contains(bytes)),
        "TypeError: unhashable type: 'bytearray'"
    );
    assert_eq!(error(d.pop("x")), "KeyError: 'x'");
    assert_eq!(d.pop(1).unwrap(), Object::from("uno"));
    assert_eq!(d.setdefault("two", 3).unwrap(), Object::from(2));
    assert_eq!(d.setdefault(1, 3).unwrap(), Object::from(3));
    assert_eq!(d.popitem().unwrap(), (Object::from(1), Object::from(3)));
    let other = d.copy();
    d.clear();
    assert_eq!(
        error(d.popitem()),
        "KeyError: 'popitem(): dictionary is empty'"
    );
    assert_eq!((d.len(), other.len()), (0, 2));
}

#[test]
fn dicts_of_any_size_keep_their_order() {
    let d = Dict::new();
    for number in 0..1000i64 {
        d.insert(number, number * number).unwrap();
    }
    for number in (0..1000).filter(|number| number % 3 != 0) {
        d.pop(number).unwrap();
    }
    for number in 1000..1100 {
        d.insert(number, None).unwrap();
    }
    d.insert(5, "again").unwrap();
    let keys: Vec<i64> = d.keys().iter().map(|key| key.try_into().unwrap()).collect();
    let expected = (0..1000)
        .filter(|number| number % 3 == 0)
        .chain(1000..1100)
        .chain([5]);
    assert!(keys.iter().copied().eq(expected));
    for number in 0..1000i64 {
        let expected = match number {
            5 => Some(Object::from("again")),
            _ => (number % 3 == 0).then(|| Object::from(number * number)),
        };
        assert_eq!(d.get(number).unwrap(), expected);
    }
    // First in, first out, many times over.
    for number in 0..5000i64 {
        let first = d.keys().swap_remove(0);
        d.pop(first).unwrap();
        d.insert(-1 - number, number).unwrap();
    }
    assert_eq!(d.len(), 435);
    assert_eq!(
        d.popitem().unwrap(),
        (Object::from(-5000), Object::from(4999))
    );
}

#[test]
fn sets() {
    let s = Set::from_items([1, 2, 1].map(Object::from)).unwrap();
    assert_eq!(s.len(), 2);
    assert!(s.contains(2.0).unwrap() && !s.contains("2").unwrap());
    assert!(s.discard(2).unwrap() && !s.discard(2).unwrap());
    assert_eq!(error(s.remove(2)), "KeyError: 2");
    assert_eq!(
        error(s.add(List::new())),
        "TypeError: unhashable type: 'list'"
    );
    let inner = FrozenSet::from_items([Object::from(1)]).unwrap();
    assert!(inner.contains(true).unwrap());
    s.add(inner).unwrap();
    assert_eq!(format!("{s:?}"), "{1, frozenset({1})}");
    s.clear();
    assert_eq!(format!("{s:?}"), "set()");
}

#[test]
fn tuples_and_text_have_slices() {
    let tuple = Tuple::from_iter((0..4).map(Object::from));
    assert_eq!(
        format!("{:?}", tuple.get_slice(&Slice::new(None, -1, 2)).unwrap()),
        "(0, 2)"
    );
    let text = Str::from("añ\u{1f600}o");
    assert_eq!((text.len(), text.is_empty()), (4, false));
    assert_eq!(
        text.get_slice(&Slice::new(None, None, -1)).unwrap(),
        "o\u{1f600}ña"
    );
    let not_a_slice = Slice::try_from(&Object::from("x"));
    assert_eq!(
        error(not_a_slice),
        "TypeError: list indices must be integers or slices, not str"
    );
}

#[test]
fn instances_of_unknown_classes_can_be_keys() {
    let class = Global::new("uuid", "UUID");
    let uuid = |number: i64| {
        let state = Dict::new();
        state.insert("int", number).unwrap();
        Instance::new_object(class.clone(), Tuple::new()).with_state(state)
    };
    let d = Dict::new();
    for number in 0..100 {
        d.insert(uuid(number), number).unwrap();
        d.insert((uuid(number), 1), -number).unwrap();
    }
    assert_eq!(d.len(), 200);
    assert_eq!(d.get(uuid(57)).unwrap(), Some(Object::from(57)));
    assert_eq!(d.get((uuid(57), 1)).unwrap(), Some(Object::from(-57)));
    assert_eq!(d.get(uuid(100)).unwrap(), None);
}

#[test]
fn instances_in_instances_can_be_keys() {
    let call = |name: &str, args: Vec<Object>| {
        Object::from(Instance::reduce(
            Global::new("datetime", name),
            Tuple::from(args),
        ))
    };
    let moment = |minute: u8| {
        let zone = call(
            "timezone",
            vec![call("timedelta", vec![0.into(), 3600.into()])],
        );
        call("datetime", vec![Bytes::from(vec![7, minute]).into(), zone])
    };
    let d = Dict::new();
    d.insert(moment(1), "first").unwrap();
    d.insert((moment(2),), "second").unwrap();
    assert_eq!(d.get(moment(1)).unwrap(), Some(Object::from("first")));
    assert_eq!(d.get((moment(2),)).unwrap(), Some(Object::from("second")));
    assert_eq!(d.get(moment(3)).unwrap(), None);
    // With a list inside, only the same object is the same key.
    let (one, other) = (
        call("f", vec![List::new().into()]),
        call("f", vec![List::new().into()]),
    );
    d.insert(&one, 1).unwrap();
    assert_eq!(
        (d.get(&one).unwrap(), d.get(&other).unwrap()),
        (Some(Object::from(1)), None)
    );
}

#[test]
fn conversions_are_checked() {
    let object = Object::from(300);
    assert_eq!(
        error(u8::try_from(&object)),
        "OverflowError: Python int too large to convert to u8"
    );
    assert_eq!(i16::try_from(&object).unwrap(), 300);
    assert_eq!(
        error(i32::try_from(Object::from("1"))),
        "TypeError: expected int, got 'str' object"
    );
    assert_eq!(u128::try_from(Object::from(u128::MAX)).unwrap(), u128::MAX);
    assert_eq!(i128::try_from(Object::from(i128::MIN)).unwrap(), i128::MIN);
    assert!(i128::try_from(Object::from(u128::MAX)).is_err());
    assert!(u128::try_from(Object::from(i128::MIN)).is_err());
    assert_eq!(
        f64::try_from(Object::from(u64::MAX)).unwrap(),
        18446744073709551615.0
    );
    let huge: Object = "9".repeat(400).parse().unwrap();
    assert_eq!(
        error(f64::try_from(&huge)),
        "OverflowError: int too large to convert to float"
    );
    let rounded: Object = "-36893488147419107329".parse().unwrap();
    assert_eq!(f64::try_from(&rounded).unwrap(), -36893488147419111424.0);
    assert!(<&str>::try_from(&loads::<Object>(b"\x80\x04\x8c\x03\xed\xa0\x80.").unwrap()).is_err());
    assert_eq!(
        error("12_".parse::<Object>()),
        "ValueError: invalid literal for int() with base 10: '12_'"
    );
    assert_eq!(" -1_000 ".parse::<Object>().unwrap(), Object::from(-1000));
    let map = std::collections::HashMap::from([("a", 1)]);
    assert_eq!(Object::try_from(map).unwrap().to_string(), "{'a': 1}");
    assert_eq!(
        Object::from(b"x".as_slice()),
        Object::from(Bytes::from(b"x".to_vec()))
    );
    assert_eq!(
        Vec::<Object>::try_from(Object::from((1, 2))).unwrap().len(),
        2
    );
    assert_eq!(
        error(Vec::<Object>::try_from(Object::None)),
        "TypeError: 'NoneType' object is not iterable"
    );
}

#[test]
fn errors_are_exceptions_too() {
    let error = Dict::new().get_item("k").unwrap_err();
    let exception = Object::from(error);
    assert_eq!(exception.to_string(), "KeyError('k')");
    let error = List::new().get(0).unwrap_err();
    assert_eq!(
        Object::from(error).to_string(),
        "IndexError('list index out of range')"
    );
}

#[test]
fn containers_hold_themselves() {
    let l = List::new();
    let d = Dict::new();
    l.append(d.clone());
    l.append(l.clone());
    d.insert("l", l.clone()).unwrap();
    assert_eq!(format!("{l:?}"), "[{'l': [...]}, [...]]");
    assert_eq!(format!("{d:?}"), "{'l': [{...}, [...]]}");
    let object = Object::from(l.clone());
    let twin: Object = loads(&hilos::pickle::dumps(&object).unwrap()).unwrap();
    assert_eq!(object, twin);
    assert!(!object.is(&twin));
    l.clear();
    let Object::List(twin) = twin else { panic!() };
    twin.clear();
}

#[test]
fn objects_are_shared_between_threads() {
    fn is_send_and_sync<T: Send + Sync + 'static>() {}
    is_send_and_sync::<Object>();
    let (l, d) = (List::new(), Dict::new());
    thread::scope(|scope| {
        for thread in 0..4i64 {
            let (l, d) = (l.clone(), d.clone());
            scope.spawn(move || {
                for turn in 0..250 {
                    l.append(turn);
                    d.insert(turn, thread).unwrap();
                    // Nobody is ever seen with half a change, nor waits for ever.
                    let object = Object::from(vec![Object::from(l.clone()), d.clone().into()]);
                    assert!(hilos::pickle::dumps(&object).is_ok());
                    let _ =
                        object == Object::from(vec![Object::from(l.clone()), Dict::new().into()]);
                }
            });
        }
    });
    assert_eq!((l.len(), d.len()), (1000, 250));
}

#[test]
fn nothing_that_is_added_during_a_sort_is_lost() {
    let sorts: [fn(&List); 3] = [
        |list| list.sort().unwrap(),
        |list| list.sort_reversed().unwrap(),
        |list| {
            // What others add meanwhile may be too much.
            let _ = list.rearrange(Ok::<_, Error>);
        },
    ];
    for sort in sorts {
        let list = List::from_iter((0..1000_i64).map(Object::from));
        let adding = list.clone();
        thread::scope(|scope| {
            let added = scope.spawn(move || (0..1000_i64).for_each(|item| adding.append(item)));
            while !added.is_finished() {
                sort(&list);
            }
        });
        let mut items: Vec<i64> =
            Vec::from_iter(list.to_vec().iter().map(|item| item.try_into().unwrap()));
        items.sort();
        let each_twice = (0..1000).flat_map(|item| [item, item]);
        assert_eq!(items, Vec::from_iter(each_twice));
    }
}

#[test]
fn what_changes_during_a_sort_all_the_while_is_not_sorted() {
    let list = List::from_iter([2, 1].map(Object::from));
    let adding = list.clone();
    let error = list.rearrange(move |items| {
        adding.append(0);
        Ok::<_, Error>(items)
    });
    let text = "ValueError: list modified during sort";
    assert_eq!(format!("{:?}", error.unwrap_err()), text);
    assert_eq!(list.len(), 102);
}
