//! One random schedule on any kind of ground: what is done, and what must hold after each step.

use crate::common::rng::Rng;
use crate::figures;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Where the vault is looked for.
pub const VAULT: &str = "vault";
/// Steps of a schedule.
const STEPS: usize = 60;
/// Folders that there may be at once.
const FOLDERS_MAX: usize = 4;
/// Files of a folder that a sync tool exchanges.
const EXCHANGED: [&str; 4] = ["LOCK", "manifest.a", "keystore.b", "keystore.a"];

/// Why a holder or an opener was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    InUse,
    Displaced,
    Other(String),
}

pub type Answer<T> = Result<T, Refusal>;

/// Identity of a file or folder.
pub type Id = u64;

/// Folders beside each other, and processes that open the one called [`VAULT`].
pub trait Ground {
    type Holder;

    fn open(&mut self) -> Answer<Self::Holder>;
    fn put(&mut self, holder: &mut Self::Holder, name: &str) -> Answer<()>;
    /// Whether a holder that looks finds itself in its place.
    fn look(&mut self, holder: &mut Self::Holder) -> Answer<()>;
    fn has(&mut self, holder: &mut Self::Holder, name: &str) -> bool;
    /// A pass of maintenance. Its outcome says nothing here.
    fn maintain(&mut self, holder: &mut Self::Holder);
    fn close(&mut self, holder: Self::Holder) -> Answer<()>;
    /// Ends a holder without a word.
    fn kill(&mut self, holder: Self::Holder);

    fn id(&self, path: &str) -> Option<Id>;
    fn folders(&self) -> Vec<String>;
    fn rename(&mut self, from: &str, to: &str);
    /// As `cp -a`.
    fn copy(&mut self, from: &str, to: &str);
    /// Whether a copy of a folder that is being written to is a moment of it. Else it promises nothing.
    fn copies_open_folders_whole(&self) -> bool;
    fn remove_folder(&mut self, path: &str);
    fn remove_file(&mut self, path: &str);
    /// Puts a copy of the file in its place.
    fn exchange(&mut self, path: &str);
    /// All that the files of a folder are.
    fn content(&self, folder: &str) -> Vec<(String, u64)>;
}

/// What a schedule came to.
#[derive(Default)]
pub struct Counts {
    pub steps: u64,
    pub acknowledged: u64,
    pub kept_out: u64,
    pub displaced: u64,
    pub folders_read: u64,
}

impl Counts {
    /// Reports the figures of `harness`.
    pub fn tell(&self, harness: &str, seeds: &Range<u64>) {
        figures::tell(
            harness,
            seeds,
            &[
                ("schedules", seeds.end - seeds.start),
                ("steps", self.steps),
                ("acknowledged operations", self.acknowledged),
                ("openers kept out", self.kept_out),
                ("holders displaced", self.displaced),
                ("folders read at the end", self.folders_read),
            ],
        );
    }
}

struct Held<H> {
    holder: H,
    folder: Id,
    /// The files that must keep their names, with what they were.
    files: Vec<(String, Option<Id>)>,
    /// It was out of its place at some time, so that it may have noticed.
    was_displaced: bool,
    /// It has said that it is displaced.
    has_said: bool,
}

/// A schedule under way.
struct Run<'a, G: Ground> {
    ground: &'a mut G,
    rng: Rng,
    held: Vec<Held<G::Holder>>,
    /// What was acknowledged into each folder.
    acknowledged: BTreeMap<Id, Vec<String>>,
    /// Copies that may be of no one moment.
    unsure: BTreeSet<Id>,
    /// Folders without a holder, as they were last seen.
    at_rest: BTreeMap<Id, Vec<(String, u64)>>,
    names: usize,
    counts: &'a mut Counts,
}

/// Runs one schedule on a ground that has a closed vault in it. An error is a violation.
pub fn run<G: Ground>(ground: &mut G, seed: u64, counts: &mut Counts) -> Result<(), String> {
    let first = ground.id(VAULT).unwrap();
    let mut run = Run {
        ground,
        rng: Rng::new(seed),
        held: Vec::new(),
        acknowledged: BTreeMap::from([(first, Vec::new())]),
        unsure: BTreeSet::new(),
        at_rest: BTreeMap::new(),
        names: 0,
        counts,
    };
    for step in 0..STEPS {
        run.counts.steps += 1;
        let outcome = run.step();
        outcome.map_err(|why| format!("step {step}: {why}"))?;
        run.look_at_rest().map_err(|why| format!("after step {step}: {why}"))?;
    }
    run.end()
}

impl<G: Ground> Run<'_, G> {
    fn step(&mut self) -> Result<(), String> {
        match self.rng.below(100) {
            0..14 => self.open(),
            14..52 => self.put(),
            52..64 => self.look(),
            64..69 => self.maintain(),
            69..78 => self.close(),
            78..82 => self.kill(),
            _ => {
                self.people();
                Ok(())
            }
        }
    }

    // --- the processes ---

    fn open(&mut self) -> Result<(), String> {
        if self.held.len() >= 3 {
            return Ok(());
        }
        let folder = self.ground.id(VAULT);
        let has_holder = self.held.iter().any(|held| Some(held.folder) == folder);
        match (self.ground.open(), folder) {
            (Ok(holder), Some(folder)) => {
                if has_holder {
                    return Err("two openers have one folder".into());
                }
                let names = ["LOCK", "log", "keystore.a", "keystore.b", "manifest.a", "manifest.b"];
                let path = |name: &str| format!("{VAULT}/{name}");
                let files = names.map(|name| (name.to_owned(), self.ground.id(&path(name))));
                self.at_rest.remove(&folder);
                let files = files.into();
                let (was_displaced, has_said) = (false, false);
                self.held.push(Held { holder, folder, files, was_displaced, has_said });
                Ok(())
            }
            (Ok(_), None) => Err("a vault was opened that is not there".into()),
            (Err(Refusal::InUse), Some(_)) if has_holder => {
                self.counts.kept_out += 1;
                Ok(())
            }
            (Err(Refusal::Other(_)), None) => Ok(()),
            (Err(Refusal::Other(_)), Some(folder)) if self.unsure.contains(&folder) => Ok(()),
            (Err(why), _) => Err(format!("not opened: {why:?}, {folder:?} {has_holder}")),
        }
    }

    fn any(&mut self) -> Option<usize> {
        (!self.held.is_empty()).then(|| self.rng.below(self.held.len()))
    }

    /// Whether the path still leads to what the holder has locked.
    fn is_in_place(&self, at: usize) -> bool {
        let Held { folder, files, .. } = &self.held[at];
        let id = |name: &String| self.ground.id(&format!("{VAULT}/{name}"));
        self.ground.id(VAULT) == Some(*folder)
            && files.iter().all(|(name, locked)| id(name) == *locked)
    }

    fn is_gone(&self, folder: Id) -> bool {
        !self.ground.folders().iter().any(|path| self.ground.id(path) == Some(folder))
    }

    /// Notes what a holder answered, and whether it may.
    fn judge(&mut self, at: usize, answer: Answer<()>, what: &str) -> Result<bool, String> {
        let is_in_place = self.is_in_place(at);
        let held = &mut self.held[at];
        match answer {
            Ok(()) if held.has_said => Err(format!("{what} after it was displaced")),
            Ok(()) => Ok(true),
            Err(Refusal::Displaced) if held.was_displaced => {
                self.counts.displaced += u64::from(!std::mem::replace(&mut held.has_said, true));
                Ok(false)
            }
            Err(why) => Err(format!("{what}: {why:?}, in its place: {is_in_place}")),
        }
    }

    fn put(&mut self) -> Result<(), String> {
        let Some(at) = self.any() else { return Ok(()) };
        self.names += 1;
        let name = format!("s{}", self.names);
        let answer = self.ground.put(&mut self.held[at].holder, &name);
        if self.judge(at, answer, "a put")? {
            let folder = self.held[at].folder;
            if self.is_gone(folder) {
                return Err("a put was acknowledged into a folder that is gone".into());
            }
            self.acknowledged.entry(folder).or_default().push(name);
            self.counts.acknowledged += 1;
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), String> {
        let Some(at) = self.any() else { return Ok(()) };
        let answer = self.ground.look(&mut self.held[at].holder);
        if self.judge(at, answer, "a look")? && !self.is_in_place(at) {
            return Err("it looked and did not see that it is displaced".into());
        }
        // Reads go on whatever is at its path.
        let known = self.acknowledged.get(&self.held[at].folder).cloned().unwrap_or_default();
        let known = known.get(self.rng.below(known.len().max(1)));
        if let Some(name) = known
            && !self.ground.has(&mut self.held[at].holder, name)
        {
            return Err(format!("{name} cannot be read"));
        }
        Ok(())
    }

    fn maintain(&mut self) -> Result<(), String> {
        if let Some(at) = self.any() {
            self.ground.maintain(&mut self.held[at].holder);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        match self.any() {
            Some(at) => self.close_at(at),
            None => Ok(()),
        }
    }

    fn close_at(&mut self, at: usize) -> Result<(), String> {
        let is_in_place = self.is_in_place(at);
        let Held { holder, was_displaced, has_said, .. } = self.held.swap_remove(at);
        match self.ground.close(holder) {
            Ok(()) if is_in_place && !has_said => Ok(()),
            Err(Refusal::Displaced) if was_displaced => Ok(()),
            outcome => Err(format!("closed: {outcome:?}, in its place: {is_in_place}")),
        }
    }

    fn kill(&mut self) -> Result<(), String> {
        if let Some(at) = self.any() {
            let held = self.held.swap_remove(at);
            self.ground.kill(held.holder);
        }
        Ok(())
    }

    // --- the people ---

    fn people(&mut self) {
        let folders = self.ground.folders();
        let others: Vec<String> = folders.iter().filter(|path| *path != VAULT).cloned().collect();
        let is_there = folders.len() > others.len();
        let other = (!others.is_empty()).then(|| self.rng.pick(&others).clone());
        self.names += 1;
        let fresh = format!("other{}", self.names);
        match self.rng.below(12) {
            0..2 if is_there => self.ground.rename(VAULT, &fresh),
            2 if is_there && others.len() < FOLDERS_MAX => self.copy(VAULT, &fresh),
            // A restore: the folder away, a copy in its place.
            3..5 if is_there && other.is_some() && others.len() < FOLDERS_MAX => {
                self.ground.rename(VAULT, &fresh);
                self.copy(&other.unwrap(), VAULT);
            }
            5..8 if !is_there => {
                if let Some(other) = other {
                    self.ground.rename(&other, VAULT);
                }
            }
            8 if is_there && !others.is_empty() => self.remove(VAULT),
            9 => {
                if let Some(other) = other.filter(|_| folders.len() > 2) {
                    self.remove(&other);
                }
            }
            10 if is_there => {
                let lock = format!("{VAULT}/LOCK");
                if self.ground.id(&lock).is_some() {
                    self.ground.remove_file(&lock);
                }
            }
            11 if is_there => {
                let path = format!("{VAULT}/{}", self.rng.pick(&EXCHANGED));
                if self.ground.id(&path).is_some() {
                    self.ground.exchange(&path);
                }
            }
            _ => {}
        }
        // What people did is not what a process did.
        self.at_rest.clear();
        for at in 0..self.held.len() {
            self.held[at].was_displaced |= !self.is_in_place(at);
        }
    }

    fn copy(&mut self, from: &str, to: &str) {
        let source = self.ground.id(from).unwrap();
        let known = self.acknowledged.get(&source).cloned();
        self.ground.copy(from, to);
        let copy = self.ground.id(to).unwrap();
        self.acknowledged.insert(copy, known.unwrap_or_default());
        self.unsure.remove(&copy);
        let is_open = self.held.iter().any(|held| held.folder == source);
        if self.unsure.contains(&source) || is_open && !self.ground.copies_open_folders_whole() {
            self.unsure.insert(copy);
        }
    }

    fn remove(&mut self, path: &str) {
        if let Some(id) = self.ground.id(path) {
            self.acknowledged.remove(&id);
        }
        self.ground.remove_folder(path);
    }

    // --- what must hold ---

    /// No folder has changed that nobody holds.
    fn look_at_rest(&mut self) -> Result<(), String> {
        for path in self.ground.folders() {
            let Some(id) = self.ground.id(&path) else { continue };
            if self.held.iter().any(|held| held.folder == id) {
                self.at_rest.remove(&id);
                continue;
            }
            let content = self.ground.content(&path);
            let before = self.at_rest.insert(id, content.clone());
            if let Some(before) = before.filter(|before| *before != content) {
                let changed = content.iter().find(|file| !before.contains(file));
                return Err(format!("{path} was written, and nobody holds it: {changed:?}"));
            }
        }
        Ok(())
    }

    /// Every folder opens, and holds what was acknowledged into it.
    fn end(mut self) -> Result<(), String> {
        while !self.held.is_empty() {
            self.close_at(0)?;
        }
        let mut paths = self.ground.folders();
        // The one in its place first, before another takes its name.
        paths.sort_by_key(|path| path != VAULT);
        for path in paths {
            if self.ground.id(VAULT).is_some() && path != VAULT {
                self.names += 1;
                let aside = format!("other{}", self.names);
                self.ground.rename(VAULT, &aside);
            }
            if path != VAULT {
                self.ground.rename(&path, VAULT);
            }
            let id = self.ground.id(VAULT).unwrap();
            let mut holder = match self.ground.open() {
                Ok(holder) => holder,
                Err(_) if self.unsure.contains(&id) => continue,
                Err(why) => return Err(format!("{path} does not open: {why:?}")),
            };
            for name in self.acknowledged.remove(&id).unwrap_or_default() {
                if !self.ground.has(&mut holder, &name) && !self.unsure.contains(&id) {
                    return Err(format!("{name}, acknowledged into {path}, is lost"));
                }
            }
            self.ground.close(holder).map_err(|why| format!("{path}: {why:?}"))?;
            self.counts.folders_read += 1;
        }
        Ok(())
    }
}
