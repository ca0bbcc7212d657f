//! `seawall report`: runs as one HTML page that opens offline, with episodes to look at.

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use seawall_env::{CascadeEnv, Env, Groups};
use seawall_eval::report::html::{Choice, Duel, Frame, Track, page, strongest, widest};

use super::Verdict;
use crate::entry::Entry;
use crate::episode::{self, Actor};
use crate::output::show;
use crate::places::{Place, Places, task};
use crate::progress::Voice;
use crate::run_folder::write_atomically;
use crate::study::Folder;
use crate::table::number;

/// Arguments of `seawall report`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// Folders of `train`, `eval` or `ablate`; every further one is compared with the first where they met the same episodes
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The page [default: report.html in the first folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Opponent in the recorded episodes [default: the one with the best mean return]
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
    /// Record this scenario alone [default: every scenario]
    #[arg(long, value_name = "ID")]
    scenario: Option<String>,
    /// Record the episode of this seed [default: where liquidated notional differs most]
    #[arg(long, requires = "scenario")]
    seed: Option<u64>,
    /// Leave the episode viewer out
    #[arg(long)]
    without_episodes: bool,
}

/// Runs the command.
///
/// # Errors
/// If a folder is not that of a run, with everything that is wrong with all of them; if an episode cannot be replayed or
/// replays differently; if the page cannot be written.
pub(crate) fn run(args: &ReportArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let mut folders = Folder::read_all(&args.runs)?;
    let first = folders.first_mut().context("a report needs a run")?;
    // A study's arms play under settings of their own: its folder holds no episode that could be played again.
    if !args.without_episodes && first.study.ablation.is_none() {
        first.study.duels = record(args, first, voice)?;
    }
    let studies: Vec<_> = folders.into_iter().map(|folder| folder.study).collect();
    let page = page(&studies);
    let out = args.out.clone().unwrap_or_else(|| args.runs[0].join("report.html"));
    write_atomically(&out, page.as_bytes()).with_context(|| format!("writing {}", out.display()))?;
    show(&format!("page: {}, {} kB", out.display(), page.len().div_ceil(1_000)))?;
    Ok(Verdict::Done)
}

/// Plays the chosen episodes of the subject and of one opponent.
fn record(args: &ReportArgs, folder: &Folder, voice: Voice) -> anyhow::Result<Vec<Duel>> {
    let (study, settings) = (&folder.study, &folder.settings);
    let report = &study.report;
    let Some(opponent) = args.against.as_deref().or_else(|| strongest(report)) else { return Ok(Vec::new()) };
    ensure!(opponent != report.subject, "--against {opponent}: that is the subject itself");
    if !report.arms.iter().any(|arm| arm.name == opponent) {
        let names: Vec<&str> = report.arms.iter().map(|arm| arm.name.as_str()).collect();
        bail!("--against {opponent}: nobody here is called so; there are {}", names.join(", "));
    }
    let places = Places::gather(settings, settings.judged(), voice)?;
    for input in &places.inputs {
        let known =
            study.provenance.iter().flat_map(|provenance| &provenance.inputs).find(|(path, _)| *path == input.path);
        if let Some((path, _)) = known.filter(|(_, sha256)| *sha256 != input.sha256) {
            bail!("{path} was changed after the run: put it back, or leave the episodes out with --without-episodes");
        }
    }
    let (subject, seed) = contestant(folder, &places, &report.subject)?;
    let (other, _) = contestant(folder, &places, opponent)?;
    let mut actors = [(report.subject.as_str(), seed, subject), (opponent, None, other)];
    let choices = choose(args, folder, seed, opponent)?;
    let mut duels = Vec::with_capacity(choices.len());
    for choice in &choices {
        voice.say(&format!("recording {}, seed {}", choice.scenario, choice.seed));
        let place = places.list.iter().find(|place| place.scenario().id == choice.scenario);
        let place = place.with_context(|| format!("the run was not judged on {}", choice.scenario))?;
        let mut tracks = Vec::with_capacity(2);
        for (name, run, actor) in &mut actors {
            let track = play(folder, place, name, actor, choice.seed)?;
            check(folder, &track, *run, choice)?;
            tracks.push(track);
        }
        let tracks = tracks.try_into().ok().context("two policies give two tracks")?;
        let reason = reason(args, choice, &report.subject, opponent);
        duels.push(Duel { scenario: choice.scenario.clone(), seed: choice.seed, reason, tracks });
    }
    Ok(duels)
}

/// A contender of a run, and the training seed of its policy if it was trained.
fn contestant(folder: &Folder, places: &Places, name: &str) -> anyhow::Result<(Actor, Option<u64>)> {
    if let Some(path) = folder.export(name) {
        let entry = Entry::read(&path)?;
        entry.check()?;
        let settings = &folder.settings;
        let spec = CascadeEnv::new(places.task(settings, &settings.venue(), Groups::default())?).spec().clone();
        let contender = entry.contender(settings, name, &spec)?;
        return Ok((Actor { preset: contender.preset, policy: contender.policy }, contender.training_seed));
    }
    let known = Actor::known(&folder.settings, places, name)?;
    let actor = known.with_context(|| {
        format!("the folder holds no policy called {name}: judge it again, or leave the episodes out with --without-episodes")
    })?;
    Ok((actor, None))
}

/// The episodes to record: the widest difference of every scenario, or what the arguments ask for.
fn choose(args: &ReportArgs, folder: &Folder, run: Option<u64>, opponent: &str) -> anyhow::Result<Vec<Choice>> {
    let study = &folder.study;
    if let Some(scenario) = args.scenario.as_ref().filter(|scenario| !study.report.scenarios.contains(scenario)) {
        bail!("--scenario {scenario}: the run was judged on {}", study.report.scenarios.join(", "));
    }
    let all = widest(&study.episodes, &study.report.subject, run, opponent);
    let wanted = |choice: &Choice| args.scenario.as_ref().is_none_or(|scenario| *scenario == choice.scenario);
    let mut choices: Vec<Choice> = all.into_iter().filter(wanted).collect();
    if let Some(seed) = args.seed {
        for choice in &mut choices {
            choice.seed = seed;
        }
    }
    Ok(choices)
}

fn play(folder: &Folder, place: &Place, name: &str, actor: &mut Actor, seed: u64) -> anyhow::Result<Track> {
    let task = task(std::slice::from_ref(place), &folder.settings, &actor.venue()?, Groups::default())?;
    let mut frames = Vec::new();
    let mut policy = actor.policy.clone();
    let episode_return = episode::play(&mut CascadeEnv::new(task), policy.as_mut(), seed, |env, _| {
        frames.push(Frame::of(env.market()));
    })?;
    Ok(Track { name: name.to_owned(), preset: actor.preset.clone(), episode_return, frames })
}

/// Makes sure that what is shown is what was judged, to the bit. A seed that was not judged cannot be checked.
fn check(folder: &Folder, track: &Track, run: Option<u64>, choice: &Choice) -> anyhow::Result<()> {
    let episodes = &folder.study.episodes;
    let place = episodes.place("return").context("the episodes have no returns")?;
    let judged = episodes.rows.iter().find(|row| {
        row.contender == track.name
            && row.training_seed == run
            && row.scenario == choice.scenario
            && row.seed == choice.seed
    });
    let Some(judged) = judged.and_then(|row| row.values[place]) else { return Ok(()) };
    if judged.to_bits() != track.episode_return.to_bits() {
        bail!(
            "{} on {}, seed {}, returns {} now and returned {judged} when it was judged: the run is another version's; judge it \
             again, or leave the episodes out with --without-episodes",
            track.name,
            choice.scenario,
            choice.seed,
            track.episode_return,
        );
    }
    Ok(())
}

/// Why this episode is shown.
fn reason(args: &ReportArgs, choice: &Choice, subject: &str, opponent: &str) -> String {
    let Choice { scenario, seed, pairs, .. } = choice;
    if args.seed.is_some() {
        return format!("{scenario}, seed {seed}, as asked for: {subject} (A) beside {opponent} (B).");
    }
    let seeds = if *pairs == 1 { "seed".to_owned() } else { format!("of {pairs} seeds") };
    format!(
        "{scenario}, seed {seed}: {seeds} the one on which liquidated notional differs most between {subject} (A) and {opponent} \
         (B), whomever it favours: {} bp of open interest under A, {} under B. Both meet the same luck.",
        number(choice.subject),
        number(choice.opponent),
    )
}
