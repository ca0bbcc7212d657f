//! Bars of the task that a policy is trained on: what its predictor will read, from the same instrument.

use std::sync::Arc;

use anyhow::bail;
use rayon::prelude::*;
use seawall_agents::{BarRecorder, Policy, Random};
use seawall_env::action::{ACTIONS, Controls};
use seawall_env::scenario::Scenario;
use seawall_env::{CascadeEnv, Env, Groups, Purpose, SeedTree, Task};
use seawall_eval::forecast::History;
use seawall_eval::{Split, Suite};

use super::Halves;
use super::source::Cut;
use crate::places::Places;
use crate::progress::{SharedProgress, Voice};
use crate::settings::Settings;

/// Bars of the longest episode of a task.
///
/// # Errors
/// If a bar is not whole ticks of every scenario.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bars of an episode")]
pub(crate) fn bars_max(places: &Places, bar_ms: u32) -> anyhow::Result<usize> {
    let mut longest = 0;
    for scenario in places.list.iter().map(|place| place.scenario()) {
        let ticks = f64::from(bar_ms) / (1e3 * scenario.clock.tick_seconds);
        if ticks < 1.0 - 1e-9 || (ticks - libm::round(ticks)).abs() > 1e-9 * ticks {
            let (id, seconds) = (&scenario.id, scenario.clock.tick_seconds);
            bail!("--bar: {} s are not whole ticks of {id}, {seconds} s", f64::from(bar_ms) / 1e3);
        }
        longest = longest.max((seconds(scenario) * 1e3 / f64::from(bar_ms)) as usize);
    }
    Ok(longest)
}

fn seconds(scenario: &Scenario) -> f64 {
    let clock = &scenario.clock;
    clock.tick_seconds * f64::from(clock.ticks_per_decision) * f64::from(clock.decisions)
}

/// Episodes of a task: as many of each scenario in either half, on seeds of the training split, so that nothing held out is among
/// them. Parameters stand at neutral and are moved at random by turns, because whoever steers changes what is to be forecast.
///
/// # Errors
/// If no episode fits into a history.
pub(crate) fn simulated(
    settings: &Settings,
    places: &Places,
    cut: Cut,
    (seed, episodes): (u64, u32),
    voice: Voice,
) -> anyhow::Result<Halves> {
    let bar_ms = u32::try_from(cut.bar_ms)?;
    let recorder = Arc::new(BarRecorder::new(bar_ms, cut.episode.unwrap_or(0)));
    let task = places.task(settings, &settings.venue(), Groups::default())?;
    let task = Arc::new(Task::clone(&task).reading(recorder));
    let names: Vec<String> = places.list.iter().map(|place| place.scenario().id.clone()).collect();
    let suite = Suite {
        name: "predictor".to_owned(),
        split: Split::Train,
        root: SeedTree::new(seed).seed(Purpose::Scenario, 0),
        seeds: 2 * episodes as usize,
        scenarios: names.clone(),
        gates: Vec::new(),
    };
    let seeds: Vec<Vec<u64>> = (0..names.len()).map(|scenario| suite.seeds(scenario)).collect();
    let total = 2 * u64::from(episodes) * names.len() as u64;
    let progress = SharedProgress::new(voice, "episodes", total);
    let play = |k: usize| {
        let (place, scenario) = (k / names.len(), k % names.len());
        let name = format!("{} {}", names[scenario], place + 1);
        let history = record(&task, (scenario, seeds[scenario][place]), place % 2 == 1);
        progress.at(k as u64 + 1, "played");
        History::of_prices(&name, (0, history.0), &history.1, cut.bar_ms)
    };
    let all = 2 * episodes as usize * names.len();
    let mut histories: Vec<History> = (0..all).into_par_iter().map(play).collect();
    progress.finish();
    let validation = histories.split_off(all / 2);
    Ok(cut.halves([histories, validation]))
}

/// Plays one episode and returns its bars, and where the first opened.
fn record(task: &Arc<Task>, (scenario, seed): (usize, u64), is_moved: bool) -> (f64, Vec<seawall_runtime::bars::Bar>) {
    let mut env = CascadeEnv::new(Arc::clone(task));
    let mut observation = vec![0.0; env.spec().observation.len()];
    let mut action: [f32; ACTIONS] = Controls::default().encode();
    let mut mover = Random::new(SeedTree::new(seed).seed(Purpose::Policy, 0));
    env.reset_on(scenario, seed, &mut observation);
    loop {
        if is_moved {
            mover.act(&observation, &mut action);
        }
        if env.step(&action, &mut observation).status.is_over() {
            return BarRecorder::bars(env.memory());
        }
    }
}

#[cfg(test)]
mod tests {
    use seawall_agents::Foresight;
    use seawall_eval::forecast::feature::inputs;
    use seawall_eval::forecast::{distances, side};
    use seawall_runtime::bars::Tape;
    use seawall_runtime::predictor::{OUTPUTS, outputs};
    use seawall_training::predictor::{PredictorConfig, train};

    use super::super::{examples, ladder};
    use super::*;
    use crate::settings::{Layer, SMOKE};

    const BAR_MS: u32 = 2_000;

    fn bits(values: impl IntoIterator<Item = f32>) -> Vec<u32> {
        values.into_iter().map(f32::to_bits).collect()
    }

    /// What is known in training, at every bar of an episode, against what the environment computes while it is played: features
    /// and forecasts, to the bit. And nothing of later: the environment has not played on when it forecasts.
    #[test]
    fn what_was_trained_on_is_what_is_read_while_playing_to_the_bit() {
        let sets = ["market.clock.decisions=80", "task.scenarios=[\"calm\"]"];
        let mut layers = vec![Layer::from_text("smoke", SMOKE).unwrap()];
        layers.extend(sets.map(|set| Layer::from_set(set).unwrap()));
        let settings = Settings::resolve(&layers).unwrap();
        let places = Places::gather(&settings, &settings.task.scenarios, Voice::Quiet).unwrap();
        let cut = Cut { bar_ms: i64::from(BAR_MS), episode: Some(bars_max(&places, BAR_MS).unwrap()) };
        let halves = simulated(&settings, &places, cut, (5, 2), Voice::Quiet).unwrap();
        let config = PredictorConfig { members: 2, epochs_max: 2, hidden: vec![8], ..PredictorConfig::default() };
        let fit: Vec<usize> = (0..halves.calibration.examples.len()).collect();
        let fit = examples(&halves.calibration, &fit);
        let predictor = train(&config, [&fit, &fit], &ladder(), SeedTree::new(1)).unwrap().predictor;
        let bytes = halves.to_runtime(&predictor).unwrap().unwrap();
        let foresight = Arc::new(Foresight::new(bytes).unwrap());

        let task = places.task(&settings, &settings.venue(), Groups::default()).unwrap();
        let recorder = Arc::new(BarRecorder::new(BAR_MS, cut.episode.unwrap()));
        let (open, bars) = record(&Arc::new(Task::clone(&task).reading(recorder)), (0, 77), false);
        let history = History::of_prices("played", (0, open), &bars, cut.bar_ms);

        let mut env = CascadeEnv::new(Arc::new(Task::clone(&task).reading(Arc::<Foresight>::clone(&foresight))));
        let width = env.spec().observation.len();
        let (mut observation, action): (_, [f32; ACTIONS]) = (vec![0.0; width], Controls::default().encode());
        env.reset_on(0, 77, &mut observation);
        // A decision is ten ticks of a second: five bars.
        let mut compared = 0;
        for decision in 1.. {
            let status = env.step(&action, &mut observation).status;
            let window = Tape::window(Foresight::tape(env.memory())).unwrap().unwrap();
            let known = inputs(&history, 5 * decision - 1);
            assert_eq!(known.map(f64::to_bits), window.inputs().map(f64::to_bits), "decision {decision}");
            #[expect(clippy::cast_possible_truncation, reason = "inputs are single precision")]
            let outlooks = predictor.outlooks(&known.map(|x| x as f32));
            let variance = core::array::from_fn(|h| outlooks.variance(0, h));
            let ruin = core::array::from_fn(|b| outlooks.beyond(0, 2, side(b), distances()[b]));
            let expected = outputs(&variance, foresight.runtime().reference(), &ruin);
            assert_eq!(bits(expected), bits(observation[width - OUTPUTS..].iter().copied()), "decision {decision}");
            compared += 1;
            if status.is_over() {
                break;
            }
        }
        assert_eq!(compared, 80, "400 bars, so that the first have left the tape");
    }
}
