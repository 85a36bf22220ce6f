//! The anchor on a simulated disk: power cuts at every kind of call, copies of the folder that are put back,
//! and copies that went on without the anchor.
//!
//! What must hold (rules RB): after a power cut, whatever it loses of what was not synced, the vault opens
//! and is not taken for a rollback. A copy that lacks the last refresh of the anchor is refused, also where
//! it went on and is longer; a copy that has it opens.

use crate::common::rng::Rng;
use crate::figures;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use strongroom::__internals::crypto::{Unlock, key_file};
use strongroom::__internals::env::{Clock, Fs, OpenMode, read_file};
use strongroom::__internals::error::{Error, ErrorKind};
use strongroom::__internals::vault::{Options, StoreChoice, Vault, VaultDir};
use strongroom_fuzz_bodies::env::sim::{CrashPlan, CutPoint, Sim, SimFs};

const DIR: &str = "/vault";
const ANCHOR: &str = "/keys/anchor";
const STEPS: usize = 40;

struct Case {
    sim: Sim,
    key: Vec<u8>,
    vault: Option<Vault>,
    acknowledged: BTreeMap<String, String>,
    /// Copies of the disk, each with what the anchor said then.
    copies: Vec<(SimFs, Option<Vec<u8>>)>,
    cuts: u64,
}

fn options(sim: &Sim, anchor: Option<&str>) -> Options {
    let mut options = Options { anchor: anchor.map(Into::into), ..Options::default() };
    options.tuning.env = Some(sim.reboot());
    options.tuning.store = StoreChoice::Memory;
    options.tuning.background = false;
    (options.tuning.segment_bytes_first, options.tuning.segment_bytes_max) = (8 << 10, 8 << 10);
    options.tuning.reserve_bytes = 8 << 10;
    options
}

fn anchor_of(fs: &SimFs) -> Option<Vec<u8>> {
    read_file(fs, Path::new(ANCHOR), 4096).ok()
}

impl Case {
    fn new(seed: u64) -> Self {
        let sim = Sim::new(seed);
        let mut key = Vec::new();
        let place = VaultDir::make(Path::new(DIR), &options(&sim, Some(ANCHOR))).unwrap();
        let vault = place.create(|id| {
            let text = key_file::generate(id, sim.entropy.as_ref()).unwrap();
            key = text.expose().to_vec();
            Ok(Unlock::KeyFile(text))
        });
        let (vault, acknowledged) = (Some(vault.unwrap()), BTreeMap::new());
        Self { sim, key, vault, acknowledged, copies: Vec::new(), cuts: 0 }
    }

    fn open_on(&self, sim: &Sim, options: &Options) -> Result<Vault, Error> {
        let unlock = Unlock::KeyFile(self.key.as_slice().into());
        assert!(sim.fs.read_all(Path::new(DIR).join("keystore.a").as_path()).is_ok());
        Vault::builder(DIR).options(options.clone()).open(unlock)
    }

    fn put(&mut self, rng: &mut Rng) -> bool {
        let (name, value) = (format!("s{}", rng.below(8)), rng.next_u64().to_string());
        let done = self.vault.as_ref().unwrap().put(&name, value.as_str()).is_ok();
        if done {
            self.acknowledged.insert(name, value);
        }
        done
    }

    /// The power goes at one of the next calls.
    fn cut(&mut self, rng: &mut Rng) -> Result<(), String> {
        let at = self.sim.fs.ops_done() + 1 + rng.below(40) as u64;
        self.sim
            .fs
            .set_crash_at(at, if rng.chance(50) { CutPoint::Before } else { CutPoint::After });
        // What was asked when the power went may have happened or not.
        let mut is_in_doubt = false;
        for _ in 0..20 {
            match rng.below(4) {
                0 => drop(self.vault.as_ref().unwrap().maintain()),
                1 if rng.chance(20) => {
                    let _ = self.vault.as_ref().unwrap().close();
                    break;
                }
                _ => {
                    if !self.put(rng) {
                        is_in_doubt = true;
                        break;
                    }
                }
            }
        }
        self.vault = None;
        self.sim.fs.crash(match rng.below(4) {
            0 => CrashPlan::DropAll,
            1 => CrashPlan::KeepAll,
            _ => CrashPlan::Random(rng.next_u64()),
        });
        self.cuts += 1;
        let opened = self.open_on(&self.sim, &options(&self.sim, Some(ANCHOR)));
        let vault = opened.map_err(|error| format!("after a power cut: {error}"))?;
        for (name, value) in &self.acknowledged {
            let found = vault.get(name).map_err(|error| format!("{name}: {error}"))?;
            // The interrupted put may have been one of the same secret.
            if found.as_str() != Ok(value) && !is_in_doubt {
                return Err(format!("{name} reads wrong after a power cut"));
            }
        }
        self.acknowledged.clear();
        self.vault = Some(vault);
        Ok(())
    }

    fn step(&mut self, rng: &mut Rng) -> Result<(), String> {
        self.sim.clock.advance(Duration::from_secs(1 + rng.below(100) as u64));
        match rng.below(100) {
            0..45 => drop(self.put(rng)),
            45..60 => {
                let vault = self.vault.as_ref().unwrap();
                vault.maintain().map_err(|error| format!("no upkeep: {error}"))?;
            }
            60..70 => {
                let vault = self.vault.take().unwrap();
                vault.close().map_err(|error| format!("no close: {error}"))?;
                drop(vault);
                let opened = self.open_on(&self.sim, &options(&self.sim, Some(ANCHOR)));
                self.vault = Some(opened.map_err(|error| format!("no opening: {error}"))?);
            }
            70..85 => self.cut(rng)?,
            _ => {
                let copy = self.sim.fs.fork();
                let said = anchor_of(&copy);
                self.copies.push((copy, said));
            }
        }
        Ok(())
    }

    /// Another machine with a copy of the disk.
    fn machine(&self, copy: &SimFs, seed: u64) -> Sim {
        let mut sim = Sim::new(seed);
        sim.fs = std::sync::Arc::new(copy.fork());
        sim.fs.kill();
        sim.clock.set_wall(self.sim.clock.wall());
        sim
    }

    /// Each copy is put back beside the anchor as it is now, as it was and after it went on.
    fn put_back(&self, rng: &mut Rng) -> Result<(u64, u64), String> {
        let now = anchor_of(&self.sim.fs).ok_or("there is no anchor")?;
        let (mut refused, mut served) = (0, 0);
        for (number, (copy, said)) in self.copies.iter().enumerate() {
            for goes_on in [false, true] {
                let sim = self.machine(copy, rng.next_u64());
                if goes_on {
                    let elsewhere = options(&sim, None);
                    let vault = self
                        .open_on(&sim, &elsewhere)
                        .map_err(|error| format!("copy {number} without an anchor: {error}"))?;
                    for other in 0..60 {
                        vault.put("fork", other.to_string()).map_err(|error| error.to_string())?;
                    }
                    vault.close().map_err(|error| error.to_string())?;
                }
                let _ = sim.fs.remove_file(Path::new(ANCHOR));
                let _ = sim.fs.create_dir(Path::new("/keys"));
                let file = sim.fs.open(Path::new(ANCHOR), OpenMode::CreateNew).unwrap();
                file.write_all_at(&now, 0).unwrap();
                let opened = self.open_on(&sim, &options(&sim, Some(ANCHOR)));
                let is_older = said.as_ref() != Some(&now);
                match opened {
                    Err(error) if matches!(error.kind(), ErrorKind::RolledBack { .. }) => {
                        if !is_older {
                            return Err(format!(
                                "copy {number}, {goes_on}: a false alarm: {error}"
                            ));
                        }
                        refused += 1;
                        let mut accepting = options(&sim, Some(ANCHOR));
                        accepting.accept_rollback = true;
                        let accepted = self.open_on(&sim, &accepting);
                        let vault = accepted.map_err(|error| format!("not accepted: {error}"))?;
                        vault.close().map_err(|error| error.to_string())?;
                        drop(vault);
                        self.open_on(&sim, &options(&sim, Some(ANCHOR)))
                            .map_err(|error| format!("accepted once, refused again: {error}"))?;
                    }
                    Err(error) => return Err(format!("copy {number}, {goes_on}: {error}")),
                    Ok(_) if is_older => {
                        return Err(format!("copy {number}, {goes_on}: served silently"));
                    }
                    Ok(_) => served += 1,
                }
            }
        }
        Ok((refused, served))
    }
}

#[test]
fn an_anchor_notices_each_rollback_and_takes_no_power_cut_for_one() {
    let seeds = figures::seeds(60, 80);
    let (mut cuts, mut refused, mut served) = (0, 0, 0);
    for seed in seeds.clone() {
        let mut rng = Rng::new(seed);
        let mut case = Case::new(seed);
        let mut run = || -> Result<(u64, u64), String> {
            for _ in 0..STEPS {
                case.step(&mut rng)?;
            }
            let vault = case.vault.take().unwrap();
            vault.close().map_err(|error| format!("no close: {error}"))?;
            drop(vault);
            // A copy of now is no rollback.
            let copy = case.sim.fs.fork();
            let said = anchor_of(&copy);
            case.copies.push((copy, said));
            case.put_back(&mut rng)
        };
        let (older, current) = run().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        (cuts, refused, served) = (cuts + case.cuts, refused + older, served + current);
    }
    let counts = [
        ("vaults", seeds.end - seeds.start),
        ("power cuts", cuts),
        ("rollbacks refused", refused),
        ("copies served", served),
    ];
    figures::tell("anchor", &seeds, &counts);
    assert!(refused > 0 && served > 0 && cuts > 0 || seeds.end - seeds.start < 10);
}
