//! Trains, judges and exports venue risk controllers: the only crate that reads files, the clock and arguments.
//!
//! Exit codes: 0 done, 1 a gate or a trial failed, 2 bad input or a failure to run, 75 a trial to be run again, 130 interrupted
//! with a checkpoint.

mod ablation;
mod arguments;
mod calibrator;
mod candles;
mod clock;
mod commands;
mod datasets;
mod entry;
mod episode;
mod exporter;
mod foresight;
mod generation;
mod judge;
mod openings;
mod output;
mod places;
mod predictor;
mod progress;
mod run_folder;
mod score;
mod settings;
mod shield;
mod study;
mod table;
mod tensorboard;
mod trainer;
mod training_log;
mod tuner;
mod validator;
mod warm_start;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{
    Verdict, ablate, bench, calibrate, eval, export, plan, predict, presets, probe, replay, report, scenarios, sweep,
    train, trial, tune, validate, verify,
};
use progress::Voice;

/// Tensors come and go by the thousand; the system's allocator is up to 1.7 times slower at it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains, judges and exports risk controllers for leveraged venues.
#[derive(Debug, Parser)]
#[command(name = "seawall", version, propagate_version = true)]
struct Arguments {
    /// Say nothing but results
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Tell progress and remarks as one JSON object a line, on standard error; print the results of `bench` as one
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a policy, judge it on held-out seeds, export and verify it
    Train(train::TrainArgs),
    /// Tune the constants of a hand-written rule, with the budget that a learner gets
    Tune(tune::TuneArgs),
    /// Judge exported policies and the baselines on common held-out seeds
    Eval(eval::EvalArgs),
    /// Plan in the simulator, its future withheld: what is attainable
    Plan(plan::PlanArgs),
    /// Run a study: a base and arms that differ from it, and what follows
    Ablate(ablate::AblateArgs),
    /// Write what Slurm, Kubernetes or Ray need to run a study
    Sweep(sweep::SweepArgs),
    /// Run one trial of a study, as schedulers do
    Trial(trial::TrialArgs),
    /// Write the files of a policy from a run's checkpoint
    Export(export::ExportArgs),
    /// Check an export: files, conformance vectors, and its score in the simulator
    Verify(verify::VerifyArgs),
    /// List the shipped scenarios, print one in full, or check files
    Scenarios(scenarios::ScenariosArgs),
    /// List the shipped venue presets, print one, or check a file
    Presets(presets::PresetsArgs),
    /// Play one episode and print it
    Replay(replay::ReplayArgs),
    /// Make one HTML page of runs: results, charts, and an episode to look at
    Report(report::ReportArgs),
    /// Sweep each parameter as a constant: what there is to learn
    Probe(probe::ProbeArgs),
    /// Fit a scenario to real series
    Calibrate(calibrate::CalibrateArgs),
    /// Hold the market against real markets, row by row
    Validate(validate::ValidateArgs),
    /// Train a forecaster of volatility and ruin, and judge it against EWMA, GARCH and HAR
    Predict(predict::PredictArgs),
    /// Measure speed
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    let Arguments { quiet, json, command } = Arguments::parse();
    let voice = Voice::choose(quiet, json);
    let result = match command {
        Command::Train(args) => train::run(&args, voice),
        Command::Tune(args) => tune::run(&args, voice),
        Command::Eval(args) => eval::run(&args, voice),
        Command::Plan(args) => plan::run(&args, voice),
        Command::Ablate(args) => ablate::run(&args, voice),
        Command::Sweep(args) => sweep::run(&args, voice),
        Command::Trial(args) => trial::run(&args, voice),
        Command::Export(args) => export::run(&args, voice),
        Command::Verify(args) => verify::run(&args, voice),
        Command::Scenarios(args) => scenarios::run(&args),
        Command::Presets(args) => presets::run(&args),
        Command::Replay(args) => replay::run(&args, voice),
        Command::Report(args) => report::run(&args, voice),
        Command::Probe(args) => probe::run(&args, voice),
        Command::Calibrate(args) => calibrate::run(&args, voice),
        Command::Validate(args) => validate::run(&args, voice),
        Command::Predict(args) => predict::run(&args, voice),
        Command::Bench(args) => bench::run(&args, json, voice),
    };
    match result {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::GateFailed) => ExitCode::from(1),
        Ok(Verdict::Interrupted) => ExitCode::from(130),
        Ok(Verdict::Retry) => ExitCode::from(trial::RETRY),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            voice.warn(&format!("seawall: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Whether whoever read the results has read enough: `seawall scenarios | head` is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
