//! `Filters`.

use super::constraint::{self, Violations};
use crate::model::api::Filter;
use crate::model::limits;
use crate::semantics::fault::Fault;
use crate::semantics::messages;

/// `FilterNameStringType` of the API model. AWS's order in the message is unknown.
const FILTER_KEYS: [&str; 7] =
    ["description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all"];

/// `FilterValueStringType` of the API model, as it stands in the message.
const FILTER_VALUE_PATTERN: &str = r"^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$";

pub(crate) fn filter_constraints(found: &mut Violations, filters: &[Filter]) {
    let shown: Vec<String> = filters.iter().map(show_filter).collect();
    found.list("filters", &shown.join(", "), filters.len(), 0, limits::FILTERS_MAX);
    for (path, filter) in constraint::members("filters", filters) {
        if let Some(key) = &filter.key {
            found.one_of(&format!("{path}.key"), key, &FILTER_KEYS);
        }
        let Some(values) = &filter.values else { continue };
        let path = format!("{path}.values");
        found.list(&path, &values.join(", "), values.len(), 1, limits::FILTER_VALUES_MAX);
        for (path, value) in constraint::members(&path, values) {
            found.text(&path, value, 0, limits::FILTER_VALUE_CHARS_MAX);
            found.pattern(&path, value, FILTER_VALUE_PATTERN, is_filter_value(value));
        }
    }
}

/// Each filter needs its key and its values (E37).
pub(crate) fn whole_filters(filters: &[Filter]) -> Result<(), Fault> {
    for filter in filters {
        let key = filter.key.as_deref().ok_or_else(messages::no_filter_key)?;
        filter.values.as_ref().ok_or_else(|| messages::no_filter_values(key))?;
    }
    Ok(())
}

fn is_filter_value(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || " :_@/+=.-!".contains(c))
}

fn show_filter(filter: &Filter) -> String {
    let key = filter.key.as_deref().unwrap_or("null");
    let values = filter.values.as_deref().unwrap_or_default().join(", ");
    format!("Filter(key={key}, values=[{values}])")
}
