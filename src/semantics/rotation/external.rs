//! Managed external secrets (SEM-EXT): which partner holds a secret, and how the partner would rotate it.
//! This vault cannot call partners. It stores and shows these settings, and refuses operations that would
//! call one.

use crate::model::{External, SecretRecord};

/// `Type` of a new secret; an empty one makes an ordinary secret.
pub(crate) fn of(partner: Option<&str>) -> Option<External> {
    partner.filter(|partner| !partner.is_empty()).map(External::of)
}

/// `Type` of `UpdateSecret`. A change of the partner removes the settings of the former one (SEM-EXT-3).
pub(crate) fn change(record: &mut SecretRecord, partner: &str) {
    if record.external.as_ref().is_some_and(|known| *known.partner == *partner) {
        return;
    }
    record.external = of(Some(partner));
    if record.rotation.as_ref().is_some_and(crate::model::Rotation::is_external) {
        record.rotation = None;
    }
}
