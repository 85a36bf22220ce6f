//! Rotation schedules: when a window opens and when it closes (SEM-SCHED).
//!
//! ```text
//! days, rate(n days)   the n-th UTC day after the day counted from: all of it
//! rate(n hours)        the hour that lies n hours after the hour counted from: one hour
//! cron(...)            its next time: to the end of the day, or one hour if it comes several times a day
//! ```
//!
//! `Duration` replaces the length of the window. A window never leaves its UTC day.

use super::cron::Cron;
use crate::env::UnixMillis;
use crate::env::calendar::{DAY_MILLIS, HOUR_MILLIS, day_of, start_of};
use crate::model::api::RotationRules;
use crate::semantics::fault::Fault;
use crate::semantics::messages;

/// Shortest rate in hours.
const RATE_HOURS_MIN: i64 = 4;
/// Longest rates that a request may bring.
const RATE_HOURS_MAX: i64 = 23;
const RATE_DAYS_MAX: i64 = 999;
/// The longest time from one window to the next that a request may bring: a year, and the week by which the
/// day of a yearly weekday moves.
const GAP_DAYS_MAX: i64 = 371;
/// Longest rate that a vault may hold: earlier builds took it, also in hours.
const HELD_RATE_DAYS_MAX: i64 = 1000;
/// The largest `AutomaticallyAfterDays` (API model).
const SHOWN_DAYS_MAX: i64 = 1000;

/// When a secret may be rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// From here on.
    pub(crate) opens: UnixMillis,
    /// Until the moment before this one.
    pub(crate) closes: UnixMillis,
}

/// A parsed schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    when: When,
    duration_hours: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    EveryDays(i64),
    EveryHours(i64),
    Cron(Cron),
}

impl Schedule {
    /// Reads rules that a request brings; `None`: they hold no schedule (SEM-SCHED-1 to SEM-SCHED-6).
    pub(crate) fn of_request(rules: &RotationRules) -> Result<Option<Self>, Fault> {
        let schedule = Self::of(rules)?;
        match schedule.as_ref().map(|schedule| &schedule.when) {
            Some(When::EveryHours(hours)) if *hours > RATE_HOURS_MAX => {
                Err(messages::bad_rate_in_hours())
            }
            Some(When::EveryDays(days))
                if rules.schedule_expression.is_some() && *days > RATE_DAYS_MAX =>
            {
                Err(messages::bad_rate_in_days())
            }
            Some(When::Cron(cron))
                if !cron.leaves_one_choice() || cron.gap_days() > GAP_DAYS_MAX =>
            {
                Err(messages::bad_schedule())
            }
            _ => Ok(schedule),
        }
    }

    /// Reads rules that a vault may hold. Earlier builds took more than a request may bring today, and
    /// what was stored is kept to.
    pub(crate) fn of(rules: &RotationRules) -> Result<Option<Self>, Fault> {
        let when = match (rules.automatically_after_days, &rules.schedule_expression) {
            (Some(_), Some(_)) => return Err(messages::two_schedules()),
            (Some(days), None) => When::EveryDays(days),
            (None, Some(text)) => parse(text)?,
            // A length without a window.
            (None, None) if rules.duration.is_some() => {
                return Err(messages::duration_without_schedule());
            }
            (None, None) => return Ok(None),
        };
        let duration_hours = match &rules.duration {
            Some(text) => Some(hours(text).ok_or_else(messages::bad_duration)?),
            None => None,
        };
        let schedule = Self { when, duration_hours };
        schedule.must_fit_its_day()?;
        // Such as the 31st of February.
        if schedule.next(UnixMillis(0)).is_none() {
            return Err(messages::bad_schedule());
        }
        Ok(Some(schedule))
    }

    /// Windows stay within their day and do not overlap.
    fn must_fit_its_day(&self) -> Result<(), Fault> {
        let hours = self.duration_hours.unwrap_or(0);
        match &self.when {
            When::EveryHours(every) if hours > *every => Err(messages::window_exceeds_its_rate()),
            When::Cron(cron) if cron.last_hour() + hours > 24 => {
                Err(messages::window_leaves_its_day())
            }
            When::Cron(cron) if hours > cron.gap_hours() => Err(messages::windows_overlap()),
            _ => Ok(()),
        }
    }

    /// The first window after `from`, the last rotation.
    pub(crate) fn next(&self, from: UnixMillis) -> Option<Window> {
        let (opens, is_hourly) = match &self.when {
            When::EveryDays(days) => (start_of(day_of(from).saturating_add(*days)), false),
            When::EveryHours(hours) => {
                let hour = from.0.div_euclid(HOUR_MILLIS).saturating_add(*hours);
                (UnixMillis(hour.saturating_mul(HOUR_MILLIS)), true)
            }
            When::Cron(cron) => (cron.next(from)?, cron.is_hourly()),
        };
        let end_of_day = start_of(day_of(opens).saturating_add(1));
        let closes = match self.duration_hours {
            Some(hours) => opens.plus(hours * HOUR_MILLIS).min(end_of_day),
            None if is_hourly => opens.plus(HOUR_MILLIS),
            None => end_of_day,
        };
        Some(Window { opens, closes })
    }

    /// What `AutomaticallyAfterDays` shows beside an expression: whole days from one window to the
    /// next, at least one and no more than the member may have.
    pub(crate) fn days(&self, from: UnixMillis) -> Option<i64> {
        match &self.when {
            When::EveryDays(days) => Some(*days),
            When::EveryHours(_) | When::Cron(_) => {
                let first = self.next(from)?.opens;
                let second = self.next(first)?.opens;
                Some((second.since(first) / DAY_MILLIS).clamp(1, SHOWN_DAYS_MAX))
            }
        }
    }
}

fn parse(text: &str) -> Result<When, Fault> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')) {
        return rate(inner);
    }
    let inner = text.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')'));
    let cron = inner.and_then(Cron::parse).filter(|cron| cron.gap_hours() >= RATE_HOURS_MIN);
    cron.map(When::Cron).ok_or_else(messages::bad_schedule)
}

fn rate(text: &str) -> Result<When, Fault> {
    let mut words = text.split_whitespace();
    let (Some(number), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err(messages::bad_schedule());
    };
    let digits = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let number: i64 =
        digits.and_then(|digits| digits.parse().ok()).ok_or_else(messages::bad_schedule)?;
    match unit {
        "hour" | "hours" if (RATE_HOURS_MIN..=HELD_RATE_DAYS_MAX * 24).contains(&number) => {
            Ok(When::EveryHours(number))
        }
        "hour" | "hours" => Err(messages::bad_rate_in_hours()),
        "day" | "days" if (1..=HELD_RATE_DAYS_MAX).contains(&number) => Ok(When::EveryDays(number)),
        "day" | "days" => Err(messages::bad_rate_in_days()),
        _ => Err(messages::bad_schedule()),
    }
}

/// `Duration`: 1h to 24h.
fn hours(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('h')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|hours| (1..=24).contains(hours))
}
