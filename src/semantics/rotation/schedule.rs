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

/// Shortest rate in hours, and longest in days.
const RATE_HOURS_MIN: i64 = 4;
const RATE_DAYS_MAX: i64 = 1000;

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
    /// Reads rules; `None`: they hold no schedule.
    pub(crate) fn of(rules: &RotationRules) -> Result<Option<Self>, Fault> {
        let when = match (rules.automatically_after_days, &rules.schedule_expression) {
            (Some(_), Some(_)) => return Err(messages::two_schedules()),
            (Some(days), None) => When::EveryDays(days),
            (None, Some(text)) => parse(text).ok_or_else(messages::bad_schedule)?,
            // A length without a window.
            (None, None) if rules.duration.is_some() => return Err(messages::bad_duration()),
            (None, None) => return Ok(None),
        };
        let duration_hours = match &rules.duration {
            Some(text) => Some(hours(text).ok_or_else(messages::bad_duration)?),
            None => None,
        };
        let schedule = Self { when, duration_hours };
        if !schedule.fits_its_day() {
            return Err(messages::bad_duration());
        }
        // Such as the 31st of February.
        if schedule.next(UnixMillis(0)).is_none() {
            return Err(messages::bad_schedule());
        }
        Ok(Some(schedule))
    }

    /// Whether windows stay within their day and do not overlap.
    fn fits_its_day(&self) -> bool {
        let Some(hours) = self.duration_hours else { return true };
        match &self.when {
            When::EveryDays(_) => hours <= 24,
            When::EveryHours(every) => hours <= *every,
            When::Cron(cron) => cron.last_hour() + hours <= 24 && hours <= cron.gap_hours(),
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
    /// next, at least one.
    pub(crate) fn days(&self, from: UnixMillis) -> Option<i64> {
        match &self.when {
            When::EveryDays(days) => Some(*days),
            When::EveryHours(_) | When::Cron(_) => {
                let first = self.next(from)?.opens;
                let second = self.next(first)?.opens;
                Some((second.since(first) / DAY_MILLIS).max(1))
            }
        }
    }
}

fn parse(text: &str) -> Option<When> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')) {
        let mut words = inner.split_whitespace();
        let (number, unit) = (words.next()?, words.next()?);
        if words.next().is_some() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i64 = number.parse().ok()?;
        return match unit {
            "hour" | "hours" => (RATE_HOURS_MIN..=RATE_DAYS_MAX * 24)
                .contains(&number)
                .then_some(When::EveryHours(number)),
            "day" | "days" => {
                (1..=RATE_DAYS_MAX).contains(&number).then_some(When::EveryDays(number))
            }
            _ => None,
        };
    }
    let inner = text.strip_prefix("cron(")?.strip_suffix(')')?;
    Cron::parse(inner).filter(|cron| cron.gap_hours() >= RATE_HOURS_MIN).map(When::Cron)
}

/// `Duration`: 1h to 24h.
fn hours(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('h')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|hours| (1..=24).contains(hours))
}
