//! Opening after a clean close and after a kill, each time in a new process.

use super::Job;
use super::store::{FILLERS, SECRETS, filled, one};
use crate::figures::Figure;
use crate::files;
use crate::measure::{PROGRESS, Values, ends_with_us, repeat_until, rss_mib};
use crate::members::{self, FLUSHER, MAINTAINER, PRODUCT};
use crate::threads::hold;
use crate::work::Book;
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So many puts stand before a kill: about as many as the product's memtable holds.
const LAST_PUTS: usize = 23_500;
/// The product puts until its memtable is full, which shows in puts that no longer return. Never more than this.
const LAST_PUTS_MAX: usize = 30_000;
/// A stop of all puts for so long is not the disk's.
const STALL: Duration = Duration::from_secs(3);

pub fn open(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let (member, rounds) = (job.text("member"), job.number("rounds"));
    let versions = job.number("versions");
    let store = dir.join("store");
    std::fs::create_dir(&store).expect("the folder can be created");
    let inner = json!({"member": member});
    filled(&Job(&inner), &store, Book::for_gets, versions / SECRETS).close();
    let mut figures = Vec::new();
    let once = json!({"kind": "open-once", "member": member});
    for round in 0..rounds {
        for (case, is_cold) in [("", false), (", cold", true)] {
            let case = format!("{versions} versions{case}");
            figures.push(Figure { case, round, ..opened(&once, &store, is_cold) });
        }
    }
    eprintln!("{PROGRESS}putting until the kill");
    let last = json!({"kind": "put-and-die", "member": member, "versions": versions});
    let case = format!("{versions} versions, killed");
    let before = child(&last, &store, true);
    let copy = dir.join("copy");
    for round in 0..rounds {
        let status = Command::new("cp").arg("-a").arg(&store).arg(&copy).status();
        assert!(status.expect("cp starts").success(), "the files can be copied");
        let mut figure = opened(&once, &copy, false);
        let of_kill = |name: &str| (format!("kill_{name}"), before.values[name]);
        figure.values.extend(["puts", "rss_mib", "is_full"].map(of_kill));
        figures.push(Figure { case: case.clone(), round, ..figure });
        std::fs::remove_dir_all(&copy).expect("the copy can be removed");
    }
    figures
}

/// Opens these files in a new process. `is_cold`: none of them is in memory before.
fn opened(once: &Value, store: &Path, is_cold: bool) -> Figure {
    // SAFETY: it takes no arguments.
    unsafe { libc::sync() };
    if is_cold {
        files::forget(store);
    }
    let (cached, sizes) = (files::cached_share(store), files::sizes(store));
    let mut figure = child(once, store, false);
    figure.values.insert("cached_share".to_owned(), cached);
    figure.values.extend(sizes);
    figure
}

/// What a new process says of its job.
fn child(job: &Value, store: &Path, dies: bool) -> Figure {
    let program = std::env::current_exe().expect("the program has a path");
    let mut command = Command::new(program);
    ends_with_us(command.args(["job", &job.to_string()]).arg(store));
    let output = command.output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    let is_good =
        if dies { output.status.signal() == Some(libc::SIGKILL) } else { output.status.success() };
    assert!(is_good, "{}: {errors}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    Figure::from_json(&line.unwrap_or_else(|| panic!("{errors}")))
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

/// Opens, puts, and is killed. Nothing flushes the product's memtable meanwhile, so that it fills up whatever
/// the disk and the processors allow.
pub fn put_and_die(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let is_product = job.text("member") == PRODUCT;
    let book = Book::for_gets(SECRETS).after(job.number("versions") / SECRETS);
    let member = members::open(job.text("member"), dir, book);
    if is_product {
        hold(&[FLUSHER, MAINTAINER]);
    }
    let done = AtomicUsize::new(0);
    let wait = || {
        let (mut seen, mut at) = (0, Instant::now());
        loop {
            std::thread::sleep(Duration::from_millis(5));
            let now = done.load(Ordering::Relaxed);
            if now != seen {
                (seen, at) = (now, Instant::now());
            }
            let is_full = is_product && at.elapsed() > STALL;
            if is_full || now >= if is_product { LAST_PUTS_MAX } else { LAST_PUTS } {
                die(now, is_full);
            }
        }
    };
    repeat_until(dir, FILLERS, SECRETS, wait, |_, secret| {
        member.put(secret);
        done.fetch_add(1, Ordering::Relaxed);
    });
    Vec::new()
}

/// Says what there was, and ends as by `kill -9`.
fn die(puts: usize, is_full: bool) {
    let mut values = Values::new();
    values.insert("puts".to_owned(), puts as f64);
    values.insert("is_full".to_owned(), f64::from(u8::from(is_full)));
    values.insert("rss_mib".to_owned(), rss_mib(std::process::id()));
    println!("{}", Figure { values, ..Figure::default() }.to_json());
    // SAFETY: it takes plain numbers.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
}
