//! The market as a decision process: scenarios, clocks, masks, reward.

mod counterfactual;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::action::{ACTIONS, Controls, Fixed, PARAMETERS};
use crate::arena::{Arena, ArenaState};
use crate::book::Book;
use crate::economy::Economy;
use crate::error::{Error, Problems};
use crate::gym::{Env, Spec, Status, Step};
use crate::instrument::{Instrument, Print};
use crate::liquidation::Pipeline;
use crate::market::{Market, Site};
use crate::mask::Mask;
use crate::observation::{Extras, FEATURES_COUNT, PRIVILEGED_NAMES, Recent, features, observe, reveal};
use crate::outcome::Outcome;
use crate::reward::{NAMES, TERMS, Totals};
use crate::rng::{Purpose, SeedTree};
use crate::scenario::{RewardConfig, Scenario};
use crate::spaces::{Feature, Group};
use crate::units::Usd;

/// Which parameters a controller moves; the others stay at their base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// Predictive liquidation.
    pub fast: bool,
    /// Macro-adaptive margin.
    pub slow: bool,
}

impl Default for Groups {
    fn default() -> Self {
        Self { fast: true, slow: true }
    }
}

impl Groups {
    const fn moves(self, group: Group) -> bool {
        match group {
            Group::Fast => self.fast,
            Group::Slow => self.slow,
        }
    }
}

/// What an episode is drawn from and judged by.
#[derive(Clone, Debug)]
pub struct Task {
    sites: Vec<Site>,
    reward: RewardConfig,
    groups: Groups,
    fixed: Fixed,
    extras: Extras,
    instrument: Option<Arc<dyn Instrument>>,
    mask: Option<Arc<Mask>>,
    spec: Spec,
}

impl Task {
    /// A task over `scenarios`, each as likely as the others, under one set of venue rules.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every problem of every scenario, of the rules and of the weights.
    pub fn new(
        scenarios: Vec<Scenario>,
        pipeline: Pipeline,
        reward: RewardConfig,
        groups: Groups,
    ) -> Result<Self, Error> {
        let mut problems = Problems::default();
        problems.require(!scenarios.is_empty(), "scenarios", "[]", "at least one scenario");
        for scenario in &scenarios {
            scenario.validate(&scenario.id, &mut problems);
        }
        pipeline.validate("pipeline", &mut problems);
        reward.validate("reward", &mut problems);
        problems.into_result()?;
        let sites = scenarios.into_iter().map(|scenario| Site::new(Arc::new(scenario), pipeline)).collect();
        Self::on_sites(sites, reward, groups)
    }

    /// A task on prepared sites, such as those of replayed worlds, each as likely as the others.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no site, or a weight is out of its bounds.
    pub fn on_sites(sites: Vec<Site>, reward: RewardConfig, groups: Groups) -> Result<Self, Error> {
        let mut problems = Problems::default();
        problems.require(!sites.is_empty(), "scenarios", "[]", "at least one scenario");
        reward.validate("reward", &mut problems);
        problems.into_result()?;
        let extras = sites.iter().map(|site| Extras::of(site.scenario())).fold(Extras::default(), Extras::and);
        let (fixed, spec) = (Fixed::default(), spec(extras, None));
        Ok(Self { sites, reward, groups, fixed, extras, instrument: None, mask: None, spec })
    }

    /// The same task with these further features instead of those that its scenarios have: a policy that is judged
    /// elsewhere wants the list that it was trained on. Where a scenario has nothing to say, they are zero. A mask is for
    /// one list, so it comes off.
    #[must_use]
    pub fn observing(self, extras: Extras) -> Self {
        Self { extras, mask: None, spec: spec(extras, self.instrument.as_deref()), ..self }
    }

    /// The same task with an instrument, whose features stand behind all others. A mask is for one list, so it comes off.
    #[must_use]
    pub fn reading(self, instrument: Arc<dyn Instrument>) -> Self {
        let spec = spec(self.extras, Some(instrument.as_ref()));
        Self { instrument: Some(instrument), mask: None, spec, ..self }
    }

    /// The same task with these parameters out of anybody's hands.
    #[must_use]
    pub fn holding(self, fixed: Fixed) -> Self {
        Self { fixed, ..self }
    }

    /// The same task, seen through a mask.
    ///
    /// # Panics
    /// If the mask is for observations of another length.
    #[must_use]
    pub fn behind(self, mask: Arc<Mask>) -> Self {
        assert_eq!(mask.width(), self.spec.observation.len(), "a mask fits the observations that it is for");
        Self { mask: Some(mask), ..self }
    }

    /// The mask, if what it shows must be part of a snapshot.
    fn shuffled(&self) -> Option<&Mask> {
        self.mask.as_deref().filter(|mask| mask.is_shuffling())
    }

    /// What the entries of an observation mean: those of every task, and further ones by what the scenarios have.
    #[must_use]
    pub fn features(&self) -> Vec<Feature> {
        let further = self.instrument.iter().flat_map(|instrument| instrument.features().to_vec());
        features().into_iter().chain(self.extras.features()).chain(further).collect()
    }

    /// Number of scenarios.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sites.len()
    }

    /// Always false: a task has at least one scenario.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }
}

fn spec(extras: Extras, instrument: Option<&dyn Instrument>) -> Spec {
    let further = instrument.map_or(&[] as &[Feature], Instrument::features);
    Spec {
        observation: features().iter().chain(&extras.features()).chain(further).map(|f| f.name.to_owned()).collect(),
        action: PARAMETERS.iter().map(|p| p.name.to_owned()).collect(),
        reward: NAMES.iter().map(|&name| name.to_owned()).collect(),
    }
}

/// A venue's risk controller faces this: one decision per step, both clocks, all reward terms.
#[derive(Clone, Debug)]
pub struct CascadeEnv {
    task: Arc<Task>,
    arena: Arena,
    progress: Progress,
    /// Recording that shuffled features come from.
    donor: u32,
    /// What the task's instrument remembers of the episode.
    memory: Vec<f64>,
    terms: [f64; TERMS],
}

/// Where the episode stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Progress {
    site: usize,
    decision: u32,
    over: bool,
    own: [f64; ACTIONS],
    totals: Totals,
    recent: Recent,
    before: Before,
}

/// Totals at the last decision, for the recent features.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Before {
    forced: f64,
    natural: f64,
    liquidated: f64,
    bad_debt: f64,
    shared_out: f64,
}

impl Before {
    fn of(outcome: &Outcome, shared_out: Usd) -> Self {
        Self {
            forced: outcome.forced_volume.as_f64(),
            natural: outcome.natural_volume.as_f64(),
            liquidated: outcome.liquidated.as_f64(),
            bad_debt: outcome.bad_debt.as_f64(),
            shared_out: shared_out.as_f64(),
        }
    }
}

impl CascadeEnv {
    /// An environment at the start of the episode that seed 0 names; call [`Env::reset`] for another.
    #[must_use]
    pub fn new(task: Arc<Task>) -> Self {
        let arena = Arena::open(&task.sites[0], 0);
        let progress = Progress::start(0, &arena, task.fixed);
        let donor = task.mask.as_ref().map_or(0, |mask| mask.donor(0));
        let memory = vec![0.0; task.instrument.as_ref().map_or(0, |instrument| instrument.memory_len())];
        let mut this = Self { task, arena, progress, donor, memory, terms: [0.0; TERMS] };
        this.open_instrument();
        this
    }

    /// The market behind the environment: of an economy, home's in the first asset.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.arena.home()[0]
    }

    /// The home venue's markets, by asset: at least one.
    #[must_use]
    pub fn home(&self) -> &[Market] {
        self.arena.home()
    }

    /// The economy behind the environment, where there is one.
    #[must_use]
    pub fn economy(&self) -> Option<&Economy> {
        self.arena.economy()
    }

    /// Totals of the episode so far.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        self.arena.outcome()
    }

    /// Normalised parameters in force.
    #[must_use]
    pub const fn parameters(&self) -> &[f64; ACTIONS] {
        &self.progress.own
    }

    /// Starts the episode of `seed` on one scenario of the task, instead of on one that the seed draws.
    ///
    /// # Panics
    /// If there is no such scenario, or `observation` has the wrong length.
    pub fn reset_on(&mut self, scenario: usize, seed: u64, observation: &mut [f32]) {
        if scenario == self.progress.site {
            self.arena.reset(seed);
        } else {
            self.arena = Arena::open(&self.task.sites[scenario], seed);
        }
        self.progress = Progress::start(scenario, &self.arena, self.task.fixed);
        self.donor = self.task.mask.as_ref().map_or(0, |mask| mask.donor(seed));
        self.terms = [0.0; TERMS];
        self.open_instrument();
        self.look(observation);
    }

    /// Draws the rest of the episode anew, as the episode of another `seed` would go on from here: what has happened stays,
    /// latent state included, and what has not is drawn from its law given what has. Nothing is left of the old future, so
    /// two environments with one past and different futures become the same. A clone of it is what a planner may look
    /// ahead in.
    ///
    /// # Errors
    /// [`Error::OneFuture`] if the price follows a history.
    pub fn redraw(&mut self, seed: u64) -> Result<(), Error> {
        if self.task.sites[self.progress.site].is_replayed() {
            return Err(Error::OneFuture);
        }
        self.arena.redraw(seed);
        Ok(())
    }

    fn look(&self, observation: &mut [f32]) {
        assert_eq!(observation.len(), self.observations(), "an observation has {} entries", self.observations());
        let (every, further) = observation.split_at_mut(FEATURES_COUNT);
        let (further, read) = further.split_at_mut(self.task.extras.count());
        observe(&self.arena, &self.progress.recent, &self.progress.own, every);
        self.task.extras.observe(&self.arena, &self.progress.recent, further);
        if let Some(instrument) = &self.task.instrument {
            instrument.observe(&self.memory, read);
            assert!(read.iter().all(|x| x.is_finite()), "M12: an observation is not finite");
        }
        if let Some(mask) = &self.task.mask {
            mask.apply(self.donor, self.progress.decision, observation);
        }
    }

    /// What the instrument remembered in a snapshot, and the bytes behind it.
    fn memory_of<'a>(&self, rest: &'a [u8]) -> Result<(Vec<f64>, &'a [u8]), Error> {
        let expected = size_of::<f64>() * self.memory.len();
        let Some((memory, rest)) = rest.split_at_checked(expected) else {
            let (expected, found) = (format!("{expected} bytes or more"), format!("{} bytes", rest.len()));
            return Err(Error::SnapshotMismatch { field: "an instrument's memory", expected, found });
        };
        let (words, _) = memory.as_chunks();
        Ok((words.iter().map(|word| f64::from_le_bytes(*word)).collect(), rest))
    }

    /// The recording that a snapshot ends with, where something is shuffled.
    fn donor_of(&self, rest: &[u8]) -> Result<u32, Error> {
        let Some(mask) = self.task.shuffled() else { return Ok(0) };
        let donor = rest.try_into().map_or(u32::MAX, u32::from_le_bytes);
        if donor < mask.recordings() {
            return Ok(donor);
        }
        let (expected, found) = (mask.recordings().to_string(), format!("{} bytes for one of them", rest.len()));
        Err(Error::SnapshotMismatch { field: "recordings", expected, found })
    }

    fn observations(&self) -> usize {
        self.task.spec.observation.len()
    }

    /// What the task's instrument remembers of the episode; nothing without one.
    #[must_use]
    pub fn memory(&self) -> &[f64] {
        &self.memory
    }

    fn open_instrument(&mut self) {
        if let Some(instrument) = &self.task.instrument {
            instrument.open(self.arena.home()[0].state().book.mid(), &mut self.memory);
        }
    }

    /// One tick of the market, and of who reads it.
    fn tick(&mut self) {
        let traded = |arena: &Arena| {
            let outcome = arena.home()[0].outcome();
            outcome.natural_volume + outcome.forced_volume
        };
        let Some(instrument) = &self.task.instrument else {
            self.arena.tick();
            return;
        };
        let before = traded(&self.arena);
        self.arena.tick();
        let market = &self.arena.home()[0];
        let volume = (traded(&self.arena) - before).as_f64();
        let print = Print { seconds: market.tick_seconds(), mid: market.state().book.mid(), volume };
        instrument.tick(&print, &mut self.memory);
    }

    /// Moves the parameters towards `action`: fast ones at once, slow ones on their clock and by a bounded change.
    /// Returns the sum of the changes.
    fn steer(&mut self, action: &[f32]) -> f64 {
        let interval = self.market().scenario().clock.slow_interval;
        let slow_due = self.progress.decision.is_multiple_of(interval);
        let mut churn = 0.0;
        let fixed = self.task.fixed.to_array();
        let entries = self.progress.own.iter_mut().zip(action).zip(&PARAMETERS).zip(fixed);
        for (((own, &wanted), parameter), fixed) in entries {
            let due = parameter.group == Group::Fast || slow_due;
            if !due || fixed.is_some() || !self.task.groups.moves(parameter.group) {
                continue;
            }
            let change = (f64::from(wanted) - *own).clamp(-parameter.max_change, parameter.max_change);
            *own = (*own + change).clamp(-1.0, 1.0);
            churn += change.abs();
        }
        let own = &self.progress.own;
        self.arena.set_controls(Controls::from_array(std::array::from_fn(|i| PARAMETERS[i].decode(own[i]))));
        churn
    }

    fn look_back(&mut self) {
        let outcome = self.arena.outcome();
        let shared_out = self.arena.economy().map_or(Usd::ZERO, Economy::shared_out);
        let (before, now) = (self.progress.before, Before::of(outcome, shared_out));
        let reference = outcome.reference_open_interest.as_f64();
        let forced = now.forced - before.forced;
        let volume = forced + now.natural - before.natural;
        let interval = self.market().scenario().clock.slow_interval;
        self.progress.recent = Recent {
            forced_share: if volume > 0.0 { forced / volume } else { 0.0 },
            liquidated: (now.liquidated - before.liquidated) / reference,
            bad_debt: (now.bad_debt - before.bad_debt) / reference,
            slow_clock: f64::from(self.progress.decision % interval) / f64::from(interval),
            shared_out: (now.shared_out - before.shared_out) / reference,
        };
        self.progress.before = now;
    }
}

impl Progress {
    fn start(site: usize, arena: &Arena, fixed: Fixed) -> Self {
        let (own, fixed) = (Controls::default().to_array(), fixed.to_array());
        Self {
            site,
            decision: 0,
            over: false,
            own: std::array::from_fn(|i| fixed[i].unwrap_or_else(|| PARAMETERS[i].encode(own[i]))),
            totals: Totals::of(arena),
            recent: Recent::default(),
            before: Before::default(),
        }
    }
}

impl Env for CascadeEnv {
    fn spec(&self) -> &Spec {
        &self.task.spec
    }

    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        let draw = SeedTree::new(seed).seed(Purpose::Scenario, 0);
        let count = self.task.sites.len() as u64;
        let scenario = usize::try_from(draw % count).expect("a list's length");
        self.reset_on(scenario, seed, observation);
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        assert!(!self.progress.over, "the episode is over: reset first");
        assert_eq!(action.len(), ACTIONS, "an action has {ACTIONS} entries");
        assert!(action.iter().all(|a| (-1.0..=1.0).contains(a)), "an action lies in [-1, 1]: {action:?}");
        assert_eq!(observation.len(), self.observations(), "an observation has {} entries", self.observations());
        let churn = self.steer(action);
        for _ in 0..self.market().scenario().clock.ticks_per_decision {
            self.tick();
        }
        self.arena.record_decision();
        self.progress.decision += 1;
        let totals = Totals::of(&self.arena);
        self.terms = self.progress.totals.terms(&totals, &self.arena, churn);
        self.progress.totals = totals;
        self.look_back();
        let status = if self.arena.has_failed() {
            self.terms[TERMS - 1] = 1.0;
            Status::Terminated
        } else if self.progress.decision >= self.market().scenario().clock.decisions {
            Status::Truncated
        } else {
            Status::Running
        };
        self.progress.over = status.is_over();
        self.look(observation);
        let reward =
            -self.terms.iter().zip(self.task.reward.to_array()).map(|(term, weight)| term * weight).sum::<f64>();
        assert!(reward.is_finite(), "M12: the reward is not finite: {:?}", self.terms);
        Step { reward, status }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.terms
    }

    fn privileged(&self) -> &[&'static str] {
        &PRIVILEGED_NAMES
    }

    fn reveal(&self, out: &mut [f32]) {
        let decisions = self.market().scenario().clock.decisions;
        reveal(&self.arena, f64::from(self.progress.decision) / f64::from(decisions), out);
    }

    fn save(&self) -> Vec<u8> {
        let state = (&self.progress, self.arena.save(), &self.terms);
        let mut bytes = postcard::to_stdvec(&state).expect("serialising into memory cannot fail");
        bytes.extend(self.memory.iter().flat_map(|number| number.to_le_bytes()));
        if self.task.shuffled().is_some() {
            bytes.extend_from_slice(&self.donor.to_le_bytes());
        }
        bytes
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        type Saved = (Progress, ArenaState, [f64; TERMS]);
        let ((progress, state, terms), rest): (Saved, &[u8]) = postcard::take_from_bytes(bytes)?;
        let (memory, rest) = self.memory_of(rest)?;
        let donor = self.donor_of(rest)?;
        let Some(site) = self.task.sites.get(progress.site) else {
            return Err(Error::SnapshotMismatch {
                field: "scenarios",
                expected: self.task.sites.len().to_string(),
                found: format!("scenario number {}", progress.site),
            });
        };
        let mut arena = Arena::open(site, 0);
        arena.restore(state)?;
        (self.arena, self.progress, self.memory, self.donor, self.terms) = (arena, progress, memory, donor, terms);
        Ok(())
    }
}
