//! The command as a whole process: a get, a server until it is ready, the size of its file.

use super::Job;
use crate::figures::Figure;
use crate::http::server::{Server, binary};
use crate::measure::rss_mib;
use crate::members::{self, PRODUCT};
use crate::work::{Book, name};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const SECRETS: usize = 1000;

pub fn run(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    members::open(PRODUCT, dir, Book::for_puts(SECRETS)).close();
    let figure = |case: &str, member: &str, round, values: &[(&str, f64)]| Figure {
        case: case.to_owned(),
        member: member.to_owned(),
        round,
        values: values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        ..Figure::default()
    };
    let mut figures = vec![figure("binary", PRODUCT, 0, &[("bytes", stripped(dir))])];
    for round in 0..job.number("rounds") {
        let mut get = Command::new(binary());
        get.arg("--vault").arg(dir.join("vault")).arg("--key-file").arg(dir.join("vault.key"));
        get.args(["get", &name(round)]).env("HOME", dir);
        figures.push(figure("get", PRODUCT, round, &[("ms", whole(&mut get))]));
        figures.push(figure("get", "true", round, &[("ms", whole(&mut Command::new("true")))]));
        let begun = Instant::now();
        let server = Server::product(dir).0;
        let values =
            [("ms", begun.elapsed().as_secs_f64() * 1e3), ("rss_mib", rss_mib(server.process()))];
        figures.push(figure("serve", PRODUCT, round, &values));
        drop(server);
        let begun = Instant::now();
        if let Some(server) = Server::moto() {
            let values = [
                ("ms", begun.elapsed().as_secs_f64() * 1e3),
                ("rss_mib", rss_mib(server.process())),
            ];
            figures.push(figure("serve", "moto", round, &values));
        }
    }
    figures
}

/// Milliseconds from start to end of a process.
fn whole(command: &mut Command) -> f64 {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).status().expect("the command starts");
    assert!(status.success(), "{command:?} has failed");
    begun.elapsed().as_secs_f64() * 1e3
}

/// The size of the command without symbols.
fn stripped(dir: &Path) -> f64 {
    let copy = dir.join("stripped");
    let status = Command::new("strip").arg("-o").arg(&copy).arg(binary()).status();
    let path = if status.is_ok_and(|status| status.success()) { copy } else { binary() };
    std::fs::metadata(path).expect("the command is there").len() as f64
}
