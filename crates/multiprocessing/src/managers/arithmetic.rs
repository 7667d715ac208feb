//! Functions of Python's own that calculate.

use std::cmp::Ordering;

use hilos_pickle::{Dict, Global, List, Object, Tuple};

use super::args::Args;
use super::builtins::text;
use super::exception::Exception;
use super::numbers::{int_of, sized, whole};
use super::referents::iterate;
use super::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add_function("_operator.add", |args| {
        let [one, two] = two(args, "_operator.add")?;
        add(args, &one, &two)
    });
    registry.add_function("_operator.sub", |args| {
        let [one, two] = two(args, "_operator.sub")?;
        let difference = calculated(&one, &two, i128::checked_sub, |one, two| one - two);
        difference.unwrap_or_else(|| Err(unsupported("-", &one, &two)))
    });
    registry.add_function("_operator.mul", |args| {
        let [one, two] = two(args, "_operator.mul")?;
        multiply(args, &one, &two)
    });
    registry.add_function("builtins.divmod", divmod);
    registry.add_function("builtins.pow", pow);
    registry.add_function("builtins.round", round);
    registry.add_function("math.factorial", factorial);
    registry.add_function("math.sqrt", sqrt);
}

/// The values of the arguments of a function that takes two.
pub(super) fn two(args: &Args<'_>, function: &str) -> Result<[Object; 2], Exception> {
    let given = args.between(function, (2, 2))?;
    Ok([args.value(&given[0])?, args.value(&given[1])?])
}

/// The arguments of a function in C that have names, of which some must be given.
pub(super) fn named<const N: usize>(
    args: &Args<'_>,
    function: &str,
    names: [&str; N],
    required: usize,
) -> Result<[Option<Object>; N], Exception> {
    let given = args.positional().len() + args.keywords().len();
    if given > N {
        let text = format!("{function}() takes at most {N} arguments ({given} given)");
        return Err(Exception::type_error(text));
    }
    let bound = args.bind(function, names, 0)?;
    match bound[..required].iter().position(Option::is_none) {
        None => Ok(bound),
        Some(place) => Err(Exception::type_error(format!(
            "{function}() missing required argument '{}' (pos {})",
            names[place],
            place + 1
        ))),
    }
}

/// What two numbers give; `None` if one is no number.
fn calculated(
    one: &Object,
    two: &Object,
    of_ints: fn(i128, i128) -> Option<i128>,
    of_floats: fn(f64, f64) -> f64,
) -> Option<Result<Object, Exception>> {
    if let (Some(one), Some(two)) = (whole(one), whole(two)) {
        return Some(one.and_then(|one| sized(of_ints(one, two?))));
    }
    let [one, two] = [float(one)?, float(two)?];
    Some(one.and_then(|one| Ok(of_floats(one, two?).into())))
}

/// The float that a number is taken for; `None` if an object is none.
fn float(object: &Object) -> Option<Result<f64, Exception>> {
    match object {
        Object::Bool(_) | Object::Int(_) | Object::BigInt(_) | Object::Float(_) => {
            Some(f64::try_from(object).map_err(Exception::from))
        }
        _ => None,
    }
}

fn unsupported(operator: &str, one: &Object, two: &Object) -> Exception {
    Exception::type_error(format!(
        "unsupported operand type(s) for {operator}: '{}' and '{}'",
        one.type_name(),
        two.type_name()
    ))
}

/// What `one + two` gives.
pub(super) fn add(args: &Args<'_>, one: &Object, two: &Object) -> Result<Object, Exception> {
    if let Some(sum) = calculated(one, two, i128::checked_add, |one, two| one + two) {
        return sum;
    }
    let strange = |kind| {
        let other = two.type_name();
        let text = format!("can only concatenate {kind} (not \"{other}\") to {kind}");
        Err(Exception::type_error(text))
    };
    match (one, two) {
        (Object::List(_), _) => {
            let added = args.method(one, "__add__")?;
            added.call([two.clone()], Dict::new())
        }
        (Object::Str(one), Object::Str(two)) => Ok(format!("{}{}", text(one)?, text(two)?).into()),
        (Object::Str(_), _) => strange("str"),
        (Object::Bytes(one), Object::Bytes(two)) => Ok([&one[..], &two[..]].concat()[..].into()),
        (Object::Tuple(one), Object::Tuple(two)) => Ok(one
            .iter()
            .chain(two.iter())
            .cloned()
            .collect::<Tuple>()
            .into()),
        (Object::Tuple(_), _) => strange("tuple"),
        _ => Err(unsupported("+", one, two)),
    }
}

fn multiply(args: &Args<'_>, one: &Object, two: &Object) -> Result<Object, Exception> {
    let product = calculated(one, two, i128::checked_mul, |one, two| one * two);
    match (product, one, two) {
        (Some(product), _, _) => product,
        (None, Object::List(_) | Object::Str(_) | Object::Tuple(_), _) => repeat(args, one, two),
        (None, _, Object::List(_) | Object::Str(_) | Object::Tuple(_)) => repeat(args, two, one),
        _ => Err(unsupported("*", one, two)),
    }
}

/// A sequence several times. The list of its items knows what is too much for the memory.
fn repeat(args: &Args<'_>, sequence: &Object, times: &Object) -> Result<Object, Exception> {
    if whole(times).is_none() {
        let text = "can't multiply sequence by non-int of type";
        return Err(Exception::type_error(format!(
            "{text} '{}'",
            times.type_name()
        )));
    }
    let items = List::from(iterate(args, sequence)?);
    let repeated = args.method(&items.into(), "__mul__")?;
    let repeated = repeated.call([times.clone()], Dict::new())?;
    match sequence {
        Object::Str(_) => Ok(joined(&Vec::try_from(&repeated)?)?.into()),
        Object::Tuple(_) => Ok(Tuple::from_iter(Vec::try_from(&repeated)?).into()),
        _ => Ok(repeated),
    }
}

fn joined(characters: &[Object]) -> Result<String, Exception> {
    let characters = characters.iter().map(|character| match character {
        Object::Str(character) => text(character),
        _ => Ok(""),
    });
    characters.collect()
}

fn divmod(args: &Args<'_>) -> Result<Object, Exception> {
    let [one, two] = two(args, "divmod")?;
    let zero = |text| Err(Exception::new("ZeroDivisionError", text));
    if let (Some(one), Some(two)) = (whole(&one), whole(&two)) {
        let (one, two) = (one?, two?);
        if two == 0 {
            return zero("integer division or modulo by zero");
        }
        let rest = one.wrapping_rem(two);
        // Rust's quotient is towards zero, Python's downwards.
        let up = i128::from(rest != 0 && (one < 0) != (two < 0));
        let quotient = one.checked_div(two).and_then(|down| down.checked_sub(up));
        return Ok((sized(quotient)?, rest + up * two).into());
    }
    match (float(&one), float(&two)) {
        (Some(one), Some(two)) => match (one?, two?) {
            (_, 0.0) => zero("float divmod()"),
            (one, two) => Ok(divmod_of_floats(one, two).into()),
        },
        _ => Err(unsupported("divmod()", &one, &two)),
    }
}

fn divmod_of_floats(one: f64, two: f64) -> (f64, f64) {
    let mut rest = one % two;
    let mut quotient = (one - rest) / two;
    if rest == 0.0 {
        rest = 0f64.copysign(two);
    } else if (rest < 0.0) != (two < 0.0) {
        rest += two;
        quotient -= 1.0;
    }
    match quotient == 0.0 {
        true => (0f64.copysign(one / two), rest),
        // All but an integer, which the division may have missed.
        false => (quotient.round(), rest),
    }
}

fn pow(args: &Args<'_>) -> Result<Object, Exception> {
    let [base, exponent, modulus] = named(args, "pow", ["base", "exp", "mod"], 2)?;
    if modulus.is_some_and(|modulus| !matches!(modulus, Object::None)) {
        return Err(Exception::type_error(
            "pow() with a modulus is not known here",
        ));
    }
    let [base, exponent] = [args.value(&base.into())?, args.value(&exponent.into())?];
    if let (Some(base), Some(Ok(exponent @ 0..))) = (whole(&base), whole(&exponent)) {
        return sized(power(base?, exponent));
    }
    match (float(&base), float(&exponent)) {
        (Some(base), Some(exponent)) => power_of_floats(base?, exponent?),
        _ => Err(unsupported("** or pow()", &base, &exponent)),
    }
}

fn power(base: i128, exponent: i128) -> Option<i128> {
    match base {
        0 | 1 if exponent > 0 => Some(base),
        -1 => Some(if exponent % 2 == 0 { 1 } else { -1 }),
        _ => base.checked_pow(u32::try_from(exponent).ok()?),
    }
}

fn power_of_floats(base: f64, exponent: f64) -> Result<Object, Exception> {
    let power = base.powf(exponent);
    if base == 0.0 && exponent < 0.0 {
        let text = "0.0 cannot be raised to a negative power";
        return Err(Exception::new("ZeroDivisionError", text));
    }
    match base.is_finite() && exponent.is_finite() {
        true if power.is_nan() => Err(Exception::value_error("the power is a complex number")),
        true if power.is_infinite() => {
            let text = Object::from("Numerical result out of range");
            let class = Global::new("builtins", "OverflowError");
            Err(Exception::of_class(&class, &[34.into(), text]))
        }
        _ => Ok(power.into()),
    }
}

fn round(args: &Args<'_>) -> Result<Object, Exception> {
    let [number, digits] = named(args, "round", ["number", "ndigits"], 1)?;
    let number = args.value(&number.into())?;
    if float(&number).is_none() {
        let name = number.type_name();
        let text = format!("type {name} doesn't define __round__ method");
        return Err(Exception::type_error(text));
    }
    let digits = digits.filter(|digits| !matches!(digits, Object::None));
    match (&number, digits) {
        (Object::Float(float), None) => int_of(&float.round_ties_even().into()),
        (Object::Float(float), Some(digits)) => {
            Ok(round_float(*float, integer(&digits)?.clamp(-400, 400) as i32).into())
        }
        (_, None) => int_of(&number),
        (_, Some(digits)) => match (integer(&digits)?, whole(&number)) {
            (digits @ ..0, Some(number)) => sized(round_int(number?, digits.unsigned_abs())),
            _ => int_of(&number),
        },
    }
}

fn round_float(float: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(-digits);
    match digits {
        _ if !float.is_finite() => float,
        // Rust's own text is as exact as Python's.
        0.. => format!("{float:.*}", digits as usize)
            .parse()
            .unwrap_or(float),
        _ if scale.is_infinite() => 0f64.copysign(float),
        _ => (float / scale).round_ties_even() * scale,
    }
}

/// The nearest multiple of ten to this power, the even one of two.
fn round_int(number: i128, zeros: u128) -> Option<i128> {
    let zeros = u32::try_from(zeros).ok();
    let Some(scale) = zeros.and_then(|zeros| 10i128.checked_pow(zeros)) else {
        return Some(0);
    };
    let (down, rest) = (number.div_euclid(scale), number.rem_euclid(scale));
    let up = match rest.cmp(&(scale - rest)) {
        Ordering::Less => 0,
        Ordering::Equal => down.rem_euclid(2),
        Ordering::Greater => 1,
    };
    (down + up).checked_mul(scale)
}

/// An argument that must be an int.
pub(super) fn integer(object: &Object) -> Result<i128, Exception> {
    whole(object).unwrap_or_else(|| {
        let name = object.type_name();
        let text = format!("'{name}' object cannot be interpreted as an integer");
        Err(Exception::type_error(text))
    })
}

fn factorial(args: &Args<'_>) -> Result<Object, Exception> {
    let number = integer(&args.one("math.factorial")?)?;
    if number < 0 {
        let text = "factorial() not defined for negative values";
        return Err(Exception::value_error(text));
    }
    // The product is soon too large, however many factors there would be.
    let product = (1..=number).try_fold(1i128, |product, factor| product.checked_mul(factor));
    sized(product)
}

fn sqrt(args: &Args<'_>) -> Result<Object, Exception> {
    let object = args.one("math.sqrt")?;
    let text = || format!("must be real number, not {}", object.type_name());
    match float(&object).ok_or_else(|| Exception::type_error(text()))?? {
        ..0.0 => Err(Exception::value_error("math domain error")),
        number => Ok(number.sqrt().into()),
    }
}
