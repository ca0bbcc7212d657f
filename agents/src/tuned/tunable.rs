//! One constant of a rule, and the way between it and a coordinate of a search.

use seawall_env::spaces::Scale;

/// Name, unit and bounds of a constant that a rule declares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) scale: Scale,
}

/// One constant of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Tunable {
    /// Name, unique within the rule.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
    /// Whether equal steps are differences or ratios.
    pub scale: Scale,
    /// Value that the rule is documented with.
    pub documented: f64,
}

impl Tunable {
    pub(crate) fn new(bound: Bound, prefix: &str, documented: f64) -> Self {
        let Bound { name, unit, low, high, scale } = bound;
        Self { name: format!("{prefix}{name}"), unit: unit.to_owned(), low, high, scale, documented }
    }

    /// The value at a coordinate: `[-1, 1]` spans the bounds, and beyond them it is reflected.
    ///
    /// # Panics
    /// If `coordinate` is not finite.
    #[must_use]
    pub fn value(&self, coordinate: f64) -> f64 {
        let share = f64::midpoint(folded(coordinate), 1.0);
        let value = match self.scale {
            Scale::Linear => self.low + share * (self.high - self.low),
            Scale::Log => self.low * libm::exp(share * libm::log(self.high / self.low)),
        };
        // The last bit of the exponential must not leave the bounds.
        value.clamp(self.low, self.high)
    }

    /// The coordinate in `[-1, 1]` of a value.
    ///
    /// # Panics
    /// If `value` is outside the bounds.
    #[must_use]
    pub fn coordinate(&self, value: f64) -> f64 {
        let Self { name, low, high, .. } = self;
        assert!((*low..=*high).contains(&value), "{name} = {value} is not in [{low}, {high}]");
        let share = match self.scale {
            Scale::Linear => (value - low) / (high - low),
            Scale::Log => libm::log(value / low) / libm::log(high / low),
        };
        2.0 * share - 1.0
    }
}

/// Reflects a coordinate at -1 and 1 until it lies between.
fn folded(coordinate: f64) -> f64 {
    assert!(coordinate.is_finite(), "a coordinate is finite: {coordinate}");
    let phase = (coordinate + 1.0).rem_euclid(4.0);
    (if phase > 2.0 { 4.0 - phase } else { phase }) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Bound = Bound { name: "delay", unit: "seconds", low: 0.0, high: 120.0, scale: Scale::Linear };
    const CAPACITY: Bound = Bound { name: "capacity", unit: "1", low: 0.02, high: 20.0, scale: Scale::Log };

    #[test]
    fn coordinates_beyond_the_bounds_are_reflected() {
        let delay = Tunable::new(DELAY, "fast.", 20.0);
        assert_eq!(delay.name, "fast.delay");
        // A range of two spans 120 s: half a unit beyond either end is 30 s inside.
        for (coordinate, seconds) in
            [(-1.0, 0.0), (0.0, 60.0), (1.0, 120.0), (1.5, 90.0), (-1.5, 30.0), (3.0, 0.0), (7.0, 0.0), (-6.0, 60.0)]
        {
            assert!((delay.value(coordinate) - seconds).abs() < 1e-12, "{coordinate}");
        }
    }

    #[test]
    fn values_and_coordinates_are_inverse_on_both_scales() {
        for (bound, value) in [(DELAY, 20.0), (DELAY, 0.0), (CAPACITY, 2.0), (CAPACITY, 20.0), (CAPACITY, 0.02)] {
            let tunable = Tunable::new(bound, "", value);
            assert!((tunable.value(tunable.coordinate(value)) - value).abs() < 1e-12 * value.max(1.0));
        }
        assert!((Tunable::new(CAPACITY, "", 2.0).value(0.0) - 0.4_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "delay = 121 is not in [0, 120]")]
    fn a_value_outside_has_no_coordinate() {
        let _ = Tunable::new(DELAY, "", 20.0).coordinate(121.0);
    }
}
