//! The text form of a vector.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use strongroom::__internals::crypto::CryptoError;

/// One file: its name and its fields in order.
#[derive(Clone)]
pub(crate) struct Vector {
    pub(crate) name: String,
    fields: Vec<(String, String)>,
}

fn folder(kind: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(kind)
}

impl Vector {
    pub(crate) fn new(name: &str, expect: &str, rule: &str, comment: &str) -> Self {
        let fields = [("expect", expect), ("rule", rule), ("comment", comment)];
        let fields = fields.map(|(field, text)| (field.to_owned(), text.to_owned())).to_vec();
        Self { name: name.to_owned(), fields }
    }

    pub(crate) fn with_text(mut self, field: &str, text: &str) -> Self {
        self.fields.retain(|(name, _)| name != field);
        self.fields.push((field.to_owned(), text.to_owned()));
        self
    }

    /// `cuts` are offsets where a new line starts, to make the structure visible.
    pub(crate) fn with_bytes(self, field: &str, bytes: &[u8], cuts: &[usize]) -> Self {
        let mut text = String::new();
        let mut start = 0;
        let ends = cuts.iter().copied().filter(|cut| *cut < bytes.len()).chain([bytes.len()]);
        for end in ends {
            if start > 0 {
                text.push_str("\n ");
            }
            push_hex(&mut text, &bytes[start..end]);
            start = end;
        }
        self.with_text(field, text.trim())
    }

    pub(crate) fn read_all(kind: &str) -> Vec<Self> {
        let mut names: Vec<PathBuf> =
            fs::read_dir(folder(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names.iter().map(Self::read).collect()
    }

    fn read(path: &PathBuf) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in fs::read_to_string(path).unwrap().lines() {
            if let (Some(more), Some((_, last))) = (line.strip_prefix(' '), fields.last_mut()) {
                last.push(' ');
                last.push_str(more.trim());
            } else {
                let (field, text) = line.split_once(':').expect("a field has a colon");
                fields.push((field.to_owned(), text.trim().to_owned()));
            }
        }
        Self { name: path.file_stem().unwrap().to_string_lossy().into_owned(), fields }
    }

    pub(crate) fn write(&self, kind: &str) {
        let mut text = String::new();
        for (field, content) in &self.fields {
            writeln!(text, "{}", format!("{field}: {content}").trim_end()).unwrap();
        }
        fs::write(folder(kind).join(format!("{}.txt", self.name)), text).unwrap();
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }

    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> &str {
        let found = self.fields.iter().find(|(name, _)| name == field);
        found.map_or_else(|| panic!("{}: no field {field}", self.name), |(_, text)| text)
    }

    #[track_caller]
    pub(crate) fn number(&self, field: &str) -> u32 {
        self.text(field).parse().unwrap()
    }

    #[track_caller]
    pub(crate) fn bytes(&self, field: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for group in self.text(field).split_whitespace() {
            match group.split_once('*') {
                Some((byte, times)) => {
                    bytes.extend(hex::decode(byte).unwrap().repeat(times.parse().unwrap()));
                }
                None => bytes.extend(hex::decode(group).unwrap()),
            }
        }
        bytes
    }

    /// Compares an outcome with `expect`, and the bytes of a success with the field `result`.
    pub(crate) fn judge(&self, outcome: Result<Vec<u8>, CryptoError>, result: &str) {
        let name = &self.name;
        let got = match outcome {
            Ok(bytes) => {
                assert_eq!(self.text("expect"), "success", "{name}");
                assert_eq!(bytes, self.bytes(result), "{name}");
                return;
            }
            Err(CryptoError::Damaged { rule }) => {
                assert_eq!(rule, self.text("rule"), "{name}");
                "damaged".to_owned()
            }
            Err(CryptoError::NewerFormat { found, .. }) => format!("newer_format {found}"),
            Err(error) => match error {
                CryptoError::WrongKey => "wrong_key",
                CryptoError::WeakKdf => "weak_kdf",
                CryptoError::KdfOutOfRange => "kdf_out_of_range",
                CryptoError::EmptyPassphrase => "empty_passphrase",
                CryptoError::DamagedKeyFile => "damaged_key_file",
                _ => "another error",
            }
            .to_owned(),
        };
        assert_eq!(self.text("expect"), format!("failure {got}"), "{name}");
    }
}

fn push_hex(text: &mut String, mut bytes: &[u8]) {
    while let Some(first) = bytes.first() {
        let run = bytes.iter().take_while(|byte| *byte == first).count();
        let plain = bytes.windows(16).position(|window| window.iter().all(|b| *b == window[0]));
        let taken = if run >= 16 { run } else { plain.unwrap_or(bytes.len()) };
        text.push(' ');
        if run >= 16 {
            write!(text, "{first:02x}*{run}").unwrap();
        } else {
            text.push_str(&hex::encode(&bytes[..taken]));
        }
        bytes = &bytes[taken..];
    }
}
