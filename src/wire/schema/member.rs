//! Members of structures, as the API model has them.

/// The members of a structure, in the order in which errors name them. Most items are one member; a value is
/// two.
pub(crate) type Members = &'static [&'static [Member]];

/// One member of a structure. Members that no table names are ignored, and `null` is absence.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    /// Plaintext: it leaves the parsed body only as `SecretBytes`.
    pub(crate) sensitive: bool,
}

impl Member {
    pub(crate) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, sensitive: false }
    }

    pub(crate) const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: true, sensitive: false }
    }

    pub(crate) const fn sensitive(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, sensitive: true }
    }
}

/// What a member holds.
pub(crate) enum Kind {
    Text,
    Integer,
    Long,
    Boolean,
    /// Bytes as base64.
    Blob,
    List(&'static Kind),
    Structure(Members),
}
