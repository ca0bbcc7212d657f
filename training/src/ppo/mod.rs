//! Proximal policy optimisation with a clipped surrogate, for feed-forward and recurrent policies, for the mean return or
//! for the mean of the worst episodes (`risk`), under a bound on costs if asked (`constraint`), from scratch or from the
//! imitation of a teacher (`imitation`); the critic may see more than the actor (`sight`).
//!
//! One iteration collects `[T, B]` samples (`rollout`), estimates advantages, and makes several passes of
//! minibatch gradients over them (`update`, [`gradient`]); [`Learner`] holds everything that outlives an iteration.
//! Off-policy data are deliberately not here.
//!
//! # Reference
//! Schulman et al. 2017 (arXiv:1707.06347); details after Huang et al. 2022, "The 37 implementation details of
//! proximal policy optimization".

mod constraint;
mod density;
mod fused;
pub mod gradient;
mod head;
mod imitation;
mod learner;
pub mod loss;
mod memory;
mod risk;
mod rollout;
mod sight;
mod state;
mod update;

pub use fused::Fused;
pub use imitation::Imitation;
pub use learner::Learner;
