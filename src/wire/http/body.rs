//! Bodies in both directions, in wiped buffers (I8, rules WIRE-NET-3, CONN-7).

use super::phase::{Busy, Progress};
use crate::secret::buffer::WipedBuffer;
use crate::wire::options::Limits;
use crate::wire::reply::ReplyError;
use hyper::body::{Body, Buf, Frame, SizeHint};
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

/// How much of a body that is too long is read and dropped. Clients that read only after writing then see why
/// the request was refused.
const DRAIN_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A body up to this length is kept without a reservation. There are at most as many as connections.
const SMALL_BYTES: usize = 8 * 1024;
/// Room for longer bodies of requests whose signatures are not verified yet, in KiB.
const ROOM_KIB: usize = 16 * 1024;

/// The memory for bodies of requests that nobody has vouched for yet (rule CONN-7).
pub(crate) struct Room {
    kib: Arc<Semaphore>,
    /// Bodies that wait for room.
    waiting: AtomicUsize,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self { kib: Arc::new(Semaphore::new(ROOM_KIB)), waiting: AtomicUsize::new(0) }
    }

    async fn reserve(&self, bytes: usize, deadline: Instant) -> Result<Reserved, ReplyError> {
        let kib = u32::try_from(bytes.div_ceil(1024).min(ROOM_KIB)).unwrap_or(u32::MAX);
        let waits = Waits::begin(&self.waiting);
        let reserved = timeout_at(deadline, Arc::clone(&self.kib).acquire_many_owned(kib)).await;
        drop(waits);
        reserved.ok().and_then(Result::ok).ok_or(ReplyError::Unavailable)
    }

    fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

type Reserved = OwnedSemaphorePermit;

/// Counts one that waits.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is done with a body.
#[derive(Clone, Copy)]
pub(crate) enum Intake<'a> {
    /// It is kept, in this room.
    Keep(&'a Room),
    /// Only its beginning is kept, as much as needs no room.
    Beginning,
    /// It is read and dropped: the request is refused, and some clients read the response only after writing.
    Drop,
}

impl Intake<'_> {
    fn keeps(self) -> bool {
        !matches!(self, Self::Drop)
    }
}

/// A body that was read completely.
pub(crate) struct Collected {
    /// As much of it as was kept.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Its room, held until its request is known to be good.
    pub(crate) room: Option<Reserved>,
}

/// Reads a whole body of at most `limits.body_bytes`, within `limits.body_time`.
pub(crate) async fn collect<B>(
    body: B,
    intake: Intake<'_>,
    limits: &Limits,
) -> Result<Collected, ReplyError>
where
    B: Body<Data: Buf>,
{
    let bytes_max = limits.body_bytes;
    let deadline = Instant::now() + limits.body_time;
    let mut body = pin!(body);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut too_large = announced > bytes_max;
    if too_large && announced > DRAIN_BYTES_MAX {
        return Err(ReplyError::TooLarge);
    }
    let mut room = None;
    let mut capacity = 0;
    if intake.keeps() && !too_large {
        capacity = body.size_hint().exact().map_or(SMALL_BYTES, |_| announced);
        if let Intake::Keep(of) = intake
            && announced > SMALL_BYTES
        {
            room = Some(of.reserve(announced, deadline).await?);
        } else {
            capacity = capacity.min(SMALL_BYTES);
        }
    }
    let mut buffer = WipedBuffer::with_capacity(capacity);
    let (mut drained, mut seen) = (0, 0);
    let mut progress = Progress::begin();
    loop {
        let patience = deadline.min(progress.ends(limits));
        let frame = match timeout_at(patience, poll_fn(|cx| body.as_mut().poll_frame(cx))).await {
            Err(_) => {
                // Who sends next to nothing does not keep room that others wait for.
                let gives_way = matches!(intake, Intake::Keep(of) if of.is_wanted());
                if Instant::now() >= deadline || (room.is_some() && gives_way) {
                    return Err(ReplyError::TooSlow);
                }
                progress = Progress::begin();
                continue;
            }
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(ReplyError::BrokenOff),
            Ok(Some(Ok(frame))) => frame,
        };
        // This protocol has no trailers.
        let Ok(mut data) = frame.into_data() else { continue };
        progress.moved(data.remaining());
        let before = seen;
        seen += data.remaining();
        too_large |= seen > bytes_max;
        if too_large {
            drained += data.remaining();
            if drained > DRAIN_BYTES_MAX {
                break;
            }
            continue;
        }
        let mut wanted = match intake {
            Intake::Keep(of) => {
                if room.is_none() && seen > SMALL_BYTES {
                    // Its length was not announced.
                    room = Some(of.reserve(bytes_max, deadline).await?);
                }
                usize::MAX
            }
            Intake::Beginning => SMALL_BYTES.saturating_sub(before),
            Intake::Drop => 0,
        };
        while data.has_remaining() && wanted > 0 {
            let chunk = data.chunk();
            let chunk = chunk.get(..wanted).unwrap_or(chunk);
            buffer.push(chunk);
            let len = chunk.len();
            data.advance(len);
            wanted -= len;
        }
    }
    if too_large {
        return Err(ReplyError::TooLarge);
    }
    Ok(Collected { bytes: buffer.into_inner(), room })
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
