//! Tokens that a plan has looked for in vain. The rows of the version that gets one are new, so nobody needs
//! to look for older ones that they replace.

use crate::model::{RecordId, VersionId};

/// A token that names no version.
pub(crate) struct FreeToken {
    pub(super) id: RecordId,
    pub(super) version_id: VersionId,
    /// The key of the row that it would have.
    pub(crate) key: [u8; 32],
}

impl FreeToken {
    /// Whether it is that of such a version.
    pub(crate) fn is_of(&self, id: RecordId, version_id: &VersionId) -> bool {
        self.id == id && self.version_id == *version_id
    }
}
