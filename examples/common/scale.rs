//! `--scale F`: a program takes F times the time that it takes in its text.

/// The scale that the program's arguments give, or else `default`; 1 is real time.
pub(crate) fn from_args(default: f64) -> f64 {
    let mut args = std::env::args();
    let scale = match args.find(|arg| arg == "--scale") {
        Some(_) => args.next().and_then(|scale| scale.parse().ok()),
        None => Some(default),
    };
    let scale = scale.filter(|scale: &f64| scale.is_finite() && *scale > 0.0);
    scale.expect("--scale needs a number above 0")
}
