//! The outside world from bars, as lines of a scenario.

use seawall_env::world::{Bar, RegimesConfig};
use seawall_eval::calibration::Fitted;
use seawall_eval::calibration::garch::Garch;
use seawall_eval::calibration::jumps::Jumps;
use seawall_eval::calibration::regimes::Regimes;
use seawall_eval::calibration::world::{self, Series, WorldFit};

use super::findings::{Findings, Source, literal};

/// Runs of bars without a hole.
#[derive(Clone, Debug)]
pub(crate) struct Prices {
    pub(crate) runs: Vec<Vec<Bar>>,
    pub(crate) bar_ms: i64,
    pub(crate) source: Source,
}

const NAMES: [&str; 3] = ["calm", "tense", "crisis"];
/// Highest persistence that is written: at one, variance has no mean.
const PERSISTENCE_MAX: f64 = 0.995;

impl Prices {
    /// The bars, for an estimator.
    pub(crate) fn series(&self) -> Series<'_> {
        Series { runs: &self.runs, bar_ms: self.bar_ms }
    }
}

/// Fits everything that bars can say.
pub(crate) fn fit(prices: &Prices, findings: &mut Findings) {
    let fit = world::fit(prices.series());
    let source = &prices.source;
    level(prices, &fit, findings);
    match &fit.regimes {
        Some(regimes) => write_regimes(regimes, &fit, source, findings),
        None => findings.skip(format!("{}: too few or too even bars for regimes, jumps and memory", source.file)),
    }
    match &fit.jumps {
        Some(jumps) => write_jumps(jumps, source, findings),
        None => findings.skip(format!("{}: {} jumps are too few to describe", source.file, fit.jumps_found)),
    }
    match &fit.memory {
        Some(memory) => write_memory(memory, source, findings),
        None => findings.skip(format!("{}: no run long enough for the memory of volatility", source.file)),
    }
    match &fit.garch {
        Some(garch) => write_garch(garch, prices, findings),
        None => findings.skip(format!("{}: too few returns for GARCH", source.file)),
    }
    for (alpha, name) in fit.hill.iter().zip(["hill_5pct", "hill_1pct"]) {
        if let Some(alpha) = alpha {
            findings.note(name, *alpha, "Hill index of absolute returns", source);
        }
    }
    if let Some(link) = fit.volume_link {
        findings.note("volume_volatility", link, "rank correlation of absolute return and volume", source);
    }
}

fn level(prices: &Prices, fit: &WorldFit, findings: &mut Findings) {
    if let Some(volatility) = fit.volatility {
        let about = "annualised standard deviation of log returns, Newey-West over a day";
        findings.set("venue.reference_volatility", volatility, about, &prices.source);
        findings.set("world.gbm.volatility", volatility, about, &prices.source);
    }
    if let Some(bar) = prices.runs.iter().flatten().last() {
        let price = Fitted::bare(bar.close.as_f64(), 1);
        findings.set("world.initial_price", price, "last close, in dollars", &prices.source);
    }
}

fn write_jumps(jumps: &Jumps, source: &Source, findings: &mut Findings) {
    let about = |what: &str| format!("{what}; returns beyond 8 local deviations by bipower variation of a day");
    findings.note("jumps_per_day", jumps.per_day, &about("jumps per day, triggered ones included"), source);
    findings.set("world.jumps.down_share", jumps.down_share, &about("share of jumps that go down"), source);
    findings.set("world.jumps.minimum", jumps.minimum, &about("lower decile of sizes, in daily deviations"), source);
    findings.set("world.jumps.maximum", jumps.largest, &about("largest size, in daily deviations"), source);
    if let Some(exponent) = jumps.tail_exponent {
        let tail = about("exponent of sizes that no day hides");
        findings.set("world.jumps.tail_exponent", exponent, &tail, source);
    }
    let Some(arrival) = &jumps.arrival else {
        return findings.skip(format!("{}: too few jumps for their arrival", source.file));
    };
    let about = |what: &str| format!("{what}, exponential Hawkes kernel by maximum likelihood");
    findings.set("world.jumps.branching", arrival.branching, &about("jumps that one jump triggers"), source);
    let seconds = arrival.half_life.scaled(86_400.0);
    findings.set("world.jumps.half_life_seconds", seconds, &about("half-life of excitation"), source);
    findings.note("jumps_base_per_day", arrival.base, &about("untriggered jumps per day"), source);
}

fn write_regimes(regimes: &Regimes, fit: &WorldFit, source: &Source, findings: &mut Findings) {
    let defaults = RegimesConfig::default().all();
    let hours = fit.block_hours;
    let chain = format!("hidden Markov chain on log bipower variance of {hours:.1} h");
    for (own, (regime, name)) in regimes.regimes.iter().zip(NAMES).enumerate() {
        let at = |field: &str| format!("world.regimes.{name}.{field}");
        let share = 100.0 * regime.share;
        let about = format!("annualised volatility, jumps included, {share:.1} % of the time; {chain}");
        findings.set(&at("volatility"), regime.volatility, &about, source);
        findings.set(&at("mean_hours"), regime.stay.scaled(hours), &format!("mean stay; {chain}"), source);
        let mut remark = format!("Where it goes next: calm, tense, crisis; {chain}; {}.", source.file);
        for (to, other) in regime.next.iter().zip(NAMES).filter(|(_, other)| *other != name) {
            findings.note(&format!("regimes.{name}.to_{other}"), *to, &format!("share of exits; {chain}"), source);
            let error = to.standard_error.map_or_else(|| "none".to_owned(), |error| format!("{error:.2e}"));
            remark.push_str(&format!(" Standard error to {other}: {error}."));
        }
        let next = shares(regime.next.map(|to| to.value), own);
        findings.write(&at("next"), format!("[{}]", next.map(literal).join(", ")), &remark);
        match fit.jumps_by_regime[own] {
            Some(base) => {
                let about = "untriggered jumps per day in the regime, Poisson error";
                findings.set(&at("jumps_per_day"), base, about, source);
            }
            None => {
                let default = literal(defaults[own].jumps_per_day);
                findings.write(&at("jumps_per_day"), default, "Not fitted: the default.");
            }
        }
    }
}

/// Probabilities to four digits that sum to one; a regime that was never left goes to its neighbour.
fn shares(next: [f64; 3], own: usize) -> [f64; 3] {
    let total: f64 = next.iter().sum();
    if total <= 0.0 {
        return if own == 1 { [1.0, 0.0, 0.0] } else { [0.0, 1.0, 0.0] };
    }
    let mut next = next.map(|p| libm::round(1e4 * p / total) / 1e4);
    let largest = (0..3).max_by(|a, b| next[*a].total_cmp(&next[*b])).unwrap_or(0);
    let others: f64 = (0..3).filter(|i| *i != largest).map(|i| next[i]).sum();
    next[largest] = 1.0 - others;
    next
}

fn write_memory(memory: &[(f64, Option<Fitted>)], source: &Source, findings: &mut Findings) {
    let defaults = seawall_env::world::ClusteringConfig::default().factors;
    for (index, ((half_life, deviation), default)) in memory.iter().zip(defaults).enumerate() {
        let table = format!("world.clustering.factors[{index}]");
        findings.write(&format!("{table}.half_life_seconds"), literal(*half_life), "Given, not fitted.");
        let path = format!("{table}.deviation");
        match deviation {
            Some(deviation) => {
                let about =
                    "deviation of log-volatility at this half-life, autocovariance of the log range within regimes";
                findings.set(&path, *deviation, about, source);
            }
            None => findings.write(&path, literal(default.deviation), "Not fitted: it fades within half a bar."),
        }
    }
}

fn write_garch(fit: &Garch, prices: &Prices, findings: &mut Findings) {
    let about = "GARCH(1,1) with Student-t innovations by maximum likelihood";
    let source = &prices.source;
    let seconds = prices.series().bar_seconds();
    let annual = fit.deviation * (seawall_env::world::SECONDS_PER_YEAR / seconds).sqrt();
    let level = Fitted::bare(annual, fit.alpha.n);
    findings.set("world.garch.volatility", level, "annualised deviation of the sample", source);
    findings.write("world.garch.step_seconds", literal(seconds), "The bar of the fit.");
    findings.set("world.garch.alpha", fit.alpha, about, source);
    findings.set("world.garch.degrees_of_freedom", fit.degrees_of_freedom, about, source);
    if fit.persistence() <= PERSISTENCE_MAX {
        return findings.set("world.garch.beta", fit.beta, about, source);
    }
    findings.note("garch.beta", fit.beta, about, source);
    let remark = format!(
        "{about} gives {:.4}, and with alpha a sum of {:.4}, at which variance has hardly a mean: lowered to a sum of {PERSISTENCE_MAX}. {}",
        fit.beta.value,
        fit.persistence(),
        source.file
    );
    findings.write("world.garch.beta", literal(PERSISTENCE_MAX - fit.alpha.value), &remark);
}
