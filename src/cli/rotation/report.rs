//! The line about a call that failed (rule SPEAK-10): which function and step, how it ended, and what a
//! command said last, without secrets.

use super::call::Caller;
use super::mask::Mask;
use crate::cli::output::text;
use crate::error::Result;
use crate::secret::SecretValue;
use crate::vault::RotationEvent;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use zeroize::Zeroizing;

/// How much of the end of an output is kept.
const KEPT_BYTES: usize = 16 * 1024;
/// How long the rest of an output is waited for when a command has ended.
const REST_TIME: Duration = Duration::from_millis(500);
/// How often that wait looks.
const LOOK: Duration = Duration::from_millis(5);

/// Tells that a call failed. Nothing is told when the server stops: the call is made again.
pub(super) fn failed(
    caller: Option<&Caller>,
    function: &str,
    event: &RotationEvent,
    how: &str,
    output: Option<&Output>,
) {
    if event.is_stopping() {
        return;
    }
    let (function, step) = (text::one_line(function), event.step.name());
    let tells_names = caller.is_some_and(|caller| caller.tells_names);
    let secret = tells_names.then_some(event.secret_id.as_str());
    let said = output.and_then(Output::last_line);
    let said = said.map(|line| match caller.and_then(|caller| mask(caller, event)) {
        Some(mask) => mask.apply(&line),
        None => "(not told: the values in it cannot be recognised)".to_owned(),
    });
    tracing::warn!(
        target: "strongroom::rotation",
        function, step, how, said, secret, "a rotation step failed"
    );
}

/// What must not be told. `None`: it cannot be found out.
fn mask(caller: &Caller, event: &RotationEvent) -> Option<Mask> {
    let mut mask = Mask::default();
    let vault = caller.vault.as_ref()?.in_scope(&event.scope);
    for value in values_to_hide(|id| vault.values_of(id), &event.secret_id).ok()? {
        mask.add_value(&value);
    }
    for pair in caller.vault.as_ref()?.credentials().ok()? {
        // EXPOSE: compared with a line, in buffers that are wiped.
        mask.add_text(&String::from_utf8_lossy(pair.secret_access_key.expose()));
    }
    if !caller.tells_names {
        let name = event.secret_id.split(":secret:").nth(1).unwrap_or(&event.secret_id);
        // The ARN ends with a hyphen and six random characters.
        mask.add_text(name.rsplit_once('-').map_or(name, |(name, _)| name));
    }
    Some(mask)
}

/// The values of a secret and of the masters that they name: the template for two users logs in with another
/// secret. An error: not all of them can be read.
fn values_to_hide(
    values_of: impl Fn(&str) -> Result<Vec<SecretValue>>,
    secret_id: &str,
) -> Result<Vec<SecretValue>> {
    let mut values = values_of(secret_id)?;
    let masters: BTreeSet<String> = values.iter().filter_map(master_of).collect();
    for arn in masters {
        match values_of(&arn) {
            Ok(of_master) => values.extend(of_master),
            // What is not there has no values.
            Err(error) if error.is_not_found() => (),
            Err(error) => return Err(error),
        }
    }
    Ok(values)
}

/// The ARN of the secret that `value` names as its master.
fn master_of(value: &SecretValue) -> Option<String> {
    // EXPOSE: only the name of another secret is taken out.
    let json = serde_json::from_slice::<Value>(value.as_bytes()).ok()?;
    Some(json.get("masterarn")?.as_str()?.to_owned())
}

/// The output of a command, of which only the end is kept.
#[derive(Clone, Default)]
pub(super) struct Output(Arc<Mutex<End>>);

#[derive(Default)]
struct End {
    bytes: Zeroizing<Vec<u8>>,
    is_cut: bool,
    is_complete: bool,
}

impl Output {
    /// Reads an output to its end on a thread of its own, so that a command never waits for us.
    pub(super) fn read(mut from: impl Read + Send + 'static) -> Self {
        let output = Self::default();
        let end = Arc::clone(&output.0);
        let read = move || {
            let mut chunk = Zeroizing::new([0; 4096]);
            while let Ok(len @ 1..) = from.read(chunk.as_mut_slice()) {
                let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
                end.push(chunk.get(..len).unwrap_or_default());
            }
            end.lock().unwrap_or_else(PoisonError::into_inner).is_complete = true;
        };
        // Without a thread nothing is kept, and the command fails when it writes.
        let _ = thread::Builder::new().name("strongroom-output".to_owned()).spawn(read);
        output
    }

    /// The last line that says something. `None`: there is none, or it is too long to be kept whole. What a
    /// process that the command left behind still writes is not waited for.
    fn last_line(&self) -> Option<Zeroizing<String>> {
        let mut waited = Duration::ZERO;
        loop {
            let end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if end.is_complete || waited >= REST_TIME {
                return end.last_line();
            }
            drop(end);
            thread::sleep(LOOK);
            waited += LOOK;
        }
    }
}

impl End {
    fn push(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() == 0 {
            // With room for all of it: growing would leave copies behind.
            self.bytes = Zeroizing::new(Vec::with_capacity(2 * KEPT_BYTES));
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > KEPT_BYTES {
            let surplus = self.bytes.len() - KEPT_BYTES;
            self.bytes.drain(..surplus);
            self.is_cut = true;
        }
    }

    fn last_line(&self) -> Option<Zeroizing<String>> {
        let text = Zeroizing::new(String::from_utf8_lossy(&self.bytes).into_owned());
        let (before, line) = match text.trim_end().rsplit_once(['\n', '\r']) {
            Some((_, line)) => (true, line),
            None => (!self.is_cut, text.trim_end()),
        };
        // The part of a line may end in the middle of a value, which nobody recognises then.
        (before && !line.trim().is_empty()).then(|| Zeroizing::new(line.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::semantics::{Fault, FaultKind};

    /// SPEAK-11
    #[test]
    fn a_master_that_cannot_be_read_hides_the_line() {
        let values_of = |of_master: fn() -> Result<Vec<SecretValue>>| {
            let values_of = move |id: &str| match id {
                "master" => of_master(),
                _ => Ok(vec![SecretValue::text(r#"{"masterarn":"master"}"#)]),
            };
            values_to_hide(values_of, "secret").map(|values| values.len()).ok()
        };
        assert_eq!(values_of(|| Ok(vec![SecretValue::text("a"), SecretValue::text("b")])), Some(3));
        let gone = || Err(Fault::new(FaultKind::ResourceNotFound, "no").into());
        assert_eq!(values_of(gone), Some(1), "what is not there has no values");
        assert_eq!(values_of(|| Err(ErrorKind::Poisoned.into())), None);
    }

    fn last(chunks: &[&[u8]]) -> Option<String> {
        let mut end = End::default();
        for chunk in chunks {
            end.push(chunk);
        }
        end.last_line().map(|line| line.to_string())
    }

    /// SPEAK-10
    #[test]
    fn the_last_line_is_found_whole_or_not_at_all() {
        assert_eq!(last(&[b"one\ntw", b"o\n\n"]).as_deref(), Some("two"));
        assert_eq!(last(&[b"only"]).as_deref(), Some("only"));
        assert_eq!(last(&[]), None);
        assert_eq!(last(&[b" \n"]), None);
        let long = vec![b'x'; KEPT_BYTES + 1];
        assert_eq!(last(&[&long]), None, "its beginning is gone");
        assert_eq!(last(&[&long, b"\nlast\n"]).as_deref(), Some("last"));
    }
}
