//! `Filters` of `ListSecrets` (SEM-LIST-10 to SEM-LIST-16).
//!
//! Filters are joined by AND, the values of one filter by OR, and a value that starts with `!`
//! selects what the rest of it would not. Some keys compare the start of the whole attribute, case
//! included; others compare words without it: every word of the value must begin some word of the
//! attribute.

use crate::model::SecretRecord;
use crate::model::api::Filter;

/// What a filter looks at.
#[derive(Clone, Copy)]
enum Key {
    Name,
    Description,
    Tags,
    TagValues,
    PrimaryRegion,
    OwningService,
    All,
}

/// One value of a filter.
struct Term<'a> {
    negated: bool,
    text: &'a str,
    words: Vec<String>,
}

/// The filters of one request, prepared.
pub(crate) struct Filters<'a>(Vec<(Key, Vec<Term<'a>>)>);

impl<'a> Filters<'a> {
    /// Prepares filters that were checked before.
    pub(crate) fn new(filters: &'a [Filter]) -> Self {
        let filters = filters.iter().filter_map(|filter| {
            let key = match filter.key.as_deref()? {
                "name" => Key::Name,
                "description" => Key::Description,
                "tag-key" => Key::Tags,
                "tag-value" => Key::TagValues,
                "primary-region" => Key::PrimaryRegion,
                "owning-service" => Key::OwningService,
                _ => Key::All,
            };
            let values = filter.values.as_deref().unwrap_or_default();
            Some((key, values.iter().map(|value| Term::new(value)).collect()))
        });
        Self(filters.collect())
    }

    /// Whether all filters select the secret.
    pub(crate) fn select(&self, record: &SecretRecord) -> bool {
        self.0.iter().all(|(key, terms)| terms.iter().any(|term| term.selects(*key, record)))
    }
}

impl<'a> Term<'a> {
    fn new(value: &'a str) -> Self {
        let (negated, text) = match value.strip_prefix('!') {
            Some(text) => (true, text),
            None => (false, value),
        };
        Self { negated, text, words: words(text) }
    }

    /// A secret without the attribute is selected by a negation (SEM-LIST-14).
    fn selects(&self, key: Key, record: &SecretRecord) -> bool {
        self.matches(key, record) != self.negated
    }

    fn matches(&self, key: Key, record: &SecretRecord) -> bool {
        let starts = |attribute: &str| attribute.starts_with(self.text);
        let tags = record.tags.as_deref().unwrap_or_default();
        match key {
            Key::Name => starts(record.name.as_str()),
            Key::Description => record.description.as_deref().is_some_and(|text| self.is_in(text)),
            Key::Tags => tags.iter().any(|tag| starts(&tag.key)),
            Key::TagValues => tags.iter().any(|tag| starts(&tag.value)),
            Key::PrimaryRegion => {
                record.replication.as_ref().is_some_and(|r| starts(r.primary_region()))
            }
            Key::OwningService => record.owning_service.as_deref().is_some_and(starts),
            Key::All => {
                self.is_in(record.name.as_str())
                    || record.description.as_deref().is_some_and(|text| self.is_in(text))
                    || tags.iter().any(|tag| self.is_in(&tag.key) || self.is_in(&tag.value))
            }
        }
    }

    /// Whether every word begins some word of `text`. No word at all matches nothing.
    fn is_in(&self, text: &str) -> bool {
        let there = words(text);
        !self.words.is_empty()
            && self.words.iter().all(|word| there.iter().any(|other| other.starts_with(word)))
    }
}

/// Splits a text into words, lower-cased: at spaces and `/ _ + = . @ -`, and at humps, where a run
/// of capitals keeps all but its last letter (`COMPANYthings` is `COMPAN` and `Ythings`).
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c.is_whitespace() || "/_+=.@-".contains(c));
    parts.flat_map(humps).collect()
}

fn humps(part: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    let mut letters = part.chars().peekable();
    while let Some(letter) = letters.next() {
        let in_run = before.is_some_and(char::is_uppercase);
        let ends_run = letters.peek().is_some_and(|next| next.is_lowercase());
        let starts = before.is_none() || (letter.is_uppercase() && (!in_run || ends_run));
        match words.last_mut().filter(|_| !starts) {
            Some(word) => word.extend(letter.to_lowercase()),
            None => words.push(letter.to_lowercase().collect()),
        }
        before = Some(letter);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    /// SEM-LIST-12
    #[test]
    fn words_end_at_separators_and_humps() {
        for (text, expected) in [
            ("AppBeta", &["app", "beta"][..]),
            ("COMPANY", &["company"]),
            ("COMPANYthings", &["compan", "ythings"]),
            ("a/b_c+d=e.f@g-h i", &["a", "b", "c", "d", "e", "f", "g", "h", "i"]),
            ("+", &[]),
            ("", &[]),
            ("SecretOne", &["secret", "one"]),
            ("one,two:three", &["one,two:three"]),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }
}
