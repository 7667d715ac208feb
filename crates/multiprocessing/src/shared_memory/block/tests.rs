//! What cannot be seen from outside: which names are tried.

use super::{Name, SharedMemory};

#[test]
fn a_name_in_use_is_passed_over() {
    let new = |number| Name::new(&format!("hilos_tried{}-{number}", std::process::id())).unwrap();
    let mut numbers = 0..;
    let mut first = || new(numbers.next().unwrap());
    let one = SharedMemory::create_first_free(&mut first, 1).unwrap();
    let mut numbers = 0..;
    let mut again = || new(numbers.next().unwrap());
    let two = SharedMemory::create_first_free(&mut again, 1).unwrap();
    let names = [one.name(), two.name()].map(str::to_owned);
    one.unlink().unwrap();
    two.unlink().unwrap();
    assert_eq!(names, [new(0), new(1)].map(|name| name.as_str().to_owned()));
}
