//! Prints one episode decision by decision.
#![expect(clippy::print_stdout, reason = "an example for a terminal")]
use std::sync::Arc;
use seawall_env::action::Controls;
use seawall_env::book::{Book, Side};
use seawall_env::liquidation::presets;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Task};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let pipeline = presets::by_name(&a[1]).expect("preset");
    let task = Task::new(vec![Scenario::shipped(&a[2]).expect("scenario")], pipeline, RewardConfig::default(), Groups::default());
    let mut env = CascadeEnv::new(Arc::new(task.expect("valid")));
    let mut obs = [0.0_f32; FEATURES_COUNT];
    env.reset(a[3].parse().expect("seed"), &mut obs);
    loop {
        let step = env.step(&Controls::default().encode(), &mut obs);
        let m = env.market();
        let s = m.state();
        let o = env.outcome();
        let d = |side, w| s.book.depth(side, w) * s.book.mid() / 1e6;
        if o.decisions % 4 == 0 || o.decisions < 8 {
            println!("{:4} fund {:8.0} out {:8.0} fair {:8.0} mid {:8.0} mark {:8.0} | liq {:.2}/{:.2} bid1% {:6.2} ask1% {:6.2} bid5% {:6.1} hs {:.1}bp | q {:6.2}M liq {:6.1}M adl {:6.1}M cost {:5.2}M forced {:6.1} nat {:6.1} OI {:5.1} fundEq {:5.2} inv {:6.2} stress {:.1}", o.decisions, s.prices.fundamental, s.prices.outside, s.book.fair(), s.book.mid(), s.prices.mark.as_f64(), s.liquidity[0], s.liquidity[1], d(Side::Sell,0.01), d(Side::Buy,0.01), d(Side::Sell,0.05), s.book.half_spread()*1e4, m.in_liquidation().as_f64()/1e6, o.liquidated.as_f64()/1e6, o.deleveraged.as_f64()/1e6, o.liquidation_cost.as_f64()/1e6, o.forced_volume.as_f64()/1e6, o.natural_volume.as_f64()/1e6, m.open_interest().as_f64()/1e6, m.fund_equity().as_f64()/1e6, m.fund_inventory().as_f64()/1e6, s.signals.stress_fast(m.reference_sigma()));
        }
        if step.status.is_over() { break; }
    }
}
