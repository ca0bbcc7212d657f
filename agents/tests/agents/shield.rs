//! No policy, however adversarial, passes the shield's bounds.

use std::sync::Arc;

use proptest::prelude::*;
use seawall_agents::{Constant, Error, Policy, Random, Shield, ShieldConfig, Shielded};
use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_env::liquidation::{Backstop, presets};
use seawall_env::observation::features;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Spec, Task};

fn spec() -> Spec {
    Spec {
        observation: features().iter().map(|feature| feature.name.to_owned()).collect(),
        action: PARAMETERS.iter().map(|parameter| parameter.name.to_owned()).collect(),
        reward: Vec::new(),
    }
}

fn shield(config: ShieldConfig) -> Shield {
    Shield::new(config, &spec()).unwrap()
}

fn value(action: &[f32], name: &str) -> f64 {
    let at = PARAMETERS.iter().position(|parameter| parameter.name == name).unwrap();
    PARAMETERS[at].decode(action[at].into())
}

proptest! {
    #[test]
    fn in_the_modelled_set_no_action_drives_the_backstop_past_its_bound(
        observation in proptest::collection::vec(-6.0_f32..6.0, features().len()),
        action in proptest::collection::vec(prop_oneof![-1.0_f32..=1.0, Just(-1.0), Just(1.0)], ACTIONS),
        floors in (0.75_f64..4.0, 0.75_f64..1.5),
    ) {
        let config = ShieldConfig {
            initial_margin_floor: floors.0,
            maintenance_margin_floor: floors.1,
            ..ShieldConfig::default()
        };
        let shield = shield(config);
        let mut projected = action.clone();
        let is_changed = shield.project(&observation, &mut projected);
        prop_assert_eq!(is_changed, projected != action);
        let backstop = shield.read(&observation);
        let seawall_agents::Backstop { equity, inventory, volatility, exposed } = backstop;
        let share = value(&projected, "internalised_share");
        // All that can come comes: either the fund covers it, or the policy adds nothing to what is there.
        let capital = shield.capital(inventory + share * exposed.max(0.0), volatility);
        prop_assert!(share == 0.0 || capital <= equity * (1.0 + 1e-12), "{:?}: {} of {}", backstop, capital, equity);
        prop_assert!(value(&projected, "initial_margin_multiplier") >= floors.0 * (1.0 - 1e-6));
        prop_assert!(value(&projected, "maintenance_margin_multiplier") >= floors.1 * (1.0 - 1e-6));
        // Nothing else is touched, and nothing that is allowed is.
        for ((parameter, before), after) in PARAMETERS.iter().zip(&action).zip(&projected) {
            let is_bounded = parameter.name == "internalised_share" || parameter.name.ends_with("margin_multiplier");
            prop_assert!(is_bounded || before.to_bits() == after.to_bits(), "{}", parameter.name);
        }
        let mut again = projected.clone();
        prop_assert!(!shield.project(&observation, &mut again), "a projection is where it stays");
    }
}

#[test]
fn the_share_is_the_one_derived_by_hand() {
    // Equity 0.6 % of open interest; volatility 4 × 0.5 a year, half an hour, 99 %:
    // 2.326348 · 2 · √(1800 / 31,557,600 / 3) = 0.0202875, and half of 2 % impact: 0.0302875 per dollar.
    let shield = shield(ShieldConfig::default());
    let backstop = seawall_agents::Backstop { equity: 0.006, inventory: 0.0, volatility: 4.0, exposed: 0.4 };
    assert!((shield.capital(1.0, 4.0) - 0.030_287_5).abs() < 1e-6, "{}", shield.capital(1.0, 4.0));
    // 0.006 / 0.0302875 = 0.198102 of open interest fits; half of what may come.
    assert!((shield.share_max(&backstop) - 0.495_254).abs() < 1e-4, "{}", shield.share_max(&backstop));
    assert!((shield.share_max(&seawall_agents::Backstop { exposed: 0.1, ..backstop }) - 1.0).abs() < 1e-12);
    assert!(shield.share_max(&seawall_agents::Backstop { inventory: 0.2, ..backstop }).abs() < 1e-12);
    assert!(shield.share_max(&seawall_agents::Backstop { equity: -0.001, ..backstop }).abs() < 1e-12);
}

/// Takes everything that it can get: liquidates as many as the parameters allow, at once, all to the fund.
fn greedy() -> Box<dyn Policy> {
    let controls = Controls {
        internalised_share: 1.0,
        capacity: 20.0,
        delay: 0.0,
        price_band: 1_000.0,
        preemption: 200.0,
        target_buffer: 3.0,
        initial_margin_multiplier: 0.75,
        maintenance_margin_multiplier: 1.5,
        ..Controls::default()
    };
    Box::new(Constant::new("greedy", controls).unwrap())
}

/// Plays a crash; returns in how many decisions the policy's share brought the fund past its bound, and in how many it
/// brought it anything. What a take-over of bankrupt accounts brings is told apart by a copy of the market that makes the
/// same decision with a share of zero.
fn violations(policy: &mut dyn Policy, shield: &Shield, seed: u64) -> (u32, u32) {
    let mut scenario = Scenario::shipped("flash_crash").unwrap();
    scenario.clock.decisions = 240;
    let mut pipeline = presets::by_name("seawall").unwrap();
    let Backstop::TakeOver { max_leverage, .. } = &mut pipeline.backstop else { panic!("the preset's backstop") };
    // The venue's own limit on inventory would hold the fund before the shield has to.
    *max_leverage = 50.0;
    let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default()).unwrap();
    let mut env = CascadeEnv::new(Arc::new(task));
    let (mut observation, mut action) = (vec![0.0; env.spec().observation.len()], [0.0; ACTIONS]);
    let share = PARAMETERS.iter().position(|parameter| parameter.name == "internalised_share").unwrap();
    env.reset(seed, &mut observation);
    policy.reset(seed);
    let (mut passed, mut brought_any) = (0, 0);
    loop {
        let before = shield.read(&observation);
        let mark = env.market().state().prices.mark.as_f64();
        policy.act(&observation, &mut action);
        let (mut without, mut none, mut other) = (env.clone(), action, observation.clone());
        none[share] = -1.0;
        without.step(&none, &mut other);
        let step = env.step(&action, &mut observation);
        let is_modelled = (env.market().state().prices.mark.as_f64() / mark - 1.0).abs() <= 0.05;
        let brought = shield.read(&observation).inventory - shield.read(&other).inventory;
        if is_modelled && brought > 0.0 {
            brought_any += 1;
            // Inventory is valued at the mark after the decision, up to 5 % from that before it.
            let capital = shield.capital(before.inventory + brought / 1.05, before.volatility);
            passed += u32::from(capital > before.equity.max(0.0));
        }
        if step.status.is_over() {
            return (passed, brought_any);
        }
    }
}

#[test]
fn in_the_market_adversaries_pass_the_bound_alone_and_never_behind_the_shield() {
    // A far horizon and a dear exit make the fund of 0.6 % of open interest scarce, so that the bound is met at all.
    let config = ShieldConfig { horizon_seconds: 1e7, impact: 0.5, ..ShieldConfig::default() };
    let shield = shield(config);
    let (mut alone, mut behind, mut grown, mut acted) = (0, 0, 0, 0);
    for seed in 0..2 {
        for policy in [greedy(), Box::new(Random::new(seed)) as Box<dyn Policy>] {
            alone += violations(policy.boxed().as_mut(), &shield, seed).0;
            let mut shielded = Shielded::new("x", policy, shield.clone());
            let (passed, held) = violations(&mut shielded, &shield, seed);
            (behind, grown) = (behind + passed, grown + held);
            acted += shielded.overruled().expect("a shield counts");
            assert!(acted <= 4 * 240, "no more than there are decisions");
        }
    }
    assert!(alone > 0, "the adversaries must be able to pass the bound: {alone}, {behind}, {grown}, {acted}");
    assert!(grown > 0 && acted > 0, "the fund must have had something to take");
    assert_eq!(behind, 0, "{alone} alone");
}

#[test]
fn a_venue_at_neutral_is_left_alone_although_its_margin_is_the_floor() {
    // Neutral multipliers are 1 but for single precision, which once counted as a change of every action.
    let (shield, mut observation) = (shield(ShieldConfig::default()), vec![0.0; features().len()]);
    let mut action = Controls::default().encode();
    let own = features().len() - ACTIONS;
    observation[own..].copy_from_slice(&action);
    assert!(!shield.project(&observation, &mut action));
    assert_eq!(action.map(f32::to_bits), Controls::default().encode().map(f32::to_bits));
}

#[test]
fn what_cannot_be_a_shield_is_refused() {
    let config = ShieldConfig { confidence: 1.0, fund: 0.0, ..ShieldConfig::default() };
    let Err(Error::Invalid(problems)) = Shield::new(config, &spec()) else { panic!("must be refused") };
    let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["shield.confidence", "shield.fund"]);
    let blind = Spec { observation: vec!["fund".to_owned()], action: Vec::new(), reward: Vec::new() };
    assert!(matches!(Shield::new(ShieldConfig::default(), &blind), Err(Error::Features { .. })));
}
