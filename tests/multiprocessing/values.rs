//! `Value`, `Array`, `RawValue`, `RawArray`.

use std::ffi::{c_char, c_double, c_int, c_long, c_short, c_uchar};

use hilos::multiprocessing::sharedctypes::bytemuck::{self, Pod, Zeroable};
use hilos::multiprocessing::{
    Array, Error, Lock, Process, RLock, RawArray, RawValue, StartMethod, Value,
};

use crate::support::{each_start_method, run_to_end};

#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[bytemuck(crate = "bytemuck")]
#[repr(C)]
struct Both {
    x: i64,
    y: f64,
    z: i64,
}

type Values = (
    RawValue<c_int>,
    RawValue<c_double>,
    RawValue<c_short>,
    RawValue<c_long>,
);

/// Changes values without a lock.
fn change_raw((i, d, h, l): Values, byte: RawValue<c_uchar>) {
    i.set(4343);
    d.set(-0.01);
    h.set(-232);
    l.set(1 << 40);
    byte.set(b'x');
}

/// Doubles what lies under locks.
fn double(
    x: Value<i32>,
    y: Value<f64>,
    z: Value<i64>,
    both: Value<Both>,
    arr: Array<f64>,
    string: Array<u8>,
) {
    x.update(|n| *n *= 2).unwrap();
    y.update(|n| *n *= 2.0).unwrap();
    z.update(|n| *n *= 2).unwrap();
    both.update(|both| {
        both.x *= 2;
        both.y *= 2.0;
    })
    .unwrap();
    let text = string.value().unwrap();
    string.set_value(&text.repeat(2)).unwrap();
    for i in 0..arr.len() {
        arr.update(i, |n| *n *= 2.0).unwrap();
    }
}

/// Doubles what lies in shared memory without a lock.
fn double_raw(x: RawValue<i32>, both: RawValue<Both>, arr: RawArray<f64>) {
    x.set(x.get() * 2);
    let mut changed = both.get();
    changed.x *= 2;
    both.set(changed);
    let doubled: Vec<f64> = arr.to_vec().into_iter().map(|n| n * 2.0).collect();
    arr.set_slice(0, &doubled).unwrap();
}

fn prefix_sums(array: Array<i32>) {
    let _held = array.lock().unwrap();
    for i in 1..array.len() {
        let before = array.get(i - 1).unwrap();
        array.update(i, |n| *n += before).unwrap();
    }
}

const NUMBERS: [i32; 10] = [680, 626, 934, 821, 150, 233, 548, 982, 714, 831];

fn sums(numbers: &[i32]) -> Vec<i32> {
    let sum = |total: &mut i32, n: &i32| {
        *total += n;
        Some(*total)
    };
    numbers.iter().scan(0, sum).collect()
}

each_start_method! {
    // cpython: _test_multiprocessing.py::_TestValue::test_rawvalue
    fn a_child_changes_raw_values(method: StartMethod) {
        let values: Values = (
            RawValue::new(4).unwrap(),
            RawValue::new(3.5).unwrap(),
            RawValue::new(12).unwrap(),
            RawValue::new(-7).unwrap(),
        );
        let byte = RawValue::new(b'c').unwrap();
        let process = Process::new(change_raw, (values.clone(), byte.clone()));
        assert_eq!(run_to_end(&process.with_start_method(method)), Some(0));
        let (i, d, h, l) = values;
        assert_eq!((i.get(), d.get(), h.get(), l.get()), (4343, -0.01, -232, 1 << 40));
        assert_eq!(byte.get(), b'x');
    }

    // cpython: _test_multiprocessing.py::_TestValue::test_value
    fn a_child_changes_a_value(method: StartMethod) {
        let value = Value::new(4).unwrap();
        let change = |value: Value<i32>| value.set(4343).unwrap();
        let process = Process::new(change, (value.clone(),)).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        assert_eq!(value.get().unwrap(), 4343);
    }

    // cpython: _test_multiprocessing.py::_TestArray::test_array
    fn a_child_changes_an_array(method: StartMethod) {
        let array = Array::new(NUMBERS).unwrap();
        assert_eq!(array.len(), NUMBERS.len());
        assert_eq!(array.to_vec().unwrap(), NUMBERS);
        assert_eq!(array.get_slice(2..7).unwrap(), NUMBERS[2..7]);
        array.set_slice(4, &[1, 2, 3, 4]).unwrap();
        let mut expected = NUMBERS;
        expected[4..8].copy_from_slice(&[1, 2, 3, 4]);
        assert_eq!(array.to_vec().unwrap(), expected);
        let process = Process::new(prefix_sums, (array.clone(),)).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        assert_eq!(array.to_vec().unwrap(), sums(&expected));
    }

    // cpython: _test_multiprocessing.py::_TestSharedCTypes::test_sharedctypes
    // cpython: _test_multiprocessing.py::_TestArray::test_rawarray
    fn a_child_doubles_raw_values(method: StartMethod) {
        let both = Both { x: 3, y: 2.0, z: 0 };
        let (x, both) = (RawValue::new(7).unwrap(), RawValue::new(both).unwrap());
        let array = RawArray::new((0..10).map(f64::from)).unwrap();
        let process = Process::new(double_raw, (x.clone(), both.clone(), array.clone()));
        assert_eq!(run_to_end(&process.with_start_method(method)), Some(0));
        assert_eq!((x.get(), both.get().x), (14, 6));
        let doubled: Vec<f64> = (0..10).map(|n| f64::from(n) * 2.0).collect();
        assert_eq!(array.to_vec(), doubled);
    }

    // cpython: _test_multiprocessing.py::_TestSharedCTypes::test_synchronize
    fn a_child_doubles_values(method: StartMethod) {
        let both = Both { x: 3, y: 2.0, z: 0 };
        let (x, y) = (Value::new(7).unwrap(), Value::new(1.0 / 3.0).unwrap());
        let (z, both) = (Value::new(1_i64 << 33).unwrap(), Value::new(both).unwrap());
        let array = Array::new((0..10).map(f64::from)).unwrap();
        let string = Array::zeroed(20).unwrap();
        string.set_value(b"hello").unwrap();
        let args = (x.clone(), y.clone(), z.clone(), both.clone(), array.clone(), string.clone());
        let process = Process::new(double, args).with_start_method(method);
        assert_eq!(run_to_end(&process), Some(0));
        assert_eq!((x.get().unwrap(), y.get().unwrap(), z.get().unwrap()), (14, 2.0 / 3.0, 1 << 34));
        assert_eq!(both.get().unwrap(), Both { x: 6, y: 4.0, z: 0 });
        let doubled: Vec<f64> = (0..10).map(|n| f64::from(n) * 2.0).collect();
        assert_eq!(array.to_vec().unwrap(), doubled);
        assert_eq!(string.value().unwrap(), b"hellohello");
    }
}

// cpython: _test_multiprocessing.py::_TestValue::test_getobj_getlock
#[test]
fn a_value_shows_its_lock_and_its_object() {
    let value = Value::new(5).unwrap();
    let _lock: &RLock = value.get_lock();
    assert_eq!(value.get_obj().get(), 5);

    let lock = Lock::new().unwrap();
    let value = Value::with_lock(5, lock.clone()).unwrap();
    let held = value.lock().unwrap();
    assert!(lock.locked() && value.get_lock().locked());
    value.get_obj().set(6);
    drop(held);
    assert_eq!(value.get().unwrap(), 6);

    let raw = RawValue::new(1).unwrap();
    let value = Value::synchronized(raw.clone(), lock);
    value.set(2).unwrap();
    assert_eq!(raw.get(), 2);
    value.acquire().unwrap();
    value.release().unwrap();
    assert!(value.release().is_err());
}

// cpython: _test_multiprocessing.py::_TestArray::test_getobj_getlock_obj
#[test]
fn an_array_shows_its_lock_and_its_object() {
    let array = Array::new(0..10).unwrap();
    let _lock: &RLock = array.get_lock();
    assert_eq!(array.get_obj().get(9).unwrap(), 9);
    let lock = Lock::new().unwrap();
    let array = Array::with_lock(0..10, lock.clone()).unwrap();
    let held = array.lock().unwrap();
    assert!(lock.locked());
    drop(held);
    array.acquire().unwrap();
    array.release().unwrap();
    assert!(!lock.locked());
}

// cpython: _test_multiprocessing.py::_TestArray::test_array_from_size
#[test]
fn an_array_of_a_size_is_zero() {
    for _ in 0..3 {
        let array = Array::<i32>::zeroed(10).unwrap();
        assert_eq!(array.to_vec().unwrap(), [0; 10]);
        array.set_slice(0, &[5; 10]).unwrap();
        assert_eq!(array.to_vec().unwrap(), [5; 10]);
    }
    let empty = Array::<c_char>::zeroed(0).unwrap();
    assert!(empty.is_empty() && empty.to_vec().unwrap().is_empty());
    let huge = RawArray::<f64>::zeroed(usize::MAX / 4);
    assert!(matches!(huge, Err(Error::Value(_) | Error::Os(_))));
}

#[test]
fn an_index_outside_is_an_error() {
    let array = Array::new([1, 2, 3]).unwrap();
    assert!(matches!(array.get(3), Err(Error::Index)));
    assert!(matches!(array.set(usize::MAX, 1), Err(Error::Index)));
    assert!(matches!(array.update(3, |n| *n += 1), Err(Error::Index)));
    assert!(matches!(array.get_slice(2..4), Err(Error::Index)));
    assert!(matches!(array.set_slice(2, &[7, 8]), Err(Error::Index)));
    assert_eq!(array.to_vec().unwrap(), [1, 2, 3]);
    assert_eq!(
        array.get(3).unwrap_err().to_string(),
        "array index out of range"
    );
}

// cpython: _test_multiprocessing.py::_TestSharedCTypes::test_copy
#[test]
fn a_copy_is_another_value() {
    let both = RawValue::new(Both {
        x: 2,
        y: 5.0,
        z: 1 << 33,
    })
    .unwrap();
    let copy = both.copy().unwrap();
    both.set(Both::zeroed());
    assert_eq!(
        copy.get(),
        Both {
            x: 2,
            y: 5.0,
            z: 1 << 33
        }
    );
    let array = RawArray::new([1, 2]).unwrap();
    let other = array.copy().unwrap();
    array.set(0, 9).unwrap();
    assert_eq!(other.to_vec(), [1, 2]);
}

#[test]
fn a_string_ends_at_its_first_zero() {
    let string = Array::<u8>::zeroed(6).unwrap();
    string.set_value(b"hello!").unwrap();
    assert_eq!(string.value().unwrap(), b"hello!");
    string.set_value(b"hi").unwrap();
    assert_eq!(string.value().unwrap(), b"hi");
    assert_eq!(string.to_vec().unwrap(), b"hi\0lo!");
    let error = string.set_value(b"too long").unwrap_err();
    assert!(matches!(error, Error::Value(_)));
    assert_eq!(string.value().unwrap(), b"hi");
}

/// Three bytes at odd places, so that no word is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[bytemuck(crate = "bytemuck")]
#[repr(C)]
struct Odd([u8; 3]);

#[test]
fn odd_sizes_arrive_whole() {
    let items: Vec<Odd> = (0..=255).map(|n| Odd([n, n ^ 0x55, !n])).collect();
    let array = RawArray::new(items.clone()).unwrap();
    assert_eq!(array.to_vec(), items);
    assert_eq!(array.get(77).unwrap(), items[77]);
    assert_eq!(array.get_slice(3..9).unwrap(), items[3..9]);
    array
        .set_slice(101, &[Odd([1, 2, 3]), Odd([4, 5, 6])])
        .unwrap();
    let mut expected = items;
    expected[101] = Odd([1, 2, 3]);
    expected[102] = Odd([4, 5, 6]);
    assert_eq!(array.to_vec(), expected);
}
