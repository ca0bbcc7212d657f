#![expect(clippy::print_stderr, reason = "a skipped test says why")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use tensorboard_rs::masked_crc32c::masked_crc32c;

use super::*;

/// Splits an event file into its records, checking both checksums of each.
fn records(bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, tail) = rest.split_first_chunk::<8>().expect("a length");
        let (check, tail) = tail.split_first_chunk::<4>().expect("the length's checksum");
        assert_eq!(u32::from_le_bytes(*check), masked_crc32c(length));
        let (data, tail) = tail.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
        let (check, tail) = tail.split_first_chunk::<4>().expect("the data's checksum");
        assert_eq!(u32::from_le_bytes(*check), masked_crc32c(data));
        events.push(Event::parse_from_bytes(data).unwrap());
        rest = tail;
    }
    events
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn write_two_runs(directory: &Path) {
    let mut first = Events::create(directory).unwrap();
    for step in 0..100_u32 {
        let scalars = [("train/loss".to_owned(), f64::from(step) * 0.5), ("time/steps_per_s".to_owned(), 1e6)];
        first.scalars(u64::from(step), &scalars).unwrap();
    }
    first.histogram(99, "train/action", &[-15.0, 0.0, 0.1, 15.0]).unwrap();
    first.flush().unwrap();
    let mut second = Events::create(directory).unwrap();
    second.restart(90).unwrap();
    for step in 90..95_u32 {
        second.scalars(u64::from(step), &[("train/loss".to_owned(), -f64::from(step))]).unwrap();
    }
}

#[test]
fn what_was_written_comes_back_with_sound_checksums() {
    let directory = TempDir::new().unwrap();
    write_two_runs(directory.path());
    let files = files(directory.path());
    assert_eq!(files.len(), 2, "two writers in one second have two files");
    let events = records(&fs::read(&files[0]).unwrap());
    assert_eq!(events.len(), 102);
    assert_eq!(events[0].get_file_version(), "brain.Event:2");
    let values = events[8].get_summary().get_value();
    assert_eq!((events[8].get_step(), values[0].get_tag(), values[0].get_simple_value()), (7, "train/loss", 3.5));
    assert_eq!((values[1].get_tag(), values[1].get_simple_value()), ("time/steps_per_s", 1e6));
    let histogram = events[101].get_summary().get_value()[0].get_histo();
    assert_eq!(histogram.get_bucket_limit(), (-14..=15).map(f64::from).collect::<Vec<_>>());
    let filled: Vec<usize> = (0..30).filter(|bucket| histogram.get_bucket()[*bucket] > 0.0).collect();
    assert_eq!((filled, histogram.get_bucket()[15]), (vec![0, 15, 29], 2.0));
    let resumed = records(&fs::read(&files[1]).unwrap());
    assert_eq!(
        (resumed[1].get_session_log().get_status(), resumed[1].get_step()),
        (SessionLog_SessionStatus::START, 90)
    );
    assert_eq!(resumed.len(), 7, "dropping the writer writes what it holds");
}

#[test]
fn the_real_tensorboard_reads_the_files() {
    const SCRIPT: &str = "
import sys
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(77)
events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'histograms': 0})
events.Reload()
loss = events.Scalars('train/loss')
assert [e.step for e in loss] == list(range(95)), [e.step for e in loss]
assert [e.value for e in loss] == [s * 0.5 for s in range(90)] + [-float(s) for s in range(90, 95)]
assert events.Scalars('time/steps_per_s')[0].value == 1e6
tags = events.Tags()
print(tags)
assert 'train/action' in tags['histograms'] or 'train/action' in tags['tensors'], tags
";
    let directory = TempDir::new().unwrap();
    write_two_runs(directory.path());
    let output = match Command::new("python3").args(["-c", SCRIPT]).arg(directory.path()).output() {
        Ok(output) => output,
        Err(error) => return eprintln!("skipped: python3 cannot be run ({error})"),
    };
    if output.status.code() == Some(77) {
        return eprintln!("skipped: the Python package tensorboard is not installed");
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
