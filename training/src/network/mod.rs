//! Actor and critic: two separate dense networks, each behind a memory if asked, and one deviation per action, stored
//! flat on the host.
//!
//! [`Parameters`] is the state; rollouts read it through the runtime's network, gradients through `backprop`, and
//! [`Tensors`] is its copy in burn, made for one gradient and dropped. Moving 15,000 numbers costs microseconds, and
//! makes checkpoints and optimisers independent of the tensor library.

mod backprop;
mod forward;
mod init;
mod kernel;
mod packed;
mod parameters;
mod recurrence;
mod tanh;
mod tensors;

pub(crate) use backprop::{BLOCK, Reach, Weights, Workspace};
pub(crate) use forward::{Forward, run, run_with};
pub(crate) use init::{orthogonal, uniform};
pub(crate) use kernel::{add_rows, dispatch};
pub use parameters::{Parameters, Shape};
pub(crate) use parameters::{pairs, size, views};
pub use recurrence::Sequences;
pub(crate) use tanh::{by_host, tanh};
pub use tensors::Tensors;
