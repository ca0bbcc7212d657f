//! No policy, however adversarial, passes the shield's bounds.

use std::sync::Arc;

use proptest::prelude::*;
use seawall_agents::export::{Learned, ParameterFile, Story, verify, write_runtime, write_vectors};
use seawall_agents::{Constant, Error, Exported, Policy, Random, Shield, ShieldConfig, Shielded, ShieldedEnv, Tally};
use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_env::liquidation::{Backstop, presets};
use seawall_env::margin::theory::{Unwind, principal_capital};
use seawall_env::observation::features;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Spec, Task};

use crate::fixture::{Network, story};

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
    let mut env = crash();
    let (mut observation, mut action) = (vec![0.0; env.spec().observation.len()], [0.0; ACTIONS]);
    env.reset(seed, &mut observation);
    policy.reset(seed);
    let (mut passed, mut brought_any) = (0, 0);
    loop {
        policy.act(&observation, &mut action);
        let (is_passed, brought) = consequences(&env, &observation, &action, shield);
        (passed, brought_any) = (passed + u32::from(is_passed), brought_any + u32::from(brought > 0.0));
        if env.step(&action, &mut observation).status.is_over() {
            return (passed, brought_any);
        }
    }
}

/// Two hours of a crash, on a venue whose fund takes whatever it is given.
fn crash() -> CascadeEnv {
    let mut scenario = Scenario::shipped("flash_crash").unwrap();
    scenario.clock.decisions = 240;
    let mut pipeline = presets::by_name("seawall").unwrap();
    let Backstop::TakeOver { max_leverage, .. } = &mut pipeline.backstop else { panic!("the preset's backstop") };
    // The venue's own limit on inventory would hold the fund before the shield has to.
    *max_leverage = 50.0;
    let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default()).unwrap();
    CascadeEnv::new(Arc::new(task))
}

/// Whether an action's share brings the fund past its bound, and what it brings. What is outside the modelled set, moves of
/// more than 5 % in one decision, brings nothing.
fn consequences(env: &CascadeEnv, observation: &[f32], action: &[f32; ACTIONS], shield: &Shield) -> (bool, f64) {
    let share = PARAMETERS.iter().position(|parameter| parameter.name == "internalised_share").unwrap();
    let mark = |env: &CascadeEnv| env.market().state().prices.mark.as_f64();
    let before = shield.read(observation);
    let (mut with, mut without, mut none) = (env.clone(), env.clone(), *action);
    none[share] = -1.0;
    let (mut seen, mut other) = (observation.to_vec(), observation.to_vec());
    with.step(action, &mut seen);
    without.step(&none, &mut other);
    let is_modelled = (mark(&with) / mark(env) - 1.0).abs() <= 0.05;
    let brought = shield.read(&seen).inventory - shield.read(&other).inventory;
    if !is_modelled || brought <= 0.0 {
        return (false, 0.0);
    }
    // Inventory is valued at the mark after the decision, up to 5 % from that before it.
    let capital = shield.capital(before.inventory + brought / 1.05, before.volatility);
    (capital > before.equity.max(0.0), brought)
}

/// A far horizon and a dear exit make the fund of 0.6 % of open interest scarce, so that the bound is met at all.
fn scarce() -> Shield {
    shield(ShieldConfig { horizon_seconds: 1e7, impact: 0.5, ..ShieldConfig::default() })
}

#[test]
fn in_the_market_adversaries_pass_the_bound_alone_and_never_behind_the_shield() {
    let shield = scarce();
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
fn an_adversary_that_tries_actions_in_the_market_before_it_takes_the_worst_finds_none_that_passes() {
    let (shield, mut env, mut greedy) = (scarce(), crash(), greedy());
    let mut random = Random::new(7);
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.reset(3, &mut observation);
    random.reset(3);
    let (mut alone, mut brought_most) = (0, 0.0_f64);
    loop {
        // Everything at once, something random, and the random triggers under the greedy share: the worst is taken.
        let mut candidates = [[0.0; ACTIONS]; 3];
        greedy.act(&observation, &mut candidates[0]);
        random.act(&observation, &mut candidates[1]);
        candidates[2] = candidates[1];
        let share = shield.held()[2];
        candidates[2][share] = 1.0;
        let mut worst = ([0.0; ACTIONS], -1.0);
        for mut candidate in candidates {
            alone += u32::from(consequences(&env, &observation, &candidate, &shield).0);
            let _ = shield.project(&observation, &mut candidate);
            let (is_passed, brought) = consequences(&env, &observation, &candidate, &shield);
            assert!(!is_passed, "{candidate:?} on {:?}", shield.read(&observation));
            if brought > worst.1 {
                worst = (candidate, brought);
            }
        }
        brought_most = brought_most.max(worst.1);
        let is_over = env.step(&worst.0, &mut observation).status.is_over();
        for held in &shield.held()[..2] {
            let multiplier = PARAMETERS[*held].decode(env.parameters()[*held]);
            assert!(multiplier >= 1.0 - 1e-6, "{} fell to {multiplier}", PARAMETERS[*held].name);
        }
        if is_over {
            break;
        }
    }
    assert!(alone > 0 && brought_most > 0.0, "without the shield the bound must be passed: {alone}, {brought_most}");
}

#[test]
fn an_environment_behind_the_shield_is_the_bare_one_under_projected_actions_and_goes_on_from_its_bytes() {
    let shield = scarce();
    let mut bare = crash();
    let tally = Arc::new(Tally::default());
    let mut behind = ShieldedEnv::new(crash(), shield.clone(), [None; ACTIONS], Arc::default());
    let width = bare.spec().observation.len();
    let (mut observation, mut seen, mut action) = (vec![0.0; width], vec![0.0; width], [0.0; ACTIONS]);
    let mut policy = Random::new(11);
    bare.reset(1, &mut observation);
    behind.reset(1, &mut seen);
    policy.reset(1);
    let (mut acted, mut decisions) = (0, 0);
    loop {
        policy.act(&observation, &mut action);
        if decisions == 100 {
            // A copy that never saw an observation goes on from the bytes alone.
            let bytes = behind.save();
            behind = ShieldedEnv::new(crash(), shield.clone(), [None; ACTIONS], Arc::clone(&tally));
            behind.load(&bytes).unwrap();
            assert!(behind.clone().load(&bytes[..3]).is_err());
            acted = 0;
        }
        let step = behind.step(&action, &mut seen);
        acted += u64::from(shield.project(&observation, &mut action));
        assert_eq!(step, bare.step(&action, &mut observation));
        assert_eq!(seen, observation);
        decisions += 1;
        if step.status.is_over() {
            break;
        }
    }
    assert_eq!(tally.counts(), (decisions - 100, acted));
    assert!(acted > 0);

    // What nobody moves is no decision: the shield does not act on it.
    let share = shield.held()[2];
    let mut still: [Option<f64>; ACTIONS] = Controls::default().encode().map(|entry| Some(entry.into()));
    still[share] = Some(-1.0);
    let mut behind = ShieldedEnv::new(crash(), shield, still, Arc::clone(&tally));
    behind.reset(1, &mut seen);
    behind.step(&[-1.0; ACTIONS], &mut seen);
    assert_eq!(tally.counts(), (decisions - 100 + 1, acted));
}

/// A network over the market's features, without and with a shield in its bytes.
fn exports(seed: u64) -> [Vec<u8>; 2] {
    let source = Network::over(spec().observation, seed);
    let layers = source.layers();
    let shield = shield(ShieldConfig::default());
    [None, Some(&shield)].map(|shield| write_runtime(&Learned { shield, ..source.learned(&layers) }).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn an_exported_policy_with_a_shield_has_the_bits_of_the_shielded_one(
        seed in 0_u64..16,
        observations in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![9 => -4.0_f32..4.0, 1 => -90.0_f32..90.0], features().len()),
            1..20,
        ),
    ) {
        let [bare, with] = exports(seed).map(|bytes| Exported::new("x", bytes, &spec()).unwrap());
        let mut behind = with;
        let mut shielded = Shielded::new("x", Box::new(bare), shield(ShieldConfig::default()));
        for observation in &observations {
            let (mut ours, mut theirs) = ([0.0; ACTIONS], [0.0; ACTIONS]);
            behind.act(observation, &mut ours);
            shielded.act(observation, &mut theirs);
            prop_assert_eq!(ours.map(f32::to_bits), theirs.map(f32::to_bits));
            prop_assert_eq!(behind.is_held(), shielded.is_held());
        }
        prop_assert_eq!(behind.overruled(), shielded.overruled());
    }
}

#[test]
fn vectors_of_a_policy_with_a_shield_reach_its_bound_on_both_sides() {
    let [bare, with] = exports(3);
    let report = verify(&with, &write_vectors(&with, 5).unwrap()).unwrap();
    let without = verify(&bare, &write_vectors(&bare, 5).unwrap()).unwrap();
    assert_eq!((report.acted, report.refused), (without.acted + 64, without.refused));
    assert_eq!(without.held, 0);
    assert!(report.held > 64 && report.held < report.acted, "{report:?}");
    // Somewhere the fund bears a part: the share is neither nothing nor what the network asks for.
    let policy = seawall_runtime::Policy::parse(with.as_slice()).unwrap();
    let (vectors, share) = (write_vectors(&with, 5).unwrap(), policy.shield().unwrap().internalised_share.index);
    let (entries, size) = (policy.observation_len(), 1 + 4 * policy.observation_len() + 12 * ACTIONS);
    let parts = vectors[24..vectors.len() - 4].chunks_exact(size).filter(|vector| {
        let at = 1 + 4 * (entries + share);
        let share = f32::from_le_bytes(vector[at..at + 4].try_into().unwrap());
        vector[0] == 4 && share > -1.0
    });
    assert!(parts.count() > 4);
}

#[test]
fn the_file_for_people_tells_the_shield_in_the_bytes() {
    let [bare, with] = exports(1);
    let vectors = write_vectors(&with, 9).unwrap();
    let shielded = Story { shield: Some(ShieldConfig::default()), ..story() };
    let file = ParameterFile::new(shielded.clone(), &with, &vectors, &features()).unwrap();
    let text = file.to_json().unwrap();
    let mut read = ParameterFile::parse(&text).unwrap();
    assert_eq!((&read, read.version), (&file, 3));
    read.check(&with, &vectors).unwrap();
    // Other constants, a forgotten shield, and one that is not in the bytes.
    read.shield.as_mut().unwrap().constants.impact = 0.03;
    assert!(matches!(read.check(&with, &vectors), Err(Error::FileMismatch { .. })));
    assert!(matches!(ParameterFile::new(story(), &with, &vectors, &features()), Err(Error::FileMismatch { .. })));
    let vectors = write_vectors(&bare, 9).unwrap();
    assert!(matches!(ParameterFile::new(shielded, &bare, &vectors, &features()), Err(Error::FileMismatch { .. })));
    let Err(Error::Invalid(problems)) = ParameterFile::parse(&text.replace("\"version\": 3", "\"version\": 1")) else {
        panic!("must be refused")
    };
    assert_eq!(problems.0[0].field, "version");
}

#[test]
fn its_capital_is_the_markets_theory_to_the_bit() {
    let (shield, config) = (shield(ShieldConfig::default()), ShieldConfig::default());
    for (inventory, volatility) in [(1.0, 1.0), (0.37, 4.2), (0.0, 0.1), (12.5, 0.003)] {
        let unwind = Unwind {
            notional: inventory,
            volatility: volatility * config.reference_volatility / (365.25 * 86_400.0_f64).sqrt(),
            horizon: config.horizon_seconds,
            impact: config.impact,
        };
        let expected = principal_capital(unwind, config.confidence);
        assert_eq!(shield.capital(inventory, volatility).to_bits(), expected.to_bits());
    }
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
