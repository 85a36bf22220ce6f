//! A part of a tree in key order, and its bounds in an ordered map. Shared, so that all stores answer alike.

use std::ops::Bound;

/// The rows of a tree that a reader wants, in key order.
#[derive(Clone, Copy)]
pub struct Range<'a> {
    /// What their keys start with.
    pub prefix: &'a [u8],
    /// Their keys are greater than this one, if it is given.
    pub after: Option<&'a [u8]>,
    /// The most rows.
    pub limit: usize,
}

/// Lower and upper bound of a range of keys.
pub(super) type Bounds = (Bound<Box<[u8]>>, Bound<Box<[u8]>>);

impl Range<'_> {
    /// The bounds of its keys. `None` if no key can be in it. `BTreeMap::range` accepts the bounds without a
    /// panic.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        let end = successor(self.prefix);
        let low = match self.after {
            Some(after) if end.as_deref().is_some_and(|end| after >= end) => return None,
            Some(after) if after >= self.prefix => Bound::Excluded(after.into()),
            _ => Bound::Included(self.prefix.into()),
        };
        Some((low, end.map_or(Bound::Unbounded, Bound::Excluded)))
    }
}

/// The smallest key that is greater than every key starting with `prefix`, if there is one.
fn successor(prefix: &[u8]) -> Option<Box<[u8]>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end.into());
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Goal: every combination of short prefix and `after` selects what a filter over all keys
    /// selects. Method: all keys of up to two bytes out of 0, 1, 254, 255.
    #[test]
    fn bounds_select_what_a_filter_selects() {
        let bytes = [0_u8, 1, 254, 255];
        let mut keys: BTreeSet<Box<[u8]>> = BTreeSet::from([Box::from([])]);
        for first in bytes {
            keys.insert(Box::new([first]));
            for second in bytes {
                keys.insert(Box::new([first, second]));
            }
        }
        for prefix in &keys {
            for after in keys.iter().map(|after| &**after).map(Some).chain([None]) {
                let expected: Vec<_> = keys
                    .iter()
                    .filter(|key| key.starts_with(prefix))
                    .filter(|key| after.is_none_or(|after| ***key > *after))
                    .collect();
                let found: Vec<_> = Range { prefix, after, limit: usize::MAX }
                    .bounds()
                    .map(|bounds| keys.range(bounds).collect())
                    .unwrap_or_default();
                assert_eq!(found, expected, "prefix={prefix:?} after={after:?}");
            }
        }
    }
}
