//! How texts of a request are stored.

/// An empty text is stored as none (SEM-VAL-7).
pub(crate) fn non_empty(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}
