//! Builds that break one promise each. The simulation must catch them.

use super::crash::{Crash, Depth, Judge, crashes};
use super::runner::{Image, Runner};
use super::state::States;
use crate::common::forward::{forward_file, forward_fs};
use crate::common::rng::Rng;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use strongroom::__internals::env::faults::{Fault, Faults, for_thread};
use strongroom::__internals::env::{File, Fs, OpenMode};
use strongroom_fuzz_bodies::env::sim::CrashPlan;

/// A whole build: what runs the script, what recovers, and the disk below the first.
#[derive(Clone, Copy)]
struct Build {
    running: Faults,
    /// What the thread breaks that runs the script.
    thread: Option<Fault>,
    recovering: Faults,
    disk: fn(Arc<dyn Fs>) -> Arc<dyn Fs>,
}

impl Default for Build {
    fn default() -> Self {
        let good = Faults::none();
        Self { running: good, thread: None, recovering: good, disk: |fs| fs }
    }
}

/// The first violation among the images and crashes that `wanted` chooses. A script that does not
/// even run through is one.
fn caught(
    build: Build,
    seeds: std::ops::Range<u64>,
    wanted: impl Fn(usize, &Image, &mut Rng) -> Vec<Crash>,
) -> Option<String> {
    for seed in seeds {
        let runner = Runner::new(seed, build.running).wrapped(build.disk);
        for_thread(build.thread);
        let run = catch_unwind(AssertUnwindSafe(|| runner.run(super::OPERATIONS)));
        for_thread(None);
        let run = match run {
            Ok(run) => run,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| panic.downcast_ref().map(|text: &&str| (*text).to_owned()));
                return Some(format!("with the power on: {}", text.unwrap_or_default()));
            }
        };
        let mut rng = Rng::new(seed);
        let mut judge = Judge::new(&run);
        judge.faults = build.recovering;
        for (at, image) in run.images.iter().enumerate() {
            for crash in wanted(at, image, &mut rng) {
                let seed = rng.next_u64();
                if let Err(why) = judge.crash(image, &crash, seed) {
                    return Some(why);
                }
            }
        }
    }
    None
}

fn cuts(_: usize, _: &Image, _: &mut Rng) -> Vec<Crash> {
    vec![Crash::Cut(CrashPlan::DropAll)]
}

fn must(caught: Option<String>, part: &str) {
    let why = caught.expect("the broken build passes for a good one");
    println!("caught: {}", why.lines().next().unwrap_or_default());
    assert!(why.contains(part), "{why}");
}

#[test]
fn a_build_that_answers_before_the_sync_is_caught() {
    let running = Fault::AckBeforeSync.into();
    must(caught(Build { running, ..Build::default() }, 1..3, cuts), "what was shown is gone");
}

/// Readers see the batch while a cut still loses it.
#[test]
fn a_build_that_shows_a_batch_before_its_sync_is_caught() {
    let running = Fault::PublishBeforeSync.into();
    assert_eq!(caught(Build::default(), 1..2, cuts), None);
    must(caught(Build { running, ..Build::default() }, 1..2, cuts), "what was shown is gone");
}

/// The rows are freed from the log, and no cut has to leave them in the state.
#[test]
fn a_build_that_frees_before_the_state_has_the_rows_is_caught() {
    let rotten = |_: usize, image: &Image, rng: &mut Rng| {
        let crash = Crash::RottenSnapshot(CrashPlan::DropAll, rng.next_u64());
        image.made.then_some(crash).into_iter().collect()
    };
    assert_eq!(caught(Build::default(), 1..3, rotten), None);
    let running = Fault::FreeBeforeFlush.into();
    must(caught(Build { running, ..Build::default() }, 1..3, rotten), "does not open");
}

#[test]
fn a_build_whose_flushes_drop_tombstones_is_caught() {
    let build = Build { thread: Some(Fault::FlushDropsTombstone), ..Build::default() };
    assert_eq!(caught(Build::default(), 1..3, |_, _, _| Vec::new()), None);
    must(caught(build, 1..3, |_, _, _| Vec::new()), "with the power on");
}

/// A kill amid a flush leaves a state that claims to be further than it is.
#[test]
fn a_build_whose_flushes_name_their_end_is_caught() {
    let build = Build { thread: Some(Fault::FlushNamesItsEnd), ..Build::default() };
    assert_eq!(caught(Build::default(), 1..4, cuts), None);
    must(caught(build, 1..4, cuts), "rebuilt for nothing");
}

#[test]
fn a_build_that_drops_an_epoch_before_the_last_re_wrap_is_caught() {
    let running = Fault::DropEpochEarly.into();
    must(caught(Build { running, ..Build::default() }, 1..3, cuts), "with the power on");
}

#[test]
fn a_build_that_wraps_data_keys_before_the_plan_is_caught() {
    let running = Fault::WrapWhenSealed.into();
    must(
        caught(Build { running, ..Build::default() }, 1..9, |_, _, _| Vec::new()),
        "with the power on",
    );
}

#[test]
fn a_build_that_does_not_write_the_last_frame_again_is_caught() {
    let recovering = Fault::SkipRewriteOfLastFrame.into();
    let build = Build { recovering, ..Build::default() };
    let kills = |at: usize, image: &Image, _: &mut Rng| {
        let is_wanted = at.is_multiple_of(2) && image.made && !image.fs.pending().is_empty();
        is_wanted.then_some(Crash::KillThenCut(CrashPlan::DropAll)).into_iter().collect()
    };
    must(caught(build, 1..3, kills), "the cut after a kill");
}

#[test]
fn a_build_that_tries_a_key_on_the_copy_that_lost_is_caught() {
    let recovering = Fault::SecondCopyForWrongKey.into();
    let build = Build { recovering, ..Build::default() };
    let changing = |_: usize, image: &Image, rng: &mut Rng| {
        if image.changes_key { crashes(image, rng, Depth::Full) } else { Vec::new() }
    };
    assert_eq!(caught(Build::default(), 1..3, changing), None);
    must(caught(build, 1..3, changing), "2 keys open");
}

#[test]
fn a_build_without_a_directory_sync_is_caught() {
    let disk: fn(Arc<dyn Fs>) -> Arc<dyn Fs> =
        |fs| Arc::new(Bent { fs, skips_dir_sync: true, rots: AtomicBool::new(false) });
    let made = |at: usize, image: &Image, rng: &mut Rng| {
        if image.made { cuts(at, image, rng) } else { Vec::new() }
    };
    must(caught(Build { disk, ..Build::default() }, 1..3, made), "does not open");
}

#[test]
fn a_build_that_believes_its_state_is_caught() {
    let run = Runner::new(1, Faults::none()).run(super::OPERATIONS);
    let mut rng = Rng::new(1);
    let mut states = States::new(&run);
    states.faults = Fault::BelieveState.into();
    let some = run.images.iter().step_by(9);
    must(some.filter_map(|image| states.crash(image, &mut rng).err()).next(), "state ");
}

/// On a disk that spoils the first snapshot that each open vault writes.
#[test]
fn a_build_that_frees_before_it_has_read_back_is_caught() {
    let disk: fn(Arc<dyn Fs>) -> Arc<dyn Fs> =
        |fs| Arc::new(Bent { fs, skips_dir_sync: false, rots: AtomicBool::new(true) });
    let some = |at: usize, image: &Image, rng: &mut Rng| {
        if at.is_multiple_of(5) { crashes(image, rng, Depth::Shallow) } else { Vec::new() }
    };
    assert_eq!(caught(Build { disk, ..Build::default() }, 1..2, some), None);
    let running = Fault::FreeBeforeReadBack.into();
    must(caught(Build { running, disk, ..Build::default() }, 1..3, some), "SNAP");
}

/// A file system that does not do all it says.
struct Bent {
    fs: Arc<dyn Fs>,
    /// The names in the log's folder are never made durable.
    skips_dir_sync: bool,
    /// The next snapshot but the first has a bit the wrong way round.
    rots: AtomicBool,
}

impl Fs for Bent {
    forward_fs!(fs: create_dir read_dir metadata rename remove_file remove_dir_all set_mode free_bytes lock bind is_real);
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let file = self.fs.open(path, mode)?;
        let name = path.to_string_lossy();
        let is_snapshot = name.ends_with(".snap") && !name.ends_with("0000.snap");
        if is_snapshot && mode != OpenMode::Read && self.rots.swap(false, Ordering::Relaxed) {
            return Ok(Arc::new(Rotting(file, AtomicBool::new(true))));
        }
        Ok(file)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if self.skips_dir_sync && path.ends_with("log") {
            return Ok(());
        }
        self.fs.sync_dir(path)
    }
}

/// A file whose first long write is spoilt.
struct Rotting(Arc<dyn File>, AtomicBool);

impl File for Rotting {
    forward_file!(0: read_at sync_data sync_all len set_len metadata);
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if bytes.len() > 200 && self.1.swap(false, Ordering::Relaxed) {
            let mut spoilt = bytes.to_vec();
            spoilt[150] ^= 1;
            return self.0.write_all_at(&spoilt, offset);
        }
        self.0.write_all_at(bytes, offset)
    }
}
