//! Two-level fractions of resolution IV: which factors are high in which arm, and what that leaves indistinguishable.
//!
//! The base factors run through all their combinations; every further factor is the product of three or more of them.
//! Main effects are then clear of each other and of interactions of two; interactions of two may be aliased with each other.
//!
//! # Reference
//! NIST/SEMATECH e-Handbook of Statistical Methods, §5.3.3.4.7, table 3.17: the fractions for up to eight factors in sixteen
//! arms; Box, Hunter & Hunter 2005, "Statistics for Experimenters", §6: foldover, on which that of more factors rests.

/// Most factors: those of 64 arms.
pub(crate) const FACTORS_MAX: usize = 32;

/// A design over `k` factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Factorial {
    /// Factors that run through all combinations.
    base: usize,
    /// For each factor the base factors whose product it is, as bits.
    columns: Vec<u64>,
}

impl Factorial {
    /// The smallest design of resolution IV or more; with up to three factors, all combinations.
    ///
    /// # Panics
    /// If there is no factor, or more than [`FACTORS_MAX`].
    pub(crate) fn new(factors: usize) -> Self {
        assert!((1..=FACTORS_MAX).contains(&factors), "{factors} factors");
        // Products of an odd number of base factors, single ones included, have no product of three that is one: 2^(n-1).
        let base = if factors <= 3 { factors } else { (3..).find(|n| 1 << (n - 1) >= factors).expect("found by 6") };
        let mut columns: Vec<u64> = (0..base).map(|factor| 1 << factor).collect();
        if factors == base + 1 {
            // A single further factor is the product of all: nothing resolves more.
            columns.push((1 << base) - 1);
        }
        let mut odd: Vec<u64> =
            (1..1_u64 << base).filter(|set| set.count_ones() >= 3 && set.count_ones() % 2 == 1).collect();
        odd.sort_by_key(|set| (set.count_ones(), set.reverse_bits()));
        odd.reverse();
        odd.sort_by_key(|set| set.count_ones());
        let missing = factors - columns.len();
        columns.extend(odd.into_iter().take(missing));
        Self { base, columns }
    }

    /// Number of arms.
    pub(crate) const fn arms(&self) -> usize {
        1 << self.base
    }

    /// Whether a factor is high in an arm; the first arm has every base factor low.
    pub(crate) fn is_high(&self, arm: usize, factor: usize) -> bool {
        let set = self.columns[factor];
        // The product of levels −1 and +1: low factors count, and an even number of them makes a plus.
        let low = (!(arm as u64) & set).count_ones();
        low.is_multiple_of(2)
    }

    /// Which factors are products of which, in letters: `E = ABC`.
    pub(crate) fn generators(&self) -> Vec<String> {
        let further = self.columns.iter().enumerate().skip(self.base);
        further.map(|(factor, set)| format!("{} = {}", letter(factor), letters(*set))).collect()
    }

    /// Groups of interactions of two factors that cannot be told apart: `AB = CE`.
    pub(crate) fn aliases(&self) -> Vec<String> {
        let mut groups: Vec<(u64, Vec<String>)> = Vec::new();
        for one in 0..self.columns.len() {
            for other in one + 1..self.columns.len() {
                let (set, name) = (self.columns[one] ^ self.columns[other], letter(one) + &letter(other));
                match groups.iter_mut().find(|(known, _)| *known == set) {
                    Some((_, names)) => names.push(name),
                    None => groups.push((set, vec![name])),
                }
            }
        }
        groups.into_iter().filter(|(_, names)| names.len() > 1).map(|(_, names)| names.join(" = ")).collect()
    }

    /// Length of the shortest word of the defining relation; nothing for a full design.
    #[cfg(test)]
    fn resolution(&self) -> Option<u32> {
        let factors = self.columns.len();
        let words = (1..1_u64 << factors).filter(|word| {
            let product = (0..factors).filter(|k| word >> k & 1 == 1).fold(0, |set, k| set ^ self.columns[k]);
            product == 0
        });
        words.map(u64::count_ones).min()
    }
}

/// Name of a factor in generators and aliases: A to Z without I, which is the identity, then A1 and so on.
pub(crate) fn letter(factor: usize) -> String {
    const LETTERS: &[u8; 25] = b"ABCDEFGHJKLMNOPQRSTUVWXYZ";
    let name = char::from(LETTERS[factor % LETTERS.len()]);
    if factor < LETTERS.len() { name.to_string() } else { format!("{name}{}", factor / LETTERS.len()) }
}

fn letters(set: u64) -> String {
    (0..64).filter(|factor| set >> factor & 1 == 1).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn designs_are_as_small_as_resolution_four_allows() {
        for (factors, arms, resolution) in [
            (1, 2, None),
            (2, 4, None),
            (3, 8, None),
            (4, 8, Some(4)),
            (5, 16, Some(5)),
            (6, 16, Some(4)),
            (7, 16, Some(4)),
            (8, 16, Some(4)),
            (9, 32, Some(4)),
            (16, 32, Some(4)),
        ] {
            let design = Factorial::new(factors);
            assert_eq!((design.arms(), design.resolution()), (arms, resolution), "{factors} factors");
        }
        assert_eq!(Factorial::new(17).arms(), 64);
    }

    #[test]
    fn main_effects_are_orthogonal_to_each_other_and_to_the_mean() {
        for factors in 1..=12 {
            let design = Factorial::new(factors);
            let sign = |arm, factor| if design.is_high(arm, factor) { 1 } else { -1 };
            for one in 0..factors {
                assert_eq!((0..design.arms()).map(|arm| sign(arm, one)).sum::<i32>(), 0);
                for other in one + 1..factors {
                    let product: i32 = (0..design.arms()).map(|arm| sign(arm, one) * sign(arm, other)).sum();
                    assert_eq!(product, 0, "{one} and {other} of {factors}");
                }
            }
        }
    }

    #[test]
    fn generators_and_aliases_are_those_of_the_handbook() {
        let design = Factorial::new(4);
        assert_eq!(design.generators(), ["D = ABC"]);
        assert_eq!(design.aliases(), ["AB = CD", "AC = BD", "AD = BC"]);
        // Table 3.17 has E = ABC and F = BCD: the same words with letters exchanged, so seven groups of aliases.
        let design = Factorial::new(6);
        assert_eq!(design.generators(), ["E = ABC", "F = ABD"]);
        assert_eq!(design.aliases().len(), 7);
        assert!(Factorial::new(5).aliases().is_empty() && Factorial::new(3).generators().is_empty());
        assert_eq!((letter(7).as_str(), letter(8).as_str(), letter(25).as_str()), ("H", "J", "A1"));
    }
}
