//! Removes secrets from what a rotation command says (rule SPEAK-11). It removes too much rather than too
//! little: whatever shares six characters in a row with a value, however it is quoted or encoded, and what
//! looks like a random token.

use super::readings::{self, Reading};
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

/// Characters in a row, in one of the forms below.
type Text = Zeroizing<Vec<char>>;

/// What must not be told: removed wherever it stands, in whole or in part.
#[derive(Default)]
pub(super) struct Mask {
    /// As they are.
    plain: Vec<Text>,
    /// Without what quoting adds.
    loose: Vec<Text>,
    /// In base64, with the characters of the standard.
    base64: Vec<Text>,
    /// In hexadecimal digits, small letters.
    hex: Vec<Text>,
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
            Err(_) => self.add_text(&Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())),
        }
        self.add_encoded(bytes);
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

    /// Adds a text.
    pub(super) fn add_text(&mut self, text: &str) {
        let chars = |of: fn(&char) -> bool| -> Text {
            let mut chars = Zeroizing::new(Vec::with_capacity(text.len()));
            chars.extend(text.chars().filter(of));
            chars
        };
        self.plain.push(chars(|_| true));
        self.loose.push(chars(|c| !is_of_quoting(*c)));
        self.add_encoded(text.as_bytes());
    }

    /// Adds what bytes are in base64 and in hexadecimal digits.
    fn add_encoded(&mut self, bytes: &[u8]) {
        // It never grows, so no copy of a part is left behind.
        let chars = |text: &str| -> Text {
            let mut chars = Zeroizing::new(Vec::with_capacity(text.len()));
            chars.extend(text.chars());
            chars
        };
        self.hex.push(chars(&Zeroizing::new(hex::encode(bytes))));
        self.base64.push(chars(&Zeroizing::new(STANDARD.encode(bytes))));
        // Inside of something else they may begin one or two bytes into a group of three.
        for before in 1..=2 {
            let mut shifted = Zeroizing::new(Vec::with_capacity(before + bytes.len()));
            shifted.resize(before, 0);
            shifted.extend_from_slice(bytes);
            // Only whole characters of theirs: the first ones and the last one have bits of others.
            let ours = before + 1..shifted.len() * 8 / 6;
            let encoded = Zeroizing::new(STANDARD.encode(&shifted));
            if let Some(ours) = encoded.get(ours)
                && ours.len() >= SHARED
            {
                self.base64.push(chars(ours));
            }
        }
    }

    /// The line with everything removed that must not be told, on one line and not long.
    pub(super) fn apply(&self, line: &str) -> String {
        let readings = readings::of(line.trim(), LOOKED_AT_MAX);
        let Some(line) = readings.first().map(|reading| &reading.chars) else {
            return String::new();
        };
        let mut hidden = vec![false; line.len()];
        for reading in &readings {
            hide_shared(reading, &self.plain, &mut hidden);
            let loose = reading.map(|c| (!is_of_quoting(c)).then_some(c));
            hide_shared(&loose, &self.loose, &mut hidden);
            let base64 = reading.map(|c| match c {
                '-' => Some('+'),
                '_' => Some('/'),
                _ => Some(c),
            });
            hide_shared(&base64, &self.base64, &mut hidden);
            let hex = reading.map(|c| Some(c.to_ascii_lowercase()));
            hide_shared(&hex, &self.hex, &mut hidden);
        }
        hide_tokens(line, &mut hidden);
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

/// Whether quoting may add such a character, or write it in another way.
fn is_of_quoting(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\\\"'`+".contains(c)
}

/// Marks what a line shares with a text: `SHARED` characters in a row, or all of a shorter text.
fn hide_shared(reading: &Reading, texts: &[Text], hidden: &mut [bool]) {
    let mut hide = |at: usize, len: usize| {
        if let Some(places) = reading.places.get(at..at + len)
            && let (Some(first), Some(last)) = (places.first(), places.last())
        {
            let place = hidden.iter_mut().take(last.end).skip(first.start);
            place.for_each(|hidden| *hidden = true);
        }
    };
    let window = |at: usize| reading.chars.get(at..at + SHARED).unwrap_or_default();
    // In order, so that each part of a long text is found soon.
    let mut order: Vec<usize> = (0..(reading.chars.len() + 1).saturating_sub(SHARED)).collect();
    order.sort_unstable_by(|a, b| window(*a).cmp(window(*b)));
    for text in texts {
        if text.len() < SHARED {
            for (at, part) in reading.chars.windows(text.len().max(1)).enumerate() {
                if part == text.as_slice() {
                    hide(at, part.len());
                }
            }
            continue;
        }
        for part in text.windows(SHARED) {
            let from = order.partition_point(|at| window(*at) < part);
            for at in order.iter().skip(from).take_while(|at| window(**at) == part) {
                hide(*at, SHARED);
            }
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
    fn a_value_is_found_however_it_is_quoted_or_encoded() {
        let password = "ab'c\"d'é /+\\f%g";
        let json = serde_json::json!({"password": password, "user": "nobody"}).to_string();
        let twice = serde_json::json!(serde_json::json!(password).to_string()).to_string();
        for line in [
            // JSON, JSON in JSON, Python's repr, Rust's debug form, a shell, SQL.
            serde_json::json!({"x": password}).to_string(),
            twice,
            r#"x='ab\'c"d\'é /+\\f%g'"#.to_owned(),
            r#"x='ab\'c"d\'\xe9 /+\\f%g'"#.to_owned(),
            format!("{password:?}"),
            password.escape_default().to_string(),
            r#"'ab'\''c"d'\''é /+\f%g'"#.to_owned(),
            r#"'ab''c"d''é /+\f%g'"#.to_owned(),
            r#"b"ab\'c\"d\'\xc3\xa9 /+\\f%g""#.to_owned(),
            // URLs and forms, large and small letters, twice.
            "ab%27c%22d%27%C3%A9%20%2F%2B%5Cf%25g".to_owned(),
            "ab%27c%22d%27%c3%a9+%2f%2b%5cf%25g".to_owned(),
            "ab%2527c%2522d%2527%25C3%25A9%2520%252F%252B%255Cf%2525g".to_owned(),
            hex::encode(password),
            hex::encode_upper(password),
        ] {
            let said = told(&[&json], &format!("no: {line}"));
            assert!(said.contains(MASK), "{line}: {said}");
            let rest: Vec<char> = said.chars().filter(char::is_ascii_alphanumeric).collect();
            let left: String = rest.into_iter().collect();
            assert!(["no", "nox", "nob"].contains(&left.as_str()), "{line}: {said}");
        }
        // Inside of something that is encoded with it, at each of three places; with the characters for URLs.
        for before in ["", "u", "us", "usr"] {
            let whole = STANDARD.encode(format!("{before}:{password}:"));
            for line in [whole.clone(), whole.replace('+', "-").replace('/', "_")] {
                let line = line.trim_end_matches('=');
                let mask = {
                    let mut mask = Mask::default();
                    mask.add_value(&SecretValue::text(json.as_str()));
                    mask
                };
                // A space keeps it from looking like a token.
                let (first, second) = line.split_at(line.len() / 2 + 2);
                let said = mask.apply(&format!("no: {first} {second}"));
                assert!(said.contains(MASK), "{before}: {line}: {said}");
            }
        }
        let mask = told(&["hunter2"], "Basic dXNyOmh1bnRlcjI6");
        assert_eq!(mask.matches(MASK).count(), 1, "{mask}");
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
