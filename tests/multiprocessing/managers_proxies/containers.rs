//! Lists, dicts, sets, namespaces, values and arrays.

use hilos::multiprocessing::managers::{DictProxy, ListProxy, RemoteError, SetProxy};
use hilos::pickle::{Global, Object, Slice};
use serde::{Deserialize, Serialize};

use super::server::{with_all, with_newest};

#[test]
fn a_list_does_what_a_list_does() {
    with_all(|manager| {
        let list = manager.list(0..5).unwrap();
        assert_eq!((list.len().unwrap(), list.is_empty().unwrap()), (5, false));
        assert_eq!((list.get(0).unwrap(), list.get(-1).unwrap()), (0, 4));
        list.set(0, 10).unwrap();
        list.append(3).unwrap();
        list.extend([7, 8]).unwrap();
        list.insert(1, 11).unwrap();
        assert_eq!(list.to_vec().unwrap(), [10, 11, 1, 2, 3, 4, 3, 7, 8]);
        assert!(list.contains(7).unwrap() && !list.contains(70).unwrap());
        assert_eq!((list.index(3).unwrap(), list.count(3).unwrap()), (4, 2));
        let later = [
            list.index_in(3, 4..9).unwrap(),
            list.index_in(3, 5..9).unwrap(),
        ];
        assert_eq!(later, [4, 6]);
        list.remove(3).unwrap();
        assert_eq!((list.pop().unwrap(), list.pop_at(0).unwrap()), (8, 10));
        list.delete(0).unwrap();
        list.reverse().unwrap();
        assert_eq!(list.to_vec().unwrap(), [7, 3, 4, 2, 1]);
        assert_eq!(list.reversed().unwrap(), [1, 2, 4, 3, 7]);
        list.sort().unwrap();
        assert_eq!(list.copy().unwrap(), [1, 2, 3, 4, 7]);
        list.sort_reverse().unwrap();
        let all: Result<Vec<i32>, _> = list.iter().collect();
        assert_eq!(all.unwrap(), [7, 4, 3, 2, 1]);
        assert_eq!(list.to_string(), "[7, 4, 3, 2, 1]");
        assert!(format!("{list:?}").starts_with("<ListProxy object, typeid 'list' at 0x"));
        list.clear().unwrap();
        assert!(list.is_empty().unwrap());
    });
}

#[test]
fn a_list_has_slices_and_arithmetic() {
    with_all(|manager| {
        let list = manager.list(0..6).unwrap();
        let odd = Slice::new(1, None, 2);
        assert_eq!(list.get_slice(odd).unwrap(), [1, 3, 5]);
        list.set_slice(odd, [10, 30, 50]).unwrap();
        list.delete_slice(Slice::new(0, 2, None)).unwrap();
        assert_eq!(list.to_vec().unwrap(), [2, 30, 4, 50]);
        let wrong = list.set_slice(Slice::new(None, None, 2), [1]).unwrap_err();
        let text = "attempt to assign sequence of size 1 to extended slice of size 2";
        assert_eq!(format!("{wrong:?}"), format!("ValueError: {text}"));
        list.set_slice(Slice::new(2, None, None), [3]).unwrap();
        assert_eq!(list.concat([4]).unwrap(), [2, 30, 3, 4]);
        assert_eq!(list.repeat(2).unwrap(), [2, 30, 3, 2, 30, 3]);
        let signed = manager.list([-3, 2, 1]).unwrap();
        signed.sort_by_key(&Global::new("builtins", "abs")).unwrap();
        assert_eq!(signed.to_vec().unwrap(), [1, 2, -3]);
        list.repeat_in_place(2).unwrap();
        assert_eq!(list.len().unwrap(), 6);
    });
}

#[test]
fn a_list_s_exceptions_are_python_s() {
    with_newest(|manager| {
        let list = manager.list_of::<Object>().unwrap();
        let say = |error: RemoteError| format!("{error:?}");
        assert_eq!(
            say(list.get(0).unwrap_err()),
            "IndexError: list index out of range"
        );
        assert_eq!(
            say(list.set(0, 1).unwrap_err()),
            "IndexError: list assignment index out of range"
        );
        assert_eq!(
            say(list.delete(0).unwrap_err()),
            "IndexError: list assignment index out of range"
        );
        assert_eq!(
            say(list.pop().unwrap_err()),
            "IndexError: pop from empty list"
        );
        assert_eq!(
            say(list.remove(1).unwrap_err()),
            "ValueError: list.remove(x): x not in list"
        );
        assert_eq!(
            say(list.index(99).unwrap_err()),
            "ValueError: 99 is not in list"
        );
        list.extend([Object::from("a"), Object::from(1)]).unwrap();
        let text = "TypeError: '<' not supported between instances of 'int' and 'str'";
        assert_eq!(say(list.sort().unwrap_err()), text);
        let typed = ListProxy::<i64>::from(list.proxy().clone());
        assert!(matches!(typed.get(0), Err(RemoteError::Conversion(_))));
        assert_eq!(typed.get(1).unwrap(), 1, "the connection goes on");
    });
}

#[test]
fn a_dict_does_what_a_dict_does() {
    with_all(|manager| {
        let dict = manager.dict_of::<String, i64>().unwrap();
        dict.insert("a", 1).unwrap();
        dict.update([("b", 2), ("c", 3)]).unwrap();
        assert_eq!((dict.len().unwrap(), dict.is_empty().unwrap()), (3, false));
        assert_eq!(
            (dict.get("a").unwrap(), dict.get("x").unwrap()),
            (Some(1), None)
        );
        assert_eq!(
            (dict.get_or("a", 5).unwrap(), dict.get_or("x", 5).unwrap()),
            (1, 5)
        );
        assert_eq!(dict.get_item("b").unwrap(), 2);
        assert!(dict.contains("c").unwrap() && !dict.contains("x").unwrap());
        assert_eq!(dict.keys().unwrap(), ["a", "b", "c"]);
        assert_eq!(dict.values().unwrap(), [1, 2, 3]);
        let pairs = [
            ("a".to_owned(), 1),
            ("b".to_owned(), 2),
            ("c".to_owned(), 3),
        ];
        assert_eq!(dict.items().unwrap(), pairs);
        assert_eq!(dict.copy().unwrap(), pairs);
        assert_eq!(
            (
                dict.setdefault("a", 9).unwrap(),
                dict.setdefault("d", 4).unwrap()
            ),
            (1, 4)
        );
        assert_eq!(dict.popitem().unwrap(), ("d".to_owned(), 4));
        assert_eq!(
            (dict.pop("a").unwrap(), dict.pop_or("a", 7).unwrap()),
            (1, 7)
        );
        assert_eq!(dict.to_string(), "{'b': 2, 'c': 3}");
        dict.delete("b").unwrap();
        dict.clear().unwrap();
        assert!(dict.is_empty().unwrap());
        let same: DictProxy<String, i64> = manager.dict_from([("z".to_owned(), 26)]).unwrap();
        assert_eq!(same.get("z").unwrap(), Some(26));
    });
}

#[test]
fn a_dict_of_objects_is_python_s() {
    with_all(|manager| {
        let dict = manager.dict().unwrap();
        dict.insert(1, "1").unwrap();
        dict.insert("2", 2).unwrap();
        dict.insert(0.25, ()).unwrap();
        assert_eq!(dict.to_string(), "{1: '1', '2': 2, 0.25: None}");
        assert_eq!(dict.get(true).unwrap(), Some("1".into()), "True == 1");
        assert_eq!(dict.get(0.25).unwrap(), Some(Object::None), "it is there");
        assert_eq!(dict.get(0.5).unwrap(), None);
        let unhashable = dict.insert(Object::from([1]), 1).unwrap_err();
        assert_eq!(
            format!("{unhashable:?}"),
            "TypeError: unhashable type: 'list'"
        );
        let missing = dict.get_item("x").unwrap_err();
        assert_eq!(format!("{missing:?}"), "KeyError: 'x'");
        assert!(matches!(dict.delete("x"), Err(RemoteError::Key(_))));
        dict.clear().unwrap();
        let empty = dict.popitem().unwrap_err();
        assert_eq!(
            format!("{empty:?}"),
            "KeyError: 'popitem(): dictionary is empty'"
        );
    });
}

#[test]
fn the_keys_of_a_dict_come_one_by_one() {
    with_all(|manager| {
        let before = manager.number_of_objects().unwrap();
        let dict: DictProxy<i64, i64> = manager.dict_from([(1, 1), (2, 4)]).unwrap();
        let keys: Result<Vec<i64>, _> = dict.iter().unwrap().collect();
        assert_eq!(keys.unwrap(), [1, 2]);
        let mut keys = dict.iter().unwrap();
        assert_eq!(keys.next().unwrap().unwrap(), 1);
        dict.insert(3, 9).unwrap();
        let changed = keys.next().unwrap().unwrap_err();
        let text = "RuntimeError: dictionary changed size during iteration";
        assert_eq!(format!("{changed:?}"), text);
        drop(keys);
        assert_eq!(manager.number_of_objects().unwrap(), before + 1);
    });
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    name: String,
    sizes: Vec<u32>,
    place: Option<(f64, f64)>,
}

#[test]
fn a_struct_is_a_dict_in_python() {
    with_all(|manager| {
        let job = Job {
            name: "scan".into(),
            sizes: vec![1, 2],
            place: Some((0.5, -1.0)),
        };
        let jobs = manager.list([job.clone()]).unwrap();
        assert_eq!(jobs.get(0).unwrap(), job);
        let text = "[{'name': 'scan', 'sizes': [1, 2], 'place': (0.5, -1.0)}]";
        assert_eq!(jobs.to_string(), text);
    });
}

#[test]
fn a_changed_copy_is_written_back() {
    with_all(|manager| {
        let list = manager.list([vec![1], vec![2]]).unwrap();
        let len = list.update_with(-1, |item| {
            item.push(3);
            item.len()
        });
        assert_eq!(len.unwrap(), 2);
        assert_eq!(list.to_vec().unwrap(), [vec![1], vec![2, 3]]);
        let dict: DictProxy<String, Vec<i64>> = manager.dict_from([("a".into(), vec![1])]).unwrap();
        dict.update_with("a", |value| value.push(2)).unwrap();
        assert_eq!(dict.get_item("a").unwrap(), [1, 2]);
        assert!(matches!(
            dict.update_with("b", |_| ()),
            Err(RemoteError::Key(_))
        ));
        let value = manager.value("i", 1).unwrap();
        value.update(|value| *value += 1).unwrap();
        assert_eq!(value.get().unwrap(), 2);
    });
}

#[test]
fn a_namespace_has_names() {
    with_all(|manager| {
        let namespace = manager.namespace().unwrap();
        namespace.set("x", 10).unwrap();
        namespace.set("y", "hello").unwrap();
        assert_eq!(namespace.get::<i64>("x").unwrap(), 10);
        assert_eq!(namespace.get::<String>("y").unwrap(), "hello");
        assert_eq!(namespace.to_string(), "Namespace(x=10, y='hello')");
        assert_eq!(
            format!("{:?}", namespace.vars().unwrap()),
            "{'x': 10, 'y': 'hello'}"
        );
        namespace.delete("x").unwrap();
        let missing = namespace.get::<i64>("x").unwrap_err();
        let text = "AttributeError: 'Namespace' object has no attribute 'x'";
        assert_eq!(format!("{missing:?}"), text);
        assert_eq!(namespace.vars().unwrap().len(), 1);
    });
}

#[test]
fn values_and_arrays_hold_numbers() {
    with_all(|manager| {
        let value = manager.value("d", 0.5).unwrap();
        value.set(1.5).unwrap();
        assert_eq!(value.get().unwrap(), 1.5);
        assert_eq!(value.to_string(), "Value('d', 1.5)");
        let array = manager.array("i", 0..5).unwrap();
        array.set(-1, 10).unwrap();
        assert_eq!((array.len().unwrap(), array.get(1).unwrap()), (5, 1));
        assert_eq!(array.to_vec().unwrap(), [0, 1, 2, 3, 10]);
        array.set_slice(Slice::new(0, 2, None), [7, 8]).unwrap();
        assert_eq!(
            array.get_slice(Slice::new(None, 3, None)).unwrap(),
            [7, 8, 2]
        );
        let all: Result<Vec<i32>, _> = array.iter().collect();
        assert_eq!(all.unwrap(), [7, 8, 2, 3, 10]);
        let beyond = array.get(5).unwrap_err();
        assert_eq!(
            format!("{beyond:?}"),
            "IndexError: array index out of range"
        );
        let bytes = manager.array("B", [1_i64]).unwrap();
        assert!(matches!(bytes.set(0, 256), Err(RemoteError::Overflow(_))));
    });
}

#[test]
fn arrays_have_numbers_of_any_kind() {
    with_newest(|manager| {
        for code in ["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q"] {
            let array = manager.array(code, [1_u8, 100]).unwrap();
            assert_eq!(array.to_vec().unwrap(), [1, 100], "{code}");
        }
        let signed = manager.array("h", [-2_i64, 2]).unwrap();
        assert_eq!(signed.to_vec().unwrap(), [-2, 2]);
        for code in ["f", "d"] {
            let array = manager.array(code, [0.5, -2.0]).unwrap();
            assert_eq!(array.to_vec().unwrap(), [0.5, -2.0], "{code}");
        }
        let text = manager.create("Array", ("u", "año")).unwrap();
        let text = hilos::multiprocessing::managers::ArrayProxy::<char>::from(text);
        assert_eq!(text.to_vec().unwrap(), ['a', 'ñ', 'o']);
    });
}

/// CPython has sets from 3.14 on; the test's own server registers them for the others.
#[test]
fn a_set_does_what_a_set_does() {
    with_all(|manager| {
        let set: SetProxy<i64> = manager.set([1, 2, 3]).unwrap();
        set.add(4).unwrap();
        set.discard(9).unwrap();
        set.remove(1).unwrap();
        assert!(matches!(set.remove(1), Err(RemoteError::Key(_))));
        let sorted = |items: Result<Vec<i64>, _>| {
            let mut items = items.unwrap();
            items.sort_unstable();
            items
        };
        assert_eq!((set.len().unwrap(), set.contains(4).unwrap()), (3, true));
        assert_eq!(sorted(set.copy()), [2, 3, 4]);
        assert_eq!(sorted(set.iter().unwrap().collect()), [2, 3, 4]);
        assert_eq!(sorted(set.union([5])), [2, 3, 4, 5]);
        assert_eq!(sorted(set.difference([2])), [3, 4]);
        assert_eq!(sorted(set.intersection([2, 7])), [2]);
        assert_eq!(sorted(set.symmetric_difference([2, 7])), [3, 4, 7]);
        assert!(set.isdisjoint([1]).unwrap() && !set.isdisjoint([2]).unwrap());
        assert!(set.issubset(2..9).unwrap() && set.issuperset([2]).unwrap());
        set.update([10]).unwrap();
        set.difference_update([2]).unwrap();
        set.intersection_update([3, 4, 10]).unwrap();
        set.symmetric_difference_update([3]).unwrap();
        assert_eq!(sorted(set.copy()), [4, 10]);
        assert!([4, 10].contains(&set.pop().unwrap()));
        set.clear().unwrap();
        assert!(set.is_empty().unwrap());
        assert!(matches!(set.pop(), Err(RemoteError::Key(_))));
    });
}
