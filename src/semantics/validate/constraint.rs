//! The grammar of AWS's front end for broken model constraints (E27, rule SEM-CHECK-3):
//!
//! ```text
//! message = N " validation error" ["s"] " detected: " item *("; " item)
//! item    = "Value '" value "' at '" path "' failed to satisfy constraint: Member must " what
//!         | "Value at '" path "' ..."        a sensitive member: its value is not repeated
//!         | "Value null at '" path "' ..."   an absent one
//! path    = lowerCamel, ".1.member" for a list's first item
//! ```

use crate::semantics::fault::{Fault, FaultKind};
use std::fmt::Display;

/// The constraints that a request breaks, in the order of its members.
#[derive(Debug, Default)]
pub struct Violations(Vec<String>);

impl Violations {
    /// A required member is absent.
    pub fn missing(&mut self, path: &str) {
        self.add("Value null", path, "not be null");
    }

    /// A text must have `min` to `max` characters.
    pub fn text(&mut self, path: &str, value: &str, min: usize, max: usize) {
        self.length(&format!("Value '{value}'"), path, value.chars().count(), min, max);
    }

    /// A value that must not be repeated must have `min` to `max` bytes.
    pub fn sensitive(&mut self, path: &str, len: usize, min: usize, max: usize) {
        self.length("Value", path, len, min, max);
    }

    /// A list must have `min` to `max` items; `shown` is its content in the message.
    pub fn list(&mut self, path: &str, shown: &str, len: usize, min: usize, max: usize) {
        self.length(&format!("Value '[{shown}]'"), path, len, min, max);
    }

    /// A number must lie in `min` to `max`.
    pub fn number(&mut self, path: &str, value: i64, min: i64, max: usize) {
        let subject = format!("Value '{value}'");
        if value < min {
            self.add(&subject, path, format!("have value greater than or equal to {min}"));
        }
        if usize::try_from(value).is_ok_and(|value| value > max) {
            self.add(&subject, path, format!("have value less than or equal to {max}"));
        }
    }

    /// A text must be one of `set`.
    pub fn one_of(&mut self, path: &str, value: &str, set: &[&str]) {
        if !set.contains(&value) {
            let set = set.join(", ");
            self.add(&format!("Value '{value}'"), path, format!("satisfy enum value set: [{set}]"));
        }
    }

    /// A text must match `pattern`; `matches` says whether it does.
    pub fn pattern(&mut self, path: &str, value: &str, pattern: &str, matches: bool) {
        if !matches {
            self.add(
                &format!("Value '{value}'"),
                path,
                format!("satisfy regular expression pattern: {pattern}"),
            );
        }
    }

    /// A value that must not be repeated must match `pattern`; `matches` says whether it does.
    pub fn sensitive_pattern(&mut self, path: &str, pattern: &str, matches: bool) {
        if !matches {
            self.add("Value", path, format!("satisfy regular expression pattern: {pattern}"));
        }
    }

    /// The refusal, if anything is wrong.
    pub fn into_result(self) -> Result<(), Fault> {
        let count = self.0.len();
        let plural = match count {
            0 => return Ok(()),
            1 => "",
            _ => "s",
        };
        let items = self.0.join("; ");
        let message = format!("{count} validation error{plural} detected: {items}");
        Err(Fault::new(FaultKind::Validation, message))
    }

    fn length(&mut self, subject: &str, path: &str, len: usize, min: usize, max: usize) {
        if len < min {
            self.add(subject, path, format!("have length greater than or equal to {min}"));
        }
        if len > max {
            self.add(subject, path, format!("have length less than or equal to {max}"));
        }
    }

    fn add(&mut self, subject: &str, path: &str, must: impl Display) {
        self.0.push(format!(
            "{subject} at '{path}' failed to satisfy constraint: Member must {must}"
        ));
    }
}

/// The items of a list, each with its path: `path.1.member`, `path.2.member`, ...
pub(crate) fn members<'a, T>(
    path: &'a str,
    items: &'a [T],
) -> impl Iterator<Item = (String, &'a T)> {
    items.iter().enumerate().map(move |(at, item)| (format!("{path}.{}.member", at + 1), item))
}
