//! How a policy is read back (SEM-POLICY-1): AWS keeps what it says and prints it anew.
//!
//! ```text
//! {
//!   "Version" : "2012-10-17",
//!   "Statement" : [ {
//!     "Effect" : "Allow",
//!     "Action" : [ "a", "b" ]
//!   } ]
//! }
//! ```

use super::json::{DEPTH_MAX, Json, NotJson, Reader};
use std::fmt::Write;

/// A policy as it is read back; `None` if the text is no JSON.
pub(crate) fn printed(text: &str) -> Option<String> {
    let mut printer =
        Printer { reader: Reader::of(text), out: String::with_capacity(text.len() * 2) };
    printer.value(0, DEPTH_MAX).ok()?;
    Some(printer.out)
}

struct Printer<'a> {
    reader: Reader<'a>,
    out: String,
}

impl Printer<'_> {
    fn new_line(&mut self, level: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", level));
    }

    /// A value in so many objects, with so many levels below it at most.
    fn value(&mut self, level: usize, depth_left: usize) -> Result<(), NotJson> {
        let inner = depth_left.checked_sub(1).ok_or(NotJson)?;
        if self.reader.took("{") {
            return self.object(level, inner);
        }
        if self.reader.took("[") {
            return self.list(level, inner);
        }
        match self.reader.value(1)? {
            Json::Null => self.out.push_str("null"),
            Json::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            Json::Number(number) => self.out.push_str(&number),
            Json::Text(text) => self.text(&text),
            Json::List(_) | Json::Object(_) => return Err(NotJson),
        }
        Ok(())
    }

    fn object(&mut self, level: usize, inner: usize) -> Result<(), NotJson> {
        if self.reader.took("}") {
            self.out.push_str("{ }");
            return Ok(());
        }
        self.out.push('{');
        loop {
            self.new_line(level + 1);
            self.reader.skip_space();
            let name = self.reader.text()?;
            self.text(&name);
            self.reader.need(":")?;
            self.out.push_str(" : ");
            self.value(level + 1, inner)?;
            if self.reader.took("}") {
                break;
            }
            self.reader.need(",")?;
            self.out.push(',');
        }
        self.new_line(level);
        self.out.push('}');
        Ok(())
    }

    /// Lists stay on their line. Objects in them are indented by the objects around them alone.
    fn list(&mut self, level: usize, inner: usize) -> Result<(), NotJson> {
        if self.reader.took("]") {
            self.out.push_str("[ ]");
            return Ok(());
        }
        self.out.push_str("[ ");
        loop {
            self.value(level, inner)?;
            if self.reader.took("]") {
                break;
            }
            self.reader.need(",")?;
            self.out.push_str(", ");
        }
        self.out.push_str(" ]");
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\0'..='\x1f' => {
                    // Writing to a string cannot fail.
                    let _ = write!(self.out, "\\u{:04X}", u32::from(character));
                }
                plain => self.out.push(plain),
            }
        }
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::printed;

    /// SEM-POLICY-1: the layout of a recorded answer.
    #[test]
    fn a_policy_is_printed_as_aws_prints_it() {
        let put = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "SpecificAllow", "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:user/Peter"}, "Action":
            "secretsmanager:GetSecretValue", "Resource": "*"}, {"Effect": "Deny", "Action": ["a:b", "a:c"],
            "Condition": {}, "Id": [], "N": [1, -2.50e3, true, null]}]}"#;
        let read = r#"{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Sid" : "SpecificAllow",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::123456789012:user/Peter"
    },
    "Action" : "secretsmanager:GetSecretValue",
    "Resource" : "*"
  }, {
    "Effect" : "Deny",
    "Action" : [ "a:b", "a:c" ],
    "Condition" : { },
    "Id" : [ ],
    "N" : [ 1, -2.50e3, true, null ]
  } ]
}"#;
        assert_eq!(printed(put).as_deref(), Some(read));
        assert_eq!(printed(read).as_deref(), Some(read));
    }

    #[test]
    fn texts_are_escaped_once() {
        let text = r#"{"a\/\u00e9\n\"\\": "\u0001\ud83d\ude00"}"#;
        let read = "{\n  \"a/\u{e9}\\n\\\"\\\\\" : \"\\u0001\u{1f600}\"\n}";
        assert_eq!(printed(text).as_deref(), Some(read));
        for text in ["", "{", "[1", "{\"a\"}", &"[".repeat(100_000)] {
            assert_eq!(printed(text), None, "{}", text.len());
        }
    }
}
