//! Power cuts at every call of a script that uses all of the log.

use super::*;
use crate::env::sim::CutPoint;

/// What the script had been promised, and all that it may have written.
struct Run {
    /// The model after each frame, by last LSN.
    history: BTreeMap<u64, Rows>,
    acknowledged: u64,
    model: Model,
}

impl Run {
    fn new() -> Self {
        let history = BTreeMap::from([(0, Rows::new())]);
        Self { history, acknowledged: 0, model: Model::default() }
    }

    fn put(&mut self, log: &mut Log) -> Result<(), LogError> {
        let frame = self.model.step();
        self.history.insert(self.model.lsn, self.model.rows.clone());
        log.append(&frame)?;
        log.sync()?;
        self.acknowledged = self.model.lsn;
        Ok(())
    }

    /// After a reopen: what was found is the truth now.
    fn adopt(&mut self, found: &Recovered) {
        let lsn = found.end().lsn.0;
        assert!(lsn >= self.acknowledged, "acknowledged {} found {lsn}", self.acknowledged);
        let rows = self.history.get(&lsn).expect("an end between frames");
        assert!(rows_of(found).unwrap() == *rows, "the rows at {lsn} differ");
        let mut sum = TestSum::default();
        for ((tree, key), value) in rows.iter().filter(|((tree, _), _)| tree.is_digested()) {
            sum.add(*tree, key, value);
        }
        self.model = Model { rows: rows.clone(), sum, lsn };
        assert_eq!(found.end().digest, self.model.digest());
        self.history.split_off(&(lsn + 1));
        self.acknowledged = lsn;
    }
}

/// Everything that the log does, on small segments. Stops at the first error.
fn script(env: &Env, run: &mut Run, log: &mut Log) -> Result<(), LogError> {
    for round in 0..3 {
        for _ in 0..14 {
            if let Some(preparation) = log.preparation() {
                log.prepared(preparation.run()?);
            }
            run.put(log)?;
        }
        if let Some(compaction) = log.begin_compaction()? {
            run.put(log)?;
            let done = compaction.run()?;
            run.put(log)?;
            log.finish_compaction(done)?;
        }
        run.put(log)?;
        // The state lags in the second round: two snapshots are kept.
        let durable = if round == 1 { Lsn(0) } else { log.end().lsn };
        log.free(durable)?;
        if round == 1 {
            log.close(note(i64::try_from(run.model.lsn).unwrap_or(0)))?;
            *log = open(env)?.start()?;
        }
    }
    log.close(note(5))
}

/// A machine on which the script has run until the power went at `cut`; `None`: it ran through.
fn cut_at(cut: u64, point: CutPoint) -> (Sim, Run, bool) {
    let (sim, mut log) = fresh(42);
    let mut run = Run::new();
    sim.fs.set_crash_at(sim.fs.ops_done() + cut, point);
    let outcome = script(&sim.env(), &mut run, &mut log);
    assert!(outcome.is_ok() != sim.fs.is_off(), "only the power cut stops it: {outcome:?}");
    (sim, run, outcome.is_ok())
}

/// Goal: whatever is cut, every acknowledged frame is found, nothing is half there, and the log can
/// be written to again, also after a second cut anywhere in recovery.
/// Method: cut at each call, on both sides of it; keep none, all or some of what was not synced.
#[test]
fn a_power_cut_anywhere_loses_nothing_acknowledged() {
    let mut cuts = 0;
    for cut in calls() {
        let mut finished = true;
        for point in [CutPoint::Before, CutPoint::After] {
            let (sim, run, through) = cut_at(cut, point);
            finished &= through;
            let image = sim.fs.fork();
            for plan in [CrashPlan::DropAll, CrashPlan::KeepAll, CrashPlan::Random(cut)] {
                sim.fs.restore(&image);
                sim.fs.crash(plan);
                recover_with_second_cut(&sim, &run, cut);
            }
        }
        if finished {
            break;
        }
        cuts = cut;
    }
    assert!(cuts > 200, "the script makes {cuts} calls");
}

/// One recovery with a cut in it, at a call that moves on with `seed`, then one to the end.
fn recover_with_second_cut(sim: &Sim, before: &Run, seed: u64) {
    let mut run = Run {
        history: before.history.clone(),
        acknowledged: before.acknowledged,
        model: before.model.clone(),
    };
    sim.fs.set_crash_at(sim.fs.ops_done() + 1 + seed % 16, CutPoint::After);
    let once = |run: &mut Run| -> Result<(), LogError> {
        let found = open(&sim.env())?;
        run.adopt(&found);
        let mut log = found.start()?;
        run.put(&mut log)?;
        run.put(&mut log)?;
        log.close(note(1))
    };
    let first = once(&mut run);
    if sim.fs.is_off() {
        sim.fs.crash(CrashPlan::Random(seed.wrapping_mul(7)));
    } else {
        first.unwrap();
    }
    let found = open(&sim.env()).unwrap();
    run.adopt(&found);
    let mut log = found.start().unwrap();
    run.put(&mut log).unwrap();
    sim.fs.crash(CrashPlan::DropAll);
    run.adopt(&open(&sim.env()).unwrap());
}

#[test]
fn a_power_cut_in_creation_lets_it_begin_again() {
    for cut in calls() {
        let sim = Sim::new(1);
        sim.fs.set_crash_at(cut, CutPoint::After);
        let through = create(&sim.env()).is_ok();
        sim.fs.crash(CrashPlan::Random(cut));
        let mut log = create(&sim.env()).unwrap();
        let mut model = Model::default();
        steps(&mut log, &mut model, 3);
        sim.fs.crash(CrashPlan::DropAll);
        check(&sim.env(), &model);
        if through {
            break;
        }
    }
}

/// Goal: the harness above would notice segments that are freed too early.
#[test]
fn freeing_before_the_read_back_is_noticed() {
    let (sim, mut log) = fresh(43);
    let mut model = Model::default();
    steps(&mut log, &mut model, 20);
    log.options.faults = crate::env::faults::Fault::FreeBeforeReadBack.into();
    let compaction = log.begin_compaction().unwrap().unwrap();
    let done = compaction.run().unwrap();
    // A snapshot that is bad on the medium: the honest build finds it when it reads back.
    sim.fs.overwrite(&snapshot(1), 5000, &[0xEE; 4]).unwrap();
    log.finish_compaction(done).unwrap();
    log.free(Lsn(0)).unwrap();
    sim.fs.crash(CrashPlan::DropAll);
    let found = open(&sim.env()).unwrap();
    assert!(rows_of(&found).is_err() && found.fall_back().is_err(), "everything is lost");
}
