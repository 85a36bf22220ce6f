//! Bodies in both directions, in wiped buffers (I8, rule WIRE-NET-3).

use super::phase::Busy;
use crate::secret::buffer::WipedBuffer;
use crate::wire::reply::ReplyError;
use hyper::body::{Body, Buf, Frame, SizeHint};
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

/// How much of a body that is too long is read and dropped. Clients that read only after writing then see why
/// the request was refused.
const DRAIN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Initial capacity for a body of unknown length.
const ROOM_BYTES: usize = 8 * 1024;

/// Reads a whole body of at most `bytes_max`, within `time`.
pub(crate) async fn collect<B>(
    body: B,
    bytes_max: usize,
    time: Duration,
) -> Result<Zeroizing<Vec<u8>>, ReplyError>
where
    B: Body<Data: Buf>,
{
    let deadline = Instant::now() + time;
    let mut body = pin!(body);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let room = body.size_hint().exact().map_or(ROOM_BYTES, |_| announced.min(bytes_max));
    let mut buffer = WipedBuffer::with_capacity(room);
    let mut drained = 0;
    let mut too_large = announced > bytes_max;
    if too_large && announced > DRAIN_BYTES_MAX {
        return Err(ReplyError::TooLarge);
    }
    loop {
        let frame = match timeout_at(deadline, poll_fn(|cx| body.as_mut().poll_frame(cx))).await {
            Err(_) => return Err(ReplyError::TooSlow),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(ReplyError::BrokenOff),
            Ok(Some(Ok(frame))) => frame,
        };
        // This protocol has no trailers.
        let Ok(mut data) = frame.into_data() else { continue };
        if too_large || data.remaining() > bytes_max - buffer.len() {
            too_large = true;
            drained += data.remaining();
            if drained > DRAIN_BYTES_MAX {
                break;
            }
            continue;
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            buffer.push(chunk);
            let len = chunk.len();
            data.advance(len);
        }
    }
    if too_large { Err(ReplyError::TooLarge) } else { Ok(buffer.into_inner()) }
}

/// The body of a response as one block. It goes to the network without another copy and is wiped when the
/// last byte is taken. Until then the connection counts as busy.
pub(crate) struct Block {
    bytes: Zeroizing<Vec<u8>>,
    sent: usize,
    _busy: Option<Busy>,
}

impl Buf for Block {
    fn remaining(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.sent = (self.sent + count).min(self.bytes.len());
    }
}

/// An answer's body: one block or none.
pub(crate) struct Answer {
    block: Option<Block>,
    bytes: u64,
}

impl Answer {
    pub(crate) fn new(content: Option<Zeroizing<Vec<u8>>>, busy: Option<Busy>) -> Self {
        let bytes = content.as_ref().map_or(0, |content| content.len() as u64);
        let block = content.map(|bytes| Block { bytes, sent: 0, _busy: busy });
        Self { block, bytes }
    }
}

impl Body for Answer {
    type Data = Block;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Block>, Infallible>>> {
        Poll::Ready(self.block.take().map(|block| Ok(Frame::data(block))))
    }

    fn is_end_stream(&self) -> bool {
        self.block.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.block.is_some() { self.bytes } else { 0 })
    }
}
