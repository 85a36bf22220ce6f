//! The words of a refusal by the operating system: what was being done with which path, why it was refused,
//! and what a person does about it.

use crate::env::calendar::{Date, Time, date_and_time};
use crate::env::real::{effective_uid, owner_of_denied, user_name};
use crate::env::{UnixMillis, refusals};
use std::io;
use std::path::Path;

/// What was being done, and how a sentence says it whose subject is the path.
const DONE: [(&str, &str); 18] = [
    ("open", "opened"),
    ("read", "read"),
    ("write", "written"),
    ("sync", "made durable"),
    ("stat", "looked at"),
    ("list", "listed"),
    ("remove", "removed"),
    ("rename", "renamed"),
    ("make", "made"),
    ("keep", "copied to the folder `damaged`"),
    ("lock", "locked"),
    ("set the mode of", "made private"),
    ("listen on", "listened on"),
    ("listen for the agent on", "listened on"),
    ("open the state", "opened as a state"),
    ("open sled", "opened as a state"),
    ("sync the state", "made durable"),
    ("copy the state to the temporary folder", "used as the temporary folder"),
];

/// What happened and why.
pub(super) fn message(
    op: &str,
    path: &Path,
    errno: Option<i32>,
    source: Option<&io::Error>,
    denied: Option<&str>,
) -> String {
    let words = refusals::words(errno, source);
    let why = denied.map_or_else(String::new, |owner| format!(" ({owner})"));
    let done = DONE.iter().find(|(known, _)| *known == op).map(|(_, done)| *done);
    match done {
        _ if path.as_os_str().is_empty() => format!("cannot {op}: {words}{why}"),
        Some(done) => format!("{} cannot be {done}: {words}{why}", path.display()),
        None => format!("{}: cannot {op}: {words}{why}", path.display()),
    }
}

/// What a person does about it.
pub(super) fn step(op: &str, errno: Option<i32>) -> &'static str {
    match op {
        "copy the state to the temporary folder" => {
            "name a folder that can be written with the variable TMPDIR"
        }
        "listen on" if refusals::is_denied(errno) => {
            "ports below 1024 are reserved; choose another port"
        }
        _ => refusals::step(errno),
    }
}

/// A moment for people, in UTC.
pub(super) fn date(millis: i64) -> String {
    let (Date { year, month, day, .. }, Time { hour, minute, second, .. }) =
        date_and_time(UnixMillis(millis));
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The name of the user that this process runs as.
pub(super) fn this_user() -> String {
    user_name(effective_uid())
}

/// Who owns what this process has no right to.
pub(super) fn denied(errno: Option<i32>, path: &Path) -> Option<Box<str>> {
    if !refusals::is_denied(errno) || path.as_os_str().is_empty() {
        return None;
    }
    let (place, owner, mode) = owner_of_denied(path)?;
    let (owner, us) = (user_name(owner), this_user());
    let place = if place == path { "it".to_owned() } else { place.display().to_string() };
    Some(format!("{place} belongs to {owner}, mode {mode:04o}; this process runs as {us}").into())
}
