//! SIGTERM, SIGINT and SIGHUP.

use crate::env::real::ignores_hangup;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a server to stop.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// `None`: the process was started to outlive its terminal, as with `nohup`.
    hangup: Option<Signal>,
}

impl Signals {
    pub(super) fn take_over() -> io::Result<Self> {
        let hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())?, hangup })
    }

    /// Waits for the next one; for ever if signals are not ours.
    pub(super) async fn next(signals: &mut Option<Self>) {
        match signals {
            None => std::future::pending().await,
            Some(Self { terminate, interrupt, hangup }) => {
                let hangup = async {
                    match hangup {
                        Some(hangup) => hangup.recv().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    _ = terminate.recv() => (),
                    _ = interrupt.recv() => (),
                    _ = hangup => (),
                }
            }
        }
    }
}
