//! Opens a vault on a medium that cannot be written (MEDIA-1, MEDIA-2): the log is read and nothing is made
//! durable, the state is put together in memory, and no thread runs.

use super::open::refuse_rollback;
use super::serve::Parts;
use crate::crypto::{Keyring, Keystore};
use crate::env::age::AgeClock;
use crate::error::Result;
use crate::log::{Log, Twin};
use crate::vault::anchor::Anchor;
use crate::vault::directory::VaultDir;
use crate::vault::error::is_snapshot_damage;
use crate::vault::handle::Vault;
use crate::vault::log_keys::{LogKeys, age_note};
use crate::vault::maintenance::maintainer::KeystoreFile;
use crate::vault::options::StoreChoice;
use crate::vault::state::opener::StateOpener;

/// Opens the vault to be read, its keystore being unlocked.
pub(super) fn open_read_only(
    mut place: VaultDir,
    twin: Twin,
    keystore: Keystore,
    keys: Keyring,
) -> Result<Vault> {
    let tuning = &mut place.options.tuning;
    tuning.background = false;
    tuning.store = StoreChoice::Memory;
    let (auth, options) = (LogKeys::of(&keys), place.options.tuning.log_options());
    let mut recovered = Log::open(&place.env, &place.dir, keys.vault_id().0, auth, options)?;
    refuse_rollback(&recovered, &keystore)?;
    let anchor = Anchor::find(&place.env, &place.dir, &place.options, &keys)?;
    if let Some(anchor) = &anchor {
        anchor.judge_end(recovered.end())?;
    }
    let states = StateOpener::of(&place, &place.options.tuning, &keys);
    let opened = match states.open(&recovered) {
        Err(error) if is_snapshot_damage(&error) => {
            recovered = recovered.fall_back()?;
            states.open(&recovered)?
        }
        outcome => outcome?,
    };
    if let Some(anchor) = &anchor {
        anchor.judge_rows(opened.state.store(), &keys, recovered.end())?;
    }
    let clock = &place.env.clock;
    let age = AgeClock::from_note(age_note(recovered.end().clock), clock.wall(), clock.monotonic());
    let log = recovered.start_reading();
    let keystore = KeystoreFile { twin, keystore };
    let has_lost_its_state = false;
    Parts { place, keystore, keys, log, opened, age, anchor, has_lost_its_state }.serve()
}
