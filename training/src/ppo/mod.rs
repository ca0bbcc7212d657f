//! Proximal policy optimisation with a clipped surrogate, for feed-forward policies,
//! for the mean return or for the mean of the worst episodes (`risk`).
//!
//! One iteration collects `[T, B]` samples (`rollout`), estimates advantages, and makes several passes of
//! minibatch gradients over them (`update`, [`gradient`]); [`Learner`] holds everything that outlives an iteration.
//! Recurrent networks, constraints on costs and off-policy data are deliberately not here.
//!
//! # Reference
//! Schulman et al. 2017 (arXiv:1707.06347); details after Huang et al. 2022, "The 37 implementation details of
//! proximal policy optimization".

mod density;
mod fused;
pub mod gradient;
mod head;
mod learner;
pub mod loss;
mod risk;
mod rollout;
mod state;
mod update;

pub use fused::Fused;
pub use learner::Learner;
