//! Interrupts and termination: the first lets the current unit finish and be saved, the second ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use crate::progress::Voice;

/// Hears interrupts and requests to terminate; a second one ends the program with `code`. Checkpoints are whole either way.
///
/// # Errors
/// If the system does not let it listen.
pub(crate) fn stop_flag(code: u8, voice: Voice) -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if heard.swap(true, Ordering::Relaxed) {
            voice.warn("stopped; the last checkpoint is whole");
            std::process::exit(i32::from(code));
        }
        voice.warn("interrupted: what is under way is finished or saved; once more to stop at once");
    })
    .context("watching for interrupts")?;
    Ok(stop)
}
