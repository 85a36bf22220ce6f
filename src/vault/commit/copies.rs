//! Values that a plan copies to another secret.
//!
//! The wrap of a data key is bound to its secret and version, so copied rows would not open. The value is
//! opened in its old place instead, and sealed under a data key of its own.

use crate::crypto::SealedValue;
use crate::env::Entropy;
use crate::model::{RecordId, Seq};
use crate::semantics::Effect;
use crate::vault::error::RowError;
use crate::vault::view::overlay::RowSource;
use crate::vault::view::row_view::RowView;

/// Copied values, each with the version that gets it.
#[derive(Default)]
pub(crate) struct Copies(Vec<(RecordId, Seq, SealedValue)>);

impl Copies {
    /// Opens every value that `effects` copy, and seals it anew. The plaintext lives in the fence and is
    /// wiped before the next value is opened.
    pub(crate) fn seal<S: RowSource>(
        effects: &[Effect],
        view: &RowView<'_, S>,
        entropy: &dyn Entropy,
    ) -> Result<Self, RowError> {
        let mut copies = Self::default();
        for effect in effects {
            let Effect::CopyPayload { from, id, to } = effect else { continue };
            let kind = from.kind.ok_or(RowError::Row("ROW-9"))?;
            let value_key = view.value_key(from)?;
            let sealed = view.sealed_value(from)?;
            let value = view.keys.open_value(kind, &value_key, &sealed)?;
            copies.0.push((*id, *to, view.keys.seal_value(&value, entropy)?));
        }
        Ok(copies)
    }

    /// The value for a version, if it gets one.
    pub(crate) fn of(&self, id: RecordId, seq: Seq) -> Option<&SealedValue> {
        self.0.iter().find(|(to, at, _)| (*to, *at) == (id, seq)).map(|(_, _, value)| value)
    }
}
