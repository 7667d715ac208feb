//! Rust's values as pickles.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use hilos::pickle::{
    Bytes, Dict, Global, Instance, List, Object, Tuple, dumps, dumps_with_protocol, from_object,
    loads, to_object,
};
use serde::de::DeserializeOwned;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

/// The value passes through a pickle, and Python would print it so.
fn round<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, repr: &str) {
    let pickle = dumps(&value).unwrap();
    assert_eq!(loads::<Object>(&pickle).unwrap().to_string(), repr);
    assert_eq!(loads::<T>(&pickle).unwrap(), value);
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Shape {
    Empty,
    Circle(f64),
    Rectangle(i32, i32),
    Named { name: String },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Pair(i8, String);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Metres(f32);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Nothing;

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Record {
    id: u32,
    tags: Vec<String>,
    next: Option<Box<Record>>,
}

#[test]
fn simple_values() {
    round((), "None");
    round(true, "True");
    round(-5i8, "-5");
    round(u64::MAX, "18446744073709551615");
    round(i128::MIN, "-170141183460469231731687303715884105728");
    round(u128::MAX, "340282366920938463463374607431768211455");
    round(0.5f32, "0.5");
    round(1e300, "1e+300");
    round('ñ', "ñ");
    round("it's".to_owned(), "it's");
    round(Some(3), "3");
    round(None::<i32>, "None");
    round(Nothing, "None");
}

#[test]
fn compound_values() {
    round(vec![1, 2, 3], "[1, 2, 3]");
    round((1, "a".to_owned(), false), "(1, 'a', False)");
    round([[1, 2], [3, 4]], "((1, 2), (3, 4))");
    round(
        BTreeMap::from([(2, "b".to_owned()), (1, "a".to_owned())]),
        "{1: 'a', 2: 'b'}",
    );
    round(Pair(1, "x".into()), "(1, 'x')");
    round(Metres(2.0), "2.0");
    let next = Some(Box::new(Record {
        id: 2,
        tags: vec![],
        next: None,
    }));
    let record = Record {
        id: 1,
        tags: vec!["a".into()],
        next,
    };
    round(
        record,
        "{'id': 1, 'tags': ['a'], 'next': {'id': 2, 'tags': [], 'next': None}}",
    );
}

#[test]
fn variants() {
    round(Shape::Empty, "Empty");
    round(Shape::Circle(1.5), "('Circle', 1.5)");
    round(Shape::Rectangle(1, 2), "('Rectangle', (1, 2))");
    round(
        Shape::Named { name: "x".into() },
        "('Named', {'name': 'x'})",
    );
    let dict = Dict::new();
    dict.insert("Rectangle", vec![1, 2]).unwrap();
    assert_eq!(
        from_object::<Shape>(&dict.into()).unwrap(),
        Shape::Rectangle(1, 2)
    );
    assert_eq!(
        from_object::<Shape>(&("Empty", None).into()).unwrap(),
        Shape::Empty
    );
    assert!(from_object::<Shape>(&("Circle",).into()).is_err());
    assert!(from_object::<Shape>(&Object::from("Sphere")).is_err());
    assert!(from_object::<Shape>(&Object::from(3)).is_err());
}

#[test]
fn the_keys_of_structs_are_one_object_each() {
    let records = [1, 2].map(|id| Record {
        id,
        tags: vec![],
        next: None,
    });
    let pickle = dumps(&records).unwrap();
    assert_eq!(
        pickle.windows(4).filter(|window| window == b"tags").count(),
        1
    );
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "shapes.Point")]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "decimal.Decimal")]
struct Decimal(String);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "fractions.Fraction")]
struct Fraction(i64, i64);

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename = "builtins.Ellipsis")]
struct Ellipsis;

#[test]
fn names_with_a_dot_are_classes() {
    round(Decimal("1.50".into()), "Decimal('1.50')");
    round(Fraction(1, 3), "Fraction(1, 3)");
    round(Ellipsis, "Ellipsis");
    let object = to_object(&Point { x: 1, y: 2 }).unwrap();
    let Object::Instance(instance) = &object else {
        panic!()
    };
    assert!(instance.is_a("shapes", "Point") && instance.args().is_empty());
    assert_eq!(instance.state().unwrap().to_string(), "{'x': 1, 'y': 2}");
    assert_eq!(from_object::<Point>(&object).unwrap(), Point { x: 1, y: 2 });
    let error = from_object::<Fraction>(&object).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected fractions.Fraction, got an object of shapes.Point"
    );
    assert!(from_object::<Point>(&Object::from(1)).is_err());
}

struct RawBytes;

impl Serialize for RawBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(b"raw")
    }
}

/// Straight to bytes, and by way of an object, in every protocol.
fn alike<T: Serialize + ?Sized>(value: &T) {
    let object = to_object(value).unwrap();
    for protocol in 2..=5 {
        let (straight, by_object) = (
            dumps_with_protocol(value, protocol).unwrap(),
            dumps_with_protocol(&object, protocol).unwrap(),
        );
        let (straight, by_object) = (straight.escape_ascii(), by_object.escape_ascii());
        assert_eq!(straight.to_string(), by_object.to_string());
    }
}

#[test]
fn values_are_written_as_the_objects_that_they_become() {
    for count in [0, 1, 2, 999, 1000, 1001, 2000] {
        alike(&(0..count).collect::<Vec<i32>>());
        alike(&(0..count).map(|n| (n, n)).collect::<BTreeMap<_, _>>());
    }
    alike(&[-1i64, 0, 255, 256, 65535, 65536, i64::MIN, i64::MAX]);
    alike(&(u64::MAX, i128::MIN, 1.5f32, 'é', "é", Some(()), true));
    alike(&((), [0u8; 0], (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)));
    alike(&["x".repeat(255), "x".repeat(256), "x".repeat(70_000)]);
    alike(&vec!["some text".repeat(10); 2000]);
    alike(&[
        Shape::Empty,
        Shape::Circle(1.0),
        Shape::Empty,
        Shape::Rectangle(1, 2),
    ]);
    alike(&[Shape::Named { name: "x".into() }, Shape::Circle(2.0)]);
    alike(&[Point { x: 1, y: 2 }, Point { x: 1, y: 2 }]);
    alike(&(
        [Fraction(1, 3), Fraction(2, 3)],
        Decimal("1".into()),
        Ellipsis,
    ));
    alike(&(Metres(1.0), Pair(1, "x".into()), Nothing));
    alike(&Object::from(Bytes::from(vec![1; 300])));
    alike(&RawBytes);
    alike(&BTreeMap::from([((1, "a"), [1]), ((2, "b"), [2])]));
}

#[test]
fn objects_among_other_values_share_what_they_share() {
    let list = List::from_iter(["a".into()]);
    let tuple = Object::from((list.clone(), "text", list.clone()));
    let value = (
        &tuple,
        1,
        vec![Object::from(list.clone()), tuple.clone()],
        &tuple,
    );
    alike(&value);
    let (first, _, list, last): (Object, i32, Vec<Object>, Object) =
        loads(&dumps(&value).unwrap()).unwrap();
    assert!(first.is(&last) && first.is(&list[1]));
}

#[test]
fn keys_have_a_hash() {
    let keys: [(&str, Result<Vec<u8>, _>); 5] = [
        ("list", dumps(&BTreeMap::from([(vec![1], 1)]))),
        ("list", dumps(&BTreeMap::from([((1, vec![1]), 1)]))),
        (
            "dict",
            dumps(&BTreeMap::from([(BTreeMap::from([(1, 1)]), 1)])),
        ),
        ("list", dumps(&BTreeMap::from([(Some([vec![1]]), 1)]))),
        (
            "list",
            dumps(&HashMap::from([(Hashed(List::new().into()), 1)])),
        ),
    ];
    for (kind, pickle) in keys {
        let complaint = format!("unhashable type: '{kind}'");
        assert_eq!(pickle.unwrap_err().to_string(), complaint);
    }
}

/// An object as a key of Rust's.
#[derive(Serialize)]
struct Hashed(Object);

impl std::hash::Hash for Hashed {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl PartialEq for Hashed {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&other.0)
    }
}

impl Eq for Hashed {}

#[test]
fn lengths_that_were_not_announced() {
    struct Items(Option<usize>, usize);
    impl Serialize for Items {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut items = serializer.serialize_seq(self.0)?;
            (0..self.1).try_for_each(|item| items.serialize_element(&item))?;
            items.end()
        }
    }
    for announced in [None, Some(0), Some(1), Some(2)] {
        for count in [0, 1, 2, 3, 1000, 1001] {
            let pickle = dumps(&(Items(announced, count), "after")).unwrap();
            let (items, after): (Vec<usize>, String) = loads(&pickle).unwrap();
            assert!(items.into_iter().eq(0..count), "{announced:?} {count}");
            assert_eq!(after, "after");
        }
    }
}

#[test]
fn threads_write_what_holds_itself_at_the_same_time() {
    let (one, other) = (List::new(), List::new());
    for item in 0..100 {
        one.append((item, other.clone()));
        other.append((one.clone(), item));
    }
    let expected = dumps(&Object::from(one.clone())).unwrap();
    std::thread::scope(|scope| {
        for list in [&one, &other, &one, &other] {
            let (expected, one) = (&expected, &one);
            scope.spawn(move || {
                for _ in 0..50 {
                    let pickle = dumps(&Object::from(list.clone())).unwrap();
                    assert!(!std::ptr::eq(list, one) || pickle == *expected);
                }
            });
        }
    });
    one.clear();
    other.clear();
}

#[test]
fn any_object_with_attributes_can_be_a_struct() {
    #[derive(Deserialize)]
    struct Position {
        x: i32,
    }
    let point = to_object(&Point { x: 7, y: 2 }).unwrap();
    assert_eq!(from_object::<Position>(&point).unwrap().x, 7);
}

#[test]
fn bytes_are_not_lists() {
    struct Blob(Vec<u8>);
    impl Serialize for Blob {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }
    let object = to_object(&Blob(vec![1, 2])).unwrap();
    assert_eq!(object, Object::from(Bytes::from(vec![1, 2])));
    assert_eq!(to_object(&vec![1u8, 2]).unwrap(), Object::from(vec![1, 2]));
}

#[test]
fn sets_and_tuples_are_sequences_too() {
    let set: Object = loads(b"\x80\x04\x8f(K\x01K\x02\x90.").unwrap();
    assert_eq!(from_object::<Vec<i32>>(&set).unwrap(), [1, 2]);
    assert_eq!(
        from_object::<(i32, i32)>(&Object::from(vec![1, 2])).unwrap(),
        (1, 2)
    );
    assert!(from_object::<(i32, i32)>(&Object::from(vec![1, 2, 3])).is_err());
}

#[test]
fn numbers_must_fit() {
    assert!(from_object::<u8>(&Object::from(256)).is_err());
    assert!(from_object::<u64>(&Object::from(-1)).is_err());
    assert!(from_object::<i64>(&Object::from(1.0)).is_err());
    assert_eq!(from_object::<f64>(&Object::from(1)).unwrap(), 1.0);
}

#[test]
fn objects_pass_whole_among_other_values() {
    #[derive(Serialize, Deserialize)]
    struct Envelope {
        label: String,
        content: Object,
        more: HashMap<String, Object>,
    }
    let list = List::from_iter([Object::from(1)]);
    let decimal = Instance::reduce(
        Global::new("decimal", "Decimal"),
        Tuple::from_iter(["1".into()]),
    );
    let envelope = Envelope {
        label: "x".into(),
        content: list.clone().into(),
        more: [
            ("same".into(), list.into()),
            ("class".into(), decimal.into()),
        ]
        .into(),
    };
    let read: Envelope = loads(&dumps(&envelope).unwrap()).unwrap();
    assert_eq!(read.label, "x");
    assert!(read.content.is(&read.more["same"]), "the list is shared");
    assert_eq!(read.more["class"].to_string(), "Decimal('1')");
}

#[test]
fn what_is_nested_too_deep_for_a_value_is_an_error() {
    #[derive(Deserialize)]
    struct Chain(#[allow(dead_code, reason = "only made")] Vec<Chain>);
    let mut object = Object::from(List::new());
    for _ in 0..100 {
        object = List::from_iter([object]).into();
    }
    assert!(from_object::<Chain>(&object).is_ok());
    let list = List::new();
    list.append(list.clone());
    assert!(from_object::<Chain>(&list.clone().into()).is_err());
    list.clear();
}
