//! A vault whose processes die one after another. Each process continues from the state in which the last
//! one was found.

use super::judge;
use super::place::Place;
use super::work::{self, Script, Share};
use super::worker;
use crate::common;
use crate::common::reference::Model;
use crate::common::world::{Fault, Setup};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use strongroom::__internals::vault::StoreChoice;

/// Lives that a bad build gets before it counts as not caught. A kernel decides what a death destroys, so the
/// same seed may end in another way. Where the loss is rarest, on a disk that fills up below, about one life
/// in four shows it: that none of sixty does would be a chance of one in thirty million.
pub const BAD_LIVES: u64 = 60;

/// Small segments, so that the log turns over and is compacted all the time.
pub fn setup(bad: Option<Fault>) -> Setup {
    Setup { background: true, segment_bytes: (8 << 10, 16 << 10), fault: bad, ..Setup::default() }
}

pub struct Life {
    pub place: Place,
    shares: Vec<Share>,
    model: Model,
    made: bool,
    bad: Option<Fault>,
    acts: usize,
}

/// The bad builds that a child can be, by the word that tells it so.
const BAD: [(&str, Fault); 2] = [("early", Fault::AckBeforeSync), ("late", Fault::HoldFramesBack)];

/// What a process said before it died.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub started: bool,
    pub open: bool,
    pub done: bool,
    pub handed: usize,
    pub answered: usize,
    pub wall: i64,
    pub error: Option<String>,
    /// What a read and a write came to after that.
    pub read: Option<String>,
    pub write: Option<String>,
    /// What it printed that is not for us: of a panic.
    pub other: Vec<String>,
}

impl Said {
    fn take(&mut self, line: &str) {
        // The test runner says what it runs on the same line.
        let line = line.strip_prefix("test life::child ... ").unwrap_or(line);
        match line.split_once(' ') {
            Some(("@h", n)) => self.handed = n.parse().unwrap_or(self.handed),
            Some(("@a", n)) => self.answered = n.parse().unwrap_or(self.answered),
            Some(("@t", n)) => self.wall = n.parse().unwrap_or(self.wall),
            Some(("@e", text)) => self.error = Some(text.to_owned()),
            Some(("@r", text)) => self.read = Some(text.to_owned()),
            Some(("@p", text)) => self.write = Some(text.to_owned()),
            _ if line == "@start" => self.started = true,
            _ if line == "@open" => self.open = true,
            _ if line == "@done" => self.done = true,
            _ => self.other.push(line.to_owned()),
        }
    }
}

/// A process at work.
pub struct Running {
    pub child: Child,
    lines: Receiver<String>,
    said: Said,
    seed: u64,
}

impl Running {
    /// Waits until what it said makes `enough` true, or it ended.
    pub fn until(&mut self, enough: impl Fn(&Said) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !enough(&self.said) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said.take(&line),
                Err(_) => return,
            }
        }
    }

    /// Waits for its end; all that it said.
    pub fn end(mut self) -> (u64, Said) {
        self.until(|_| false);
        self.kill()
    }

    /// `kill -9`, and all that it had said.
    pub fn kill(mut self) -> (u64, Said) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
        while let Ok(line) = self.lines.recv() {
            self.said.take(&line);
        }
        (self.seed, self.said)
    }
}

/// The process that does the work.
#[test]
fn child() {
    let Some(task) = common::child_task() else { return };
    let words: Vec<&str> = task.split(' ').collect();
    let [dir, bad, fresh, seed, acts] = words[..5] else { panic!("{task}") };
    let number = |text: &str| text.parse::<u64>().unwrap();
    let shares: Vec<Share> = words[5..]
        .iter()
        .map(|share| {
            let numbers: Vec<u64> = share.split(':').map(number).collect();
            let count = |at: usize| usize::try_from(numbers[at]).unwrap();
            let wall = i64::try_from(numbers[3]).unwrap();
            Share { seed: numbers[0], acts: count(1), landed: count(2), wall }
        })
        .collect();
    let script = Script::new(&work::after(&shares), number(seed), acts.parse().unwrap());
    let bad = BAD.iter().find(|(word, _)| *word == bad).map(|(_, fault)| *fault);
    worker::run(&Place::new(Path::new(dir)), &script, &setup(bad), fresh == "fresh");
}

impl Life {
    pub fn new(place: Place, acts: usize, bad: Option<Fault>) -> Self {
        let (shares, model) = (Vec::new(), work::empty_model());
        Self { place, shares, model, made: false, bad, acts }
    }

    /// Starts the next process.
    pub fn spawn(&self, seed: u64) -> Running {
        self.spawn_in(seed, &[])
    }

    /// The same by way of a command that takes it as its last arguments.
    pub fn spawn_in(&self, seed: u64, wrapper: &[&str]) -> Running {
        let bad = BAD.iter().find(|(_, fault)| Some(*fault) == self.bad);
        let mut task = format!(
            "{} {} {} {seed} {}",
            self.place.dir().display(),
            bad.map_or("good", |(word, _)| *word),
            if self.made { "again" } else { "fresh" },
            self.acts
        );
        for share in &self.shares {
            let Share { seed, acts, landed, wall } = share;
            task.push_str(&format!(" {seed}:{acts}:{landed}:{wall}"));
        }
        let mut command = common::child("life::child", &task);
        if let [program, arguments @ ..] = wrapper {
            let mut wrapped = Command::new(program);
            wrapped.args(arguments).arg(command.get_program()).args(command.get_args());
            wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = wrapped;
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Running { child, lines, said: Said::default(), seed }
    }

    /// Opens what a process left and judges it; the next one goes on from there. `checked` also
    /// looks at everything with `check`.
    pub fn judge(&mut self, seed: u64, said: &Said, checked: bool) -> Result<(), String> {
        let script = Script::new(&self.model, seed, self.acts);
        let wall = said.wall.max(script.wall_after(said.handed));
        let plain = Setup { background: false, ..setup(None) };
        let (options, _) = Place::options(&plain, wall, StoreChoice::Auto);
        let must_open = self.made || said.open;
        if checked && must_open {
            let report = self.place.check(&options).map_err(|error| format!("check: {error}"))?;
            if !report.damage.is_empty() {
                return Err(format!("check: {:?}", report.damage));
            }
        }
        let started = Instant::now();
        let vault = match self.place.open(&options) {
            // Never finished: the next process makes it.
            Err(_) if !must_open => return Ok(()),
            opened => opened.map_err(|error| format!("does not open: {error}"))?,
        };
        let took = started.elapsed();
        if took > Duration::from_secs(10) {
            return Err(format!("opened in {took:?}"));
        }
        let landed = judge::landed(&vault, |n| script.model(n), said.answered, said.handed, wall)?;
        vault.close().map_err(|error| format!("no close: {error}"))?;
        self.made = true;
        self.shares.push(Share { seed, acts: self.acts, landed, wall });
        self.model = script.model(landed);
        work::let_pass(&mut self.model, wall);
        Ok(())
    }
}
