//! Bars in, forecasts out; and bytes that are no predictor.

use proptest::prelude::*;
use seawall_runtime::bars::{Bar, INPUTS, LOOKBACK, TAPE, Tape};
use seawall_runtime::network::Layer;
use seawall_runtime::predictor::{
    HORIZONS, LAW, OUTPUT_NAMES, OUTPUTS, Predictor, PredictorContents, distances, write_predictor,
};
use seawall_runtime::{ActError, FormatError, predictor_vectors};

use crate::fixture::noise;

const LAWS: usize = LAW * HORIZONS.len();

struct Ensemble {
    mean: Vec<f32>,
    scale: Vec<f32>,
    flat: Vec<[Vec<f32>; 6]>,
}

impl Ensemble {
    /// Two members with a hidden layer of 35 units.
    fn noisy() -> Self {
        let member = |seed: u32| {
            let (w, b) = (noise(16 * 35, seed, 0.2), noise(35, seed + 1, 0.1));
            let (v, c) = (noise(35 * LAWS, seed + 2, 0.2), noise(LAWS, seed + 3, 0.1));
            [w, b, v, c, noise(16 * LAWS, seed + 4, 0.02), noise(LAWS, seed + 5, 0.1)]
        };
        Self { mean: noise(16, 1, 1.0), scale: vec![0.5; 16], flat: vec![member(10), member(20)] }
    }

    /// One member without hidden layers, whose straight way alone says something, the same whatever comes in.
    fn constant(law: [f32; LAW]) -> Self {
        let straight = law.repeat(HORIZONS.len());
        let flat = [Vec::new(), Vec::new(), vec![0.0; 16 * LAWS], vec![0.0; LAWS], vec![0.0; 16 * LAWS], straight];
        Self { mean: vec![0.0; 16], scale: vec![1.0; 16], flat: vec![flat] }
    }

    fn bytes(&self) -> Vec<u8> {
        let layers = |flat: &[Vec<f32>; 6]| {
            let pairs = flat.chunks_exact(2).filter(|pair| !pair[1].is_empty());
            pairs.map(|pair| (pair[0].clone(), pair[1].clone())).collect::<Vec<_>>()
        };
        let owned: Vec<_> = self.flat.iter().map(layers).collect();
        let views: Vec<Vec<Layer<'_>>> =
            owned.iter().map(|m| m.iter().map(|(weight, bias)| Layer { weight, bias }).collect()).collect();
        let members: Vec<&[Layer<'_>]> = views.iter().map(Vec::as_slice).collect();
        let contents = PredictorContents {
            bar_ms: 60_000,
            reference: [1e-6, 4e-6, 1.6e-5],
            mean: &self.mean,
            scale: &self.scale,
            members: &members,
        };
        let mut bytes = Vec::new();
        write_predictor(&contents, |part| bytes.extend_from_slice(part)).unwrap();
        bytes
    }
}

fn path(bars: usize) -> Vec<Bar> {
    let mut price = 100.0_f64;
    let moves = noise(bars, 7, 0.01);
    let bar = |step: &f32| {
        let open = price;
        price *= 1.0 + f64::from(*step);
        Bar { high: open.max(price) * 1.001, low: open.min(price) * 0.999, close: price, volume: 10.0 * price }
    };
    moves.iter().map(bar).collect()
}

fn near(found: f32, expected: f64) -> bool {
    (f64::from(found) - expected).abs() < 1e-5
}

#[test]
fn a_constant_law_is_forecast_as_worked_by_hand() {
    // ln variance = ln 4e-6, excursions at 1 % with steepness 3: over references of 1, 4, 16 millionths volatility ratios are 2,
    // 1, 1/2, so log2 1, 0, -1. A long of 100 times leverage is gone at d = -ln(0.99) = 1.00503 %.
    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    let law = [4e-6_f64, 0.01, 3.0, 0.01, 3.0].map(libm::log).map(|x| x as f32);
    let bytes = Ensemble::constant(law).bytes();
    let predictor = Predictor::parse(bytes.as_slice()).unwrap();
    assert_eq!((predictor.bar_ms(), predictor.reference()), (60_000, &[1e-6, 4e-6, 1.6e-5]));
    let mut scratch = vec![f32::NAN; predictor.scratch_len()];
    let out = predictor.forecast(None, &mut scratch).unwrap();
    assert!(near(out[0], 1.0) && near(out[1], 0.0) && near(out[2], -1.0), "{out:?}");
    for (bucket, distance) in distances().into_iter().enumerate() {
        let p = 1.0 / (1.0 + libm::pow(distance / 0.01, 3.0));
        let expected = libm::log10(p.max(1e-6)) / 3.0 + 1.0;
        assert!(near(out[3 + bucket], expected), "{}: {} not {expected}", OUTPUT_NAMES[3 + bucket], out[3 + bucket]);
    }
    assert!(near(out[6], libm::log10(1.0 / (1.0 + libm::pow(1.005_034, 3.0))) / 3.0 + 1.0));
    // And as soon as there are bars.
    let mut tape = [0.0; TAPE];
    Tape::open(&mut tape, 100.0).unwrap();
    path(5).iter().for_each(|bar| Tape::push(&mut tape, bar).unwrap());
    let window = Tape::window(&tape).unwrap().unwrap();
    assert_eq!(predictor.forecast(Some(&window), &mut scratch).unwrap().map(f32::to_bits), out.map(f32::to_bits));
}

#[test]
fn a_tape_holds_the_last_bars_and_forgets_the_others() {
    let bars = path(LOOKBACK + 40);
    let (mut tape, mut late) = ([0.0; TAPE], [0.0; TAPE]);
    Tape::open(&mut tape, 100.0).unwrap();
    assert!(Tape::window(&tape).unwrap().is_none());
    bars.iter().for_each(|bar| Tape::push(&mut tape, bar).unwrap());
    // Begun forty bars later, at the close before them.
    Tape::open(&mut late, bars[39].close).unwrap();
    bars[40..].iter().for_each(|bar| Tape::push(&mut late, bar).unwrap());
    assert_eq!(tape.map(f64::to_bits), late.map(f64::to_bits));
    let window = Tape::window(&tape).unwrap().unwrap();
    assert_eq!(window.returns.len(), LOOKBACK);
    let last = bars.len() - 1;
    let expected = libm::log(bars[last].close) - libm::log(bars[last - 1].close);
    assert_eq!(window.returns[LOOKBACK - 1].to_bits(), expected.to_bits());
    assert_eq!(window.inputs()[INPUTS.len() - 1].to_bits(), 0.0_f64.to_bits());
}

#[test]
fn a_bar_that_cannot_be_is_refused_and_leaves_no_trace() {
    let mut tape = [0.0; TAPE];
    assert_eq!(Tape::open(&mut tape, 0.0), Err(ActError::Bar { field: "close" }));
    Tape::open(&mut tape, 100.0).unwrap();
    let good = Bar { high: 101.0, low: 99.0, close: 100.0, volume: 0.0 };
    Tape::push(&mut tape, &good).unwrap();
    let before = tape;
    for (bar, field) in [
        (Bar { high: f64::NAN, ..good }, "high"),
        (Bar { low: 0.0, ..good }, "low"),
        (Bar { low: 102.0, ..good }, "low"),
        (Bar { close: 98.0, ..good }, "close"),
        (Bar { close: f64::INFINITY, ..good }, "close"),
        (Bar { volume: -1.0, ..good }, "volume"),
        (Bar { volume: f64::NAN, ..good }, "volume"),
    ] {
        assert_eq!(Tape::push(&mut tape, &bar), Err(ActError::Bar { field }), "{bar:?}");
        assert_eq!(tape.map(f64::to_bits), before.map(f64::to_bits));
    }
    let short = ActError::Length { buffer: "tape", expected: TAPE, found: 3 };
    assert_eq!(Tape::push(&mut [0.0; 3], &good), Err(short));
}

#[test]
fn vectors_replay_and_a_changed_predictor_does_not() {
    let mut ensemble = Ensemble::noisy();
    let bytes = ensemble.bytes();
    let predictor = Predictor::parse(bytes.as_slice()).unwrap();
    let (bars, mut scratch, mut vectors) = (path(330), vec![0.0; predictor.scratch_len()], Vec::new());
    predictor_vectors::write(&predictor, (100.0, &bars), &mut scratch, |part| vectors.extend_from_slice(part)).unwrap();
    assert_eq!(predictor_vectors::replay(&predictor, &vectors, &mut scratch), Ok(330));
    // Forecasts move with the bars, and differ between horizons and sides.
    let row = |k: usize| &vectors[32 + 44 + k * (32 + 44) + 32..][..44];
    assert_ne!(row(0), row(1));
    assert_eq!(vectors.len(), 32 + 44 + 330 * (32 + 44) + 4);
    ensemble.flat[1][4][0] += 0.5;
    let other = ensemble.bytes();
    let other = Predictor::parse(other.as_slice()).unwrap();
    let refused = predictor_vectors::replay(&other, &vectors, &mut scratch).unwrap_err();
    assert!(refused.to_string().contains("the vectors belong to policy"), "{refused}");
}

#[test]
fn short_scratch_is_an_error_and_outputs_are_all_named() {
    let bytes = Ensemble::noisy().bytes();
    let predictor = Predictor::parse(bytes.as_slice()).unwrap();
    let needed = predictor.scratch_len();
    let short = ActError::Length { buffer: "scratch", expected: needed, found: needed - 1 };
    assert_eq!(predictor.forecast(None, &mut vec![0.0; needed - 1]), Err(short));
    assert_eq!(OUTPUT_NAMES.len(), OUTPUTS);
    let overflowing = Ensemble::constant([800.0, 0.0, 0.0, 0.0, 0.0]).bytes();
    let predictor = Predictor::parse(overflowing.as_slice()).unwrap();
    let mut scratch = vec![0.0; predictor.scratch_len()];
    assert_eq!(predictor.forecast(None, &mut scratch), Err(ActError::Overflow { index: 0 }));
}

#[test]
fn numbers_that_are_not_sound_are_refused_where_they_stand() {
    let mut ensemble = Ensemble::noisy();
    ensemble.scale[3] = 0.0;
    assert!(matches!(Predictor::parse(ensemble.bytes()), Err(FormatError::Number { .. })));
    let mut ensemble = Ensemble::noisy();
    ensemble.flat[1][5][2] = f32::NAN;
    assert!(matches!(Predictor::parse(ensemble.bytes()), Err(FormatError::Number { .. })));
    let mut ensemble = Ensemble::noisy();
    // A law too few in the straight way.
    ensemble.flat[0][4] = vec![0.0; 16 * (LAWS - 1)];
    ensemble.flat[0][5] = vec![0.0; LAWS - 1];
    assert!(matches!(Predictor::parse(ensemble.bytes()), Err(FormatError::Shape { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_bytes_are_errors_and_never_panics(at in 0_usize..10_000, bit in 0_u32..8, cut in 0_usize..10_000) {
        let bytes = Ensemble::noisy().bytes();
        let mut flipped = bytes.clone();
        let at = at % bytes.len();
        flipped[at] ^= 1 << bit;
        prop_assert!(Predictor::parse(flipped).is_err());
        prop_assert!(Predictor::parse(&bytes[..cut % bytes.len()]).is_err());
    }
}
