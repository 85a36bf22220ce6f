//! What we are slower at, written from the figures. The reasons are written by hand.

use super::data::Data;
use super::{ratio, time, wrapped};
use crate::members::{LIMIT, PEERS, PRODUCT, title};
use crate::plan::{CONNECTIONS, OPENED, READERS, WRITERS, connections, readers, writers};

/// A kind of figure, its cases, and who else has it.
struct Subject {
    title: &'static str,
    group: &'static str,
    value: &'static str,
    /// More is better.
    high: bool,
    cases: Vec<String>,
    others: Vec<&'static str>,
    why: &'static str,
}

fn subjects() -> Vec<Subject> {
    let puts: Vec<String> = WRITERS.iter().map(|count| writers(*count)).collect();
    let stores = || [&[LIMIT], PEERS.as_slice()].concat();
    let put = |title, group, value, high, why| Subject {
        title,
        group,
        value,
        high,
        cases: puts.clone(),
        others: stores(),
        why,
    };
    let http = |title, what: &str, others: &[&'static str], why| Subject {
        title,
        group: "http",
        value: "rate",
        high: true,
        cases: CONNECTIONS.iter().map(|count| connections(what, *count)).collect(),
        others: others.to_vec(),
        why,
    };
    vec![
        put("Durable puts in a burst", "burst", "rate", true, PUTS),
        put("Durable puts in a burst, +1 ms a sync", "slow", "rate", true, SLOW),
        put("CPU of a put", "burst", "cpu_us", false, CPU),
        put("Bytes written to the disk for a put", "burst", "device_bytes", false, BYTES),
        Subject {
            cases: ["16 writers", "1 writer", "64 writers", "16 writers, slow"]
                .map(String::from)
                .into(),
            ..put("Durable puts, sustained", "sustained", "rate", true, SUSTAINED)
        },
        Subject {
            cases: READERS.iter().map(|count| readers(*count)).collect(),
            ..put("Gets", "get", "rate", true, GETS)
        },
        Subject {
            cases: vec![writers(16)],
            ..put(
                "The 99th percentile of gets under 16 writers",
                "mixed",
                "get_p99_us",
                false,
                MIXED,
            )
        },
        http("Gets over HTTP", "get", &["hyper", "moto"], HTTP),
        http("Durable puts over HTTP", "put", &["hyper-durable", "hyper", "moto"], HTTP_PUTS),
        Subject {
            cases: OPENED
                .iter()
                .flat_map(|count| {
                    ["", ", cold", ", killed"].map(|after| format!("{count} versions{after}"))
                })
                .collect(),
            ..put("Opening", "open", "open_ms", false, OPEN)
        },
    ]
}

const PUTS: &str = "The members seal one value and write four rows. A put to Strongroom also passes the rules \
    and the access check of the API, writes more rows, seals the metadata in them, and authenticates each \
    row and the state as a whole, so that a row that was changed, swapped or rolled back is noticed. One \
    thread decides the order of all writes.";
const SLOW: &str = "The same. A slower sync leaves more time for the work between two syncs.";
const CPU: &str = "The same work as above. The limit does nothing but seal, write and sync.";
const BYTES: &str = "The limit writes its rows once, without a store. Strongroom writes sealed rows to the log \
    and prepares segments ahead; what leaves the memtable goes to sled, too.";
const SUSTAINED: &str = "A burst mostly fits into the memtable. Later all rows also have to reach sled, and this \
    machine has few cores for that.";
const GETS: &str = "The members look up two rows and decrypt one value under a key that they have. A get of \
    Strongroom resolves the name and the staging label, checks access and deletion, reads one consistent \
    state, unwraps the data key if it has none at hand, and puts the value in memory that is wiped.";
const MIXED: &str = "The bare reader in the same process shows how much of it is the wait for a core. Where the \
    rest comes from is not known.";
const HTTP: &str = "hyper alone answers fixed bytes. Strongroom checks a signature over the whole request (four \
    passes of SHA-256 at least), parses it, decides access, decrypts the value and writes a log.";
const HTTP_PUTS: &str = "The reasons of puts and of gets over HTTP together. hyper that is not durable, and moto, \
    answer before anything is on the disk.";
const OPEN: &str = "Strongroom verifies that the whole state on the disk is the one that the log has \
    authenticated. No other member verifies its whole state; some read the end of their log back.";

/// One bullet for each subject in which anyone is better.
pub fn list(data: &Data) -> String {
    let mut text = String::new();
    for subject in subjects() {
        let mut cases: Vec<String> =
            subject.cases.iter().filter_map(|case| behind(data, &subject, case)).collect();
        if subject.group == "mixed" {
            cases.extend(behind_bare(data, &writers(16)));
        }
        if !cases.is_empty() {
            let line =
                format!("- **{}.** {} *Why:* {}", subject.title, cases.join(" "), subject.why);
            text.push_str(&wrapped(&line, "  "));
        }
    }
    if text.is_empty() { "Not measured yet.\n".to_owned() } else { text }
}

/// How much slower the product is than the bare reader beside it, in a flush and over all.
fn behind_bare(data: &Data, case: &str) -> Option<String> {
    let one = |what: &str, [own, bare]: [&str; 2]| {
        let found = data.ratio_of_values("mixed", case, PRODUCT, [own, bare])?;
        let (own, bare) = data
            .median("mixed", case, PRODUCT, own)
            .zip(data.median("mixed", case, PRODUCT, bare))?;
        Some(format!("{} times {what} ({} to {})", ratio(found), time(own), time(bare)))
    };
    let over_all = one("the bare reader under the same load", ["get_p99_us", "bare_p99_us"])?;
    let flush = one("it while a flush runs", ["flush_get_p99_us", "flush_bare_p99_us"]);
    let flush = flush.map(|flush| format!(", {flush}")).unwrap_or_default();
    Some(format!("{over_all}{flush}."))
}

/// Who is better in this case, and by how much.
fn behind(data: &Data, subject: &Subject, case: &str) -> Option<String> {
    let mut better: Vec<(f64, &str)> = Vec::new();
    for other in &subject.others {
        let found = data.ratio(subject.group, case, [PRODUCT, other], subject.value);
        if let Some(found) =
            found.filter(|found| if subject.high { *found < 1.0 } else { *found > 1.0 })
        {
            better.push((found, other));
        }
    }
    better.sort_by(|a, b| if subject.high { a.0.total_cmp(&b.0) } else { b.0.total_cmp(&a.0) });
    let list: Vec<String> = better
        .iter()
        .map(|(found, other)| {
            let name = match *other {
                LIMIT if subject.group == "mixed" => "a reader of memory beside the limit",
                LIMIT => "the limit",
                "hyper" => "hyper",
                "hyper-durable" => "hyper with a group commit",
                other => title(other),
            };
            if subject.high {
                format!("{} of {name}", ratio(*found))
            } else {
                format!("{} times {name}", ratio(*found))
            }
        })
        .collect();
    let case = case.replace("slow", "+1 ms a sync");
    (!list.is_empty()).then(|| format!("{case}: {}.", list.join(", ")))
}
