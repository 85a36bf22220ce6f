//! Puts and gets of a member by its library, and what the other jobs share with them.

use super::Job;
use crate::figures::Figure;
use crate::measure::{PROGRESS, Values, per_second, repeat};
use crate::members::{self, Member, PRODUCT, Way};
use crate::work::Book;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub(super) const SECRETS: usize = 1000;
/// How long each way is tried.
const TRIAL: Duration = Duration::from_millis(400);
/// So many trials has every member, so that all processes are equally warm.
const TRIALS: usize = 2;
/// Threads that fill a store before it is measured.
pub(super) const FILLERS: usize = 64;
/// How often the filling says how far it has come.
const TOLD: Duration = Duration::from_secs(5);

pub(super) fn one(values: Values) -> Vec<Figure> {
    vec![Figure { values, ..Figure::default() }]
}

/// Puts this many versions, evenly over the secrets.
pub(super) fn fill(member: &dyn Member, secrets: usize, versions: usize) {
    let (next, begun, told) = (AtomicUsize::new(0), Instant::now(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..FILLERS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= versions {
                        break;
                    }
                    member.put(n % secrets);
                    let due = (begun.elapsed().as_secs() / TOLD.as_secs()) as usize;
                    if told.fetch_max(due, Ordering::Relaxed) < due {
                        eprintln!("{PROGRESS}filled {n} of {versions}");
                    }
                }
            });
        }
    });
}

/// A member with 1,000 secrets, each with this many versions.
pub(super) fn filled(
    job: &Job<'_>,
    dir: &Path,
    book: fn(usize) -> Book,
    versions: usize,
) -> Box<dyn Member> {
    let member = members::open(job.text("member"), dir, book(SECRETS));
    // The product's secrets have one version when they are made.
    let made = usize::from(job.text("member") == PRODUCT);
    let is_file = members::LIMITS.contains(&job.text("member"));
    fill(&*member, SECRETS, if is_file { 0 } else { (versions - made) * SECRETS });
    member
}

/// The way of putting that suits a member. It is found in a store of its own, which is removed.
pub(super) fn tried(job: &Job<'_>, dir: &Path, book: fn(usize) -> Book) -> Way {
    let (writers, dir) = (job.number("writers"), dir.join("trial"));
    std::fs::create_dir(&dir).expect("the folder can be created");
    let member = filled(job, &dir, book, 1);
    let trial = (job.time() / 4).min(TRIAL);
    let ways = member.ways(writers);
    let mut best = (0, ways[0]);
    for way in ways.iter().cycle().take(TRIALS) {
        member.take(*way);
        let count = repeat(&dir, writers, trial, SECRETS, |_, secret| member.put(secret)).1.len();
        if count > best.0 {
            best = (count, *way);
        }
    }
    member.close();
    std::fs::remove_dir_all(&dir).expect("the folder can be removed");
    // SAFETY: it takes no arguments.
    unsafe { libc::sync() };
    best.1
}

pub(super) fn said(way: Way) -> Vec<(String, String)> {
    vec![("way".to_owned(), way.title().to_owned())]
}

/// Durable puts by several writers.
pub fn put(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let (writers, time) = (job.number("writers"), job.time());
    let way = tried(job, dir, Book::for_puts);
    let member = filled(job, dir, Book::for_puts, 1);
    member.take(way);
    let (values, samples) = repeat(dir, writers, time, SECRETS, |_, secret| member.put(secret));
    let series =
        if time >= Duration::from_secs(5) { per_second(&samples, time) } else { Vec::new() };
    // It is not closed: what a close would still move to other files is no part of a burst.
    std::mem::forget(member);
    vec![Figure { values, series, texts: said(way), ..Figure::default() }]
}

/// Gets by several readers.
pub fn get(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let member = filled(job, dir, Book::for_gets, 5);
    let readers = job.number("readers");
    let get = |_, secret| {
        member.get(secret);
    };
    repeat(dir, readers, job.time() / 4, SECRETS, get);
    let (values, _) = repeat(dir, readers, job.time(), SECRETS, get);
    std::mem::forget(member);
    one(values)
}
