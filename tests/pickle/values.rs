//! Objects compare, hash, print and slice as Python's do.

use hilos::pickle::{Error, List, Object, Slice, loads};

use crate::oracle::{python, unhex};

fn rows(mode: &str) -> Vec<Vec<String>> {
    let table = python(mode, "").unwrap_or_default();
    table
        .lines()
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

fn object(hex: &str) -> Object {
    loads(&unhex(hex)).unwrap()
}

fn outcome<T: ToString>(result: Result<T, Error>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(error) => format!("{error:?}"),
    }
}

fn boolean(bool: bool) -> Object {
    Object::from(bool)
}

#[test]
fn equality_and_order_are_pythons() {
    for row in rows("comparisons") {
        let (left, right) = (object(&row[0]), object(&row[1]));
        let about = format!("{left:?} and {right:?}");
        assert_eq!(
            boolean(left == right).to_string(),
            row[2],
            "equality of {about}"
        );
        assert_eq!(
            outcome(left.less_than(&right).map(boolean)),
            row[3],
            "order of {about}"
        );
        assert_eq!(
            boolean(left < right).to_string() == "True",
            row[3] == "True",
            "order of {about}"
        );
        if let (true, Ok(first), Ok(second)) = (left == right, left.hash(), right.hash()) {
            assert_eq!(first, second, "hashes of {about}");
        }
    }
}

#[test]
fn hashes_and_truth_are_pythons() {
    for row in rows("hashes") {
        let object = object(&row[0]);
        assert_eq!(
            outcome(object.hash().map(|_| 0)),
            row[1],
            "hash of {object:?}"
        );
        assert_eq!(
            boolean(object.is_true()).to_string(),
            row[2],
            "truth of {object:?}"
        );
        assert_eq!(object.type_name(), row[3]);
    }
}

fn five() -> List {
    (0..5).map(Object::from).collect()
}

#[test]
fn slices_are_pythons() {
    for row in rows("slices") {
        let slice = Slice::try_from(&object(&row[0])).unwrap();
        assert_eq!(
            outcome(five().get_slice(&slice).map(Object::from)),
            row[1],
            "{slice:?}"
        );
        let replaced = five();
        let setting = replaced.set_slice(&slice, ["a", "b"].map(Object::from));
        assert_eq!(outcome(setting.map(Object::from)), row[2], "{slice:?}");
        assert_eq!(format!("{replaced:?}"), row[3], "{slice:?}");
        let deleted = five();
        let _ = deleted.delete_slice(&slice);
        assert_eq!(format!("{deleted:?}"), row[4], "{slice:?}");
    }
}

#[test]
fn characters_are_printed_as_python_prints_them() {
    let mut different = 0;
    for row in rows("printable") {
        let Some(character) = char::from_u32(row[0].parse().unwrap()) else {
            continue;
        };
        let printed = format!("{:?}", Object::from(character));
        different += usize::from(printed.as_bytes() != unhex(&row[1]));
    }
    assert_eq!(different, 0);
}

#[test]
fn floats_are_printed_as_python_prints_them() {
    for row in rows("floats") {
        let float: f64 = row[0].parse().unwrap();
        assert_eq!(Object::from(float).to_string(), row[0]);
    }
}
