//! A byte buffer that may grow and never leaves a copy behind (I8).

use std::io::{self, Write};
use zeroize::Zeroizing;

/// Bytes that are wiped when dropped. Growing moves to a larger block and wipes the old one, which
/// `Vec` alone does not do.
pub(crate) struct WipedBuffer(Zeroizing<Vec<u8>>);

impl WipedBuffer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    /// Makes room for `more` bytes, so that pushing them does not move the rest.
    pub(crate) fn reserve(&mut self, more: usize) {
        if self.0.capacity() - self.0.len() >= more {
            return;
        }
        let capacity = (self.0.len() + more).max(self.0.capacity() * 2);
        let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
        larger.extend_from_slice(&self.0);
        self.0 = larger;
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    #[cfg(test)]
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    #[cfg(any(test, feature = "cli"))]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl Write for WipedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_the_bytes() {
        let mut buffer = WipedBuffer::with_capacity(2);
        for byte in 0..=255 {
            buffer.push(&[byte]);
        }
        buffer.write_all(b"end").unwrap();
        let expected: Vec<u8> = (0..=255).chain(*b"end").collect();
        assert_eq!(buffer.as_slice(), expected);
        assert_eq!(buffer.len(), 259);
    }

    /// WIRE-JSON-6
    #[test]
    fn a_reserved_buffer_does_not_move() {
        let mut buffer = WipedBuffer::with_capacity(0);
        buffer.reserve(1000);
        let before = buffer.as_slice().as_ptr();
        buffer.push(&[1; 1000]);
        assert_eq!(buffer.as_slice().as_ptr(), before);
    }
}
