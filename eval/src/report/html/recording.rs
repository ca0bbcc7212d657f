//! Recorded episodes, packed for the page: two policies in the same scenario on the same seed.
//!
//! Every quantity is quantised over its own range (16 bits; the bands of book and liquidation 8), differenced in time,
//! deflated and written in base 64. `unpack.js` undoes the four steps in reverse.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use seawall_env::action::PARAMETERS;
use seawall_env::spaces::{Group, Scale};
use serde_json::{Value, json};

pub use super::frame::{CHANNELS, Frame};
use super::frame::{DEPTH_BP, MOVES_BP};
use crate::statistics::quantile::quantile;

/// Most frames of a track: a longer episode is thinned evenly. Every quantity is a level or a total, so that a thinned
/// track is coarser and not wrong.
const FRAMES_MAX: usize = 1_200;
/// Share of a band's opening depth that the scale of the depth map ends at.
const DEPTH_CAP: f64 = 1.5;

/// Share of positive densities that lie within the scale of the liquidation map: one large account must not pale the rest.
const DENSITY_SCALE: f64 = 0.995;

/// Two policies in the same episode.
#[derive(Clone, Debug)]
pub struct Duel {
    /// Id of the scenario.
    pub scenario: String,
    /// Seed of the episode.
    pub seed: u64,
    /// Why this episode is shown, in one sentence.
    pub reason: String,
    /// The subject, then its opponent.
    pub tracks: [Track; 2],
}

/// One policy's episode.
#[derive(Clone, Debug)]
pub struct Track {
    /// Name of the policy.
    pub name: String,
    /// Venue preset that it ran on.
    pub preset: String,
    /// Sum of rewards.
    pub episode_return: f64,
    /// The episode at its opening and after each decision; at least one.
    pub frames: Vec<Frame>,
}

/// The duels as one JSON value, for a `script` element.
pub(super) fn pack(duels: &[(String, &Duel)]) -> String {
    let parameters = PARAMETERS.iter().map(|parameter| {
        json!({
            "name": parameter.name, "unit": parameter.unit, "low": parameter.low, "high": parameter.high,
            "log": parameter.scale == Scale::Log, "slow": parameter.group == Group::Slow,
            "neutral": parameter.neutral, "meaning": parameter.meaning,
        })
    });
    let value = json!({
        "channels": CHANNELS,
        "depth_bp": DEPTH_BP,
        "moves_bp": MOVES_BP,
        "depth_cap": DEPTH_CAP,
        "parameters": parameters.collect::<Vec<_>>(),
        "duels": duels.iter().map(|(study, duel)| pack_duel(study, duel)).collect::<Vec<_>>(),
    });
    // Inside a script element only `<` could end it.
    value.to_string().replace('<', "\\u003c")
}

fn pack_duel(study: &str, duel: &Duel) -> Value {
    // One scale for both, so that equal colours are equal densities.
    let densities = duel.tracks.iter().flat_map(|track| track.frames.iter().flat_map(|frame| frame.density));
    let densities: Vec<f64> = densities.filter(|density| *density > 0.0).collect();
    let density_cap = if densities.is_empty() { 1.0 } else { quantile(&densities, DENSITY_SCALE) };
    json!({
        "study": study,
        "scenario": duel.scenario,
        // As text: a seed has more digits than a number of JavaScript.
        "seed": duel.seed.to_string(),
        "reason": duel.reason,
        "density_cap": density_cap,
        "tracks": duel.tracks.iter().map(|track| pack_track(track, density_cap)).collect::<Vec<_>>(),
    })
}

fn pack_track(track: &Track, density_cap: f64) -> Value {
    let frames = thinned(&track.frames);
    let columns = CHANNELS.len() + PARAMETERS.len();
    let mut bytes = Vec::new();
    let mut ranges = Vec::with_capacity(columns);
    for column in 0..columns {
        let of = |frame: &Frame| frame.values.iter().chain(&frame.controls).nth(column).copied();
        let values: Vec<f64> = frames.iter().filter_map(|frame| of(frame)).collect();
        ranges.push(put_wide(&values, &mut bytes));
    }
    let opening = frames[0].depth;
    for (band, whole) in opening.iter().enumerate() {
        let share = |frame: &&Frame| if *whole > 0.0 { frame.depth[band] / whole / DEPTH_CAP } else { 0.0 };
        put_narrow(frames.iter().map(share), &mut bytes);
    }
    for band in 0..2 * MOVES_BP.len() {
        // Square roots: a density spans orders of magnitude.
        put_narrow(frames.iter().map(|frame| (frame.density[band] / density_cap).sqrt()), &mut bytes);
    }
    json!({
        "name": track.name,
        "preset": track.preset,
        "return": track.episode_return,
        "frames": frames.len(),
        "ranges": ranges,
        "data": STANDARD.encode(deflated(&bytes)),
    })
}

/// At most [`FRAMES_MAX`] frames, evenly spaced, the first and the last among them.
fn thinned(frames: &[Frame]) -> Vec<&Frame> {
    assert!(!frames.is_empty(), "a track has a frame");
    let (count, last) = (frames.len().min(FRAMES_MAX), frames.len() - 1);
    (0..count).map(|k| &frames[if count > 1 { k * last / (count - 1) } else { 0 }]).collect()
}

/// Appends 16-bit values over their own range, differenced, low bytes before high bytes; returns the range.
fn put_wide(values: &[f64], bytes: &mut Vec<u8>) -> [f64; 2] {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!(low.is_finite() && high.is_finite(), "M12: a frame holds {low} to {high}");
    let step = if high > low { (high - low) / 65_535.0 } else { 1.0 };
    let mut before = 0_u16;
    let differences: Vec<u16> = values
        .iter()
        .map(|value| {
            let level = quantised((value - low) / step, 65_535.0);
            let difference = level.wrapping_sub(before);
            before = level;
            difference
        })
        .collect();
    bytes.extend(differences.iter().map(|difference| difference.to_le_bytes()[0]));
    bytes.extend(differences.iter().map(|difference| difference.to_le_bytes()[1]));
    [low, high]
}

/// Appends 8-bit shares, differenced. A share above one is shown as one: the page says that its scale ends there.
fn put_narrow(shares: impl Iterator<Item = f64>, bytes: &mut Vec<u8>) {
    let mut before = 0_u8;
    for share in shares {
        let [level, _] = quantised(255.0 * share, 255.0).to_le_bytes();
        bytes.push(level.wrapping_sub(before));
        before = level;
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, and within [0, 65535]")]
fn quantised(value: f64, top: f64) -> u16 {
    libm::round(value.clamp(0.0, top)) as u16
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes them all")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    fn frame(k: usize) -> Frame {
        let x = crate::statistics::real(k);
        Frame {
            values: std::array::from_fn(|channel| x * x - crate::statistics::real(channel)),
            controls: [x; PARAMETERS.len()],
            depth: [100.0 - x; 2 * DEPTH_BP.len()],
            density: [x; 2 * MOVES_BP.len()],
        }
    }

    fn track(frames: usize) -> Track {
        let frames = (0..frames).map(frame).collect();
        Track { name: "a</script>".into(), preset: "venue".into(), episode_return: -1.5, frames }
    }

    /// What `unpack.js` does, for one column.
    fn unpack(track: &Value, column: usize) -> Vec<f64> {
        let data = STANDARD.decode(track["data"].as_str().unwrap()).unwrap();
        let mut bytes = Vec::new();
        ZlibDecoder::new(data.as_slice()).read_to_end(&mut bytes).unwrap();
        let frames = usize::try_from(track["frames"].as_u64().unwrap()).unwrap();
        let columns = CHANNELS.len() + PARAMETERS.len();
        assert_eq!(bytes.len(), frames * (2 * columns + 2 * DEPTH_BP.len() + 2 * MOVES_BP.len()));
        let (low, high) = (&bytes[2 * column * frames..], &bytes[(2 * column + 1) * frames..]);
        let range = track["ranges"][column].as_array().unwrap();
        let [from, to] = [0, 1].map(|end| range[end].as_f64().unwrap());
        let mut level = 0_u16;
        let decode = |k: usize| {
            level = level.wrapping_add(u16::from_le_bytes([low[k], high[k]]));
            from + f64::from(level) / 65_535.0 * (to - from)
        };
        (0..frames).map(decode).collect()
    }

    #[test]
    fn what_is_packed_is_unpacked_within_a_step() {
        let packed = pack_track(&track(200), 199.0);
        let found = unpack(&packed, 2);
        let step = 199.0 * 199.0 / 65_535.0;
        assert_eq!(found.len(), 200);
        for (k, value) in found.iter().enumerate() {
            assert!((value - frame(k).values[2]).abs() <= step, "frame {k}: {value}");
        }
    }

    #[test]
    fn a_long_episode_is_thinned_and_keeps_its_ends() {
        let long = track(2 * FRAMES_MAX + 1);
        let kept = thinned(&long.frames);
        assert_eq!(
            (kept.len(), kept[0], kept[FRAMES_MAX - 1]),
            (FRAMES_MAX, &long.frames[0], long.frames.last().unwrap())
        );
        assert_eq!(thinned(&long.frames[..1]).len(), 1);
    }

    #[test]
    fn no_name_ends_the_script_element_and_no_seed_loses_digits() {
        let duel = Duel { scenario: "calm".into(), seed: u64::MAX, reason: "<b>".into(), tracks: [track(3), track(2)] };
        let text = pack(&[("run".into(), &duel)]);
        assert!(!text.contains('<'), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["duels"][0]["seed"], "18446744073709551615");
        assert_eq!(value["duels"][0]["tracks"][0]["name"], "a</script>");
    }
}
