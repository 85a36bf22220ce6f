//! Real write-back errors: a sparse ext4 image on a file system in memory that is too small for it. A write
//! succeeds, because ext4 has room. Its sync fails, because the file system below is full. The kernel may
//! then mark the pages clean, so a second sync could succeed without writing them.
//!
//! What must hold: no false acknowledgement. After the error the vault refuses writes and still reads. The
//! next open (with room below) finds everything that was acknowledged.

use crate::common::rng::Rng;
use crate::common::world::Fault;
use crate::figures;
use crate::life::{BAD_LIVES, Life};
use crate::mount::{self, Mount};
use crate::place::Place;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// Times that the room below one vault runs out.
const TIMES: u64 = 4;
const ACTS: usize = 150;
const UNKNOWN: &str = "the disk failed during this operation";
const POISONED: &str = "the disk failed earlier";

#[derive(Default)]
struct Counts {
    squeezes: u64,
    /// A write whose sync failed.
    unknown: u64,
    /// Errors that left no doubt: nothing had happened.
    other: u64,
    acknowledged: u64,
}

fn is_possible() -> bool {
    for tool in ["mkfs.ext4", "e2fsck", "findmnt"] {
        if !mount::has(tool) {
            println!("SKIP no {tool}");
            return false;
        }
    }
    if !mount::is_possible() {
        return false;
    }
    let scratch = tempfile::tempdir().unwrap();
    let image = scratch.path().join("image");
    format(&image, 1);
    let works = Mount::image(scratch.path(), "ext4", &image).is_some();
    if !works {
        println!("SKIP no loop device with ext4 here");
    }
    works
}

/// An image that has as few blocks as it can; half of them with a journal that is not there yet.
fn format(image: &Path, seed: u64) {
    std::fs::File::create(image).unwrap().set_len(48 << 20).unwrap();
    let options = format!("nodiscard,lazy_itable_init=1,lazy_journal_init={}", seed % 2);
    let mut mkfs = Command::new("mkfs.ext4");
    let output =
        mount::run(mkfs.args(["-q", "-b", "4096", "-J", "size=4", "-E", &options]).arg(image));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Writes reach the loop device a page at a time. One of several pages that has room for some of them
/// is short below, and the loop device treats that as success, like a faulty disk.
fn page_by_page(mount: &Mount) {
    let mut findmnt = Command::new("findmnt");
    let output = mount::run(findmnt.args(["-n", "-o", "SOURCE"]).arg(mount.dir()));
    let device = String::from_utf8(output.stdout).unwrap();
    let device = Path::new(device.trim()).file_name().unwrap().to_owned();
    let queue = Path::new("/sys/block").join(device).join("queue/max_sectors_kb");
    std::fs::write(queue, "4").unwrap();
}

/// What the kernel asks for after such errors: without it, blocks of one file may be given to another.
fn check_file_system(image: &Path) {
    let output = mount::run(Command::new("e2fsck").arg("-fy").arg(image));
    // 1: mended.
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stdout));
}

fn life(seed: u64, bad: bool, counts: &mut Counts) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let scratch = tempfile::tempdir().unwrap();
    let below = Mount::tmpfs(&scratch.path().join("below"), "size=64m").unwrap();
    let image = below.dir().join("image");
    format(&image, seed);
    let mut mount = Mount::image(scratch.path(), "ext4", &image).unwrap();
    page_by_page(&mount);
    let place = Place::new(&mount.dir().join("place"));
    place.clear();
    std::fs::File::open(mount.dir()).unwrap().sync_all().unwrap();
    let mut life = Life::new(place, ACTS, bad.then_some(Fault::AckBeforeSync));
    for time in 0..TIMES {
        let mut running = life.spawn(rng.next_u64() >> 16);
        running.until(|said| said.open || said.error.is_some());
        // The less room, the sooner.
        let most = *rng.pick(&[64 << 10, 512 << 10, 2 << 20]);
        let room = rng.range(0..most);
        // What is used grows while this looks at it.
        for _ in 0..1_000 {
            let used = std::fs::metadata(&image).unwrap().blocks() * 512;
            if below.remount(&format!("size={}", (used + room).next_multiple_of(4096))) {
                break;
            }
        }
        running.until(|said| said.write.is_some() || said.done);
        let (work, said) = running.kill();
        counts.squeezes += 1;
        counts.acknowledged += said.answered as u64;
        mount.unmount();
        assert!(below.remount("size=64m"));
        check_file_system(&image);
        assert!(mount.mount(), "ext4 does not mount after the errors");
        page_by_page(&mount);
        let failure = |why: String| format!("seed {seed}, time {time}, {said:?}: {why}");
        if let Some(error) = &said.error {
            counts.unknown += u64::from(error.contains(UNKNOWN));
            counts.other += u64::from(!error.contains(UNKNOWN));
            let doubt = error.contains(UNKNOWN) || error.contains(POISONED);
            let refused = said.write.as_ref().is_some_and(|write| write.contains(POISONED));
            if !bad && doubt && !refused {
                return Err(failure("a vault in doubt took a write".into()));
            }
            if !bad && said.read.as_deref() != Some("ok") {
                return Err(failure("it does not read any more".into()));
            }
        }
        life.judge(work, &said, rng.chance(20)).map_err(failure)?;
    }
    drop(life);
    mount.unmount();
    Ok(())
}

#[test]
fn no_failed_write_back_is_acknowledged() {
    if !is_possible() {
        return;
    }
    let (seeds, mut counts) = (figures::seeds(2, 6), Counts::default());
    for seed in seeds.clone() {
        if let Err(why) = life(seed, false, &mut counts) {
            panic!("{why}");
        }
    }
    assert!(counts.unknown + counts.other > 0, "nothing failed in {} squeezes", counts.squeezes);
    figures::tell(
        "real write-back errors",
        &seeds,
        &[
            ("times the disk below ran out of space", counts.squeezes),
            ("operations whose sync failed", counts.unknown),
            ("other errors", counts.other),
            ("operations acknowledged", counts.acknowledged),
        ],
    );
}

#[test]
fn a_build_that_answers_before_the_sync_acknowledges_what_was_never_written() {
    if !is_possible() {
        return;
    }
    let caught = (1..=BAD_LIVES).find_map(|seed| life(seed, true, &mut Counts::default()).err());
    let why = caught.expect("one of these lives shows the loss");
    println!("caught: {}", why.lines().next().unwrap_or_default());
}
