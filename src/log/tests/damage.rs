//! One damaged file at a time: repaired, refused, or without effect; never silently less.

use super::*;

/// A closed vault with a snapshot and two live segments.
fn closed() -> (Sim, Model) {
    let (sim, mut log) = fresh(50);
    let mut model = Model::default();
    steps(&mut log, &mut model, 12);
    assert!(compact(&mut log).unwrap());
    log.free(log.end().lsn).unwrap();
    steps(&mut log, &mut model, 24);
    log.close(note(7)).unwrap();
    check(&sim.env(), &model);
    sim.fs.crash(CrashPlan::DropAll);
    (sim, model)
}

/// Bytes whose flip tells something: all of the first 600 of each block, each 61st of the rest.
fn positions(len: u64) -> impl Iterator<Item = u64> {
    (0..len).filter(move |at| at % 4096 < 600 || at % 61 == 0 || len - at < 100)
}

fn files(sim: &Sim) -> Vec<(PathBuf, u64)> {
    sim.fs
        .paths()
        .into_iter()
        .map(|path| {
            let len = sim.fs.read_all(&path).unwrap().len() as u64;
            (path, len)
        })
        .collect()
}

/// Opens and reads everything; damage must prove the end, and the state's rows must repair it.
#[track_caller]
fn whole_or_repaired(sim: &Sim, model: &Model, what: &str) {
    let env = sim.env();
    let outcome = open(&env).and_then(|found| {
        assert_eq!(found.end().lsn.0, model.lsn, "{what}: silently another end");
        Ok((rows_of(&found)?, found))
    });
    match outcome {
        Ok((rows, found)) => {
            assert!(rows == model.rows, "{what}: other rows");
            found.start().unwrap();
        }
        Err(LogError::Damaged(damage)) => {
            let end = damage.proven_end.clone().unwrap_or_else(|| panic!("{what}: {damage:?}"));
            assert_eq!((end.lsn.0, end.digest), (model.lsn, model.digest()), "{what}");
            let repaired = repair(&env, end, model).unwrap();
            let mut model = model.clone();
            let mut log = repaired.start().unwrap();
            steps(&mut log, &mut model, 2);
            sim.fs.crash(CrashPlan::DropAll);
            check(&sim.env(), &model);
        }
        Err(error) => panic!("{what}: {error}"),
    }
}

#[test]
fn any_flipped_byte_of_a_closed_vault_is_repaired_or_harmless() {
    let (sim, model) = closed();
    let image = sim.fs.fork();
    for (path, len) in files(&sim) {
        for at in positions(len) {
            let byte = sim.fs.read_all(&path).unwrap()[usize::try_from(at).unwrap()];
            sim.fs.overwrite(&path, at, &[byte ^ (1 << (at % 8))]).unwrap();
            whole_or_repaired(&sim, &model, &format!("{} at {at}", path.display()));
            sim.fs.restore(&image);
        }
    }
}

#[test]
fn any_cut_or_missing_file_of_a_closed_vault_is_repaired_or_harmless() {
    let (sim, model) = closed();
    let image = sim.fs.fork();
    for (path, len) in files(&sim) {
        for at in (0..len).step_by(97).chain([len - 1]) {
            sim.fs.truncate(&path, at).unwrap();
            whole_or_repaired(&sim, &model, &format!("{} cut to {at}", path.display()));
            sim.fs.restore(&image);
        }
        sim.fs.delete(&path).unwrap();
        whole_or_repaired(&sim, &model, &format!("{} deleted", path.display()));
        sim.fs.restore(&image);
        sim.fs.overwrite(&path, 0, &vec![0; usize::try_from(len).unwrap()]).unwrap();
        whole_or_repaired(&sim, &model, &format!("{} zeroed", path.display()));
        sim.fs.restore(&image);
    }
}

/// After a power cut there is no end mark. Less may be found only if the very last frame is hit.
#[test]
fn after_a_crash_only_the_last_frame_can_be_lost_to_rot() {
    let (sim, mut log) = fresh(51);
    let mut model = Model::default();
    steps(&mut log, &mut model, 12);
    assert!(compact(&mut log).unwrap());
    log.free(log.end().lsn).unwrap();
    steps(&mut log, &mut model, 17);
    let last_segment = segment(log.tail.segment);
    let last_frame = log.tail.offset;
    steps(&mut log, &mut model, 1);
    sim.fs.crash(CrashPlan::DropAll);
    let image = sim.fs.fork();
    let mut refused = 0;
    for (path, len) in files(&sim) {
        for at in positions(len) {
            let what = format!("{} at {at}", path.display());
            let byte = sim.fs.read_all(&path).unwrap()[usize::try_from(at).unwrap()];
            sim.fs.overwrite(&path, at, &[!byte]).unwrap();
            match open(&sim.env()).and_then(|found| Ok((rows_of(&found)?, found))) {
                Ok((rows, found)) if found.end().lsn.0 == model.lsn => {
                    assert!(rows == model.rows, "{what}");
                }
                Ok(_) => assert!(path == last_segment && at >= last_frame, "{what}: lost"),
                Err(LogError::Damaged(damage)) => {
                    refused += 1;
                    if let Some(end) = damage.proven_end {
                        assert_eq!(end.lsn.0, model.lsn, "{what}: a false proof");
                    }
                }
                Err(error) => panic!("{what}: {error}"),
            }
            sim.fs.restore(&image);
        }
        for cut in (0..len).step_by(97) {
            sim.fs.truncate(&path, cut).unwrap();
            if let Ok(found) = open(&sim.env()) {
                assert_eq!(found.end().lsn.0, model.lsn, "{} cut to {cut}", path.display());
            }
            sim.fs.restore(&image);
        }
    }
    assert!(refused > 500, "{refused} refusals");
}

#[test]
fn a_missing_newest_segment_is_damage() {
    let (sim, mut log) = fresh(52);
    let mut model = Model::default();
    steps(&mut log, &mut model, 40);
    sim.fs.crash(CrashPlan::DropAll);
    let newest = *numbers(&sim, "wal").last().unwrap();
    assert!(newest > 1);
    sim.fs.delete(&segment(newest)).unwrap();
    let Err(LogError::Damaged(damage)) = open(&sim.env()) else { panic!("a smaller vault") };
    assert_eq!((damage.rule, damage.proven_end), ("LOG-3", None));
}

/// Damage in an ended segment after a crash: the chain behind it is readable and proves the end.
#[test]
fn a_readable_later_header_proves_the_end() {
    let (sim, mut log) = fresh(53);
    let mut model = Model::default();
    steps(&mut log, &mut model, 60);
    sim.fs.crash(CrashPlan::DropAll);
    assert!(numbers(&sim, "wal").len() > 2);
    for path in [segment(1), segment(2), snapshot(0)] {
        let image = sim.fs.fork();
        sim.fs.overwrite(&path, 30, &[0xEE]).unwrap();
        let Err(LogError::Damaged(damage)) = open(&sim.env()) else { panic!("accepted") };
        assert_eq!(damage.proven_end.as_ref().unwrap().lsn.0, model.lsn);
        whole_or_repaired(&sim, &model, "repaired");
        sim.fs.restore(&image);
    }
}

#[test]
fn rows_of_another_moment_do_not_repair() {
    let (sim, model) = closed();
    let mut older = model.clone();
    older.rows.pop_first();
    let image = sim.fs.fork();
    sim.fs.overwrite(&segment(log_segment(&sim)), 30, &[0xEE]).unwrap();
    let Err(LogError::Damaged(damage)) = open(&sim.env()) else { panic!("accepted") };
    let end = damage.proven_end.unwrap();
    let before: Vec<_> = files(&sim);
    assert!(repair(&sim.env(), end.clone(), &older).is_err(), "a row is missing");
    let lagging = End { lsn: Lsn(end.lsn.0 - 1), ..end.clone() };
    assert!(repair(&sim.env(), lagging, &model).is_err(), "a lagging state");
    assert_eq!(before, files(&sim), "nothing was changed");
    repair(&sim.env(), end, &model).unwrap();
    assert!(sim.fs.paths().iter().any(|path| path.to_string_lossy().ends_with(".wal.damaged")));
    sim.fs.restore(&image);
}

fn log_segment(sim: &Sim) -> u64 {
    open(&sim.env()).unwrap().segments[0].number
}

/// A repair that is cut in the middle leaves what can be repaired again.
#[test]
fn repair_can_be_cut_anywhere() {
    let (sim, model) = closed();
    sim.fs.overwrite(&segment(log_segment(&sim)), 30, &[0xEE]).unwrap();
    let image = sim.fs.fork();
    for cut in calls() {
        sim.fs.restore(&image);
        let Err(LogError::Damaged(damage)) = open(&sim.env()) else { panic!("accepted") };
        let end = damage.proven_end.unwrap();
        sim.fs.set_crash_at(sim.fs.ops_done() + cut, crate::env::sim::CutPoint::After);
        let through = repair(&sim.env(), end, &model).is_ok();
        sim.fs.crash(CrashPlan::Random(cut));
        whole_or_repaired(&sim, &model, &format!("cut {cut}"));
        if through {
            break;
        }
    }
}

/// Both manifests put back to an earlier moment: the log goes on behind what they name.
#[test]
fn an_older_manifest_is_noticed() {
    let (sim, mut log) = fresh(54);
    let mut model = Model::default();
    steps(&mut log, &mut model, 3);
    let old = ["manifest.a", "manifest.b"].map(|name| sim.fs.read_all(&dir().join(name)).unwrap());
    steps(&mut log, &mut model, 40);
    sim.fs.crash(CrashPlan::DropAll);
    for (name, bytes) in ["manifest.a", "manifest.b"].iter().zip(&old) {
        sim.fs.overwrite(&dir().join(name), 0, bytes).unwrap();
    }
    let Err(LogError::Damaged(damage)) = open(&sim.env()) else { panic!("a smaller vault") };
    assert_eq!((damage.rule, damage.proven_end), ("MAN-7", None));
}

#[test]
fn another_vaults_files_are_not_ours() {
    let (sim, model) = closed();
    let other = Log::open(&sim.env(), &dir(), [8; 16], auth(), small());
    assert!(matches!(other, Err(LogError::Damaged(damage)) if damage.rule == "MAN-2"));
    check(&sim.env(), &model);
}

/// Any bytes where a frame stood give an answer.
#[test]
fn forged_bytes_never_panic() {
    let (sim, mut log) = fresh(55);
    let mut model = Model::default();
    steps(&mut log, &mut model, 4);
    sim.fs.crash(CrashPlan::DropAll);
    let image = sim.fs.fork();
    let whole = sim.fs.read_all(&segment(1)).unwrap();
    for at in 0..600_usize {
        for value in [0, 1, 0x7F, 0x80, 0xFF] {
            let mut bytes = whole[4096..4096 + 600].to_vec();
            bytes[at] = value;
            sim.fs.overwrite(&segment(1), 4096, &bytes).unwrap();
            let _ = open(&sim.env());
            sim.fs.restore(&image);
        }
    }
}
