//! The walk over segments by two threads, which only real disks have: it finds what one thread finds on the
//! simulated disk.

use super::*;
use crate::env::OpenMode;

/// A log with many segments on the simulated disk, closed after `count` steps.
fn long(seed: u64, count: usize) -> (Sim, Model) {
    let (sim, mut log) = fresh(seed);
    let mut model = Model::default();
    steps(&mut log, &mut model, count);
    drop(log);
    (sim, model)
}

/// The same files on the real disk.
fn copy(sim: &Sim) -> tempfile::TempDir {
    let (folder, real) = (tempfile::tempdir().unwrap(), Env::real());
    real.fs.create_dir(&folder.path().join("log")).unwrap();
    for at in [dir(), dir().join("log")] {
        for entry in sim.env().fs.read_dir(&at).unwrap() {
            if entry.kind == crate::env::FileKind::File {
                let path = at.join(&entry.name);
                let to = folder.path().join(path.strip_prefix(dir()).unwrap());
                let file = real.fs.open(&to, OpenMode::CreateNew).unwrap();
                file.write_all_at(&sim.fs.read_all(&path).unwrap(), 0).unwrap();
            }
        }
    }
    folder
}

fn open_copy(folder: &tempfile::TempDir) -> Result<Recovered, LogError> {
    Log::open(&Env::real(), folder.path(), VAULT, auth(), small())
}

/// Goal: the same end, the same rows and the same segments.
#[test]
fn a_real_disk_is_read_like_a_simulated_one() {
    for count in [1, 40, 400] {
        let (sim, model) = long(71, count);
        let (alone, together) = (open(&sim.env()).unwrap(), open_copy(&copy(&sim)).unwrap());
        assert_eq!(together.end(), alone.end());
        assert_eq!(together.end().lsn, Lsn(model.lsn));
        let names = |found: &Recovered| {
            found.segments.iter().map(|info| (info.number, info.end.offset)).collect::<Vec<_>>()
        };
        assert_eq!(names(&together), names(&alone));
        assert!(count < 400 || names(&alone).len() > 8);
    }
}

/// Goal: of several damaged segments the first is named, whichever thread met it, as one thread does.
#[test]
fn the_first_damage_is_named() {
    let (sim, _) = long(72, 400);
    let last = open(&sim.env()).unwrap().segments.last().unwrap().number;
    assert!(last > 8);
    for hurt in [vec![2], vec![last - 1], vec![2, last - 1], vec![last - 2, last - 1], vec![1, 2]] {
        let folder = copy(&sim);
        for number in &hurt {
            let path = folder.path().join(format!("log/{number:010}.wal"));
            let file = Env::real().fs.open(&path, OpenMode::Existing).unwrap();
            let mut byte = [0];
            file.read_at(&mut byte, 5000).unwrap();
            file.write_all_at(&[byte[0] ^ 1], 5000).unwrap();
        }
        match open_copy(&folder) {
            Err(LogError::Damaged(damage)) => {
                let first = format!("{:010}.wal", hurt[0]);
                assert!(damage.file.ends_with(&first), "{} of {hurt:?}", damage.file);
            }
            other => panic!("{:?}", other.map(|found| found.end().clone())),
        }
    }
}
