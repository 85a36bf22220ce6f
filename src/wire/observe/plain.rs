//! Text of strangers, made harmless for a log: one line of printable ASCII, of bounded length.

/// The longest text that is repeated, in characters.
const CHARS_MAX: usize = 200;

/// `text` without anything that could end the line, control a terminal or hide in it.
pub(super) fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(CHARS_MAX));
    for (at, c) in text.chars().enumerate() {
        if at == CHARS_MAX {
            line.push_str("...");
            break;
        }
        if c.is_ascii_graphic() || c == ' ' {
            line.push(c);
        } else {
            line.extend(c.escape_default());
        }
    }
    line
}

/// A word that may stand in advice as it is, else what stands for it.
pub(super) fn word(text: &str, instead: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
    let short = (1..=128).contains(&text.len());
    if short && text.bytes().all(is_plain) { text.to_owned() } else { instead.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPEAK-3
    #[test]
    fn a_stranger_writes_no_line_of_its_own() {
        assert_eq!(plain("a\r\nb\x1b[2J\u{202e}\u{9b}"), "a\\r\\nb\\u{1b}[2J\\u{202e}\\u{9b}");
        let long = plain(&"x".repeat(10_000));
        assert_eq!(long.len(), CHARS_MAX + 3);
        assert!(plain(&"\u{0}".repeat(10_000)).len() < CHARS_MAX * 6);
    }

    #[test]
    fn advice_repeats_only_words() {
        assert_eq!(word("db.internal:4566", "NAME"), "db.internal:4566");
        for odd in ["", "a b", "$(rm -rf ~)", "a;b", "x\n"] {
            assert_eq!(word(odd, "NAME"), "NAME");
        }
        assert_eq!(word(&"a".repeat(129), "NAME"), "NAME");
    }
}
