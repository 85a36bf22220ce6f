//! Rebuilds a damaged log where nothing is lost by it.

use super::build::{Salvage, salvage};
use super::state_copy::StateCopy;
use crate::crypto::Keyring;
use crate::error::Result;
use crate::log::{End, Log, RowVisitor, SalvageSource};
use crate::store::Store;
use crate::vault::directory::VaultDir;
use crate::vault::log_keys::LogKeys;
use crate::vault::state::compare::visit_rows;

/// What can be rebuilt of a damaged log, with a state that may lag behind, if it provably reaches the very
/// end.
pub(crate) fn lossless(
    place: &VaultDir,
    keys: &Keyring,
    state: Option<&dyn Store>,
) -> Result<Option<(SalvageSource, Salvage)>> {
    let VaultDir { env, dir, options, .. } = place;
    let (auth, options) = (LogKeys::of(keys), options.tuning.log_options());
    let salvage_source = Log::salvage_source(env, dir, keys.vault_id().0, auth, options)?;
    let known = salvage_source.last_known().map_or(0, |end| end.keystore_generation);
    if salvage_source.proven_end().is_none() || known > keys.generation() {
        return Ok(None);
    }
    let found = salvage(&salvage_source, state, keys)?;
    Ok(found.filter(|found| found.loss.is_none()).map(|found| (salvage_source, found)))
}

/// Begins a damaged log anew if that loses nothing and `judge` accepts its end. An open may do this unasked.
/// `false`: nothing was changed.
pub(crate) fn rebuild_log(
    place: &VaultDir,
    keys: &Keyring,
    damaged: &str,
    judge: &dyn Fn(&End) -> Result<()>,
) -> Result<bool> {
    let copy = StateCopy::of(place)?;
    let state = copy.as_ref().map(StateCopy::store);
    let Some((salvage_source, found)) = lossless(place, keys, state)? else { return Ok(false) };
    judge(&found.end)?;
    let mut rows = |visit: &mut RowVisitor<'_>| visit_rows(&found.rows, visit);
    salvage_source.replace(found.end, found.format, &mut rows)?;
    salvage_source.move_aside(damaged)?;
    Ok(true)
}
