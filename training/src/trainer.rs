//! What every trainer does, whatever its algorithm: iterations, diagnostics, a policy, checkpoints.

use crate::episodes::Episode;
use crate::error::Error;
use crate::observer::Observer;
use crate::policy::LearnedPolicy;
use crate::ppo::Imitation;

/// What one iteration came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Iteration {
    /// Environment steps done so far, this iteration included.
    pub steps_total: u64,
    /// Diagnostics by name, always the same names in the same order.
    pub metrics: Vec<(&'static str, f64)>,
    /// Episodes that ended during the iteration, in the order of steps, then environments.
    pub episodes: Vec<Episode>,
}

/// A training run that goes on in iterations and can be saved between any two of them.
pub trait Trainer {
    /// Starts the policy at `action`, `[A]` in `[-1, 1]`: what the environment would do without a controller, so that
    /// learning begins where a venue stands and not in the middle of every range.
    ///
    /// # Panics
    /// If training has begun, or `action` does not have one entry per action.
    fn start_at(&mut self, action: &[f32]);

    /// Starts the policy as an imitation of `teacher`, by the settings of the algorithm; before the first iteration.
    ///
    /// # Errors
    /// [`Error::NotFinite`] as of [`Trainer::iterate`], [`Error::Unsupported`] if the algorithm cannot.
    ///
    /// # Panics
    /// If training has begun.
    fn imitate(&mut self, teacher: &dyn seawall_agents::Policy) -> Result<Imitation, Error> {
        let _ = teacher;
        Err(Error::Unsupported { what: "a warm start" })
    }

    /// Environment steps done so far.
    fn steps_done(&self) -> u64;

    /// Iterations done so far.
    fn iterations_done(&self) -> u64;

    /// Environment steps of the whole run: what was asked for, rounded up to whole iterations where these have one length;
    /// elsewhere the iteration that reaches it is the last.
    fn total_steps(&self) -> u64;

    /// Whether the run is complete.
    fn is_done(&self) -> bool {
        self.steps_done() >= self.total_steps()
    }

    /// Collects samples and learns from them.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if an observation, a reward, a loss or a gradient is not finite. The trainer is then in
    /// the middle of an iteration: resume from a checkpoint, do not continue.
    ///
    /// # Panics
    /// If the run is complete.
    fn iterate(&mut self, observer: &mut dyn Observer) -> Result<Iteration, Error>;

    /// The policy as it stands, without exploration.
    fn policy(&self) -> LearnedPolicy;

    /// Serialises the whole state, environments included: a trainer that loads it goes on bit for bit.
    fn save(&self) -> Vec<u8>;

    /// Restores what [`Trainer::save`] wrote, into a trainer made from the same configuration, backend, environments
    /// and seed. If it fails, the trainer is as it was.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] or [`Error::CheckpointVersion`] if the bytes are not an intact checkpoint,
    /// [`Error::CheckpointMismatch`] if it is one of another run, [`Error::Environment`] if the environments refuse
    /// their part.
    fn load(&mut self, bytes: &[u8]) -> Result<(), Error>;
}
