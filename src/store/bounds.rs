//! Turns "prefix, after, reverse" into the bounds of an ordered map. Shared, so that both stores answer
//! a range alike.

use std::ops::Bound;

/// Lower and upper bound of a range of keys.
pub(super) type Bounds = (Bound<Box<[u8]>>, Bound<Box<[u8]>>);

/// The bounds of the keys that start with `prefix` and lie beyond `after` (greater, or less with
/// `reverse`). `None` if no key can. `BTreeMap::range` accepts the bounds without a panic.
pub(super) fn bounds(prefix: &[u8], after: Option<&[u8]>, reverse: bool) -> Option<Bounds> {
    let end = successor(prefix);
    let beyond_end = |key: &[u8]| end.as_deref().is_some_and(|end| key >= end);
    let mut low = Bound::Included(prefix.into());
    let mut high = end.as_deref().map_or(Bound::Unbounded, |end| Bound::Excluded(end.into()));
    match after {
        Some(after) if reverse => {
            if after <= prefix {
                return None;
            }
            if !beyond_end(after) {
                high = Bound::Excluded(after.into());
            }
        }
        Some(after) => {
            if beyond_end(after) {
                return None;
            }
            if after >= prefix {
                low = Bound::Excluded(after.into());
            }
        }
        None => (),
    }
    Some((low, high))
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
            for after in keys.iter().map(Some).chain([None]) {
                for reverse in [false, true] {
                    let expected: Vec<_> = keys
                        .iter()
                        .filter(|key| key.starts_with(prefix))
                        .filter(|key| {
                            after.is_none_or(
                                |after| {
                                    if reverse { *key < after } else { *key > after }
                                },
                            )
                        })
                        .collect();
                    let found: Vec<_> = bounds(prefix, after.map(|after| &**after), reverse)
                        .map(|range| keys.range(range).collect())
                        .unwrap_or_default();
                    assert_eq!(found, expected, "prefix={prefix:?} after={after:?} {reverse}");
                }
            }
        }
    }
}
