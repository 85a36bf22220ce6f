//! What a line may mean: the line as it stands, and with its quoting and encoding undone (rule SPEAK-11).
//! Each character remembers where it stands in the line.

use std::ops::Range;
use zeroize::Zeroizing;

/// How often quoting and encoding are undone, one over the other.
const DEPTH: usize = 2;

/// One reading of a line.
pub(super) struct Reading {
    pub(super) chars: Zeroizing<Vec<char>>,
    /// Where each character stands in the line.
    pub(super) places: Vec<Range<usize>>,
}

impl Reading {
    fn with_capacity(len: usize) -> Self {
        // With room for all of it: growing would leave copies behind.
        Self { chars: Zeroizing::new(Vec::with_capacity(len)), places: Vec::with_capacity(len) }
    }

    fn push(&mut self, c: char, place: Range<usize>) {
        self.chars.push(c);
        self.places.push(place);
    }

    /// The same with other characters, without those that become `None`.
    pub(super) fn map(&self, to: impl Fn(char) -> Option<char>) -> Self {
        let mut out = Self::with_capacity(self.chars.len());
        for (c, place) in self.chars.iter().zip(&self.places) {
            if let Some(c) = to(*c) {
                out.push(c, place.clone());
            }
        }
        out
    }

    /// The same with what `read` finds at each character: what stands there, and how many characters it takes.
    fn decoded(&self, read: impl Fn(&[char]) -> Option<(Unit, usize)>) -> Self {
        let mut out = Self::with_capacity(self.chars.len());
        let mut bytes = Bytes::with_capacity(self.chars.len());
        let mut at = 0;
        while let (Some(rest), Some(place)) = (self.chars.get(at..), self.places.get(at)) {
            let Some(first) = rest.first() else { break };
            let (unit, taken) = read(rest).unwrap_or((Unit::Char(*first), 1));
            let end = self.places.get(at + taken - 1).map_or(place.end, |last| last.end);
            match unit {
                Unit::Byte(byte) => bytes.push(byte, place.start..end),
                Unit::Char(c) => {
                    bytes.end(&mut out);
                    out.push(c, place.start..end);
                }
            }
            at += taken;
        }
        bytes.end(&mut out);
        out
    }
}

/// What an escape stands for.
enum Unit {
    Char(char),
    /// A byte of UTF-8, or a character of Latin-1.
    Byte(u8),
}

/// Bytes in a row.
struct Bytes {
    bytes: Zeroizing<Vec<u8>>,
    places: Vec<Range<usize>>,
}

impl Bytes {
    fn with_capacity(len: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(len)), places: Vec::new() }
    }

    fn push(&mut self, byte: u8, place: Range<usize>) {
        self.bytes.push(byte);
        self.places.push(place);
    }

    /// Appends what they mean.
    fn end(&mut self, out: &mut Reading) {
        let mut places = std::mem::take(&mut self.places).into_iter();
        for chunk in self.bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                let mut of_char = places.by_ref().take(c.len_utf8());
                let first = of_char.next().unwrap_or_default();
                let end = of_char.last().map_or(first.end, |last| last.end);
                out.push(c, first.start..end);
            }
            for byte in chunk.invalid() {
                out.push(char::from(*byte), places.next().unwrap_or_default());
            }
        }
        self.bytes.clear();
    }
}

/// All readings of a line.
pub(super) fn of(line: &str, chars_max: usize) -> Vec<Reading> {
    let mut as_it_stands = Reading::with_capacity(chars_max);
    for (at, c) in line.chars().take(chars_max).enumerate() {
        as_it_stands.push(c, at..at + 1);
    }
    let mut readings = vec![as_it_stands];
    let mut from = 0;
    for _ in 0..DEPTH {
        let mut found = Vec::new();
        for reading in readings.iter().skip(from) {
            let decoded = [reading.decoded(escape), reading.decoded(percent)];
            found.extend(decoded.into_iter().filter(|decoded| decoded.chars != reading.chars));
        }
        from = readings.len();
        readings.append(&mut found);
    }
    readings
}

/// `%XX`
fn percent(text: &[char]) -> Option<(Unit, usize)> {
    let ['%', rest @ ..] = text else { return None };
    Some((Unit::Byte(u8::try_from(number(rest.get(..2)?, 16)?).ok()?), 3))
}

/// An escape with a backslash, as JSON, Python, Rust, C and shells write it.
fn escape(text: &[char]) -> Option<(Unit, usize)> {
    let ['\\', kind, rest @ ..] = text else { return None };
    if let Some(byte) = octal(text) {
        return Some((Unit::Byte(byte), 4));
    }
    let digits = |count: usize| number(rest.get(..count)?, 16);
    Some(match kind {
        'u' if rest.first() == Some(&'{') => {
            let len = rest.iter().position(|c| *c == '}')?;
            (Unit::Char(char::from_u32(number(rest.get(1..len)?, 16)?)?), len + 3)
        }
        'u' => {
            let high = digits(4)?;
            if let Some(c) = char::from_u32(high) {
                return Some((Unit::Char(c), 6));
            }
            // Half of a character: the other half follows.
            let ['\\', 'u', low @ ..] = rest.get(4..)? else { return None };
            let low = number(low.get(..4)?, 16)?;
            let pair = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
            (Unit::Char(char::decode_utf16(pair).next()?.ok()?), 12)
        }
        'U' => (Unit::Char(char::from_u32(digits(8)?)?), 10),
        'x' => (Unit::Byte(u8::try_from(digits(2)?).ok()?), 4),
        // Characters without a picture.
        'n' | 'r' | 't' | 'b' | 'f' | 'v' | 'a' | '0' => (Unit::Char('\n'), 2),
        c => (Unit::Char(*c), 2),
    })
}

/// `\OOO`
fn octal(text: &[char]) -> Option<u8> {
    u8::try_from(number(text.get(1..4)?, 8)?).ok()
}

fn number(digits: &[char], radix: u32) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u32, |sum, digit| sum.checked_mul(radix)?.checked_add(digit.to_digit(radix)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        of(line, 1000).iter().map(|reading| reading.chars.iter().collect()).collect()
    }

    /// SPEAK-11
    #[test]
    fn a_line_is_read_as_each_language_writes_it() {
        assert_eq!(texts("plain"), ["plain"]);
        for line in [
            r"<caf\u00e9\ud83d\ude00>",
            r"<caf\xe9\U0001f600>",
            r"<caf\u{e9}\u{1F600}>",
            r"<caf\303\251\360\237\230\200>",
            "<caf%c3%a9%F0%9f%98%80>",
            "<caf%25c3%25a9%25F0%259f%2598%2580>",
            r"<caf\\u00e9\\ud83d\\ude00>",
        ] {
            assert!(texts(line).iter().any(|text| text == "<café😀>"), "{line}: {:?}", texts(line));
        }
        for broken in
            [r"a\u12", r"a\ud83d!", r"a\u{zz}", r"a\u{", "a%4", "a%zz", r"a\x1", r"a\777", "a\\"]
        {
            assert!(!texts(broken).is_empty());
        }
    }

    #[test]
    fn each_character_knows_its_place() {
        let readings = of("a%c3%a9b", 1000);
        let last = readings.last().map(|reading| reading.places.clone());
        assert_eq!(last, Some(vec![0..1, 1..7, 7..8]));
    }
}
