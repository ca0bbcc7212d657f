//! Standard normals that belong to a generation.

use rand_chacha::rand_core::Rng;
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Purpose, SeedTree};

/// The first `count` standard normals of a generation: a pure function of both arguments.
pub(crate) fn normals(seeds: SeedTree, generation: u64, count: usize) -> Vec<f64> {
    let mut stream = seeds.stream(Purpose::Search, generation);
    (0..count).map(|_| normal_quantile(open_unit(stream.next_u64()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_differ_and_a_longer_list_begins_like_a_shorter_one() {
        let seeds = SeedTree::new(3);
        let few = normals(seeds, 5, 4);
        assert_eq!(normals(seeds, 5, 9)[..4], few);
        assert_ne!(normals(seeds, 6, 4), few);
    }
}
