//! Days as the calendar has them, for schedules: proleptic Gregorian, UTC.

use crate::env::{UnixMillis, civil};

/// Milliseconds of an hour and of a day.
pub(super) const HOUR: i64 = 60 * 60 * 1000;
pub(super) const DAY: i64 = 24 * HOUR;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31.
    pub(super) day: u8,
    /// 1 is Sunday, as cron expressions of AWS count.
    pub(super) weekday: u8,
    /// Days of the month.
    pub(super) month_days: u8,
}

/// The number of the day that `at` lies in.
pub(super) fn day_of(at: UnixMillis) -> i64 {
    at.0.div_euclid(DAY)
}

/// The moment when a day begins.
pub(super) fn start_of(day: i64) -> UnixMillis {
    UnixMillis(day.saturating_mul(DAY))
}

/// The date of a day.
pub(super) fn date(day: i64) -> Date {
    let (year, month, day_of_month) = civil::date(day);
    let month_days = civil::days(year, month + 1, 1) - civil::days(year, month, 1);
    let small = |number: i64| u8::try_from(number).unwrap_or(1);
    Date {
        month: small(month),
        day: small(day_of_month),
        weekday: small((day.saturating_add(4)).rem_euclid(7) + 1),
        month_days: small(month_days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (day, month, in_month, weekday, month_days) in [
            (0, 1, 1, 5, 31),       // 1970-01-01, a Thursday
            (19_723, 1, 1, 2, 31),  // 2024-01-01, a Monday
            (19_782, 2, 29, 5, 29), // 2024-02-29, a Thursday
            (20_453, 12, 31, 4, 31),
            (-1, 12, 31, 4, 31),
        ] {
            let expected = Date { month, day: in_month, weekday, month_days };
            assert_eq!(date(day), expected, "{day}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut before = date(-200_000);
        for day in -199_999..=-53_000 {
            let today = date(day);
            let follows = if before.day == before.month_days {
                today.day == 1 && today.month == before.month % 12 + 1
            } else {
                today.day == before.day + 1 && today.month == before.month
            };
            assert!(follows && today.weekday == before.weekday % 7 + 1, "{day}");
            before = today;
        }
    }
}
