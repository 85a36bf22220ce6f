//! The tables of large vaults: opening, and puts while they grow.

use super::data::Data;
use super::{cell, ratio, table, time, whole, wrapped};
use crate::members::{PEERS, PRODUCT, title};
use crate::plan::{OPENED, growth};

pub fn open(data: &Data) -> String {
    let mut rows = Vec::new();
    for versions in OPENED {
        for member in [PRODUCT].into_iter().chain(PEERS) {
            let [clean, cold, killed] =
                ["", ", cold", ", killed"].map(|after| format!("{versions} versions{after}"));
            let median = |case: &str, name| data.median("open", case, member, name);
            let opened = |case: &str| cell(median(case, "open_ms").map(|ms| time(ms * 1e3)));
            let to_sled = data.ratio("open", &clean, [member, "sled"], "open_ms").map(ratio);
            let first = median(&clean, "open_ms");
            let both = |name| {
                let both = median(&clean, name).zip(median(&killed, name));
                cell(both.map(|(clean, killed)| format!("{clean:.0} / {killed:.0} MiB")))
            };
            rows.push(vec![
                format!("{}: {}", whole(versions as f64), title(member)),
                cell(first.map(|ms| format!("**{}** ({})", cell(to_sled), time(ms * 1e3)))),
                opened(&cold),
                opened(&killed),
                cell(median(&clean, "first_get_us").map(time)),
                both("rss_mib"),
                both("files_mib"),
            ]);
        }
    }
    let head =
        ["versions", "clean, of sled's", "clean, cold", "killed", "first get", "memory", "files"];
    let mut text = table(&head, rows);
    for versions in OPENED {
        text.push_str(&files(data, versions).unwrap_or_default());
    }
    text
}

/// What the product's files were at each kind of open.
fn files(data: &Data, versions: usize) -> Option<String> {
    let one = |after: &str| {
        let case = format!("{versions} versions{after}");
        let median = |name| data.median("open", &case, PRODUCT, name);
        Some(format!(
            "log {:.0} MiB, state {:.0} MiB, {:.0} % of the files in the page cache",
            median("log_mib")?,
            median("state_mib")?,
            median("cached_share")? * 100.0
        ))
    };
    let case = format!("{versions} versions, killed");
    let of_kill = |name| data.median("open", &case, PRODUCT, name);
    let (puts, mib) = (of_kill("kill_puts")?, of_kill("kill_rss_mib")?);
    let is_full = if of_kill("kill_is_full")? > 0.0 { "full" } else { "not full" };
    let text = format!(
        "- Strongroom, {} versions. Clean: {}. Cold: {}. Killed: {}; the memtable was {is_full} after {} \
         more puts, and the process had {mib:.0} MiB.",
        whole(versions as f64),
        one("")?,
        one(", cold")?,
        one(", killed")?,
        whole(puts)
    );
    let first = if versions == OPENED[0] { "\n" } else { "" };
    Some(format!("{first}{}", wrapped(&text, "  ")))
}

pub fn scale(data: &Data) -> String {
    let (mut costs, mut bytes) = (Vec::new(), Vec::new());
    let growth = growth(data.quick_groups().contains("scale"));
    let (secrets, versions) = (growth[0].0, growth[0].1[0]);
    let first = format!("{secrets} secrets, {versions} versions");
    for (secrets, versions) in growth {
        for count in versions {
            let case = format!("{secrets} secrets, {count} versions");
            let median = |name| data.median("scale", &case, PRODUCT, name);
            let to_first =
                data.ratio_of_cases("scale", [&case, &first], PRODUCT, "cpu_us").map(ratio);
            let title =
                format!("{} secrets, {} versions", whole(secrets as f64), whole(*count as f64));
            costs.push(vec![
                title,
                cell(to_first.map(|ratio| format!("**{ratio}**"))),
                cell(median("cpu_us").map(|us| format!("{} µs", whole(us)))),
                cell(median("rate").map(|rate| format!("{}/s", whole(rate)))),
                cell(median("p99_us").map(time)),
                cell(median("rss_mib").map(|mib| format!("{mib:.0} MiB"))),
            ]);
            let title = format!("{} / {}", whole(secrets as f64), whole(*count as f64));
            bytes.push(parts(data, &format!("{case}, filling"), format!("{title}, filling")));
            bytes.push(parts(data, &case, format!("{title}, rounds")));
        }
    }
    let head = ["a put by 16 writers", "CPU, of the first row's", "CPU", "rate", "p99", "memory"];
    let costs = table(&head, costs);
    let head = [
        "bytes: secrets / versions",
        "frame",
        "segments",
        "state",
        "before compaction",
        "compaction",
        "all",
    ];
    let bytes = table(&head, bytes);
    if costs == bytes { costs } else { format!("{costs}\n{bytes}") }
}

/// Where the bytes of a put went. Means, because what goes to one place in one round may come from the round
/// before.
fn parts(data: &Data, case: &str, title: String) -> Vec<String> {
    let mean = |name| data.mean("scale", case, PRODUCT, name);
    let mut row = vec![title];
    let all = [mean("frame_bytes"), mean("segment_bytes"), mean("compaction_bytes")];
    let (Some(written), [Some(frame), Some(segments), Some(compaction)]) =
        (mean("written_bytes"), all)
    else {
        row.resize(7, cell(None));
        return row;
    };
    let to_frame = |bytes: f64| format!("**{}** ({})", ratio(bytes / frame), whole(bytes));
    let before = written - compaction;
    row.extend([frame, segments, before - frame - segments].map(whole));
    row.extend([to_frame(before), whole(compaction), to_frame(written)]);
    row
}
