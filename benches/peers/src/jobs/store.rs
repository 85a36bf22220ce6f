//! Jobs that use a member by its library.

use super::Job;
use crate::figures::Figure;
use crate::measure::{Random, Values, per_second, percentiles, repeat, rss_mib};
use crate::members::{self, Member, PRODUCT};
use crate::work::{Book, name};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SECRETS: usize = 1000;
/// How long a leader tries each way.
const TRIAL: Duration = Duration::from_millis(400);
/// Threads that fill a store before it is measured.
const FILLERS: usize = 64;

fn one(values: Values) -> Vec<Figure> {
    vec![Figure { values, ..Figure::default() }]
}

/// Puts this many versions, evenly over the secrets.
fn fill(member: &dyn Member, secrets: usize, versions: usize) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..FILLERS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= versions {
                        break;
                    }
                    member.put(n % secrets);
                }
            });
        }
    });
}

/// A member with 1,000 secrets, each with this many versions.
fn filled(job: &Job<'_>, dir: &Path, book: fn(usize) -> Book, versions: usize) -> Box<dyn Member> {
    let member = members::open(job.text("member"), dir, book(SECRETS));
    // The product's secrets have one version when they are made.
    let made = usize::from(job.text("member") == PRODUCT);
    let is_file = members::LIMITS.contains(&job.text("member"));
    fill(&*member, SECRETS, if is_file { 0 } else { (versions - made) * SECRETS });
    member
}

/// Durable puts by several writers.
pub fn put(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let member = filled(job, dir, Book::for_puts, 1);
    let (writers, time) = (job.number("writers"), job.time());
    let put = |_, secret| member.put(secret);
    if member.set_linger(true) {
        // A peer's leader takes the way that suits the peer.
        let trial = (time / 4).min(TRIAL);
        let [with, without] = [true, false].map(|linger| {
            member.set_linger(linger);
            repeat(dir, writers, trial, SECRETS, put).1.len()
        });
        member.set_linger(with >= without);
    }
    let (values, samples) = repeat(dir, writers, time, SECRETS, put);
    let series =
        if time >= Duration::from_secs(5) { per_second(&samples, time) } else { Vec::new() };
    // It is not closed: what a close would still move to other files is no part of a burst.
    std::mem::forget(member);
    vec![Figure { values, series, ..Figure::default() }]
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

/// One reader under several writers. In turn it reads the member and a map in its own memory.
pub fn mixed(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let member = filled(job, dir, Book::for_gets, 1);
    let book = Book::for_gets(SECRETS);
    let rows: HashMap<String, Vec<u8>> =
        (0..SECRETS).map(|secret| (name(secret), book.put(secret).0.swap_remove(0).1)).collect();
    let writers = job.number("writers");
    let (mut own, mut bare, stop) = (Vec::new(), Vec::new(), AtomicBool::new(false));
    let (mut values, _) = std::thread::scope(|scope| {
        let stop = &stop;
        let (member, book, rows, own, bare) = (&member, &book, &rows, &mut own, &mut bare);
        scope.spawn(move || {
            let mut random = Random::new(99);
            while !stop.load(Ordering::Relaxed) {
                let secret = random.below(SECRETS);
                let begun = Instant::now();
                member.get(secret);
                own.push(begun.elapsed());
                let begun = Instant::now();
                book.open(&rows[&name(secret)]);
                bare.push(begun.elapsed());
            }
        });
        let result = repeat(dir, writers, job.time(), SECRETS, |_, secret| member.put(secret));
        stop.store(true, Ordering::Relaxed);
        result
    });
    values.insert("gets_rate".to_owned(), own.len() as f64 / job.time().as_secs_f64());
    values.extend(percentiles("get_", &mut own));
    values.extend(percentiles("bare_", &mut bare));
    std::mem::forget(member);
    one(values)
}

/// The cost of a put while the vault grows.
pub fn scale(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let secrets = job.number("secrets");
    let member = members::open(PRODUCT, dir, Book::for_puts(secrets));
    let (mut have, mut figures) = (secrets, Vec::new());
    for step in job.list("versions") {
        let versions = step.as_u64().unwrap_or(0) as usize;
        fill(&*member, secrets, versions.saturating_sub(have));
        have = have.max(versions);
        // What the filling has left behind in memory goes to the disk first.
        std::thread::sleep(Duration::from_secs(2));
        for round in 0..job.number("rounds") {
            let put = |_, secret| member.put(secret);
            let (mut values, samples) = repeat(dir, 16, job.time(), secrets, put);
            have += samples.len();
            values.insert("versions".to_owned(), have as f64);
            let case = format!("{secrets} secrets, {versions} versions");
            figures.push(Figure { case, round, values, ..Figure::default() });
        }
    }
    std::mem::forget(member);
    figures
}

/// Opening after a clean close: each time in a new process.
pub fn open(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let versions = job.number("versions");
    let member = filled(job, dir, Book::for_gets, versions / SECRETS);
    member.close();
    let program = std::env::current_exe().expect("the program has a path");
    let mut figures = Vec::new();
    for round in 0..job.number("rounds") {
        let once = serde_json::json!({"kind": "open-once", "member": job.text("member")});
        let output = std::process::Command::new(&program)
            .args(["job", &once.to_string()])
            .arg(dir)
            .output()
            .expect("the program starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
        let line = line.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        figures.push(Figure { round, ..Figure::from_json(&line) });
    }
    figures
}

/// Opens, reads one value, and closes.
pub fn open_once(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let book = Book::for_gets(SECRETS);
    let begun = Instant::now();
    let member = members::open(job.text("member"), dir, book);
    let opened = begun.elapsed();
    let begun = Instant::now();
    member.get(SECRETS / 2);
    let got = begun.elapsed();
    let mut values = Values::new();
    values.insert("rss_mib".to_owned(), rss_mib(std::process::id()));
    let begun = Instant::now();
    member.close();
    values.insert("open_ms".to_owned(), opened.as_secs_f64() * 1e3);
    values.insert("first_get_us".to_owned(), got.as_secs_f64() * 1e6);
    values.insert("close_ms".to_owned(), begun.elapsed().as_secs_f64() * 1e3);
    one(values)
}
