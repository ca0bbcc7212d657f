//! The studies that come with the program.

use std::path::Path;

/// Name and text of each, in the order that they are listed in.
pub(crate) const STUDIES: [(&str, &str); 13] = [
    ("mechanisms", include_str!("../../ablations/mechanisms.toml")),
    ("mechanisms_rules", include_str!("../../ablations/mechanisms_rules.toml")),
    ("information", include_str!("../../ablations/information.toml")),
    ("generations", include_str!("../../ablations/generations.toml")),
    ("reward_terms", include_str!("../../ablations/reward_terms.toml")),
    ("algorithms", include_str!("../../ablations/algorithms.toml")),
    ("search", include_str!("../../ablations/search.toml")),
    ("shield", include_str!("../../ablations/shield.toml")),
    ("predictor", include_str!("../../ablations/predictor.toml")),
    ("book_type", include_str!("../../ablations/book_type.toml")),
    ("adversaries", include_str!("../../ablations/adversaries.toml")),
    ("interactions", include_str!("../../ablations/interactions.toml")),
    ("smoke", include_str!("../../ablations/smoke.toml")),
];

/// The shipped study that a path names, unless there is such a file.
pub(crate) fn named(path: &Path) -> Option<&'static str> {
    STUDIES.iter().find(|(name, _)| path.as_os_str() == *name && !path.exists()).map(|(_, text)| *text)
}
