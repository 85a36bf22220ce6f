//! What a run of several threads costs: rate, CPU, latencies, bytes written.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub type Values = BTreeMap<String, f64>;

/// What a line on standard error begins with that says how far a job has come.
pub const PROGRESS: &str = "progress: ";

/// One piece of work: when it ended after the start of the run, and how long it took.
pub struct Sample {
    pub ended: Duration,
    pub took: Duration,
}

/// The counters of the process and of the disk below a folder.
pub struct Counters {
    at: Instant,
    cpu: Duration,
    /// Bytes handed to calls that write. `write_bytes` would count each page of a large folio that one byte
    /// has made dirty.
    written_bytes: u64,
    device_bytes: Option<u64>,
}

impl Counters {
    pub fn now(dir: &Path) -> Self {
        Self {
            at: Instant::now(),
            cpu: cpu(),
            written_bytes: written_bytes(Path::new("/proc/self")),
            device_bytes: device_bytes(dir),
        }
    }

    /// What `count` pieces of work have cost since then.
    pub fn cost_of(&self, count: usize, dir: &Path) -> Values {
        let now = Self::now(dir);
        let each = |all: f64| all / count.max(1) as f64;
        let mut values = Values::new();
        let mut set = |name: &str, value: f64| values.insert(name.to_owned(), value);
        set("rate", count as f64 / (now.at - self.at).as_secs_f64());
        set("cpu_us", each((now.cpu - self.cpu).as_secs_f64() * 1e6));
        set("written_bytes", each((now.written_bytes - self.written_bytes) as f64));
        if let (Some(before), Some(after)) = (self.device_bytes, now.device_bytes) {
            set("device_bytes", each((after - before) as f64));
        }
        set("rss_mib", rss_mib(std::process::id()));
        values
    }
}

/// Repeats `work(thread, secret)` in so many threads for so long. The values, and when each piece ended.
pub fn repeat(
    dir: &Path,
    threads: usize,
    time: Duration,
    secrets: usize,
    work: impl Fn(usize, usize) + Sync,
) -> (Values, Vec<Sample>) {
    repeat_until(dir, threads, secrets, || std::thread::sleep(time), work)
}

/// The same until `wait` returns.
pub fn repeat_until(
    dir: &Path,
    threads: usize,
    secrets: usize,
    wait: impl FnOnce(),
    work: impl Fn(usize, usize) + Sync,
) -> (Values, Vec<Sample>) {
    let stop = AtomicBool::new(false);
    let wait = || {
        wait();
        stop.store(true, Ordering::Relaxed);
    };
    repeat_while(dir, threads, secrets, || !stop.load(Ordering::Relaxed), wait, work)
}

/// The same so many times in all.
pub fn repeat_times(
    dir: &Path,
    threads: usize,
    times: usize,
    secrets: usize,
    work: impl Fn(usize, usize) + Sync,
) -> (Values, Vec<Sample>) {
    let next = AtomicUsize::new(0);
    let go_on = || next.fetch_add(1, Ordering::Relaxed) < times;
    repeat_while(dir, threads, secrets, go_on, || (), work)
}

fn repeat_while(
    dir: &Path,
    threads: usize,
    secrets: usize,
    go_on: impl Fn() -> bool + Sync,
    wait: impl FnOnce(),
    work: impl Fn(usize, usize) + Sync,
) -> (Values, Vec<Sample>) {
    let before = Counters::now(dir);
    let samples: Vec<Sample> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let (go_on, work, start) = (&go_on, &work, before.at);
                scope.spawn(move || {
                    let mut samples = Vec::new();
                    let mut random = Random::new(thread as u64);
                    while go_on() {
                        let begun = Instant::now();
                        work(thread, random.below(secrets));
                        samples.push(Sample { ended: start.elapsed(), took: begun.elapsed() });
                    }
                    samples
                })
            })
            .collect();
        wait();
        threads.into_iter().flat_map(|thread| thread.join().expect("no member panics")).collect()
    });
    let mut values = before.cost_of(samples.len(), dir);
    let mut took: Vec<Duration> = samples.iter().map(|sample| sample.took).collect();
    values.extend(percentiles("", &mut took));
    (values, samples)
}

/// `p50_us` and `p99_us`, with this before their names.
pub fn percentiles(before: &str, took: &mut [Duration]) -> Values {
    took.sort_unstable();
    let at = |share: usize| {
        let index = (took.len() * share / 100).min(took.len().saturating_sub(1));
        took.get(index).map_or(0.0, |took| took.as_secs_f64() * 1e6)
    };
    [50, 99].iter().map(|share| (format!("{before}p{share}_us"), at(*share))).collect()
}

/// How many ended in each whole second.
pub fn per_second(samples: &[Sample], time: Duration) -> Vec<f64> {
    let mut counts = vec![0.0; time.as_secs() as usize];
    for sample in samples {
        if let Some(count) = counts.get_mut(sample.ended.as_secs() as usize) {
            *count += 1.0;
        }
    }
    counts
}

/// A cheap generator. Runs of all members draw the same secrets.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(7919).wrapping_add(1))
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// User and system time of this process.
fn cpu() -> Duration {
    cpu_of(libc::RUSAGE_SELF)
}

/// User and system time of this process, or of its children that have ended.
pub fn cpu_of(whom: libc::c_int) -> Duration {
    // SAFETY: `rusage` is plain data, and the call only writes to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(whom, &raw mut usage);
        usage
    };
    let of = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    of(usage.ru_utime) + of(usage.ru_stime)
}

/// What this starts is killed when the thread that starts it ends, however that ends.
pub fn ends_with_us(command: &mut Command) {
    let ask = || {
        // SAFETY: the call takes plain numbers.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec it makes one system call and allocates nothing.
    unsafe { command.pre_exec(ask) };
}

/// Bytes that a process or a thread with this folder in `/proc` has handed to calls that write.
pub fn written_bytes(folder: &Path) -> u64 {
    let io = std::fs::read_to_string(folder.join("io")).unwrap_or_default();
    let written = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    written.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

/// Memory of a process that is in use now.
pub fn rss_mib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// All bytes that the disk below `dir` was ever told to write, by whomever.
fn device_bytes(dir: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let device = std::fs::metadata(dir).ok()?.dev();
    let path = format!("/sys/dev/block/{}:{}/stat", libc::major(device), libc::minor(device));
    let stat = std::fs::read_to_string(path).ok()?;
    Some(stat.split_whitespace().nth(6)?.parse::<u64>().ok()? * 512)
}
