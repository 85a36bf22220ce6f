//! Requests that change something: each is carried out once, and its answer kept for its repeats (rules
//! CONN-12, CONN-13).

use super::operations::{BROKEN_OFF, write_answer};
use super::replays::{Seat, Turn};
use super::service::Service;
use crate::error::Result as VaultResult;
use crate::model::api::Write;
use crate::semantics::Answer;
use crate::vault::Vault;
use crate::wire::reply::{Reply, ReplyError};
use crate::wire::sigv4::Stamp;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

impl Service {
    /// Carries out a write, unless it is the repeat of one. A request without a stamp is never a repeat.
    pub(super) async fn write_once(
        &self,
        vault: &Vault,
        write: Write,
        stamp: Option<Stamp>,
    ) -> Result<Reply, ReplyError> {
        let Some(stamp) = stamp else { return self.write(vault, write, None).await };
        loop {
            let clock = &self.env.clock;
            match self.replays.begin(&stamp, clock.wall(), clock.monotonic()) {
                Turn::First(seat) => return self.write(vault, write, Some(seat)).await,
                Turn::Twin => return self.write(vault, write, None).await,
                Turn::Again(kept) => return Ok(kept.reply()),
                Turn::Wait(mut running) => {
                    if let Ok(kept) = running.wait_for(Option::is_some).await
                        && let Some(kept) = kept.as_ref()
                    {
                        return Ok(kept.reply());
                    }
                    // The first one ended without an answer. What became of it is in the memory now.
                }
                Turn::Spent => return Err(ReplyError::Repeat),
                Turn::Unknown => return Err(ReplyError::MayBeRepeat),
            }
        }
    }

    async fn write(
        &self,
        vault: &Vault,
        write: Write,
        seat: Option<Seat>,
    ) -> Result<Reply, ReplyError> {
        let writes = Arc::clone(&self.writes);
        let permit = writes.acquire_owned().await.map_err(|_| ReplyError::Unavailable)?;
        submit(vault, write, seat, permit).await.unwrap_or(Err(BROKEN_OFF))
    }
}

/// Hands a write over to the vault. From now on it happens, also if nobody waits for the answer.
fn submit(
    vault: &Vault,
    write: Write,
    mut seat: Option<Seat>,
    permit: OwnedSemaphorePermit,
) -> oneshot::Receiver<Result<Reply, ReplyError>> {
    if let Some(seat) = &mut seat {
        seat.submitted();
    }
    let (answered, answer) = oneshot::channel();
    let done = move |result: VaultResult<Answer>| {
        let reply = result.map_err(ReplyError::from);
        let reply = reply.and_then(|answer| Ok(Reply::json(write_answer(&answer)?)));
        // Noted here, because the request itself ends when its client disconnects.
        if let Some(seat) = seat {
            match &reply {
                Ok(reply) => seat.answer(reply),
                Err(failure) => seat.answer(&failure.reply()),
            }
        }
        // The client may have disconnected.
        let _ = answered.send(reply);
        drop(permit);
    };
    vault.submit_write(write, done);
    answer
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::env::UnixMillis;
    use crate::model::api::{Operation, Request};
    use crate::wire::json::parse;
    use crate::wire::request;
    use crate::wire::services::replays::Replays;
    use hyper::StatusCode;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    fn create(name: &str, number: u8) -> Write {
        let token = format!("{number:0>32}");
        let body = format!(r#"{{"Name":"{name}","ClientRequestToken":"{token}"}}"#);
        let body = parse(body.as_bytes()).ok().unwrap();
        match request::read(Operation::CreateSecret, body).ok().unwrap() {
            Request::Write(write) => write,
            Request::Read(_) => unreachable!(),
        }
    }

    /// CONN-12: the first client leaves before it is answered. A repeat gets its answer all the same.
    #[test]
    fn the_answer_is_kept_though_its_client_has_left() {
        let vault = Vault::in_memory().unwrap();
        let writes = Arc::new(Semaphore::new(1));
        let now = UnixMillis(1_767_323_045_000);
        let replays = Arc::new(Replays::new(now));
        for (number, expected) in [(1, StatusCode::OK), (2, StatusCode::BAD_REQUEST)] {
            let stamp = Stamp { at: now, signature: [number; 32] };
            let Turn::First(seat) = replays.begin(&stamp, now, Duration::ZERO) else { panic!() };
            let permit = Arc::clone(&writes).try_acquire_owned().unwrap();
            drop(submit(&vault, create("a", number), Some(seat), permit));
            // It is done before a later one is.
            let name = format!("later-{number}");
            let (told, done) = std::sync::mpsc::channel();
            vault.submit_write(create(&name, number), move |result| {
                told.send(result.is_ok()).unwrap();
            });
            assert!(done.recv().unwrap());
            let later = Duration::from_secs(3);
            let Turn::Again(kept) = replays.begin(&stamp, now.plus(3000), later) else { panic!() };
            assert_eq!(kept.reply().status, expected);
            assert_eq!(writes.available_permits(), 1);
        }
    }
}
