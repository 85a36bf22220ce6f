//! A strict reader of JSON (RFC 8259) for policy documents.
//!
//! It is not `serde_json`, which the library without features does not link and which accepts a name
//! twice in one object: two readers of such a policy could see two policies. Any text gives a value or an
//! error, in time and memory that are bounded by its length.

use std::collections::BTreeMap;
use std::str::Chars;

/// Deepest nesting. The grammar of policies needs six levels.
pub(super) const DEPTH_MAX: usize = 16;

/// One JSON value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

/// Not exactly one JSON value, too deep, or a name that stands twice in one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

/// Reads exactly one value.
pub(super) fn parse(text: &str) -> Result<Json, NotJson> {
    let mut reader = Reader::of(text);
    let value = reader.value(DEPTH_MAX)?;
    reader.skip_space();
    if reader.rest.is_empty() { Ok(value) } else { Err(NotJson) }
}

/// What is left of a text.
pub(super) struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { rest: text }
    }

    pub(super) fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Whether `token` came next, after space; it is then behind us.
    pub(super) fn took(&mut self, token: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn need(&mut self, token: &str) -> Result<(), NotJson> {
        if self.took(token) { Ok(()) } else { Err(NotJson) }
    }

    /// One value with so many levels.
    pub(super) fn value(&mut self, depth_left: usize) -> Result<Json, NotJson> {
        let inner = depth_left.checked_sub(1).ok_or(NotJson)?;
        self.skip_space();
        match self.rest.chars().next() {
            Some('{') => self.object(inner),
            Some('[') => self.list(inner),
            Some('"') => self.text().map(Json::Text),
            Some('-' | '0'..='9') => self.number(),
            _ if self.took("null") => Ok(Json::Null),
            _ if self.took("true") => Ok(Json::Bool(true)),
            _ if self.took("false") => Ok(Json::Bool(false)),
            _ => Err(NotJson),
        }
    }

    fn object(&mut self, inner: usize) -> Result<Json, NotJson> {
        self.need("{")?;
        let mut members = BTreeMap::new();
        if self.took("}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.text()?;
            self.need(":")?;
            let value = self.value(inner)?;
            if members.insert(name, value).is_some() {
                return Err(NotJson);
            }
            if self.took("}") {
                return Ok(Json::Object(members));
            }
            self.need(",")?;
        }
    }

    fn list(&mut self, inner: usize) -> Result<Json, NotJson> {
        self.need("[")?;
        let mut items = Vec::new();
        if self.took("]") {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(inner)?);
            if self.took("]") {
                return Ok(Json::List(items));
            }
            self.need(",")?;
        }
    }

    /// A text; its quote comes next.
    pub(super) fn text(&mut self) -> Result<String, NotJson> {
        let mut chars = self.rest.strip_prefix('"').ok_or(NotJson)?.chars();
        let mut text = String::new();
        loop {
            match chars.next().ok_or(NotJson)? {
                '"' => {
                    self.rest = chars.as_str();
                    return Ok(text);
                }
                '\\' => text.push(escaped(&mut chars)?),
                '\0'..='\x1f' => return Err(NotJson),
                plain => text.push(plain),
            }
        }
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        let whole = self.rest;
        let sign = usize::from(whole.starts_with('-'));
        let mut len = sign;
        let digits = |from: usize| -> usize {
            let rest = whole.get(from..).unwrap_or_default();
            rest.bytes().take_while(u8::is_ascii_digit).count()
        };
        let at = |at: usize| whole.as_bytes().get(at).copied();
        len += match digits(len) {
            0 => return Err(NotJson),
            1 => 1,
            _ if at(sign) == Some(b'0') => return Err(NotJson),
            more => more,
        };
        if at(len) == Some(b'.') {
            let fraction = digits(len + 1);
            if fraction == 0 {
                return Err(NotJson);
            }
            len += 1 + fraction;
        }
        if matches!(at(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(at(len + 1), Some(b'+' | b'-')));
            let exponent = digits(len + 1 + sign);
            if exponent == 0 {
                return Err(NotJson);
            }
            len += 1 + sign + exponent;
        }
        let (number, rest) = whole.split_at_checked(len).ok_or(NotJson)?;
        self.rest = rest;
        Ok(Json::Number(number.to_owned()))
    }
}

/// The character that an escape stands for; the backslash is behind us.
fn escaped(chars: &mut Chars<'_>) -> Result<char, NotJson> {
    Ok(match chars.next().ok_or(NotJson)? {
        same @ ('"' | '\\' | '/') => same,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let first = unit(chars)?;
            let code = if (0xD800..0xDC00).contains(&first) {
                if chars.next() != Some('\\') || chars.next() != Some('u') {
                    return Err(NotJson);
                }
                let second = unit(chars)?;
                if !(0xDC00..0xE000).contains(&second) {
                    return Err(NotJson);
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            } else {
                first
            };
            // Refuses the second half of a pair that stands alone.
            char::from_u32(code).ok_or(NotJson)?
        }
        _ => return Err(NotJson),
    })
}

/// Four hexadecimal digits.
fn unit(chars: &mut Chars<'_>) -> Result<u32, NotJson> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = chars.next().and_then(|c| c.to_digit(16)).ok_or(NotJson)?;
        unit = unit << 4 | digit;
    }
    Ok(unit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let read = parse(
            " {\"a\" : [ null , true,false, -0, 12.50e+3 ,\"x\"] ,\n\t\"\":{}, \"b\":[]}\r\n",
        );
        let list = vec![
            Json::Null,
            Json::Bool(true),
            Json::Bool(false),
            Json::Number("-0".into()),
            Json::Number("12.50e+3".into()),
            text("x"),
        ];
        let members = [
            ("a".to_owned(), Json::List(list)),
            (String::new(), Json::Object(BTreeMap::new())),
            ("b".to_owned(), Json::List(Vec::new())),
        ];
        assert_eq!(read, Ok(Json::Object(members.into())));
    }

    #[test]
    fn escapes_are_read_and_half_pairs_are_not() {
        let read = parse(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDE00é😀""#);
        assert_eq!(read, Ok(text("\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{1f600}\u{e9}\u{1f600}")));
        for bad in [
            r#""\x""#,
            r#""\u12""#,
            r#""\u12G4""#,
            r#""\uD83D""#,
            r#""\uD83D\n""#,
            r#""\uD83D\u0041""#,
            r#""\uDE00""#,
            r#""\"#,
            r#"""#,
            "\"\n\"",
            "\"\0\"",
        ] {
            assert_eq!(parse(bad), Err(NotJson), "{bad}");
        }
    }

    #[test]
    fn what_is_not_one_value_is_refused() {
        for bad in [
            "",
            " ",
            "{",
            "}",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "[1 2]",
            "1 2",
            "{} {}",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "0x1",
            "NaN",
            "nul",
            "nulll",
            "True",
            "'a'",
            "\u{feff}{}",
            "// x\n{}",
            "-01",
            "[1]]",
        ] {
            assert_eq!(parse(bad), Err(NotJson), "{bad:?}");
        }
    }

    #[test]
    fn a_name_stands_once() {
        assert_eq!(parse(r#"{"a":1,"a":1}"#), Err(NotJson));
        assert_eq!(parse(r#"{"a":1,"\u0061":2}"#), Err(NotJson));
        parse(r#"{"a":{"a":1},"A":2}"#).unwrap();
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        parse(&nested(DEPTH_MAX)).unwrap();
        assert_eq!(parse(&nested(DEPTH_MAX + 1)), Err(NotJson));
        assert_eq!(parse(&"[".repeat(20_000)), Err(NotJson));
    }
    /// Whether it is the value that another reader has, but for numbers, which that one rounds.
    fn same(ours: &Json, theirs: &serde_json::Value) -> bool {
        use serde_json::Value;
        match (ours, theirs) {
            (Json::Null, Value::Null) | (Json::Number(_), Value::Number(_)) => true,
            (Json::Bool(ours), Value::Bool(theirs)) => ours == theirs,
            (Json::Text(ours), Value::String(theirs)) => ours == theirs,
            (Json::List(ours), Value::Array(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
            }
            (Json::Object(ours), Value::Object(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().all(|(name, a)| theirs.get(name).is_some_and(|b| same(a, b)))
            }
            _ => false,
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config {
            cases: 20_000, failure_persistence: None,
            rng_seed: proptest::test_runner::RngSeed::Fixed(3),
            ..proptest::test_runner::Config::default()
        })]

        /// Goal: nothing panics, and whatever is accepted another strict reader accepts, and reads
        /// alike. Method: texts of the pieces that JSON is made of.
        #[test]
        fn it_reads_as_another_strict_reader_does(
            text in r#"([\[\]{},:" \n]|"[ab]":|"a"|"\\u00[0-9]{2}"|-?[0-9]{1,3}(\.[0-9])?(e1)?|true|null){0,12}"#
        ) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (parse(&text), theirs) {
                (Ok(ours), Ok(theirs)) => assert!(same(&ours, &theirs), "{text}"),
                (ours, theirs) => {
                    // Numbers are kept as text here, so none is too large.
                    let is_large =
                        theirs.as_ref().is_err_and(|error| error.to_string().contains("range"));
                    assert!(ours.is_err() || is_large, "only we accept {text}");
                    let is_twice = text.matches(':').count() > 1;
                    assert!(theirs.is_err() || is_twice, "only we refuse {text}");
                }
            }
        }
    }
}
