//! Draws choices from the bytes of an input. This never fails: once the bytes are used up, results are zero
//! or empty, so that every input is valid.

/// Reads from the front.
pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(len.min(self.0.len()));
        self.0 = tail;
        head
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        for (to, from) in array.iter_mut().zip(self.take(N)) {
            *to = *from;
        }
        array
    }

    pub(super) fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(super) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(super) fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.array())
    }

    /// Bytes with their length in a byte before them.
    pub(super) fn short(&mut self) -> &'a [u8] {
        let len = self.u8();
        self.take(len.into())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

/// The bytes as text, up to the first that is not UTF-8.
pub(super) fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap(),
    }
}

/// Mutates bytes as the input says, until it is used up: flips, cuts, insertions, repetitions.
pub(super) fn mutate(input: &mut Input<'_>, bytes: &mut Vec<u8>) {
    for _ in 0..16 {
        if input.is_empty() || bytes.is_empty() {
            return;
        }
        let (kind, at) = (input.u8(), usize::from(input.u16()) % bytes.len());
        match kind % 6 {
            0 => bytes[at] ^= 1 << (input.u8() % 8),
            1 => bytes[at] = input.u8(),
            2 => bytes.truncate(at),
            3 => drop(bytes.splice(at..at, input.short().iter().copied())),
            4 => {
                let new = input.short();
                let end = (at + new.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&new[..end - at]);
            }
            _ => {
                let end = (at + usize::from(input.u8())).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
}

/// Bytes that look random and follow from `seed`, never all the same.
pub(super) struct Stream(std::sync::atomic::AtomicU64);

impl Stream {
    pub(super) fn new(seed: u64) -> Self {
        Self(std::sync::atomic::AtomicU64::new(seed))
    }

    pub(super) fn fill(&self, buffer: &mut [u8]) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in buffer.chunks_mut(8) {
            let state = self.0.fetch_add(STEP, std::sync::atomic::Ordering::Relaxed);
            // SplitMix64.
            let word = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ word >> 31).to_le_bytes()[..chunk.len()]);
        }
    }
}

impl strongroom::__internals::env::Entropy for Stream {
    fn fill(&self, buffer: &mut [u8]) -> std::io::Result<()> {
        Stream::fill(self, buffer);
        Ok(())
    }
}
