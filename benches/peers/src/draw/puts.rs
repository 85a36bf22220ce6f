//! The tables of puts.

use super::data::Data;
use super::{cell, ratio, table, time, whole};
use crate::members::{GROUP, LIMIT, PEERS, PRODUCT, title};
use crate::plan::{WRITERS, writers};

fn members() -> Vec<&'static str> {
    [&[LIMIT, GROUP, PRODUCT], PEERS.as_slice(), &["append", "prealloc"]].concat()
}

/// For each member, one cell for each number of writers.
fn by_writers(
    data: &Data,
    head: &str,
    one: impl Fn(&Data, &str, &str) -> Option<String>,
) -> String {
    let titles: Vec<String> = WRITERS.iter().map(|count| writers(*count)).collect();
    let head: Vec<&str> = std::iter::once(head).chain(titles.iter().map(String::as_str)).collect();
    let row = |member: &&str| {
        let cells = titles.iter().map(|case| cell(one(data, case, member)));
        std::iter::once(title(member).to_owned()).chain(cells).collect()
    };
    table(&head, members().iter().map(row).collect())
}

fn rates(data: &Data, group: &str) -> String {
    by_writers(data, "puts, of the limit", |data, case, member| {
        let rate = data.median(group, case, member, "rate")?;
        let ratio_to_limit = data.ratio(group, case, [member, LIMIT], "rate")?;
        Some(format!("**{}** ({}/s)", ratio(ratio_to_limit), whole(rate)))
    })
}

pub fn bursts(data: &Data) -> String {
    rates(data, "burst")
}

/// How far the rounds lie apart.
pub fn spread(data: &Data) -> String {
    by_writers(data, "lowest to highest round", |data, case, member| {
        let (low, high) = data.range("burst", case, [member, LIMIT], "rate")?;
        Some(format!("{} to {}", ratio(low), ratio(high)))
    })
}

pub fn slow(data: &Data) -> String {
    rates(data, "slow")
}

pub fn latencies(data: &Data) -> String {
    by_writers(data, "p50 / p99 of a put", |data, case, member| {
        let p50 = data.median("burst", case, member, "p50_us")?;
        let p99 = data.median("burst", case, member, "p99_us")?;
        Some(format!("{} / {}", time(p50), time(p99)))
    })
}

pub fn cpu(data: &Data) -> String {
    by_writers(data, "CPU of a put, of the limit's", |data, case, member| {
        let cpu = data.median("burst", case, member, "cpu_us")?;
        let to_limit = data.ratio("burst", case, [member, LIMIT], "cpu_us")?;
        Some(format!("**{}** ({} µs)", ratio(to_limit), whole(cpu)))
    })
}

pub fn bytes(data: &Data) -> String {
    by_writers(data, "bytes of a put: written / to the disk", |data, case, member| {
        let written = data.median("burst", case, member, "written_bytes")?;
        let device = data.median("burst", case, member, "device_bytes").map(whole);
        Some(format!("{} / {}", whole(written), cell(device)))
    })
}

/// One row for each member of each case; the members of a case have run one after the other.
pub fn sustained(data: &Data) -> String {
    let cases = ["16 writers", "1 writer", "64 writers", "16 writers, slow"];
    let mut rows = Vec::new();
    for case in cases {
        for member in ["prealloc", LIMIT, GROUP, PRODUCT].into_iter().chain(PEERS) {
            let median = |name| data.median("sustained", case, member, name);
            let Some(rate) = median("rate") else { continue };
            let to_limit = data.ratio("sustained", case, [member, LIMIT], "rate").map(ratio);
            let late = data.series("sustained", case, member).map(|series| {
                let part = &series[series.len() - series.len().div_ceil(3)..];
                whole(part.iter().sum::<f64>() / part.len() as f64)
            });
            let case = case.replace("slow", "+1 ms a sync");
            rows.push(vec![
                format!("{case}: {}", title(member)),
                format!("**{}** ({}/s)", cell(to_limit), whole(rate)),
                cell(late),
                cell(median("cpu_us").map(whole)),
                cell(median("device_bytes").map(whole)),
                cell(median("p99_us").map(time)),
            ]);
        }
    }
    let head =
        ["puts, of the limit", "all the time", "last third, /s", "CPU, µs", "disk bytes", "p99"];
    let seconds = data.seconds("sustained").unwrap_or(0);
    format!("Each member ran once, for {seconds} s.\n\n{}", table(&head, rows))
}
