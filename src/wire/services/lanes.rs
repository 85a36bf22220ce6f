//! A lane of their own for requests that look at many secrets, so that others never wait behind them (rule
//! CONN-8).

use crate::model::api::Read;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Threads for all reads that do not run on the serving threads (CONN-15).
pub(crate) const READ_THREADS_MAX: usize = 16;

/// The lane of costly reads. Together they use at most half of the processors, or the only one.
pub(crate) struct CostlyLane(Arc<Semaphore>);

impl CostlyLane {
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new(Self::width(processors))))
    }

    /// How many costly reads run at once: half of the processors stay free, and half of the threads.
    fn width(processors: usize) -> usize {
        (processors.min(READ_THREADS_MAX) / 2).max(1)
    }

    /// Waits for the turn of a costly read. Others have no turn to wait for.
    pub(crate) async fn turn(&self, read: &Read) -> Option<OwnedSemaphorePermit> {
        if !is_costly(read) {
            return None;
        }
        // It is never closed.
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// Whether the work of a read grows with the number of secrets in the vault.
fn is_costly(read: &Read) -> bool {
    match read {
        Read::ListSecrets(_) | Read::ListResourcePolicies(_) => true,
        Read::BatchGetSecretValue(request) => request.secret_id_list.is_none(),
        _ => false,
    }
}

/// Whether a read is of one secret, whatever else there is in the vault.
pub(super) fn is_short(read: &Read) -> bool {
    matches!(read, Read::GetSecretValue(_) | Read::DescribeSecret(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CONN-8
    #[test]
    fn costly_reads_leave_processors_and_threads_to_others() {
        for (processors, expected) in [(1, 1), (2, 1), (8, 4), (32, 8), (128, 8)] {
            let width = CostlyLane::width(processors);
            assert_eq!(width, expected, "{processors}");
            assert!(width <= READ_THREADS_MAX / 2);
        }
    }
}
