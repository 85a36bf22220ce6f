//! Writes answers: RFC 8259, members in the order of the calls, every byte of a value kept
//! (rule WIRE-JSON-5).

use crate::env::UnixMillis;
use crate::secret::SecretBytes;
use crate::wire::buffer::WipedBuffer;
use crate::wire::encoding::time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Builds one JSON text.
pub(crate) struct Writer {
    out: WipedBuffer,
    /// Whether the next name or item follows another one.
    follows: bool,
}

impl Writer {
    /// A writer with room for `bytes`; more room is made when needed.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { out: WipedBuffer::with_capacity(bytes), follows: false }
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.out.into_inner()
    }

    pub(crate) fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.bracketed(b"{", members, b"}");
    }

    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Self, T),
    ) {
        self.bracketed(b"[", |out| items.into_iter().for_each(|each| item(out, each)), b"]");
    }

    /// A member's name; exactly one value has to follow.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.out.push(b":");
        self.follows = false;
        self
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.separate();
        self.out.reserve(escaped_len(text) + 2);
        self.out.push(b"\"");
        let mut plain_from = 0;
        for (at, byte) in text.bytes().enumerate() {
            if let Some(escape) = Escape::of(byte) {
                self.out.push(text.as_bytes().get(plain_from..at).unwrap_or_default());
                escape.write(byte, &mut self.out);
                plain_from = at + 1;
            }
        }
        self.out.push(text.as_bytes().get(plain_from..).unwrap_or_default());
        self.out.push(b"\"");
    }

    /// Bytes as a base64 string (standard alphabet, padded).
    pub(crate) fn base64(&mut self, bytes: &[u8]) {
        self.separate();
        let len = base64_len(bytes.len());
        self.out.reserve(len + 2);
        self.out.push(b"\"");
        let written = STANDARD.encode_slice(bytes, self.out.push_zeros(len));
        debug_assert_eq!(written, Ok(len), "the length of padded base64 is known");
        self.out.push(b"\"");
    }

    pub(crate) fn time(&mut self, at: UnixMillis) {
        self.separate();
        self.out.push(time::format_json(at).as_bytes());
    }

    pub(crate) fn integer(&mut self, number: i64) {
        self.separate();
        self.out.push(number.to_string().as_bytes());
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.separate();
        self.out.push(if value { b"true" } else { b"false" });
    }

    fn bracketed(&mut self, open: &[u8], inside: impl FnOnce(&mut Self), close: &[u8]) {
        self.separate();
        self.out.push(open);
        self.follows = false;
        inside(self);
        self.out.push(close);
        self.follows = true;
    }

    fn separate(&mut self) {
        if self.follows {
            self.out.push(b",");
        }
        self.follows = true;
    }
}

/// Length of padded base64.
pub(crate) fn base64_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Reads padded base64 of the standard alphabet, straight into the fence.
pub(crate) fn base64_decoded(text: &str) -> Option<SecretBytes> {
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    let len = STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.get(..len).map(SecretBytes::copy_from)
}

/// Length of `text` between the quotes of a JSON string.
pub(crate) fn escaped_len(text: &str) -> usize {
    text.bytes().map(|byte| Escape::of(byte).map_or(1, Escape::len)).sum()
}

#[derive(Clone, Copy)]
enum Escape {
    /// A backslash and this letter.
    Short(u8),
    /// `\u00XX`.
    Hex,
}

impl Escape {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            b'"' | b'\\' => Some(Self::Short(byte)),
            0x08 => Some(Self::Short(b'b')),
            b'\t' => Some(Self::Short(b't')),
            b'\n' => Some(Self::Short(b'n')),
            0x0c => Some(Self::Short(b'f')),
            b'\r' => Some(Self::Short(b'r')),
            0..0x20 => Some(Self::Hex),
            _ => None,
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Short(_) => 2,
            Self::Hex => 6,
        }
    }

    fn write(self, byte: u8, out: &mut WipedBuffer) {
        match self {
            Self::Short(letter) => out.push(&[b'\\', letter]),
            Self::Hex => {
                let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
                out.push(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}
