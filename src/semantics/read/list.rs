//! `ListSecrets`: order, pages, and hidden secrets (SEM-LIST-3 to SEM-LIST-9).
//!
//! Ids rise in the order of creation. A page in the default order therefore continues from the last id,
//! and its cost depends on its size. Other orders scan all secrets of the scope and keep one page.

use super::filter::Filters;
use super::{describe, page};
use crate::env::faults;
use crate::model::api::{ListSecrets, ListSecretsResponse};
use crate::model::{RecordId, Scope, SecretRecord, limits};
use crate::semantics::access::alias;
use crate::semantics::fault::Fault;
use crate::semantics::messages;
use crate::semantics::operation::Look;
use crate::semantics::plan::{Refusal, View};
use crate::semantics::validate::{Check, Checked, Violations, filters, members};
use std::cmp::Ordering;

/// Records that a scan fetches at a time.
const BATCH: usize = 256;
/// The most records that one page in the default order examines, so that a rare match does not block a
/// server. At the limit the page ends early, with a token (SEM-LIST-8).
const SCAN_MAX: usize = 10_000;

/// `SortByType` of the API model.
const SORT_KEYS: [&str; 4] = ["created-date", "last-accessed-date", "last-changed-date", "name"];
/// `SortOrderType` of the API model.
const SORT_ORDERS: [&str; 2] = ["asc", "desc"];

/// The field by which secrets are sorted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SortBy {
    Created,
    Accessed,
    Changed,
    Name,
}

/// An order of secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Order {
    by: SortBy,
    falling: bool,
}

/// The position of a secret in an order. The order of creation needs only the id, no key.
#[derive(PartialEq, Eq)]
struct Position {
    key: Option<Vec<u8>>,
    id: RecordId,
}

impl Check for ListSecrets {
    type Names = ();

    /// the presence of key and values in each filter (E37) last.
    fn check(&self) -> Result<Self::Names, Fault> {
        let mut found = Violations::default();
        members::page(&mut found, self.max_results, self.next_token.as_deref(), limits::PAGE_MAX);
        let filters = self.filters.as_deref().unwrap_or_default();
        filters::filter_constraints(&mut found, filters);
        if let Some(order) = &self.sort_order {
            found.one_of("sortOrder", order, &SORT_ORDERS);
        }
        if let Some(key) = &self.sort_by {
            found.one_of("sortBy", key, &SORT_KEYS);
        }
        found.into_result()?;
        filters::whole_filters(filters)
    }
}

/// `ListSecrets` in the caller's account and region.
impl Look for ListSecrets {
    type Found = ListSecretsResponse;
    const IS_OF_ONE_SECRET: bool = false;

    fn look<V: View>(
        view: &V,
        scope: &Scope,
        request: &Checked<Self>,
    ) -> Result<Self::Found, Refusal<V::Error>> {
        let order = Order::of(request);
        let after = match request.next_token.as_deref() {
            Some(token) => Some(order.parse(token)?),
            None => None,
        };
        let filters = Filters::new(request.filters.as_deref().unwrap_or_default());
        let planned = request.include_planned_deletion == Some(true);
        let selects = |record: &SecretRecord| {
            (planned || record.deletion.is_none()) && filters.select(record)
        };
        let limit = page::list_size(request.max_results);
        let (records, end) = if order == (Order { by: SortBy::Created, falling: false }) {
            in_creation_order(view, scope, after.map(|after| after.id), limit, selects)
        } else {
            sorted(view, scope, order, after.as_ref(), limit, selects)
        }
        .map_err(Refusal::View)?;
        let next_token = end.map(|end| order.token(&end));
        let secrets: Result<_, _> =
            records.into_iter().map(|record| describe::entry(view, record)).collect();
        Ok(ListSecretsResponse { secrets: secrets.map_err(Refusal::View)?, next_token })
    }
}

/// A page of the secrets that match the filters and are not scheduled for deletion, in the order of
/// creation, with the token of the next page. Used by `BatchGetSecretValue`.
pub(crate) fn active_in_creation_order<V: View>(
    view: &V,
    scope: &Scope,
    filters: &Filters<'_>,
    next_token: Option<&str>,
    limit: usize,
) -> Result<TokenPage, Refusal<V::Error>> {
    let order = Order { by: SortBy::Created, falling: false };
    let after = next_token.map(|token| order.parse(token)).transpose()?;
    let selects = |record: &SecretRecord| record.deletion.is_none() && filters.select(record);
    let (records, end) =
        in_creation_order(view, scope, after.map(|after| after.id), limit, selects)
            .map_err(Refusal::View)?;
    Ok((records, end.map(|end| order.token(&end))))
}

/// A page and the token of the next one, if more may follow.
type TokenPage = (Vec<SecretRecord>, Option<String>);

/// A page and, if more may follow, where it ended.
type Page = (Vec<SecretRecord>, Option<Position>);

fn in_creation_order<V: View>(
    view: &V,
    scope: &Scope,
    mut after: Option<RecordId>,
    limit: usize,
    selects: impl Fn(&SecretRecord) -> bool,
) -> Result<Page, V::Error> {
    let mut shown: Vec<SecretRecord> = Vec::new();
    let mut last = None;
    let mut batch = limit + 1;
    let mut looked_at = 0;
    loop {
        let records = view.secrets(scope, after, batch)?;
        let whole = records.len() < batch;
        looked_at += records.len();
        for record in records {
            let id = record.id;
            after = Some(id);
            // A replica has the position of its own creation but shows its primary (SEM-REPL-3).
            let Some(record) = alias::shown(view, record)?.filter(|record| selects(record)) else {
                continue;
            };
            if shown.len() == limit && faults::active(faults::Fault::PageOmitsSecret) {
                return Ok((shown, Some(Position { key: None, id })));
            }
            if shown.len() == limit {
                return Ok((shown, last.map(|id| Position { key: None, id })));
            }
            shown.push(record);
            last = Some(id);
        }
        if whole {
            return Ok((shown, None));
        }
        if looked_at >= SCAN_MAX {
            return Ok((shown, after.map(|id| Position { key: None, id })));
        }
        batch = BATCH;
    }
}

fn sorted<V: View>(
    view: &V,
    scope: &Scope,
    order: Order,
    after: Option<&Position>,
    limit: usize,
    selects: impl Fn(&SecretRecord) -> bool,
) -> Result<Page, V::Error> {
    let mut best: Vec<(Position, SecretRecord)> = Vec::new();
    let mut scanned = None;
    loop {
        let records = view.secrets(scope, scanned, BATCH)?;
        let whole = records.len() < BATCH;
        for record in records {
            let id = record.id;
            scanned = Some(id);
            let Some(record) = alias::shown(view, record)? else { continue };
            let position = order.position(id, &record);
            let passed = after.is_some_and(|after| order.compare(&position, after).is_le());
            if passed || !selects(&record) {
                continue;
            }
            let at = best.partition_point(|(other, _)| order.compare(other, &position).is_lt());
            if at <= limit {
                best.insert(at, (position, record));
                best.truncate(limit + 1);
            }
        }
        if whole {
            break;
        }
    }
    let more = best.len() > limit;
    best.truncate(limit);
    let mut end = None;
    let mut records = Vec::with_capacity(best.len());
    for (position, record) in best {
        records.push(record);
        end = Some(position);
    }
    Ok((records, end.filter(|_| more)))
}

impl Order {
    /// The order of a checked request. The default is ascending by creation.
    fn of(request: &ListSecrets) -> Self {
        let by = match request.sort_by.as_deref() {
            Some("last-accessed-date") => SortBy::Accessed,
            Some("last-changed-date") => SortBy::Changed,
            Some("name") => SortBy::Name,
            _ => SortBy::Created,
        };
        Self { by, falling: request.sort_order.as_deref() == Some("desc") }
    }

    fn position(self, id: RecordId, record: &SecretRecord) -> Position {
        let key = match self.by {
            SortBy::Created => Some(Vec::new()),
            SortBy::Accessed => record.last_accessed.map(|day| time_key(day.0)),
            SortBy::Changed => Some(time_key(record.last_changed.0)),
            SortBy::Name => Some(record.name.as_str().as_bytes().to_vec()),
        };
        Position { key, id }
    }

    /// Secrets that were never read come last in both directions (SEM-LIST-7).
    fn compare(self, a: &Position, b: &Position) -> Ordering {
        let rising = match (&a.key, &b.key) {
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (a_key, b_key) => a_key.cmp(b_key).then_with(|| a.id.cmp(&b.id)),
        };
        if self.falling { rising.reverse() } else { rising }
    }

    /// The letter of this order in a token; upper case for descending order.
    fn letter(self) -> char {
        let letter = match self.by {
            SortBy::Created => 'c',
            SortBy::Accessed => 'a',
            SortBy::Changed => 'm',
            SortBy::Name => 'n',
        };
        if self.falling { letter.to_ascii_uppercase() } else { letter }
    }

    /// A present key starts with a marker byte, so that it differs from an absent one.
    fn token(self, position: &Position) -> String {
        let key = position.key.as_ref().map(|key| [&[1], key.as_slice()].concat());
        page::secret_token(self.letter(), position.id, &key.unwrap_or_default())
    }

    fn parse(self, token: &str) -> Result<Position, crate::semantics::Fault> {
        let (id, key) = page::parse_secret(self.letter(), token)?;
        let key = match key.split_first() {
            None => None,
            Some((1, key)) => Some(key.to_vec()),
            Some(_) => return Err(messages::bad_next_token()),
        };
        Ok(Position { key, id })
    }
}

/// Bytes that sort in the order of time: big-endian, with the sign bit flipped.
fn time_key(millis: i64) -> Vec<u8> {
    (millis.cast_unsigned() ^ (1 << 63)).to_be_bytes().to_vec()
}
