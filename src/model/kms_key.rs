//! Names of keys. Nothing is encrypted under them here; they are shown, and some rules ask whose they are.

/// How AWS's own key is named.
pub const OWN_KEY: &str = "alias/aws/secretsmanager";

/// The name if it is of a customer's key. No name, an empty one, and each name of AWS's own key are of none
/// (SEM-VAL-8).
#[must_use]
pub fn customer_key(name: Option<&str>) -> Option<&str> {
    let is_arn = |start: &str| start.starts_with("arn:") && start.ends_with(':');
    let is_own = |name: &str| {
        name == "aws/secretsmanager"
            || name.strip_suffix(OWN_KEY).is_some_and(|start| start.is_empty() || is_arn(start))
    };
    name.filter(|name| !name.is_empty() && !is_own(name))
}
