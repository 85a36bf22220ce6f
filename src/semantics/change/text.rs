//! How texts of a request are stored.

/// An empty text is stored as none (SEM-VAL-7).
pub(crate) fn non_empty(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The name of the customer's key as it was given. AWS's own key, under any of its names, is stored as none
/// (SEM-VAL-8).
pub(crate) fn key_name(text: Option<&str>) -> Option<String> {
    const OWN: &str = "alias/aws/secretsmanager";
    let is_own = |text: &str| {
        text == "aws/secretsmanager"
            || text == OWN
            || text
                .strip_suffix(OWN)
                .is_some_and(|arn| arn.starts_with("arn:") && arn.ends_with(':'))
    };
    non_empty(text).filter(|text| !is_own(text))
}
