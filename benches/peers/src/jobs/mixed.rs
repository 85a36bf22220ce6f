//! One reader while several writers put. In turn it reads the member and a map in its own memory, so that both
//! have the same load beside them.

use super::Job;
use super::store::{SECRETS, filled, said, tried};
use crate::figures::Figure;
use crate::measure::{Random, percentiles, repeat_until};
use crate::members::FLUSHER;
use crate::threads::Watch;
use crate::work::{Book, name};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So many versions each secret has before. They fill a part of the product's memtable; until it is flushed from,
/// the puts of some seconds do the rest.
const VERSIONS: usize = 5;
/// The reader reads so long from the one, then so long from the other.
const SLICE: Duration = Duration::from_millis(20);
/// How often the flusher is looked at.
const LOOK: Duration = Duration::from_millis(2);
/// If too little was flushed meanwhile, it goes on up to so many times as long.
const LONGER: u32 = 5;

/// When a read began, and how long it took.
type Read = (Instant, Duration);

pub fn mixed(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let way = tried(job, dir, Book::for_gets);
    let member = filled(job, dir, Book::for_gets, VERSIONS);
    member.take(way);
    let book = Book::for_gets(SECRETS);
    let names: Vec<String> = (0..SECRETS).map(name).collect();
    let row = |secret: usize| book.put(secret).0.swap_remove(0).1;
    let rows: HashMap<&str, Vec<u8>> =
        names.iter().enumerate().map(|(secret, name)| (name.as_str(), row(secret))).collect();
    let from_member = |secret: usize| {
        member.get(secret);
    };
    let from_memory = |secret: usize| {
        book.open(&rows[names[secret].as_str()]);
    };
    let watch = Mutex::new(Watch::new(FLUSHER));
    let (time, stop) = (job.time(), AtomicBool::new(false));
    let wait = || {
        let begun = Instant::now();
        loop {
            std::thread::sleep(LOOK);
            let flushed = watch.lock().expect("nobody panics").as_mut().map(|watch| {
                watch.look();
                watch.total()
            });
            let is_enough = flushed.is_none_or(|flushed| flushed >= time / 4);
            if begun.elapsed() >= time && is_enough || begun.elapsed() >= time * LONGER {
                break;
            }
        }
    };
    let begun = Instant::now();
    let (mut own, mut bare) = (Vec::new(), Vec::new());
    let (mut values, _) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut own, mut bare): (Vec<Read>, Vec<Read>) = (Vec::new(), Vec::new());
            let (mut ones, mut others) = (Random::new(99), Random::new(99));
            while !stop.load(Ordering::Relaxed) {
                read(&from_member, &mut ones, &mut own);
                read(&from_memory, &mut others, &mut bare);
            }
            (own, bare)
        });
        let put = |_, secret| member.put(secret);
        let result = repeat_until(dir, job.number("writers"), SECRETS, wait, put);
        stop.store(true, Ordering::Relaxed);
        (own, bare) = reader.join().expect("the reader does not panic");
        result
    });
    let took = begun.elapsed();
    values.extend(percentiles("get_", &mut times(&own, |_| true)));
    values.extend(percentiles("bare_", &mut times(&bare, |_| true)));
    if let Some(watch) = watch.into_inner().expect("nobody panics") {
        values.insert("flush_share".into(), watch.total().as_secs_f64() / took.as_secs_f64());
        let meanwhile = |at| watch.was_busy_at(at);
        for (before, reads) in [("flush_get_", &own), ("flush_bare_", &bare)] {
            let mut times = times(reads, meanwhile);
            if !times.is_empty() {
                values.extend(percentiles(before, &mut times));
            }
        }
    }
    std::mem::forget(member);
    vec![Figure { values, texts: said(way), ..Figure::default() }]
}

/// Reads for a slice of time.
fn read(from: &dyn Fn(usize), random: &mut Random, reads: &mut Vec<Read>) {
    let until = Instant::now() + SLICE;
    loop {
        let begun = Instant::now();
        if begun >= until {
            break;
        }
        from(random.below(SECRETS));
        reads.push((begun, begun.elapsed()));
    }
}

fn times(reads: &[Read], counts: impl Fn(Instant) -> bool) -> Vec<Duration> {
    reads.iter().filter(|(begun, _)| counts(*begun)).map(|(_, took)| *took).collect()
}
