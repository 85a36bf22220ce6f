//! The requests to a service as text that a person can read and edit, and their replay.
//!
//! ```text
//! strongroom trace 1
//! seed 7
//! # a comment
//! > 000000000000 us-east-1 CreateSecret {"Name":"a","ClientRequestToken":"..."}
//! < 200 {"ARN":"...
//! + 1500ms                           time passes
//! @ 1735689600000                    the wall clock is set, in milliseconds
//! maintain                           what the background does
//! > 000000000000 us-east-1 PutSecretValue {"SecretId":"a", ...}
//! ! lost answer                      a fault of the call above
//! ~ 30ms                             its latency, if any
//! <                                  no answer came
//! ```
//!
//! A body that is not a single line of text is written as `hex:` and its digits. A trace contains secret
//! values as they were sent.

use super::Ephemeral;
use super::endpoint::{Endpoint, NoAnswer, Outcome, Reply};
use super::faults::FaultKind;
use crate::env::UnixMillis;
use crate::model::Scope;
use crate::vault::Vault;
use std::fmt::{self, Write};
use std::str::FromStr;
use std::time::Duration;

const HEAD: &str = "strongroom trace 1";
const HEX: &str = "hex:";

/// The requests to a service and its answers, starting from a fresh vault.
#[derive(Clone, PartialEq, Eq)]
pub struct Trace {
    /// The seed of the vault.
    pub(super) seed: u64,
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Step {
    Advance(Duration),
    SetWall(UnixMillis),
    Maintain,
    Call {
        scope: Scope,
        operation: String,
        body: Vec<u8>,
        fault: Option<FaultKind>,
        latency: Duration,
        outcome: Outcome,
    },
}

/// Why a text is not a valid trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a line of a trace. line={line}")]
pub struct NotATrace {
    /// The line, counted from 1.
    pub line: usize,
}

/// Where a replay differed from the trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the replay differs. line={line} expected={expected} found={found}")]
pub struct Difference {
    /// The line number of the reply in the trace's text, counted from 1.
    pub line: usize,
    /// That line.
    pub expected: String,
    /// The actual reply.
    pub found: String,
}

impl Trace {
    /// The seed of the vault that it began with.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of calls.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Call { .. })).count()
    }

    /// Repeats all requests on a fresh vault of the same seed, with the faults of the trace. The answers
    /// must be equal byte for byte.
    pub fn replay(&self) -> crate::error::Result<Result<(), Difference>> {
        Ok(self.replay_on(Vault::ephemeral(self.seed)?))
    }

    /// The same on a vault of the caller, for example one with rotation functions or with content.
    pub fn replay_on(&self, vault: Ephemeral) -> Result<(), Difference> {
        let endpoint = Endpoint::new(vault);
        endpoint.set_faults(super::FaultPlan { stale_writes_max: u8::MAX, ..Default::default() });
        let mut text = head(self.seed);
        for step in &self.steps {
            let found = endpoint.follow(step);
            write_step(&mut text, step);
            let (Some(found), Step::Call { outcome, .. }) = (found, step) else { continue };
            if found != *outcome {
                let (expected, found) = (outcome_line(outcome), outcome_line(&found));
                return Err(Difference { line: text.lines().count(), expected, found });
            }
        }
        Ok(())
    }
}

fn head(seed: u64) -> String {
    format!("{HEAD}\nseed {seed}\n")
}

fn write_step(text: &mut String, step: &Step) {
    // Writing to a string cannot fail.
    let _ = match step {
        Step::Advance(span) => writeln!(text, "+ {}", time(*span)),
        Step::SetWall(wall) => writeln!(text, "@ {}", wall.0),
        Step::Maintain => writeln!(text, "maintain"),
        Step::Call { scope, operation, body, fault, latency, outcome } => {
            let Scope { account, region } = scope;
            let _ = writeln!(text, "> {account} {region} {operation} {}", line_of(body));
            if let Some(fault) = fault {
                let _ = writeln!(text, "! {fault}");
            }
            if !latency.is_zero() {
                let _ = writeln!(text, "~ {}", time(*latency));
            }
            writeln!(text, "{}", outcome_line(outcome))
        }
    };
}

fn outcome_line(outcome: &Outcome) -> String {
    match outcome {
        Ok(reply) => format!("< {} {}", reply.status, line_of(&reply.body)),
        Err(NoAnswer { .. }) => "<".to_owned(),
    }
}

/// In milliseconds if the duration is a whole number of them, else in nanoseconds.
fn time(span: Duration) -> String {
    if span.subsec_nanos().is_multiple_of(1_000_000) {
        format!("{}ms", span.as_millis())
    } else {
        format!("{}ns", span.as_nanos())
    }
}

fn parse_time(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(millis) => millis.parse().ok().map(Duration::from_millis),
        None => text.strip_suffix("ns")?.parse().ok().map(Duration::from_nanos),
    }
}

fn line_of(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) if !text.starts_with(HEX) && !text.contains(char::is_control) => text.to_owned(),
        _ => body.iter().fold(HEX.to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}

fn body_of(line: &str) -> Option<Vec<u8>> {
    let Some(digits) = line.strip_prefix(HEX) else { return Some(line.as_bytes().to_vec()) };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

impl fmt::Display for Trace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = head(self.seed);
        for step in &self.steps {
            write_step(&mut text, step);
        }
        out.write_str(&text)
    }
}

impl fmt::Debug for Trace {
    /// The text holds values.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Trace(seed={} calls={})", self.seed, self.calls())
    }
}

impl FromStr for Trace {
    type Err = NotATrace;

    fn from_str(text: &str) -> Result<Self, NotATrace> {
        let mut lines = (1..).zip(text.lines());
        let mut reader = Reader { steps: Vec::new(), open: None };
        let wrong = |line| NotATrace { line };
        lines.next().filter(|(_, line)| *line == HEAD).ok_or(wrong(1))?;
        let seed = lines.next().and_then(|(_, line)| line.strip_prefix("seed ")?.parse().ok());
        let seed = seed.ok_or(wrong(2))?;
        let mut last = 2;
        for (number, line) in lines {
            last = number;
            reader.line(line).ok_or(wrong(number))?;
        }
        if reader.open.is_some() {
            return Err(wrong(last));
        }
        Ok(Self { seed, steps: reader.steps })
    }
}

/// A call whose reply is not parsed yet.
struct OpenCall {
    scope: Scope,
    operation: String,
    body: Vec<u8>,
    fault: Option<FaultKind>,
    latency: Duration,
}

struct Reader {
    steps: Vec<Step>,
    open: Option<OpenCall>,
}

impl Reader {
    /// `None` if it is not a line of a trace, or not allowed at this point.
    fn line(&mut self, line: &str) -> Option<()> {
        if line.trim().is_empty() || line.starts_with('#') {
            return Some(());
        }
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (sign, &mut self.open) {
            ("!", Some(call)) => call.fault = Some(rest.parse().ok()?),
            ("~", Some(call)) => call.latency = parse_time(rest)?,
            ("<", Some(_)) => {
                let OpenCall { scope, operation, body, fault, latency } = self.open.take()?;
                let outcome = parse_outcome(rest, latency)?;
                self.steps.push(Step::Call { scope, operation, body, fault, latency, outcome });
            }
            (">", None) => self.open = Some(parse_call(rest)?),
            ("+", None) => self.steps.push(Step::Advance(parse_time(rest)?)),
            ("@", None) => self.steps.push(Step::SetWall(UnixMillis(rest.parse().ok()?))),
            ("maintain", None) if rest.is_empty() => self.steps.push(Step::Maintain),
            _ => return None,
        }
        Some(())
    }
}

fn parse_call(text: &str) -> Option<OpenCall> {
    let mut parts = text.splitn(4, ' ');
    let (account, region) = (parts.next()?, parts.next()?);
    let (scope, operation) = (Scope::new(account, region), parts.next()?.to_owned());
    let body = body_of(parts.next().unwrap_or_default())?;
    Some(OpenCall { scope, operation, body, fault: None, latency: Duration::ZERO })
}

fn parse_outcome(text: &str, latency: Duration) -> Option<Outcome> {
    if text.is_empty() {
        return Some(Err(NoAnswer { latency }));
    }
    let (status, body) = text.split_once(' ').unwrap_or((text, ""));
    Some(Ok(Reply { status: status.parse().ok()?, body: body_of(body)?, latency }))
}
