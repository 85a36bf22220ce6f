//! Choosing between two copies of the manifest, and checking what an open does not read.

use crate::env::{Env, Fs};
use crate::log::authenticator::Authenticator;
use crate::log::error::LogError;
use crate::log::files::{GoodCopy, LogContext};
use crate::log::format::manifest::Manifest;
use crate::log::options::LogOptions;
use crate::log::read::{read_back, read_truth};
use crate::log::recover::Recovered;
use crate::log::write::Log;
use std::path::Path;
use std::sync::Arc;

impl Log {
    /// The vault that every readable copy of the manifest in `dir` names. Not authenticated: for a
    /// choice between two keystores, before there is a key.
    pub fn named_vault(fs: &Arc<dyn Fs>, dir: &Path) -> Option<[u8; 16]> {
        Manifest::named_vault(fs, dir)
    }

    /// Chooses a copy of the manifest if the twin itself cannot: of two that contradict each other, the
    /// newest that this vault's key has signed. `None`: the key has signed neither, or the twin reads.
    pub fn signed_manifest(
        env: &Env,
        dir: &Path,
        vault: [u8; 16],
        auth: Arc<dyn Authenticator>,
    ) -> Result<Option<GoodCopy>, LogError> {
        let context = LogContext::new(env, dir, vault, auth, &LogOptions::default());
        let twin = Manifest::twin(&context);
        let reads = twin.read().is_ok_and(|content| Manifest::of_twin(&context, &content).is_ok());
        if reads {
            return Ok(None);
        }
        let mut copies = twin.copies()?;
        let chosen = best(&context, &copies).map(|(at, _)| at);
        Ok(chosen.map(|at| copies.swap_remove(at)))
    }

    /// Writes a copy that [`Self::signed_manifest`] chose over the other one.
    pub fn settle_manifest(env: &Env, dir: &Path, chosen: &GoodCopy) -> Result<(), LogError> {
        Manifest::twin_in(&env.fs, dir).settle_on(chosen)
    }
}

/// What a check reads beyond the log itself.
impl Recovered {
    /// The copies of the manifest that are missing, damaged or older, each with the rule broken.
    pub fn manifest_faults(&self) -> Result<Vec<(String, &'static str)>, LogError> {
        self.twin.faults()
    }

    /// Reads the snapshot before this one, and all frames since, if they are still kept.
    pub fn check_older(&self) -> Result<(), LogError> {
        let Some(previous) = &self.manifest.previous else { return Ok(()) };
        read_truth(&self.context, &self.manifest, previous).map_err(|fault| fault.error)?;
        read_back(&self.context, previous)
    }
}

/// The newest copy that authenticates.
pub(super) fn best(context: &LogContext, copies: &[GoodCopy]) -> Option<(usize, Manifest)> {
    let decoded = copies.iter().enumerate().filter_map(|(at, copy)| {
        Some((at, Manifest::decode(context, copy.format, &copy.body, copy.generation).ok()?))
    });
    decoded.max_by_key(|(_, manifest)| manifest.generation)
}
