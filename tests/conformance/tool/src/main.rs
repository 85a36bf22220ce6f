//! Runs the conformance vectors against any endpoint that speaks AWS Secrets Manager.
//!
//! ```text
//! conformance run --endpoint URL [--region R] [--open] [--calls N] [--report FILE]
//! conformance score --write FILE NAME=URL...
//! ```
//!
//! `run` makes secrets with names of its own (`conf_...`), deletes every one of them, also if it is
//! interrupted, and prints a report. `--open` runs what nobody has recorded yet: vectors whose evidence is a
//! guess and that need neither a second account, nor another region, nor a rotation function. Against AWS
//! that is what to run; it is the default there, and stays below `--calls` calls (200). Keys come from
//! `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, which emulators mostly ignore, and for AWS also from
//! `AWS_SESSION_TOKEN`.
//!
//! `score` runs all vectors with better evidence than a guess against each endpoint, and writes the table into
//! the file between its marks.

mod calls;
mod plan;
mod report;
#[path = "../../../common/sigv4.rs"]
pub mod sigv4;
// The tests use more of these two than the tool.
#[allow(dead_code)]
#[path = "../../../api/conformance/expect.rs"]
mod expect;
#[allow(dead_code)]
#[path = "../../../api/conformance/vector.rs"]
mod vector;

/// What the vectors ask of a client, under the names that they know it by.
mod common {
    pub mod http {
        pub use crate::calls::{Client, Response};
    }
    pub use crate::sigv4;
}

use calls::Place;
use plan::Chosen;
use std::process::ExitCode;

const USAGE: &str = "conformance run --endpoint URL [--region R] [--open] [--calls N] [--report FILE]\n\
    conformance score [--write FILE] NAME=URL...";

/// What the arguments say.
enum Task {
    Run { place: Place, open: bool, report: Option<String> },
    Score { places: Vec<(String, Place)>, write: Option<String> },
}

fn task() -> Result<Task, String> {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().ok_or("say what to do")?;
    let (mut endpoint, mut region, mut report, mut write) = (None, None, None, None);
    let (mut open, mut calls, mut named) = (false, None, Vec::new());
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        match argument.as_str() {
            "--endpoint" => endpoint = Some(value()?),
            "--region" => region = Some(value()?),
            "--report" => report = Some(value()?),
            "--write" => write = Some(value()?),
            "--calls" => {
                calls = Some(value()?.parse().map_err(|_| "--calls wants a number".to_owned())?);
            }
            "--open" => open = true,
            other => match other.split_once('=') {
                Some((name, url)) if task == "score" => {
                    named.push((name.to_owned(), Place::new(url, None, None)?));
                }
                _ => return Err(format!("what is {other}?")),
            },
        }
    }
    match task.as_str() {
        "run" => {
            let endpoint = endpoint.ok_or("--endpoint URL is missing")?;
            let place = Place::new(&endpoint, region, calls)?;
            let open = open || place.is_aws();
            Ok(Task::Run { place, open, report })
        }
        "score" if !named.is_empty() => Ok(Task::Score { places: named, write }),
        "score" => Err("name at least one endpoint: NAME=URL".to_owned()),
        other => Err(format!("what is {other}?")),
    }
}

fn main() -> ExitCode {
    let task = match task() {
        Ok(task) => task,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if ctrlc::set_handler(calls::stop).is_err() {
        eprintln!("signals cannot be heard; an interrupted run would leave secrets behind");
        return ExitCode::FAILURE;
    }
    match task {
        Task::Run { place, open, report } => {
            let chosen = if open { Chosen::Open } else { Chosen::All };
            let outcome = plan::run(&place, chosen);
            let text = report::of(&place, &outcome);
            print!("{text}");
            if let Some(file) = report
                && let Err(error) = std::fs::write(&file, &text)
            {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
            if outcome.left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Task::Score { places, write } => {
            let scores: Vec<_> = places
                .iter()
                .map(|(name, place)| (name, plan::run(place, Chosen::Evident)))
                .collect();
            let table = report::table(&scores);
            print!("{table}");
            match write.map(|file| report::write(&file, &table)) {
                Some(Err(why)) => {
                    eprintln!("{why}");
                    ExitCode::FAILURE
                }
                _ => ExitCode::SUCCESS,
            }
        }
    }
}
