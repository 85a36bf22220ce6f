//! What a run measures, step by step. The members of a comparison take turns within each round.

use crate::members::{GROUP, LIMIT, PEERS, PRODUCT};
use serde_json::{Value, json};
use std::time::Duration;

/// The groups in the order of a run, with what each measures.
pub const GROUPS: [(&str, &str); 9] = [
    (
        "processes",
        "the command as a whole process, a server until it is ready, the size of the binary",
    ),
    ("http", "signed gets and puts over HTTP beside hyper alone and moto"),
    ("get", "gets by 1 and 2 readers"),
    (
        "mixed",
        "one reader under 16 writers and beside a flush, and a bare reader under the same load",
    ),
    ("burst", "durable puts for a short time, by 1, 16 and 64 writers"),
    ("slow", "the same on a disk whose syncs take 1 ms longer"),
    ("sustained", "durable puts for a minute (6 s with --quick)"),
    ("open", "opening after a clean close and after a kill with a full memtable"),
    ("scale", "the cost of a put and its bytes in a large vault"),
];
pub const WRITERS: [usize; 3] = [1, 16, 64];
pub const READERS: [usize; 2] = [1, 2];
pub const CONNECTIONS: [usize; 2] = [1, 16];
/// The numbers of versions in the vaults that are opened.
pub const OPENED: [usize; 2] = [10_000, 200_000];
/// Added to each sync of the group `slow`.
pub const DELAY_US: usize = 1000;

/// One child process.
pub struct Step {
    pub group: &'static str,
    pub case: String,
    /// Empty if the job measures several members.
    pub member: String,
    pub round: usize,
    pub job: Value,
    pub expected: Duration,
    /// It is ended when it takes longer.
    pub limit: Duration,
}

impl Step {
    /// Names it in the file of figures.
    pub fn id(&self) -> String {
        format!("{}/{}/{}/{}", self.group, self.case, self.member, self.round)
    }
}

/// How long and how often.
#[derive(Clone, Copy)]
pub struct Scale {
    pub quick: bool,
    pub rounds: usize,
}

impl Scale {
    fn pick(self, quick: usize, full: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

pub fn writers(count: usize) -> String {
    format!("{count} writer{}", if count == 1 { "" } else { "s" })
}

pub fn readers(count: usize) -> String {
    format!("{count} reader{}", if count == 1 { "" } else { "s" })
}

pub fn connections(what: &str, count: usize) -> String {
    format!("{what}, {count} connection{}", if count == 1 { "" } else { "s" })
}

/// Which secrets, and the numbers of versions at which a put is measured.
pub fn growth(quick: bool) -> [(usize, &'static [usize]); 2] {
    if quick {
        [(1000, &[1000, 5000]), (3000, &[3000])]
    } else {
        [(1000, &[1000, 100_000, 1_000_000]), (100_000, &[100_000])]
    }
}

fn stores() -> Vec<&'static str> {
    [&[LIMIT, PRODUCT], PEERS.as_slice()].concat()
}

/// Who puts with so many writers. One at a time is the same whatever the number of writers, and to linger makes
/// no difference to one.
pub fn putters(writers: usize) -> Vec<&'static str> {
    let limits: &[_] = if writers == 1 { &["append", "prealloc", LIMIT] } else { &[GROUP, LIMIT] };
    [limits, &[PRODUCT], &PEERS].concat()
}

/// The steps of a group.
pub fn steps(group: &str, scale: Scale) -> Vec<Step> {
    match group {
        "processes" => {
            let job = json!({"kind": "processes", "rounds": scale.rounds});
            vec![whole("processes", String::new(), job, 10 + 4 * scale.rounds)]
        }
        "http" => http(scale),
        "get" => {
            let ms = scale.pick(200, 1000);
            let job = |member, readers| json!({"kind": "get", "member": member, "readers": readers, "ms": ms});
            turns("get", &READERS, scale, ms + 1500, |_| stores(), readers, job)
        }
        "mixed" => {
            let ms = scale.pick(300, 2000);
            let job = |member, writers| json!({"kind": "mixed", "member": member, "writers": writers, "ms": ms});
            turns("mixed", &[16], scale, ms * 3 / 2 + 3500, |_| stores(), writers, job)
        }
        // Shorter than Strongroom's memtable takes to fill.
        "burst" => puts("burst", scale, scale.pick(300, 1000), 0),
        "slow" => puts("slow", scale, scale.pick(300, 1500), DELAY_US),
        "sustained" => sustained(scale),
        "open" => open(scale),
        "scale" => growth(scale.quick).into_iter().map(|cell| grown(cell, scale)).collect(),
        _ => Vec::new(),
    }
}

fn servers(what: &str) -> &'static [&'static str] {
    if what == "put" {
        &[PRODUCT, "hyper", "hyper-durable", "moto"]
    } else {
        &[PRODUCT, "hyper", "moto"]
    }
}

fn http(scale: Scale) -> Vec<Step> {
    let mut steps = Vec::new();
    for what in ["get", "put"] {
        let ms = scale.pick(200, 1000);
        let job = |member, count| json!({"kind": "http", "member": member, "what": what, "connections": count, "ms": ms});
        let members = |_| servers(what).to_vec();
        let case = |count| connections(what, count);
        steps.extend(turns("http", &CONNECTIONS, scale, ms * 5 / 4 + 3500, members, case, job));
    }
    steps
}

fn puts(group: &'static str, scale: Scale, ms: usize, delay: usize) -> Vec<Step> {
    let job = |member, writers| json!({"kind": "put", "member": member, "writers": writers, "ms": ms, "delay_us": delay});
    turns(group, &WRITERS, scale, ms * 3 / 2 + 2000, putters, writers, job)
}

/// One round. Where other peers would take long, the fastest stands for them.
fn sustained(scale: Scale) -> Vec<Step> {
    let ms = scale.pick(6000, 60_000);
    let few = if cfg!(feature = "rocksdb") { [PRODUCT, "rocksdb"] } else { [PRODUCT, "fjall"] };
    let mut cells: Vec<(usize, usize, &str)> = Vec::new();
    for member in [GROUP, LIMIT, PRODUCT].into_iter().chain(PEERS) {
        cells.push((16, 0, member));
    }
    for (count, delay) in [(1, 0), (64, 0), (16, DELAY_US)] {
        if !scale.quick {
            let limits: &[_] = if count == 1 { &["prealloc", LIMIT] } else { &[GROUP, LIMIT] };
            cells.extend(limits.iter().chain(&few).map(|member| (count, delay, *member)));
        }
    }
    let step = |(count, delay, member): (usize, usize, &str)| Step {
        group: "sustained",
        case: format!("{}{}", writers(count), if delay > 0 { ", slow" } else { "" }),
        member: member.to_owned(),
        round: 0,
        job: json!({"kind": "put", "member": member, "writers": count, "ms": ms, "delay_us": delay}),
        expected: Duration::from_millis(ms as u64 + 3000),
        limit: Duration::from_millis(ms as u64 * 2 + 60_000),
    };
    cells.into_iter().map(step).collect()
}

fn open(scale: Scale) -> Vec<Step> {
    let mut steps = Vec::new();
    for versions in &OPENED[..if scale.quick { 1 } else { OPENED.len() }] {
        for member in [&[PRODUCT], PEERS.as_slice()].concat() {
            let job = json!({"kind": "open", "member": member, "versions": versions,
                "rounds": scale.rounds});
            let seconds = 8 + versions / 5000 + scale.rounds * 3;
            let case = format!("{versions} versions");
            let step = whole("open", case, job, seconds);
            steps.push(Step { member: member.to_owned(), ..step });
        }
    }
    steps
}

fn grown((secrets, versions): (usize, &[usize]), scale: Scale) -> Step {
    let job = json!({"kind": "scale", "secrets": secrets, "versions": versions,
        "puts": scale.pick(300, 2000), "rounds": scale.rounds});
    let last = versions.last().copied().unwrap_or(0);
    let seconds = last / 3000 + versions.len() * (20 + scale.rounds);
    let step = whole("scale", format!("{secrets} secrets"), job, seconds);
    Step { member: PRODUCT.to_owned(), limit: Duration::from_secs(3600), ..step }
}

/// A job that does its rounds by itself.
fn whole(group: &'static str, case: String, job: Value, seconds: usize) -> Step {
    let expected = Duration::from_secs(seconds as u64);
    let limit = expected * 5 + Duration::from_secs(120);
    Step { group, case, member: String::new(), round: 0, job, expected, limit }
}

/// For each cell and round all members, each time with another one first.
fn turns(
    group: &'static str,
    cells: &[usize],
    scale: Scale,
    ms: usize,
    members: impl Fn(usize) -> Vec<&'static str>,
    case: impl Fn(usize) -> String,
    job: impl Fn(&'static str, usize) -> Value,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for cell in cells {
        let members = members(*cell);
        for round in 0..scale.rounds {
            for turn in 0..members.len() {
                let member = members[(round + turn) % members.len()];
                let expected = Duration::from_millis(ms as u64);
                let limit = expected * 4 + Duration::from_secs(60);
                let (case, job) = (case(*cell), job(member, *cell));
                steps.push(Step {
                    group,
                    case,
                    member: member.into(),
                    round,
                    job,
                    expected,
                    limit,
                });
            }
        }
    }
    steps
}
