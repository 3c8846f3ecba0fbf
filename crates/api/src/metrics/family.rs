//! Measurements as they are handed on, whatever the format.

use heddle_platform::Distribution;

/// Label name and value, in the order in which they are shown.
pub type Labels = Vec<(&'static str, String)>;

/// Measurements of one kind under one name.
#[derive(Clone, Debug)]
pub struct Family {
    /// Ends with the unit, if there is one; of counters without `_total`.
    pub name: &'static str,
    /// What is measured.
    pub help: &'static str,
    /// `seconds`, `bytes`, or nothing for plain counts.
    pub unit: Option<&'static str>,
    /// What was measured.
    pub values: Values,
}

/// What was measured, by kind; no two of a family have the same labels.
#[derive(Clone, Debug)]
pub enum Values {
    /// Only grow while the process lives.
    Counters(Vec<(Labels, f64)>),
    /// As they stand.
    Gauges(Vec<(Labels, f64)>),
    /// How often something was how large.
    Histograms(Vec<(Labels, Spread)>),
}

/// A distribution of whole numbers and what one of them is worth in the family's unit.
#[derive(Clone, Debug)]
pub struct Spread {
    /// As counted.
    pub distribution: Distribution,
    /// 1e-6 where microseconds were counted and seconds are shown.
    pub scale: f64,
}

impl Family {
    /// Counters under one name.
    pub fn counters(name: &'static str, help: &'static str, values: Vec<(Labels, f64)>) -> Self {
        Self { name, help, unit: None, values: Values::Counters(values) }
    }

    /// One gauge.
    pub fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, unit: None, values: Values::Gauges(vec![(Vec::new(), value)]) }
    }

    /// Histograms under one name.
    pub fn histograms(name: &'static str, help: &'static str, values: Vec<(Labels, Spread)>) -> Self {
        Self { name, help, unit: None, values: Values::Histograms(values) }
    }

    /// With a unit, which the name must end with.
    pub fn in_unit(self, unit: &'static str) -> Self {
        debug_assert!(self.name.ends_with(unit), "{} is not in {unit}", self.name);
        Self { unit: Some(unit), ..self }
    }
}

impl Spread {
    /// Of a distribution that counts in millionths of the unit.
    pub fn of_micros(distribution: Distribution) -> Self {
        Self { distribution, scale: 1e-6 }
    }

    /// Of a distribution that counts in the unit itself.
    pub fn plain(distribution: Distribution) -> Self {
        Self { distribution, scale: 1.0 }
    }

    /// The upper bounds in the unit.
    pub fn bounds(&self) -> impl Iterator<Item = f64> + '_ {
        // Divided where multiplying would show 0.00019999999999999998.
        let divisor = (1.0 / self.scale).round();
        self.distribution.bounds.iter().map(move |bound| *bound as f64 / divisor)
    }

    /// All values added up, in the unit.
    pub fn sum(&self) -> f64 {
        self.distribution.sum as f64 / (1.0 / self.scale).round()
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.distribution.counts.iter().sum()
    }
}
