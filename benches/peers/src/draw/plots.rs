//! Which plots there are.

use super::data::Data;
use super::svg::{Bar, Panel, bars, lines};
use crate::members::{LIMIT, LIMITS, PEERS, PRODUCT, title};
use crate::plan::{CONNECTIONS, READERS, WRITERS, connections, readers, writers};

/// Names and contents of the plots that have figures.
pub fn all(data: &Data) -> Vec<(&'static str, String)> {
    let puts = |group, head| {
        let cases = WRITERS.map(|count| (writers(count), writers(count)));
        let members = [&[PRODUCT], LIMITS.as_slice(), &PEERS].concat();
        bars(head, &panels(data, group, "rate", &cases, &members, LIMIT))
    };
    let cases = WRITERS.map(|count| (writers(count), writers(count)));
    let members = [&[PRODUCT, LIMIT], PEERS.as_slice()].concat();
    let cpu = panels(data, "burst", "cpu_us", &cases, &members, LIMIT);
    let cases = READERS.map(|count| (readers(count), readers(count)));
    let gets = panels(data, "get", "rate", &cases, &members, LIMIT);
    let mut http = Vec::new();
    for (what, limit) in [("get", "hyper"), ("put", "hyper-durable")] {
        let cases = CONNECTIONS.map(|count| {
            let case = connections(what, count);
            (case.clone(), case)
        });
        http.extend(panels(data, "http", "rate", &cases, &[PRODUCT, limit, "moto"], limit));
    }
    let mut plots = vec![
        ("bursts.svg", puts("burst", "Durable puts in a burst, as ratios to the limit")),
        ("slow-disk.svg", puts("slow", "Durable puts, +1 ms a sync, as ratios to the limit")),
        ("cpu.svg", bars("CPU of a put, as ratios to the limit's (less is better)", &cpu)),
        ("gets.svg", bars("Gets, as ratios to memory and one decryption", &gets)),
        ("http.svg", bars("HTTP, as ratios to hyper alone", &http)),
    ];
    let members = [PRODUCT, data.limit("sustained", "16 writers"), "rocksdb", "fjall", "sled"];
    let series = |member: &&'static str| {
        let series = data.series("sustained", "16 writers", member)?;
        Some((*member, plain(member), series.to_vec()))
    };
    let series: Vec<_> = members.iter().filter_map(series).collect();
    plots.push((
        "sustained.svg",
        lines("Durable puts in each second, 16 writers", "puts/s", &series),
    ));
    plots
}

/// The name of a member in a plot.
fn plain(member: &str) -> String {
    match member {
        PRODUCT => "Strongroom".to_owned(),
        LIMIT => "group commit".to_owned(),
        "group" => "without linger".to_owned(),
        "append" => "append".to_owned(),
        "prealloc" => "written blocks".to_owned(),
        "hyper" => "hyper alone".to_owned(),
        "hyper-durable" => "hyper, durable".to_owned(),
        "sled" => "sled".to_owned(),
        other => title(other).to_owned(),
    }
}

fn panels(
    data: &Data,
    group: &str,
    value: &str,
    cases: &[(String, String)],
    members: &[&str],
    limit: &str,
) -> Vec<Panel> {
    let panel = |(case, title): &(String, String)| {
        let bar = |member: &&str| {
            let ratio = data.ratio(group, case, [member, limit], value)?;
            let kind = match *member {
                PRODUCT => "own",
                member if member == limit || LIMITS.contains(&member) => "limit",
                _ => "peer",
            };
            Some(Bar { name: plain(member), kind, value: ratio })
        };
        Panel { title: title.clone(), bars: members.iter().filter_map(bar).collect() }
    };
    cases.iter().map(panel).collect()
}
