//! Plays ticks of one scenario with or without an option desk, for timing from outside, and prints what the desk saw.
//!
//! ```text
//! cargo build --release -p seawall-env --example desk
//! time target/release/examples/desk calm none 200000
//! time target/release/examples/desk calm 100 200000
//! ```
#![expect(clippy::print_stdout, reason = "an example for a terminal")]

use std::error::Error;
use std::sync::Arc;

use seawall_env::liquidation::presets;
use seawall_env::market::{Holders, Site};
use seawall_env::scenario::Scenario;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let id = arguments.next().ok_or("name a scenario")?;
    let customers = arguments.next().ok_or("name how many customers the desk has, or none")?;
    let ticks: u64 = arguments.next().ok_or("name how many ticks")?.parse()?;
    let mut scenario = Scenario::shipped(&id).ok_or_else(|| format!("no scenario {id}"))?;
    scenario.options = None;
    if customers != "none" {
        let mut options = Scenario::shipped(&id).and_then(|scenario| scenario.options).unwrap_or_default();
        options.customers.accounts = customers.parse()?;
        scenario.options = Some(options);
    }
    let horizon = scenario.horizon_ticks();
    let mut market =
        Site::new(Arc::new(scenario), presets::by_name("legacy_full").ok_or("no preset legacy_full")?).open(0);
    for tick in 0..ticks {
        if tick > 0 && tick.is_multiple_of(horizon) {
            market.reset(tick);
        }
        market.tick();
    }
    println!("{:?}", market.outcome());
    println!("{:?}", market.desk_outcome());
    println!("hedgers {:?}", market.portfolio_exposure(Holders::Hedgers).net);
    println!(
        "in a fall of 5 % they trade {:.0} dollars; {:?}",
        market.hedging_flow(-0.05),
        market.stablecoin_outcome()
    );
    Ok(())
}
