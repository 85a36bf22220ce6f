//! What a child process measures. Each run has a process of its own, so that CPU, memory and bytes written are
//! one member's, and a run that hangs or panics ends alone.

mod mixed;
mod open;
mod processes;
mod scale;
mod store;

use crate::figures::Figure;
use crate::http;
use crate::slow_sync;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The parts of a job that are numbers or names.
pub struct Job<'a>(pub &'a Value);

impl Job<'_> {
    pub fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> usize {
        self.0[name].as_u64().unwrap_or(0) as usize
    }

    pub fn time(&self) -> Duration {
        Duration::from_millis(self.number("ms") as u64)
    }

    pub fn list(&self, name: &str) -> Vec<&Value> {
        self.0[name].as_array().map(|list| list.iter().collect()).unwrap_or_default()
    }
}

/// Does a job in this folder and prints one figure a line.
pub fn run(job: &str, dir: &Path) {
    let job: Value = serde_json::from_str(job).expect("a job is JSON");
    let delay = Duration::from_micros(Job(&job).number("delay_us") as u64);
    let dir = dir.to_path_buf();
    match slow_sync::with_delay(delay, move || figures(&Job(&job), &dir)) {
        Ok(figures) => figures.iter().for_each(|figure| println!("{}", figure.to_json())),
        Err(why) => {
            let note = Some(format!("skipped: {why}"));
            println!("{}", Figure { note, ..Figure::default() }.to_json());
        }
    }
}

fn figures(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    match job.text("kind") {
        "put" => store::put(job, dir),
        "get" => store::get(job, dir),
        "mixed" => mixed::mixed(job, dir),
        "scale" => scale::scale(job, dir),
        "open" => open::open(job, dir),
        "open-once" => open::open_once(job, dir),
        "put-and-die" => open::put_and_die(job, dir),
        "http" => http::run(job, dir),
        "processes" => processes::run(job, dir),
        other => panic!("no job is named {other}"),
    }
}
