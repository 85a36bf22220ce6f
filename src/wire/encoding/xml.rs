//! Text in XML.

use std::fmt::Write as _;

/// Text between tags. Characters that XML has no way to write become a replacement character.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => {
                // Writing to a string does not fail.
                let _ = write!(out, "&#{};", u32::from(character));
            }
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_echoed_cannot_leave_its_element() {
        assert_eq!(escaped("a</Message>&\"'"), "a&lt;/Message&gt;&amp;\"'");
        assert_eq!(
            escaped("\0\u{1b}\u{85}\n\u{e9}\u{1f511}"),
            "\u{fffd}\u{fffd}\u{fffd}&#10;\u{e9}\u{1f511}"
        );
    }
}
