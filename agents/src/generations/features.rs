//! Features by name: found once, read at every decision.

use seawall_env::Spec;

use crate::error::Error;

/// Finds features in an observation, and remembers those that are not there.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    observation: &'a [String],
    missing: Vec<String>,
}

impl<'a> Finder<'a> {
    pub(super) const fn new(spec: &'a Spec) -> Self {
        Self { observation: spec.observation.as_slice(), missing: Vec::new() }
    }

    /// The feature's index; any index if it is missing, which [`Finder::finish`] reports.
    pub(super) fn find(&mut self, name: &str) -> usize {
        self.observation.iter().position(|found| found == name).unwrap_or_else(|| {
            self.missing.push(name.to_owned());
            0
        })
    }

    pub(super) fn finish(self, policy: &str) -> Result<(), Error> {
        if self.missing.is_empty() {
            Ok(())
        } else {
            Err(Error::Features { policy: policy.to_owned(), missing: self.missing })
        }
    }
}

/// Undoes the logarithm to base two that ratios are observed under.
pub(super) fn ratio(observed: f32) -> f64 {
    libm::exp2(observed.into())
}
