//! Text forms of HTTP requests and responses: forms, headers, dates, XML, and what is repeated of a request.

pub(crate) mod form;
pub(crate) mod headers;
pub(crate) mod time;
pub(crate) mod xml;

/// The most bytes of a request that a refusal repeats. A longer echo would let clients that never read make
/// the server hold long answers.
const ECHO_BYTES: usize = 256;

/// The start of `text` that a refusal may repeat.
pub(crate) fn cut(text: &str) -> &str {
    let end = (0..=ECHO_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CONN-6
    #[test]
    fn an_echo_has_a_length() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"x".repeat(300)).len(), 256);
        assert_eq!(cut(&"\u{e9}".repeat(200)).len(), 256);
        assert_eq!(cut(&format!("x{}", "\u{e9}".repeat(200))).len(), 255);
    }
}
