//! Which tensor library computes gradients.

use std::fmt;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// A burn backend, chosen at run time. Both run on one thread of the CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// burn-flex: the faster of the two.
    #[default]
    Flex,
    /// burn-ndarray: deprecated by burn since 0.22, same numbers to within rounding.
    Ndarray,
}

impl Backend {
    /// Every backend, in the order of this enum.
    pub const ALL: [Self; 2] = [Self::Flex, Self::Ndarray];

    /// Name, as configurations spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
        }
    }

    /// The device that tensors without a gradient live on.
    #[must_use]
    pub fn device(self) -> Device {
        match self {
            Self::Flex => Device::flex(),
            Self::Ndarray => ndarray(),
        }
    }
}

#[expect(deprecated, reason = "burn 0.22 deprecates the backend; it was asked for and still works")]
fn ndarray() -> Device {
    Device::ndarray()
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
