//! The other tables.

use super::data::Data;
use super::{cell, ratio, table, time, whole, wrapped};
use crate::members::{LIMIT, PEERS, PRODUCT, title};
use crate::plan::{CONNECTIONS, READERS, WRITERS, connections, readers, writers};
use std::collections::BTreeSet;

/// Whether the figures count.
pub fn state(data: &Data) -> String {
    let named = |groups: BTreeSet<&str>| {
        let groups: Vec<String> = groups.iter().map(|group| format!("`{group}`")).collect();
        Some(groups.join(", ")).filter(|groups| !groups.is_empty())
    };
    let mut told = Vec::new();
    if let Some(groups) = named(data.older_groups()) {
        told.push(wrapped(
            &format!(
                "**The figures of the groups {groups} are of an earlier state of the code. The last table has \
                 their commits.**"
            ),
            "",
        ));
    }
    if let Some(groups) = named(data.quick_groups()) {
        told.push(wrapped(
            &format!(
                "**The figures of the groups {groups} are of a short run. They only show that the command works; \
                 read nothing into them.**"
            ),
            "",
        ));
    }
    told.join("\n")
}

/// The first table: what most want to know.
pub fn glance(data: &Data) -> String {
    let mut rows = Vec::new();
    let mut row = |what: String, at: [&str; 3], limit: &str, peers: &[&'static str]| {
        let [group, case, name] = at;
        let Some(own) = data.median(group, case, PRODUCT, name) else { return };
        let to_limit = data.ratio(group, case, [PRODUCT, limit], name);
        let peer = data.best(at, peers, true);
        let peer = peer.and_then(|(peer, _)| {
            let to_peer = data.ratio(group, case, [PRODUCT, peer], name)?;
            Some(format!("{} ({})", ratio(to_peer), title(peer)))
        });
        let range = data.range(group, case, [PRODUCT, limit], name);
        let range = range.map(|(low, high)| format!(" ({} to {})", ratio(low), ratio(high)));
        let to_limit = format!("**{}**{}", cell(to_limit.map(ratio)), range.unwrap_or_default());
        rows.push(vec![what, to_limit, cell(peer), format!("{}/s", whole(own))]);
    };
    for (group, what) in [("burst", "the disk as it is"), ("slow", "+1 ms a sync")] {
        for count in WRITERS {
            let case = writers(count);
            row(format!("durable puts, {case}, {what}"), [group, &case, "rate"], LIMIT, &PEERS);
        }
    }
    let seconds = data.seconds("sustained").unwrap_or(0);
    let what = format!("durable puts, 16 writers, {seconds} s");
    row(what, ["sustained", "16 writers", "rate"], LIMIT, &PEERS);
    for count in READERS {
        let case = readers(count);
        row(format!("gets, {case}"), ["get", &case, "rate"], LIMIT, &PEERS);
    }
    for (what, limit) in [("get", "hyper"), ("put", "hyper-durable")] {
        for count in CONNECTIONS {
            let case = connections(what, count);
            row(format!("HTTP {case}"), ["http", &case, "rate"], limit, &["moto"]);
        }
    }
    table(&["Strongroom", "of the limit", "of the fastest peer", "rate"], rows)
}

pub fn gets(data: &Data) -> String {
    let mut rows = Vec::new();
    for member in [LIMIT, PRODUCT].into_iter().chain(PEERS) {
        let mut row = vec![if member == LIMIT { "the limit" } else { title(member) }.to_owned()];
        for count in READERS {
            let case = readers(count);
            let median = |name| data.median("get", &case, member, name);
            let to_limit = data.ratio("get", &case, [member, LIMIT], "rate").map(ratio);
            let rate =
                median("rate").map(|rate| format!("**{}** ({}/s)", cell(to_limit), whole(rate)));
            let times = median("p50_us").zip(median("p99_us"));
            row.push(cell(rate));
            row.push(cell(times.map(|(p50, p99)| format!("{} / {}", time(p50), time(p99)))));
        }
        rows.push(row);
    }
    table(&["gets, of the limit", "1 reader", "p50 / p99", "2 readers", "p50 / p99"], rows)
}

pub fn mixed(data: &Data) -> String {
    let case = writers(16);
    let mut rows = Vec::new();
    for member in [LIMIT, PRODUCT].into_iter().chain(PEERS) {
        let median = |name| data.median("mixed", &case, member, name);
        let to_bare = |own, bare| {
            let to_bare = data.ratio_of_values("mixed", &case, member, [own, bare])?;
            let (own, bare) = median(own).zip(median(bare))?;
            let (own, bare) = (time(own), time(bare));
            // The unit once, if it is the same.
            let unit = bare.rsplit(' ').next().unwrap_or_default();
            let own = own.strip_suffix(unit).map_or(own.as_str(), str::trim_end);
            Some(format!("**{}** ({own} / {bare})", ratio(to_bare)))
        };
        rows.push(vec![
            if member == LIMIT { "memory, beside the limit" } else { title(member) }.to_owned(),
            cell(to_bare("get_p99_us", "bare_p99_us")),
            cell(to_bare("flush_get_p99_us", "flush_bare_p99_us")),
            cell(to_bare("get_p50_us", "bare_p50_us")),
            cell(median("rate").map(whole)),
        ]);
    }
    let head = [
        "under 16 writers, of a bare reader's",
        "p99",
        "p99, in a flush",
        "p50",
        "puts/s meanwhile",
    ];
    let mut text = table(&head, rows);
    if let Some(share) = data.median("mixed", &case, PRODUCT, "flush_share") {
        text.push_str(&format!("\nStrongroom flushed for {:.0} % of the time.\n", share * 100.0));
    }
    text
}

pub fn http(data: &Data) -> String {
    let rows = [
        ("get", "hyper", "hyper, the limit"),
        ("get", PRODUCT, title(PRODUCT)),
        ("get", "moto", "moto"),
        ("put", "hyper-durable", "hyper + group commit, the limit"),
        ("put", PRODUCT, title(PRODUCT)),
        ("put", "hyper", "hyper, not durable"),
        ("put", "moto", "moto, not durable"),
    ];
    let row = |(what, member, name): (&str, &str, &str)| {
        let limit = if what == "get" { "hyper" } else { "hyper-durable" };
        let mut row = vec![format!("{what}: {name}")];
        for count in CONNECTIONS {
            let case = connections(what, count);
            let median = |name| data.median("http", &case, member, name);
            let to_limit = data.ratio("http", &case, [member, limit], "rate").map(ratio);
            let rate = median("rate");
            row.push(cell(rate.map(|rate| format!("**{}** ({}/s)", cell(to_limit), whole(rate)))));
            row.push(cell(median("p99_us").map(time)));
        }
        row
    };
    let head = ["of the limit", "1 connection", "p99", "16 connections", "p99"];
    table(&head, rows.into_iter().map(row).collect())
}

pub fn processes(data: &Data) -> String {
    let ms = |case: &str, member: &str| data.median("processes", case, member, "ms");
    let show = |value: Option<f64>| cell(value.map(|ms| time(ms * 1000.0)));
    let memory = |member: &str| data.median("processes", "serve", member, "rss_mib");
    let rss = |value: Option<f64>| cell(value.map(|mib| format!("{mib:.0} MiB")));
    let size = data.median("processes", "binary", PRODUCT, "bytes");
    let rows = vec![
        vec!["`strongroom get`, the whole process".into(), show(ms("get", PRODUCT)), String::new()],
        vec!["`true`, the whole process".into(), show(ms("get", "true")), String::new()],
        vec![
            "`strongroom serve` until it is ready".into(),
            show(ms("serve", PRODUCT)),
            rss(memory(PRODUCT)),
        ],
        vec![
            "moto until it takes connections".into(),
            show(ms("serve", "moto")),
            rss(memory("moto")),
        ],
        vec![
            "the release binary without symbols".into(),
            cell(size.map(|bytes| format!("{:.1} MiB", bytes / 1_048_576.0))),
            String::new(),
        ],
    ];
    if size.is_none() {
        table(&["", "", ""], Vec::new())
    } else {
        table(&["", "time or size", "memory"], rows)
    }
}

/// What it ran on, and when each group was measured.
pub fn machine(data: &Data) -> String {
    let machines: Vec<_> = data.of("machine").collect();
    let Some(last) = machines.last() else { return "Not measured yet.\n".to_owned() };
    let mut text = String::new();
    let own = ["date", "commit", "rounds"];
    for (name, value) in last.texts.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
        text.push_str(&wrapped(&format!("- {name}: {value}"), "  "));
    }
    text.push('\n');
    let rows =
        machines.iter().map(|machine| {
            let of = |name: &str| {
                let found = machine.texts.iter().find(|(found, _)| found == name);
                cell(found.map(|(_, text)| text.clone()))
            };
            let length = if machine.quick { "short" } else { "full" };
            vec![
                machine.case.clone(),
                of("date"),
                format!("`{}`", of("commit")),
                data.rounds(&machine.case).to_string(),
                length.into(),
                cell(data.others(&machine.case).map(|(middle, most)| {
                    format!("{:.0} % ({:.0} %)", middle * 100.0, most * 100.0)
                })),
            ]
        });
    let head = ["group", "measured at", "commit", "rounds", "run", "CPU of others, median (most)"];
    text.push_str(&table(&head, rows.collect()));
    let groups = machines.iter().map(|machine| machine.case.as_str());
    let mut notes: Vec<String> = groups
        .flat_map(|group| {
            data.notes(group)
                .into_iter()
                .map(move |(member, note)| format!("{group}, {member}: {note}"))
        })
        .collect();
    notes.dedup();
    if !notes.is_empty() {
        text.push_str("\nWithout figures:\n\n");
        notes.iter().for_each(|note| text.push_str(&wrapped(&format!("- {note}"), "  ")));
    }
    text
}
