//! The cost of a put while the vault grows, and where its bytes go.

use super::Job;
use super::store::fill;
use crate::figures::Figure;
use crate::measure::{Counters, PROGRESS, Values, repeat_times, rss_mib};
use crate::members::{self, COMMITTER, MAINTAINER, PREPARER, PRODUCT};
use crate::threads::written_by;
use crate::work::Book;
use std::path::Path;
use std::time::Duration;

const WRITERS: usize = 16;
/// A vault without writes for this long has moved what waits in memory to the disk, and has looked whether its
/// log is to be compacted.
const REST: Duration = Duration::from_secs(15);
/// A filling by fewer is not long enough for an average.
const FILLING_LEAST: usize = 3000;

/// What the product's threads have written: frames, segments made ready, compaction.
struct Parts([u64; 3]);

impl Parts {
    fn now() -> Self {
        Self([COMMITTER, PREPARER, MAINTAINER].map(written_by))
    }

    fn of_each(&self, count: usize, values: &mut Values) {
        let now = Self::now();
        for (n, name) in ["frame_bytes", "segment_bytes", "compaction_bytes"].iter().enumerate() {
            let bytes = (now.0[n] - self.0[n]) as f64 / count.max(1) as f64;
            values.insert((*name).to_owned(), bytes);
        }
    }
}

pub fn scale(job: &Job<'_>, dir: &Path) -> Vec<Figure> {
    let (secrets, puts) = (job.number("secrets"), job.number("puts"));
    let mut figures = Vec::new();
    let mut begun = (Counters::now(dir), Parts([0; 3]));
    eprintln!("{PROGRESS}creating {secrets} secrets");
    let member = members::open(PRODUCT, dir, Book::for_puts(secrets));
    // A secret has one version when it is made.
    let (mut have, mut filled) = (secrets, secrets);
    for step in job.list("versions") {
        let versions = step.as_u64().unwrap_or(0) as usize;
        let case = format!("{secrets} secrets, {versions} versions");
        let missing = versions.saturating_sub(have);
        fill(&*member, secrets, missing);
        (have, filled) = (have + missing, filled + missing);
        std::thread::sleep(REST);
        if filled >= FILLING_LEAST {
            let mut values = begun.0.cost_of(filled, dir);
            begun.1.of_each(filled, &mut values);
            // The rest is no part of its rate.
            values.remove("rate");
            figures.push(Figure { case: format!("{case}, filling"), values, ..Figure::default() });
        }
        eprintln!("{PROGRESS}compacting {have} versions");
        member.settle();
        for round in 0..job.number("rounds") {
            let parts = Parts::now();
            let (mut values, samples) =
                repeat_times(dir, WRITERS, puts, secrets, |_, secret| member.put(secret));
            parts.of_each(samples.len(), &mut values);
            have += samples.len();
            values.insert("versions".to_owned(), have as f64);
            values.insert("rss_mib".to_owned(), rss_mib(std::process::id()));
            figures.push(Figure { case: case.clone(), round, values, ..Figure::default() });
        }
        (begun, filled) = ((Counters::now(dir), Parts::now()), 0);
    }
    std::mem::forget(member);
    figures
}
