//! Would they have survived? Accounts that entered liquidation, let be on the same luck.
//!
//! Nothing here is part of what is judged: the judged episode is another one, played on the same seed, and has the same bits
//! with and without this.

use seawall_agents::Policy;
use seawall_env::market::AccountId;
use seawall_env::{CascadeEnv, Env, Purpose, SeedTree};
use serde::{Deserialize, Serialize};

/// How long an account has to stay solvent to count as having survived, in seconds; the end of an episode ends it sooner.
pub const HORIZON_SECONDS: f64 = 3_600.0;

/// Which accounts are let be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Accounts of an episode; 0 for none. Each costs up to an hour of the market.
    pub accounts: usize,
    /// Seeds of each scenario, its first, whose episodes are played once more for it; 0 for none.
    pub seeds: usize,
}

impl Sampling {
    /// Nobody is let be.
    pub const NONE: Self = Self { accounts: 0, seeds: 0 };

    /// Whether the episode on the seed at this place of its scenario is one of them.
    pub(crate) const fn holds(self, index: usize) -> bool {
        self.accounts > 0 && index < self.seeds
    }
}

/// What became of the accounts of one episode that were let be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetBe {
    /// Times that an account entered liquidation, portfolios aside.
    pub entered: usize,
    /// Of these, how many were drawn to be let be.
    pub sampled: usize,
    /// Of these, how many had equity at every tick of the horizon.
    pub survived: usize,
}

/// The decision in which an account entered, as it stood before it.
struct Moment {
    env: CascadeEnv,
    policy: Box<dyn Policy>,
    observation: Vec<f32>,
    account: AccountId,
}

/// Plays the episode of `seed`, and up to `accounts` times again from where an account entered liquidation, with that account
/// let be.
///
/// Which entries are let be is drawn without replacement, each as likely as another, from the seed and nothing else. In the
/// repetition the policy decides for itself, on what it then sees. Costs one more episode and, for each account, an hour of
/// the market. Nothing in an economy, whose accounts are liquidated as a whole.
///
/// # Panics
/// If the policy does not fit the environment.
#[must_use]
pub fn let_be(env: &mut CascadeEnv, policy: &dyn Policy, seed: u64, accounts: usize) -> Option<LetBe> {
    let mut policy = policy.boxed();
    let mut observation = vec![0.0; env.spec().observation.len()];
    let mut action = vec![0.0; env.spec().action.len()];
    if !env.note_entries() {
        return None;
    }
    env.reset(seed, &mut observation);
    policy.reset(SeedTree::new(seed).seed(Purpose::Policy, 0));
    let draws = SeedTree::new(seed).counter(Purpose::Counterfactual, 0);
    let (mut entered, mut moments): (usize, Vec<Moment>) = (0, Vec::with_capacity(accounts));
    loop {
        // What is kept of an entry is the decision before it, so that the account does not meet the tick at which it entered
        // with a position that the venue has already cut.
        let before = (env.clone(), policy.clone(), observation.clone());
        policy.act(&observation, &mut action);
        let step = env.step(&action, &mut observation);
        for account in env.take_entries() {
            // Algorithm R: the k-th entry takes the place of an earlier one with probability accounts / k.
            let [u, _] = draws.uniform2(entered as u64, 0);
            entered += 1;
            let place = if moments.len() < accounts { Some(moments.len()) } else { drawn(u, entered, accounts) };
            let Some(place) = place else { continue };
            let (env, policy, observation) = before.clone();
            let moment = Moment { env, policy, observation, account };
            if place < moments.len() {
                moments[place] = moment;
            } else {
                moments.push(moment);
            }
        }
        if step.status.is_over() {
            break;
        }
    }
    let sampled = moments.len();
    let survived = moments.into_iter().filter_map(|moment| moment.survives(&mut action).then_some(())).count();
    Some(LetBe { entered, sampled, survived })
}

/// Place among `accounts` that the last of `entered` takes, if any.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
fn drawn(u: f64, entered: usize, accounts: usize) -> Option<usize> {
    let place = (u * crate::statistics::real(entered)) as usize;
    (place < accounts).then_some(place)
}

impl Moment {
    /// Whether the account, let be, is never bankrupt within the horizon.
    fn survives(mut self, action: &mut [f32]) -> bool {
        self.env.spare(self.account);
        let market = self.env.market();
        let decision = market.tick_seconds() * f64::from(market.scenario().clock.ticks_per_decision);
        let mut left = HORIZON_SECONDS;
        loop {
            self.policy.act(&self.observation, action);
            let step = self.env.step(action, &mut self.observation);
            left -= decision;
            let spared = self.env.spared().expect("an account is let be");
            assert!(spared.entered.is_some(), "the same luck leads account {} to the same end", self.account);
            if spared.lowest.is_negative() {
                return false;
            }
            if step.status.is_over() || left <= 0.0 {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_as_likely_to_be_let_be_as_another() {
        // Ten entries, three places: each of them should be kept in 3 of 10 episodes.
        let mut kept = [0_u32; 10];
        for seed in 0..4_000 {
            let draws = SeedTree::new(seed).counter(Purpose::Counterfactual, 0);
            let mut places = Vec::new();
            for entry in 0..10_usize {
                let [u, _] = draws.uniform2(entry as u64, 0);
                if places.len() < 3 {
                    places.push(entry);
                } else if let Some(place) = drawn(u, entry + 1, 3) {
                    places[place] = entry;
                }
            }
            places.iter().for_each(|entry| kept[*entry] += 1);
        }
        // 1,200 expected; five standard deviations are 145.
        assert!(kept.iter().all(|count| count.abs_diff(1_200) < 145), "{kept:?}");
    }
}
