//! `Array`: Python's `array.array`.

use hilos_pickle::{Bytes, Global, Instance, List, Object, Tuple};

use super::values::{Index, index, iterate};
use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};

/// Numbers of one type of C's that a manager shares: Python's `array.array`.
///
/// ```
/// use hilos_multiprocessing::managers::{Array, Referent};
///
/// let array = Array::new("i", 0..3)?;
/// assert_eq!(array.repr(), "array('i', [0, 1, 2])");
/// assert_eq!(Array::new("b", [200]).err().unwrap().to_string(), "signed char is greater than maximum");
/// # Ok::<(), hilos_multiprocessing::managers::Exception>(())
/// ```
///
/// Mirrors `multiprocessing.managers.Array`.
pub struct Array {
    code: Code,
    /// Numbers that the type can hold, each as that type gives it back.
    items: List,
}

/// A type of C's, by the letter that Python has for it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Code(char);

/// What Python's `Array(typecode, sequence, lock)` gives.
pub(crate) fn make(args: &Args<'_>) -> Result<Array, Exception> {
    let [typecode, sequence, _lock] = args.bind("Array", ["typecode", "sequence", "lock"], 2)?;
    let code = Code::new(&typecode.unwrap_or(Object::None))?;
    let sequence = args.value(&sequence.unwrap_or(Object::None))?;
    let items = match &sequence {
        Object::Str(_) if code.0 != 'u' && code.0 != 'w' => {
            let code = code.0;
            let text = format!("cannot use a str to initialize an array with typecode '{code}'");
            return Err(Exception::type_error(text));
        }
        Object::Bytes(bytes) => code.unpack(bytes)?,
        sequence => iterate(args, sequence)?,
    };
    Array::of(code, items)
}

/// The numbers of an array that came by wire.
pub(super) fn items_of(instance: &Instance) -> Result<Vec<Object>, Exception> {
    match instance.args() {
        [typecode, Object::Bytes(bytes)] => Code::new(typecode)?.unpack(bytes),
        [_, Object::List(items)] => Ok(items.to_vec()),
        _ => Ok(Vec::new()),
    }
}

impl Array {
    /// Numbers of the type that Python has this letter for.
    ///
    /// # Errors
    /// A `ValueError` if there is no such type, an `OverflowError` if a number does not fit, a
    /// `TypeError` if it is none.
    pub fn new<I>(typecode: &str, items: I) -> Result<Self, Exception>
    where
        I: IntoIterator<Item: Into<Object>>,
    {
        let items = items.into_iter().map(Into::into).collect();
        Self::of(Code::new(&typecode.into())?, items)
    }

    fn of(code: Code, items: Vec<Object>) -> Result<Self, Exception> {
        let items: Vec<Object> = items
            .iter()
            .map(|item| code.fit(item))
            .collect::<Result<_, _>>()?;
        let items = items.into();
        Ok(Self { code, items })
    }

    fn instance(&self, items: &[Object]) -> Result<Object, Exception> {
        let bytes = self.code.pack(items)?;
        let args = [self.code.0.into(), Object::from(Bytes::from(bytes))];
        let class = Global::new("array", "array");
        Ok(Instance::reduce(class, Tuple::from_iter(args)).into())
    }

    fn set(&self, key: &Object, value: &Object) -> Result<(), Exception> {
        match index(key, "array")? {
            Index::One(index) => {
                let item = self.code.fit(value)?;
                let text = "array assignment index out of range";
                self.items
                    .set(index, item)
                    .map_err(|_| Exception::new("IndexError", text))
            }
            Index::Slice(slice) => match value {
                Object::Instance(instance) if instance.is_a("array", "array") => {
                    if instance.args().first() != Some(&self.code.0.into()) {
                        let text = "bad argument type for built-in operation";
                        return Err(Exception::type_error(text));
                    }
                    let set = self.items.set_slice(&slice, items_of(instance)?);
                    set.map_err(|error| of_another_size(&error))
                }
                other => Err(Exception::type_error(format!(
                    "can only assign array (not \"{}\") to array slice",
                    other.type_name()
                ))),
            },
        }
    }
}

/// What a list says of too many items or too few, as an array says it.
fn of_another_size(error: &hilos_pickle::Error) -> Exception {
    Exception::value_error(error.to_string().replace("sequence", "array"))
}

impl Referent for Array {
    fn type_name(&self) -> &str {
        "array.array"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &["__len__", "__getitem__", "__setitem__"]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "__len__" => {
                args.operands(method, 0)?;
                Ok(self.items.len().into())
            }
            "__getitem__" => match index(&args.operand(method)?, "array")? {
                Index::One(index) => {
                    let item = self.items.get(index);
                    let text = "array index out of range";
                    Ok(item.map_err(|_| Exception::new("IndexError", text))?.into())
                }
                Index::Slice(slice) => {
                    let items = self.items.get_slice(&slice)?.to_vec();
                    Ok(self.instance(&items)?.into())
                }
            },
            "__setitem__" => {
                let arguments = args.operands(method, 2)?;
                self.set(&arguments[0], &arguments[1])?;
                Ok(().into())
            }
            _ => Err(self.no_attribute(method)),
        }
    }

    fn repr(&self) -> String {
        let (code, items) = (self.code.0, self.items.to_vec());
        match (&items[..], code) {
            ([], _) => format!("array('{code}')"),
            (items, 'u' | 'w') => {
                let text: String = items.iter().map(Object::to_string).collect();
                format!("array('{code}', {:?})", Object::from(text))
            }
            _ => format!("array('{code}', {:?})", self.items),
        }
    }

    fn value(&self) -> Result<Object, Exception> {
        self.instance(&self.items.to_vec())
    }

    fn contents(&self) -> Option<Object> {
        Some(Object::None)
    }
}

impl Code {
    fn new(object: &Object) -> Result<Self, Exception> {
        let Object::Str(text) = object else {
            let given = object.type_name();
            let text = format!("array() argument 1 must be a unicode character, not {given}");
            return Err(Exception::type_error(text));
        };
        let mut letters = text.code_points().filter_map(char::from_u32);
        match (letters.next(), letters.next()) {
            (Some(letter), None) if "bBhHiIlLqQfduw".contains(letter) => Ok(Self(letter)),
            (Some(_), None) => Err(Exception::value_error(
                "bad typecode (must be b, B, u, h, H, i, I, l, L, q, Q, f or d)",
            )),
            _ => Err(Exception::type_error(
                "array() argument 1 must be a unicode character, not str",
            )),
        }
    }

    const fn size(self) -> usize {
        match self.0 {
            'b' | 'B' => 1,
            'h' | 'H' => 2,
            'i' | 'I' | 'f' | 'u' | 'w' => 4,
            _ => 8,
        }
    }

    /// The number as the type holds it.
    fn fit(self, item: &Object) -> Result<Object, Exception> {
        match self.0 {
            'f' | 'd' => {
                let float = f64::try_from(item).map_err(|error| match error {
                    hilos_pickle::Error::TypeError(_) => Exception::type_error(format!(
                        "must be real number, not {}",
                        item.type_name()
                    )),
                    error => error.into(),
                })?;
                Ok(if self.0 == 'f' {
                    f64::from(float as f32)
                } else {
                    float
                }
                .into())
            }
            'u' | 'w' => match item {
                Object::Str(text) if text.len() == 1 => Ok(item.clone()),
                _ => Err(Exception::type_error(
                    "array item must be unicode character",
                )),
            },
            _ => self.fit_integer(item),
        }
    }

    fn fit_integer(self, item: &Object) -> Result<Object, Exception> {
        let number = match item {
            Object::Int(_) | Object::Bool(_) | Object::BigInt(_) => i128::try_from(item),
            other => {
                return Err(Exception::type_error(format!(
                    "'{}' object cannot be interpreted as an integer",
                    other.type_name()
                )));
            }
        };
        // What is larger still is out of every range, on the same side.
        let number = number.unwrap_or(match item.less_than(&Object::from(0))? {
            true => i128::MIN,
            false => i128::MAX,
        });
        for limit in self.limits() {
            let text = match number {
                number if number < limit.least => limit.below,
                number if number > limit.most => limit.above,
                _ => continue,
            };
            return Err(Exception::new("OverflowError", text));
        }
        Ok(number.into())
    }

    /// What Python converts a number to, one after the other.
    const fn limits(self) -> &'static [Limit] {
        match self.0 {
            'b' => &[LONG, SHORT, CHAR],
            'B' => &[LONG, UNSIGNED_BYTE],
            'h' => &[LONG, SHORT],
            'H' => &[LONG, INT, UNSIGNED_SHORT],
            'i' => &[LONG, INT],
            'I' => &[UNSIGNED_LONG, UNSIGNED_INT],
            'l' => &[LONG],
            'L' => &[UNSIGNED_LONG],
            'Q' => &[UNSIGNED_LONG_LONG],
            _ => &[LONG_LONG],
        }
    }

    fn pack(self, items: &[Object]) -> Result<Vec<u8>, Exception> {
        let mut bytes = Vec::with_capacity(items.len() * self.size());
        for item in items {
            match self.0 {
                'f' => bytes.extend((f64::try_from(item)? as f32).to_ne_bytes()),
                'd' => bytes.extend(f64::try_from(item)?.to_ne_bytes()),
                'u' | 'w' => {
                    let text = hilos_pickle::Str::try_from(item)?;
                    bytes.extend(text.code_points().next().unwrap_or(0).to_ne_bytes());
                }
                _ => {
                    let wide = i128::try_from(item)?.to_le_bytes();
                    let mut narrow = wide[..self.size()].to_vec();
                    if cfg!(target_endian = "big") {
                        narrow.reverse();
                    }
                    bytes.extend(narrow);
                }
            }
        }
        Ok(bytes)
    }

    fn unpack(self, bytes: &[u8]) -> Result<Vec<Object>, Exception> {
        if !bytes.len().is_multiple_of(self.size()) {
            let text = "bytes length not a multiple of item size";
            return Err(Exception::value_error(text));
        }
        Ok(bytes
            .chunks(self.size())
            .map(|chunk| self.unpack_one(chunk))
            .collect())
    }

    fn unpack_one(self, chunk: &[u8]) -> Object {
        let mut chunk = chunk.to_vec();
        if cfg!(target_endian = "big") {
            chunk.reverse();
        }
        let negative = chunk.last().is_some_and(|last| *last >= 0x80);
        let signed = "bhilq".contains(self.0);
        let mut wide = [if negative && signed { 0xff } else { 0 }; 16];
        wide[..chunk.len()].copy_from_slice(&chunk);
        let number = i128::from_le_bytes(wide);
        match self.0 {
            'f' => f32::from_bits(number as u32).into(),
            'd' => f64::from_bits(number as u64).into(),
            'u' | 'w' => char::from_u32(number as u32).unwrap_or('\u{fffd}').into(),
            _ => number.into(),
        }
    }
}

/// A range of numbers, and what Python says of others.
struct Limit {
    least: i128,
    most: i128,
    below: &'static str,
    above: &'static str,
}

macro_rules! limits {
    ($($name:ident: $number:ty, $below:literal, $above:literal;)*) => {$(
        const $name: Limit = Limit {
            least: <$number>::MIN as i128,
            most: <$number>::MAX as i128,
            below: $below,
            above: $above,
        };
    )*};
}
limits! {
    CHAR: i8, "signed char is less than minimum", "signed char is greater than maximum";
    UNSIGNED_BYTE: u8, "unsigned byte integer is less than minimum", "unsigned byte integer is greater than maximum";
    SHORT: i16, "signed short integer is less than minimum", "signed short integer is greater than maximum";
    UNSIGNED_SHORT: u16, "unsigned short is less than minimum", "unsigned short is greater than maximum";
    INT: i32, "signed integer is less than minimum", "signed integer is greater than maximum";
    UNSIGNED_INT: u32, "", "unsigned int is greater than maximum";
    LONG: i64, "Python int too large to convert to C long", "Python int too large to convert to C long";
    UNSIGNED_LONG: u64, "can't convert negative value to unsigned int", "Python int too large to convert to C unsigned long";
    LONG_LONG: i64, "int too big to convert", "int too big to convert";
    UNSIGNED_LONG_LONG: u64, "can't convert negative int to unsigned", "int too big to convert";
}
