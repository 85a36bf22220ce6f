//! A table of figures in a document, between two markers. It is generated from recorded lines, never
//! written by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A document with a table in it.
pub struct Document {
    /// Relative to the crate.
    pub path: &'static str,
    /// The name in the markers `<!-- NAME -->` and `<!-- end of NAME -->` around the table.
    pub name: &'static str,
    /// The command that writes the table again.
    pub command: &'static str,
}

impl Document {
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.path)
    }

    fn with(&self, text: &str, table: &str) -> String {
        let marks = [format!("<!-- {} -->\n", self.name), format!("<!-- end of {} -->", self.name)];
        let (head, rest) = text.split_once(&marks[0]).unwrap();
        let (_, tail) = rest.split_once(&marks[1]).unwrap();
        format!("{head}{}{table}{}{tail}", marks[0], marks[1])
    }

    /// Panics if the document contains a different table.
    pub fn must_show(&self, table: &str) {
        let text = fs::read_to_string(self.path()).unwrap();
        assert!(text == self.with(&text, table), "run: {}", self.command);
    }

    pub fn write(&self, table: &str) {
        // A document may have two tables.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap();
        let text = fs::read_to_string(self.path()).unwrap();
        fs::write(self.path(), self.with(&text, table)).unwrap();
    }
}

/// A number with its digits grouped in threes.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
