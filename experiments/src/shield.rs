//! The solvency shield in a run: its constants, and how often it acted.

use anyhow::{Context, bail};
use seawall_agents::{Shield, ShieldConfig};
use seawall_env::Spec;
use seawall_eval::Records;
use serde::Serialize;

use crate::output::show;
use crate::places::Places;
use crate::run_folder::RunFolder;
use crate::settings::Settings;
use crate::table;

/// How often shields acted in a run, for whoever reads it later.
const FILE: &str = "shield.json";

/// A shield that holds in every place: it knows the smallest of their funds and the largest of their long-run volatilities.
///
/// # Errors
/// If the shield reads what is not observed or what the settings hide, or a place has no fund.
pub(crate) fn shield(settings: &Settings, places: &Places, spec: &Spec) -> anyhow::Result<Shield> {
    let hidden = settings.hidden_from_shield();
    if !hidden.is_empty() {
        bail!("the shield reads {}, which observation.off and observation.shuffled hide", hidden.join(", "));
    }
    let mut config = settings.shield_config();
    for venue in places.list.iter().map(|place| &place.scenario().venue) {
        config.fund = config.fund.min(venue.fund);
        config.reference_volatility = config.reference_volatility.max(venue.reference_volatility);
    }
    Shield::new(config, spec).context("preparing the shield")
}

impl Settings {
    /// The shield's constants on the venue of the settings.
    pub(crate) fn shield_config(&self) -> ShieldConfig {
        let venue = &self.market.venue;
        ShieldConfig { fund: venue.fund, reference_volatility: venue.reference_volatility, ..ShieldConfig::default() }
    }

    /// What the shield would read and a mask hides.
    pub(crate) fn hidden_from_shield(&self) -> Vec<&'static str> {
        Shield::reads().filter(|name| self.observation.hides(name)).collect()
    }
}

/// How often the shield acted in one training run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Trained {
    /// Seed of the training run.
    pub(crate) seed: u64,
    /// Share of all actions that it changed.
    pub(crate) rate: f64,
    /// The same in the last iteration.
    pub(crate) last: f64,
}

/// How often the shield acted in front of one contender.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Judged {
    /// Name of the contender.
    contender: String,
    /// Decisions of all judged episodes, of every training seed.
    decisions: u64,
    /// Those that the shield changed.
    acted: u64,
    /// The share.
    rate: f64,
}

/// What shields did, for a terminal and for a run's folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Rates {
    /// In training, by seed.
    training: Vec<Trained>,
    /// In judgement, by contender.
    judged: Vec<Judged>,
}

impl Rates {
    /// The rates of a training and of a judgement.
    #[expect(clippy::cast_precision_loss, reason = "counts of decisions are small")]
    pub(crate) fn new(training: Vec<Trained>, records: &Records) -> Self {
        let judged = records.arms.iter().enumerate().filter_map(|(place, arm)| {
            let (decisions, acted) = records.overruled(place)?;
            Some(Judged { contender: arm.name.clone(), decisions, acted, rate: acted as f64 / decisions as f64 })
        });
        Self { training, judged: judged.collect() }
    }

    /// Prints one sentence for each.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub(crate) fn show(&self) -> std::io::Result<()> {
        for Trained { seed, rate, last } in &self.training {
            let [rate, last] = [rate, last].map(|rate| table::number(100.0 * rate));
            show(&format!("seed {seed}: the shield changed {rate} % of the actions in training, {last} % at its end"))?;
        }
        for Judged { contender, decisions, acted, .. } in &self.judged {
            show(&format!("{contender}: the shield changed {acted} of {decisions} actions"))?;
        }
        Ok(())
    }

    /// Writes them into a run's folder; nothing where there was no shield.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write(&self, folder: &RunFolder) -> anyhow::Result<()> {
        if self.training.is_empty() && self.judged.is_empty() {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(self).context("writing the shield's rates as JSON")?;
        folder.write(FILE, (text + "\n").as_bytes())
    }
}
