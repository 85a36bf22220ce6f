//! Uses a vault from async code.
//!
//! [`Vault::submit`] hands a write over and calls back when it is durable, so no thread waits for the disk.
//! Reads do not wait for the disk either, but they decrypt: move them off the executor if values are large.
#![allow(clippy::print_stdout)] // a program that shows what it reads

use strongroom::api::PutSecretValue;
use strongroom::{ErrorKind, Result, Vault, WriteRequest};
use tokio::sync::oneshot;

/// Commits a write without blocking a thread.
async fn commit<R>(vault: &Vault, request: R) -> Result<R::Response>
where
    R: WriteRequest<Response: Send> + 'static,
{
    let (done, outcome) = oneshot::channel();
    vault.submit(request, move |outcome| {
        // Nobody may be waiting any more. The write happens all the same.
        let _ = done.send(outcome);
    });
    // The callback is dropped uncalled only if the commit thread has died.
    outcome.await.unwrap_or_else(|_| Err(ErrorKind::OutcomeUnknown.into()))
}

#[tokio::main]
async fn main() -> Result<()> {
    let vault = Vault::in_memory()?;
    vault.put("app/db", "first")?;

    // Writes that wait together are made durable together, with one sync.
    let mut writes = Vec::new();
    for n in 0..100 {
        let vault = vault.clone();
        // `submit` makes no token of its own: the caller repeats a write with the token of the first try.
        let put = PutSecretValue::new("app/db", format!("value {n}"))
            .client_request_token(format!("{n:032}"))
            .version_stages([format!("write-{}", n % 10)]);
        writes.push(tokio::spawn(async move { commit(&vault, put).await }));
    }
    for write in writes {
        write.await.expect("no write panics")?;
    }

    // Everything else of a vault blocks, so it goes to the pool for that.
    let read = tokio::task::spawn_blocking({
        let vault = vault.clone();
        move || vault.get("app/db")
    });
    println!("{}", read.await.expect("no read panics")?.as_str()?);
    vault.close()
}
