//! The starts that policies are judged from, as numpy drew them.

use core::ops::Range;

/// One line for each reset seed from 10000 to 10099; columns: cart pole 4, pendulum 2, mountain car's position.
///
/// Drawn by Gymnasium 1.4.0 with numpy 2.4, and compared with what Python draws by `tests/classic.rs`.
const STARTS: &str = include_str!("starts.csv");

/// Some columns of every line.
pub(super) fn columns(range: Range<usize>) -> Vec<Vec<f64>> {
    let number = |text: &str| text.parse().expect("the file holds numbers");
    let line = |line: &str| line.split(',').map(number).skip(range.start).take(range.len()).collect();
    STARTS.lines().skip(1).map(line).collect()
}
