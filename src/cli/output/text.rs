//! Text for people: dates, and control characters that must not reach a terminal.

use crate::env::UnixMillis;
use crate::env::calendar::{Date, Time, date_and_time, day_of};
use crate::model::api::{DescribeSecretResponse, SecretVersionsListEntry};
use crate::vault::{CheckReport, LabelEvent};
use std::fmt::Write as _;

/// `text` with control characters escaped, so that it stays on one line and cannot control the terminal.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

/// A moment as `2026-03-01T12:30:00.250Z`.
pub(crate) fn date_time(at: UnixMillis) -> String {
    let (date, Time { hour, minute, second, milli }) = date_and_time(at);
    let mut text = date_text(date);
    // Writing to a string cannot fail.
    let _ = write!(text, "T{hour:02}:{minute:02}:{second:02}.{milli:03}Z");
    text
}

/// A moment as events have it, `2026-03-01T12:30:00Z`.
pub(crate) fn seconds(at: UnixMillis) -> String {
    let text = date_time(at);
    text.split_once('.').map_or_else(String::new, |(seconds, _)| format!("{seconds}Z"))
}

/// The day of a moment as `2026-03-01` (UTC).
pub(crate) fn date(at: UnixMillis) -> String {
    date_text(Date::of(day_of(at)))
}

/// What `describe` shows: a label and a value a line.
pub(crate) fn description(found: &DescribeSecretResponse) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |label: &str, value: &str| lines.push(format!("{label:<14}{}", one_line(value)));
    line("Name:", &found.name);
    line("ARN:", &found.arn);
    if let Some(description) = &found.description {
        line("Description:", description);
    }
    if let Some(key) = &found.kms_key_id {
        line("KMS key:", key);
    }
    line("Created:", &date_time(found.created_date));
    line("Changed:", &date_time(found.last_changed_date));
    if let Some(day) = found.last_accessed_date {
        line("Last read:", &date(day));
    }
    if let Some(requested) = found.deleted_date {
        line("Deleted:", &format!("{} (`restore` cancels it)", date_time(requested)));
    }
    if let Some(service) = &found.owning_service {
        line("Owned by:", service);
    }
    if let Some(external) = &found.external {
        line("Held by:", &external.partner);
    }
    if let Some(rotation) = &found.rotation {
        let state = if rotation.rotation_enabled { "" } else { " (cancelled)" };
        let by = rotation.rotation_lambda_arn.as_deref().unwrap_or("its partner");
        line("Rotated by:", &format!("{by}{state}"));
        if let Some(at) = rotation.last_rotated_date {
            line("Rotated:", &date_time(at));
        }
        if let Some(at) = rotation.next_rotation_date {
            line("Rotates by:", &date_time(at));
        }
    }
    if let Some(region) = &found.primary_region {
        line("Primary:", region);
    }
    for replica in found.replication_status.iter().flatten() {
        line("Replica:", &format!("{}  {}", replica.region, replica.status.name()));
    }
    if let Some(primary) = &found.cross_account_primary {
        line("Replica of:", &format!("{}  {}", primary.arn, primary.status.name()));
    }
    if let Some(replica) = &found.cross_account_replica {
        line("Replica:", &format!("{}  {}", replica.arn, replica.status.name()));
    }
    for tag in found.tags.iter().flatten() {
        line("Tag:", &format!("{}={}", tag.key, tag.value));
    }
    for (version, stages) in &found.versions_to_stages {
        line("Version:", &format!("{version}  {}", stages.join(", ")));
    }
    lines
}

/// A version as one line of `versions`: id, labels (`-` for none), when made; tabs between.
pub(crate) fn version(entry: &SecretVersionsListEntry) -> String {
    let stages = match entry.version_stages.as_slice() {
        [] => "-".to_owned(),
        stages => stages.join(","),
    };
    let (id, stages) = (one_line(entry.version_id.as_str()), one_line(&stages));
    format!("{id}\t{stages}\t{}", date_time(entry.created_date))
}

/// An event as one line of `events ls`: when, label, ARN, version; tabs between.
pub(crate) fn label_event(event: &LabelEvent) -> String {
    let LabelEvent { time, label, arn, version_id, .. } = event;
    let (label, version_id) = (one_line(label), one_line(version_id));
    format!("{}\t{label}\t{arn}\t{version_id}", date_time(*time))
}

/// What `check` found, in one line.
pub(crate) fn check_summary(report: &CheckReport) -> String {
    let CheckReport { lsn, rows, values, warnings, damage, .. } = report;
    let state = if damage.is_empty() { "no damage" } else { "damaged" };
    format!(
        "{state}: operations={lsn} rows={rows} values={values} warnings={} damage={}",
        warnings.len(),
        damage.len()
    )
}

fn date_text(date: Date) -> String {
    let Date { year, month, day, .. } = date;
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_767_225_600_250, "2026-01-01T00:00:00.250Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(date_time(UnixMillis(millis)), text);
        }
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for millis in [i64::MIN, i64::MAX] {
            assert!(date_time(UnixMillis(millis)).ends_with('Z'));
        }
    }

    #[test]
    fn a_label_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\x1b[2Jb\nc\u{9b}"), "a\\u{1b}[2Jb\\nc\\u{9b}");
    }
}
