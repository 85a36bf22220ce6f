//! Header, blocks and footer of a snapshot.

use crate::log::files::LogContext;
use crate::log::format::header_block::seal_block;
use crate::log::format::header_block::{FORMAT, HEADER_BYTES};
use crate::log::format::rows::VALUE_BYTES_MAX;
use crate::log::format::tail::Tail;

pub(super) const MAGIC: [u8; 8] = *b"SRSNAPS\n";
pub(super) const FOOTER_MAGIC: [u8; 8] = *b"SRSNEND\n";
pub(super) const FOOTER_BYTES: usize = 64;
pub(super) const BLOCK_HEADER_BYTES: usize = 16;
/// Most bytes of rows in a block that holds more than one row.
pub(super) const PAYLOAD_BYTES: usize = 64 << 10;
/// Most bytes of a block's rows: one row of the longest kind.
pub(super) const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX + 1024;
pub(super) const DOMAIN: &str = "strongroom/log/snapshot/v1";
pub(super) const BLOCK_DOMAIN: &str = "strongroom/log/snapshot-block/v1";
pub(super) const FOOTER_DOMAIN: &str = "strongroom/log/snapshot-end/v1";

pub(super) fn footer_fields(rows: u64, blocks: u64, bytes: u64) -> Vec<u8> {
    let mut footer = Vec::with_capacity(FOOTER_BYTES);
    footer.extend_from_slice(&FOOTER_MAGIC);
    for number in [rows, blocks, bytes] {
        footer.extend_from_slice(&number.to_le_bytes());
    }
    footer
}

pub(super) fn last_tag(bytes: &[u8]) -> [u8; 32] {
    bytes.last_chunk().copied().unwrap_or_default()
}

pub(super) fn header(context: &LogContext, number: u64, id: &[u8; 16], tail: &Tail) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&context.vault);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(id);
    tail.encode(&mut bytes);
    seal_block(context, DOMAIN, bytes, HEADER_BYTES)
}

/// A whole file of any blocks (row count and rows) with the right MACs, and the footer's MAC, so that
/// fuzzing reaches the code behind the MACs.
#[cfg(feature = "__internals")]
pub(crate) fn sealed(
    context: &LogContext,
    number: u64,
    id: [u8; 16],
    tail: &Tail,
    blocks: &[(u32, Vec<u8>)],
    rows: u64,
) -> (Vec<u8>, [u8; 32]) {
    let mut bytes = header(context, number, &id, tail);
    let mut chain = last_tag(&bytes);
    for (index, (count, payload)) in (0_u64..).zip(blocks) {
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut block = len.to_le_bytes().to_vec();
        block.extend_from_slice(&count.to_le_bytes());
        block.extend_from_slice(&index.to_le_bytes());
        block.extend_from_slice(payload);
        chain = context.tag(BLOCK_DOMAIN, &[&id, &chain, &block]);
        bytes.append(&mut block);
        bytes.extend_from_slice(&chain);
    }
    let len = (bytes.len() + FOOTER_BYTES) as u64;
    let fields = footer_fields(rows, blocks.len() as u64, len);
    let tag = context.tag(FOOTER_DOMAIN, &[&id, &chain, &fields]);
    bytes.extend_from_slice(&fields);
    bytes.extend_from_slice(&tag);
    (bytes, tag)
}
