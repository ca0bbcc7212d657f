//! What each shipped scenario does to a market, tick by tick, against the same market without it.

use std::sync::Arc;

use seawall_env::halts::{BreakerConfig, Phase, Trading};
use seawall_env::liquidation::presets;
use seawall_env::market::{Market, Site};
use seawall_env::scenario::Scenario;
use seawall_env::units::{Qty, Usd};

fn scenario(id: &str) -> Scenario {
    let mut scenario = Scenario::shipped(id).expect("a shipped scenario");
    scenario.traders.accounts = 400;
    scenario.venue.failure = 1.0;
    scenario
}

fn open(scenario: Scenario, preset: &str, seed: u64) -> Market {
    Site::new(Arc::new(scenario), presets::by_name(preset).expect("a preset")).open(seed)
}

/// Plays a whole episode; `look` sees the market before and after every tick.
fn play(market: &mut Market, mut look: impl FnMut(&Seen, &Market)) {
    for tick in 0..market.scenario().horizon_ticks() {
        let before = Seen::of(market);
        market.tick();
        look(&before, market);
        if tick % 256 == 0 {
            market.state().ledger.assert_invariants();
        }
    }
    market.state().ledger.assert_invariants();
}

/// What trading and liquidation would change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    positions: Vec<Qty>,
    volume: [Usd; 2],
    liquidated: Usd,
    accounts: u64,
}

impl Seen {
    fn of(market: &Market) -> Self {
        let (ledger, outcome) = (&market.state().ledger, market.outcome());
        let ids = 0..u32::try_from(ledger.len()).expect("a small population");
        Self {
            positions: ids.map(|id| ledger.qty(id)).collect(),
            volume: [outcome.natural_volume, outcome.forced_volume],
            liquidated: outcome.liquidated,
            accounts: outcome.liquidated_accounts,
        }
    }
}

#[test]
fn a_cascading_night_liquidates_in_two_bursts_and_about_halves_the_price() {
    for seed in 0..3 {
        let mut market = open(scenario("cascading_night"), "legacy_full", seed);
        let ticks = market.scenario().horizon_ticks();
        // By third of the night: the first leg lies in the first third, the second in the last.
        let mut burst = [Usd::ZERO; 3];
        play(&mut market, |before, market| {
            let third = usize::try_from(3 * (market.state().tick - 1) / ticks).unwrap();
            burst[third] += market.outcome().liquidated - before.liquidated;
        });
        let outcome = market.outcome();
        let fall = outcome.mark_low.as_f64() / outcome.price_start.as_f64();
        assert!((0.35..0.65).contains(&fall), "seed {seed}: {fall}");
        assert!(burst[0] > burst[1] && burst[2] > burst[1], "seed {seed}: {burst:?}");
    }
}

#[test]
fn evaporation_leaves_a_twentieth_of_depth_one_keeper_and_an_oracle_with_gaps() {
    let mut market = open(scenario("evaporation"), "hyperliquid", 1);
    let (mut oldest, mut out) = (0.0_f64, 0);
    play(&mut market, |_, market| {
        oldest = oldest.max(market.state().prices.oracle_age);
        out += u32::from(market.state().halts.trading() == Trading::Halted);
    });
    assert!(market.outcome().depth_low < 0.05, "{}", market.outcome().depth_low);
    assert!(oldest > 1_200.0, "the longest gap is {oldest} s");
    assert_eq!(out, 960, "eight hours in ticks of 30 s");
    assert!(market.outcome().liquidated > Usd::ZERO);
}

#[test]
fn a_guarded_venue_does_not_act_on_a_silent_oracle_and_another_does() {
    let liquidated = |preset: &str| {
        let (mut blind, mut oldest) = (0, 0.0_f64);
        for seed in 0..4 {
            play(&mut open(scenario("oracle_outage"), preset, seed), |before, market| {
                let age = market.state().prices.oracle_age;
                oldest = oldest.max(age);
                // Drift's limit: 120 slots of 0.4 s.
                blind += if age > 48.0 { market.outcome().liquidated_accounts - before.accounts } else { 0 };
            });
        }
        assert!((900.0..2_800.0).contains(&oldest), "{oldest} s");
        blind
    };
    assert_eq!(liquidated("drift_v2"), 0);
    assert!(liquidated("legacy_full") > 50);
}

#[test]
fn absent_keepers_leave_more_to_the_book() {
    // Share of liquidated notional that went to the book, and the most that keepers carried.
    let played = |mut scenario: Scenario, absent: Option<[f64; 2]>| {
        match absent {
            Some(share) => scenario.keepers.dropouts[0].share = share,
            None => scenario.keepers.dropouts.clear(),
        }
        let (mut forced, mut liquidated, mut carried) = (0.0, 0.0, 0.0_f64);
        for seed in 0..4 {
            let mut market = open(scenario.clone(), "partial_sliced", seed);
            market.set_controls(seawall_env::action::Controls { keeper_bonus: 150.0, ..Default::default() });
            play(&mut market, |_, market| carried = carried.max(market.inventories()[0].abs()));
            forced += market.outcome().forced_volume.as_f64();
            liquidated += market.outcome().liquidated.as_f64();
        }
        (forced / liquidated, carried)
    };
    let (all, most) = played(scenario("keeper_dropout"), None);
    let (fewer, _) = played(scenario("keeper_dropout"), Some([0.5, 1.0]));
    assert!(most > 0.0 && fewer > all, "{fewer} to the book with keepers absent, {all} with them");
    let mut whole_day = scenario("keeper_dropout");
    whole_day.keepers.dropouts[0].start_fraction = [0.0, 0.0];
    whole_day.keepers.dropouts[0].seconds = [1e6, 1e6];
    let (_, nothing) = played(whole_day, Some([1.0, 1.0]));
    assert!(nothing <= 0.0, "absent keepers carried {nothing}");
}

#[test]
fn in_an_outage_nothing_trades_while_marks_go_on_and_afterwards_everything_resumes() {
    let mut resumed = 0;
    for seed in 0..4 {
        let mut market = open(scenario("venue_outage"), "hyperliquid", seed);
        let [start, end] = market.state().halts.outages()[0];
        assert!((1_800..=5_400).contains(&(end - start)));
        let (mut marks, mut traded) = (std::collections::BTreeSet::new(), 0);
        play(&mut market, |before, market| {
            let tick = market.state().tick - 1;
            let after = Seen::of(market);
            if (start..end).contains(&tick) {
                assert_eq!(*before, after, "seed {seed}: something happened in tick {tick}");
                marks.insert(market.state().prices.mark);
            } else if tick >= end {
                traded += u32::from(after.volume[0] > before.volume[0]);
                resumed += after.accounts - before.accounts;
            }
        });
        assert!(marks.len() > 1_000, "seed {seed}: {} marks in an outage", marks.len());
        assert!(traded > 1_000, "seed {seed}: {traded} ticks with a trade after it");
    }
    assert!(resumed > 20, "{resumed} accounts liquidated after four outages");
}

#[test]
fn at_the_band_positions_only_shrink_and_beyond_it_nothing_trades() {
    let mut ticks = [0_u32; 4];
    let mut reduced = 0;
    for seed in 0..4 {
        let mut scenario = scenario("flash_crash");
        scenario.venue.breaker = BreakerConfig { enabled: true, band: 0.02, halt_band: 0.04, ..Default::default() };
        let makers = scenario.traders.accounts as usize..(scenario.traders.accounts + scenario.makers.count) as usize;
        let mut market = open(scenario, "hyperliquid_like", seed);
        play(&mut market, |before, market| {
            let (phase, after) = (market.state().halts.phase(), Seen::of(market));
            ticks[phase as usize] += 1;
            match phase {
                Phase::Hard => assert_eq!(*before, after),
                Phase::Soft => {
                    reduced += u32::from(*before != after);
                    // Backstop, keepers and makers take over what others have to leave.
                    for (id, (old, new)) in before.positions.iter().zip(&after.positions).enumerate().take(makers.start)
                    {
                        assert!(new.abs() <= old.abs() && new.signum() * old.signum() >= 0, "account {id} grew");
                    }
                }
                Phase::Normal | Phase::Recovery => {}
            }
        });
    }
    assert!(ticks.iter().all(|&n| n > 10), "every phase is visited: {ticks:?}");
    assert!(reduced > 0, "reductions trade in the reduce-only phase");
}

#[test]
fn a_pause_turns_traders_away_and_that_is_counted() {
    let turned_away = |enabled: bool| {
        let mut scenario = scenario("flash_crash");
        scenario.venue.breaker = BreakerConfig { enabled, band: 0.02, halt_band: 0.04, ..Default::default() };
        let mut market = open(scenario, "hyperliquid_like", 1);
        play(&mut market, |_, _| ());
        market.outcome().turned_away
    };
    let (off, on) = (turned_away(false), turned_away(true));
    assert!(on.as_f64() > 1.05 * off.as_f64(), "{on} turned away with a breaker, {off} without");
}
