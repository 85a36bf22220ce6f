//! Removes random parts from a dump. Two runs of the same step differ in nothing else.

use super::draw::TOKEN;
use super::machine::RANDOM_CHARS;

/// A dump without the ends of ARNs, version ids that the vault made up, values that a rotation made
/// up, and pairs of keys.
pub(super) fn mask(dump: &str) -> String {
    let mut out = String::with_capacity(dump.len());
    let random = format!("    String {RANDOM_CHARS} ");
    for line in dump.lines() {
        if line.starts_with("credential ") {
            out.push_str("credential");
        } else if line.starts_with(&random) {
            out.push_str(&random);
        } else {
            mask_line(line, &mut out);
        }
        out.push('\n');
    }
    out
}

fn mask_line(line: &str, out: &mut String) {
    let mut rest = line;
    loop {
        let arn = rest.find(":secret:").map(|at| (at, true));
        let version = rest.find("VersionId(\"").map(|at| (at, false));
        let Some((at, is_arn)) = arn.into_iter().chain(version).min() else { break };
        let start = at + if is_arn { ":secret:".len() } else { "VersionId(\"".len() };
        let end = rest[start..].find('"').map_or(rest.len(), |len| start + len);
        let (head, word) = (&rest[..start], &rest[start..end]);
        out.push_str(head);
        match word.len().checked_sub(6).and_then(|cut| word.get(..cut)) {
            Some(front) if is_arn => out.push_str(front),
            _ if word.starts_with(TOKEN) => out.push_str(word),
            _ => out.push('?'),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
}
