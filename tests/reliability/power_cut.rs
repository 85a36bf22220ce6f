//! Real power cuts: ext4 and XFS on a loop device are shut down by their own ioctl, without a flush of the
//! journal, while a child process works on them. The kernel discards unsynced changes. Then the file system
//! is mounted again and recovers, and the vault is opened and judged. Every acknowledgement that arrived
//! through the pipe counts, even after the cut.
//!
//! Each vault goes through several cuts. The first may hit its creation.

use crate::common::rng::Rng;
use crate::common::world::Fault;
use crate::figures;
use crate::life::{BAD_LIVES, Life, Said};
use crate::mount::{self, Mount};
use crate::place::{self, Place};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Cuts that one vault lives through.
const CUTS: u64 = 6;
const ACTS: usize = 60;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ext4,
    Xfs,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }

    /// A fresh image. XFS makes none below 300 MB; the file behind it has holes.
    fn format(self, image: &Path) {
        let (program, bytes) = match self {
            Self::Ext4 => ("mkfs.ext4", 64 << 20),
            Self::Xfs => ("mkfs.xfs", 320 << 20),
        };
        std::fs::File::create(image).unwrap().set_len(bytes).unwrap();
        let output = mount::run(Command::new(program).arg("-q").arg(image));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn is_possible(self) -> bool {
        for tool in ["xfs_io", if self == Self::Ext4 { "mkfs.ext4" } else { "mkfs.xfs" }] {
            if !mount::has(tool) {
                println!("SKIP no {tool}");
                return false;
            }
        }
        if !mount::is_possible() {
            return false;
        }
        let scratch = place::scratch();
        let image = scratch.path().join("image");
        self.format(&image);
        let works = Mount::image(scratch.path(), self.name(), &image).is_some();
        if !works {
            println!("SKIP no loop device with {} here", self.name());
        }
        works
    }
}

/// From here on nothing that a process wrote reaches the disk.
fn cut(mount: &Mount) {
    let output = mount::run(Command::new("xfs_io").args(["-x", "-c", "shutdown"]).arg(mount.dir()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[derive(Default)]
struct Counts {
    cuts: u64,
    in_creation: u64,
    in_flight: u64,
    acknowledged: u64,
}

/// A vault's life on one file system.
fn life(kind: Kind, seed: u64, bad: bool, counts: &mut Counts) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let scratch = place::scratch();
    let image = scratch.path().join("image");
    kind.format(&image);
    let mut mount = Mount::image(scratch.path(), kind.name(), &image).unwrap();
    let place = Place::new(&mount.dir().join("place"));
    place.clear();
    std::fs::File::open(mount.dir()).unwrap().sync_all().unwrap();
    let mut life = Life::new(place, ACTS, bad.then_some(Fault::AckBeforeSync));
    for n in 0..CUTS {
        let mut running = life.spawn(rng.next_u64() >> 16);
        // In the middle of opening or creating, or of its work.
        let early = rng.chance(25);
        running.until(|said| said.error.is_some() || if early { said.started } else { said.open });
        std::thread::sleep(Duration::from_micros(rng.range(0..if early { 5_000 } else { 60_000 })));
        cut(&mount);
        // What it says after the cut is held against it too.
        running.until(|said| said.write.is_some() || said.done);
        let (work, said) = running.kill();
        counts.cuts += 1;
        counts.in_creation += u64::from(n == 0 && !said.open);
        counts.in_flight += u64::from(said.handed > said.answered);
        counts.acknowledged += said.answered as u64;
        mount.unmount();
        assert!(mount.mount(), "{} does not mount after the cut", kind.name());
        let failure = |why: String| {
            let Said { open, handed, answered, error, .. } = &said;
            format!(
                "{} seed {seed}, cut {n}, open {open}, handed {handed}, answered {answered}, {error:?}: {why}",
                kind.name()
            )
        };
        life.judge(work, &said, rng.chance(15)).map_err(failure)?;
    }
    drop(life);
    mount.unmount();
    Ok(())
}

fn attack(kind: Kind) {
    if !kind.is_possible() {
        return;
    }
    let (seeds, mut counts) = (figures::seeds(3, 20), Counts::default());
    for seed in seeds.clone() {
        if let Err(why) = life(kind, seed, false, &mut counts) {
            panic!("{why}");
        }
    }
    figures::tell(
        &format!("power cuts of {}", kind.name()),
        &seeds,
        &[
            ("cuts", counts.cuts),
            ("in the vault's creation", counts.in_creation),
            ("with a request in flight", counts.in_flight),
            ("operations acknowledged", counts.acknowledged),
        ],
    );
}

#[test]
fn no_power_cut_of_ext4_loses_what_was_acknowledged() {
    attack(Kind::Ext4);
}

#[test]
fn no_power_cut_of_xfs_loses_what_was_acknowledged() {
    attack(Kind::Xfs);
}

#[test]
fn a_build_that_answers_before_the_sync_loses_data_in_a_power_cut() {
    for kind in [Kind::Ext4, Kind::Xfs] {
        if !kind.is_possible() {
            continue;
        }
        let caught =
            (1..=BAD_LIVES).find_map(|seed| life(kind, seed, true, &mut Counts::default()).err());
        let why = caught.expect("one of these lives shows the loss");
        assert!(why.contains("acknowledged") || why.contains("does not open"), "{why}");
        println!("caught: {}", why.lines().next().unwrap_or_default());
    }
}
