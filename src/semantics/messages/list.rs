//! Refusals about lists: pages, filters and batches.

use crate::semantics::fault::{Fault, FaultKind};

/// E34: a page token that this vault never gave (our own text).
#[must_use]
pub fn bad_next_token() -> Fault {
    Fault::new(FaultKind::InvalidNextToken, "The NextToken value is invalid.")
}

/// E35: a batch by ids and by filters at once, or by neither.
#[must_use]
pub fn ids_or_filters() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
    )
}

/// E36: a size of pages for a batch that has none.
#[must_use]
pub fn page_without_filters() -> Fault {
    Fault::new(
        FaultKind::InvalidParameter,
        "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
    )
}

/// E37: a filter without a key.
#[must_use]
pub fn no_filter_key() -> Fault {
    Fault::new(FaultKind::InvalidParameter, "Invalid filter key")
}

/// E37: a filter without values.
#[must_use]
pub fn no_filter_values(key: &str) -> Fault {
    Fault::new(FaultKind::InvalidParameter, format!("Invalid filter values for key: {key}"))
}
