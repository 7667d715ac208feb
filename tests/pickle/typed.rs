//! Rust's values as pickles.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use hilos::pickle::{
    Bytes, Dict, Global, Instance, List, Object, Tuple, dumps, from_object, loads, to_object,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
