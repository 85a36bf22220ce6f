//! Removes secrets from what a rotation command says (rule SPEAK-11). It removes too much rather than too
//! little: whatever shares six characters in a row with a value, and what looks like a random token.

use crate::secret::SecretValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

/// What stands for what was removed.
const MASK: &str = "***";
/// The longest line that is told, in characters.
const TOLD_MAX: usize = 200;
/// The part of a line that is looked at.
const LOOKED_AT_MAX: usize = 1000;
/// Characters in a row that a line may not share with a value.
const SHARED: usize = 6;
/// The shortest part of a JSON value that is removed where it stands whole.
const PART_MIN: usize = 3;
/// The shortest run of letters and digits that looks like a token, and the shortest run of one kind.
const TOKEN_MIN: usize = 20;
const TOKEN_OF_ONE_KIND_MIN: usize = 40;

/// What must not be told.
#[derive(Default)]
pub(super) struct Mask {
    /// Removed wherever they stand, in whole or in part.
    texts: Vec<Zeroizing<String>>,
}

impl Mask {
    /// Adds a value: as a whole and, if it is JSON, each text in it.
    pub(super) fn add_value(&mut self, value: &SecretValue) {
        // EXPOSE: compared with a line, in buffers that are wiped.
        let bytes = value.as_bytes();
        match std::str::from_utf8(bytes) {
            Ok(text) => match serde_json::from_str::<Value>(text) {
                Ok(json @ (Value::Object(_) | Value::Array(_))) => self.add_parts(json),
                _ => self.add_text(text),
            },
            Err(_) => self.add_text(&String::from_utf8_lossy(bytes)),
        }
        self.texts.push(Zeroizing::new(STANDARD.encode(bytes)));
        self.texts.push(Zeroizing::new(hex::encode(bytes)));
    }

    fn add_parts(&mut self, json: Value) {
        match json {
            Value::String(text) => {
                let text = Zeroizing::new(text);
                if text.chars().count() >= PART_MIN {
                    self.add_text(&text);
                }
            }
            Value::Array(items) => items.into_iter().for_each(|item| self.add_parts(item)),
            Value::Object(members) => {
                members.into_iter().for_each(|(_, value)| self.add_parts(value));
            }
            Value::Number(number) => {
                let text = Zeroizing::new(number.to_string());
                // A port is no secret, a PIN is.
                if text.len() > 5 {
                    self.add_text(&text);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Adds a text as it is and as it is written inside quotes and URLs.
    pub(super) fn add_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let quoted = Zeroizing::new(text.escape_default().to_string());
        let in_url = Zeroizing::new(percent_encoded(text));
        self.texts.push(Zeroizing::new(text.to_owned()));
        self.texts.extend([quoted, in_url].into_iter().filter(|form| form.as_str() != text));
    }

    /// The line with everything removed that must not be told, on one line and not long.
    pub(super) fn apply(&self, line: &str) -> String {
        let line: Zeroizing<Vec<char>> =
            Zeroizing::new(line.trim().chars().take(LOOKED_AT_MAX).collect());
        let mut hidden = vec![false; line.len()];
        for text in &self.texts {
            hide_shared(&line, text, &mut hidden);
        }
        hide_tokens(&line, &mut hidden);
        let mut told = String::new();
        let mut was_hidden = false;
        for (c, is_hidden) in line.iter().zip(hidden) {
            if !is_hidden {
                told.push(if c.is_ascii_graphic() { *c } else { ' ' });
            } else if !was_hidden {
                told.push_str(MASK);
            }
            was_hidden = is_hidden;
        }
        told.chars().take(TOLD_MAX).collect()
    }
}

/// Marks what `line` shares with `text`: `SHARED` characters in a row, or all of a shorter text.
fn hide_shared(line: &[char], text: &str, hidden: &mut [bool]) {
    let len = text.chars().count().min(SHARED);
    for (at, window) in line.windows(len.max(1)).enumerate() {
        let window: Zeroizing<String> = Zeroizing::new(window.iter().collect());
        if text.contains(window.as_str()) {
            hidden.iter_mut().skip(at).take(len).for_each(|hidden| *hidden = true);
        }
    }
}

/// Marks long runs of letters and digits.
fn hide_tokens(line: &[char], hidden: &mut [bool]) {
    let is_of_token = |c: &char| c.is_ascii_alphanumeric() || "+=_-~".contains(*c);
    let mut at = 0;
    for run in line.split_inclusive(|c| !is_of_token(c)) {
        let token: Vec<&char> = run.iter().filter(|c| is_of_token(c)).collect();
        let has_digit = token.iter().any(|c| c.is_ascii_digit());
        let has_letter = token.iter().any(|c| c.is_ascii_alphabetic());
        let min = if has_digit && has_letter { TOKEN_MIN } else { TOKEN_OF_ONE_KIND_MIN };
        if token.len() >= min {
            hidden.iter_mut().skip(at).take(token.len()).for_each(|hidden| *hidden = true);
        }
        at += run.len();
    }
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[&str], line: &str) -> String {
        let mut mask = Mask::default();
        for value in values {
            mask.add_value(&SecretValue::text(*value));
        }
        mask.apply(line)
    }

    /// SPEAK-11
    #[test]
    fn no_part_of_a_value_is_told() {
        let json = r#"{"username":"admin","password":"p@ss\"w0rd-xyz","host":"db"}"#;
        for (line, expected) in [
            ("cannot log in with p@ss\"w0rd-xyz", "cannot log in with ***"),
            ("cannot log in with p@ss\\\"w0rd-xyz now", "cannot log in with *** now"),
            ("postgres://admin:p%40ss%22w0rd-xyz@db/x", "postgres://***:***@db/x"),
            ("cut: p@ss\"w", "cut: ***"),
            ("password authentication failed", "password authentication failed"),
        ] {
            assert_eq!(told(&[json], line), expected);
        }
        assert_eq!(told(&["hunter2"], "no hunter2, no unter2!"), "no ***, no ***!");
        assert_eq!(told(&["ab"], "ab cab"), "*** c***");
        let pem = "-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----";
        assert_eq!(told(&[pem], "last: abcdefghijkl"), "last: ***");
        assert_eq!(told(&["hunter2"], &STANDARD.encode("hunter2")), "***");
    }

    /// SPEAK-11
    #[test]
    fn what_looks_like_a_token_is_not_told() {
        assert_eq!(told(&[], "token=ab12ab12ab12ab12ab12ab12 x"), "*** x");
        let plain = "botocore.exceptions.EndpointConnectionError: Could not connect";
        assert_eq!(told(&[], plain), plain);
        assert_eq!(told(&[], &"a".repeat(40)), "***");
    }

    #[test]
    fn a_line_is_short_and_harmless() {
        assert_eq!(told(&[], "a\u{1b}[2J\tb\u{202e}"), "a [2J b ");
        assert_eq!(told(&[], &"a b ".repeat(500)).chars().count(), TOLD_MAX);
    }
}
