//! `name=value` pairs: query strings, and bodies of the query protocol.

/// Percent-decodes once. Anything that is not a valid escape is kept.
pub(crate) fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .split_at_checked(2)
            .filter(|(digits, _)| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|(digits, after)| {
                let digits = std::str::from_utf8(digits).ok()?;
                Some((u8::from_str_radix(digits, 16).ok()?, after))
            });
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    bytes
}

/// The decoded pairs of a form in their order. A plus is a space. Invalid UTF-8 is replaced, so that it
/// equals no known name or value.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let decoded = |part: &str| {
        String::from_utf8_lossy(&percent_decoded(&part.replace('+', " "))).into_owned()
    };
    text.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// The value of the first pair of that name.
pub(crate) fn value(text: &str, name: &str) -> Option<String> {
    pairs(text).find(|(found, _)| found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_once_and_keep_their_order() {
        let found: Vec<_> = pairs("b=1&a=x+y%2Bz&&=&c&d=%2541&e=%zz&f=1=2&a=%ff").collect();
        let expected = [
            ("b", "1"),
            ("a", "x y+z"),
            ("", ""),
            ("c", ""),
            ("d", "%41"),
            ("e", "%zz"),
            ("f", "1=2"),
            ("a", "\u{fffd}"),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(value("a=1&a=2", "a").as_deref(), Some("1"));
        assert_eq!(value("a=1", "A"), None);
    }
}
