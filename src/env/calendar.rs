//! The calendar: days, dates and times of day, proleptic Gregorian and in UTC. Schedules count in it, and
//! times are read and written in it.

use super::UnixMillis;

/// Milliseconds of an hour.
pub(crate) const HOUR_MILLIS: i64 = 60 * 60 * 1000;
/// Milliseconds of a day.
pub(crate) const DAY_MILLIS: i64 = 24 * HOUR_MILLIS;

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: u8,
    /// 1 to 31.
    pub(crate) day: u8,
    /// 1 is Sunday, as cron expressions of AWS count.
    pub(crate) weekday: u8,
    /// Days of the month.
    pub(crate) month_days: u8,
}

impl Date {
    /// The date of a day, which is counted from 1970-01-01.
    pub(crate) fn of(day: i64) -> Self {
        let (year, month, day_of_month) = date(day);
        let month_days = days(year, month + 1, 1) - days(year, month, 1);
        let small = |number: i64| u8::try_from(number).unwrap_or(1);
        Self {
            year,
            month: small(month),
            day: small(day_of_month),
            weekday: small(day.saturating_add(4).rem_euclid(7) + 1),
            month_days: small(month_days),
        }
    }
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time {
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    pub(crate) milli: i64,
}

/// The day that a moment lies in, counted from 1970-01-01.
pub(crate) fn day_of(at: UnixMillis) -> i64 {
    at.0.div_euclid(DAY_MILLIS)
}

/// The moment when a day begins.
pub(crate) fn start_of(day: i64) -> UnixMillis {
    UnixMillis(day.saturating_mul(DAY_MILLIS))
}

/// The date and the time of day of a moment.
pub(crate) fn date_and_time(at: UnixMillis) -> (Date, Time) {
    let millis = at.0.rem_euclid(DAY_MILLIS);
    let time = Time {
        hour: millis / HOUR_MILLIS,
        minute: millis / 60_000 % 60,
        second: millis / 1000 % 60,
        milli: millis % 1000,
    };
    (Date::of(day_of(at)), time)
}

/// The moment of a date (year, month, day) and a time of day; `None` if there is none. Second 60 is a leap
/// second.
#[cfg(any(feature = "server", test))]
pub(crate) fn moment(year: i64, month: i64, day: i64, time: Time) -> Option<UnixMillis> {
    let Time { hour, minute, second, milli } = time;
    if !(1..=12).contains(&month) || day < 1 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days(year, month, day);
    // A day past the end of its month turns into another date.
    let exists = date(days) == (year, month, day);
    let millis = hour * HOUR_MILLIS + minute * 60_000 + second * 1000 + milli;
    exists.then(|| start_of(days).plus(millis))
}

/// Days from 1970-01-01 to a date, which need not exist: a day past the end of its month is one of the
/// next, and month 13 is the January after. Years begin in March here, so that the leap day is the last
/// of its year.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days from 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_centuries_comes_back() {
        for day in -146_097..146_097 {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(19_782), (2024, 2, 29));
        assert_eq!(days(2024, 13, 1), days(2025, 1, 1));
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (day, year, month, in_month, weekday, month_days) in [
            (0, 1970, 1, 1, 5, 31),       // a Thursday
            (19_723, 2024, 1, 1, 2, 31),  // a Monday
            (19_782, 2024, 2, 29, 5, 29), // a Thursday
            (20_453, 2025, 12, 31, 4, 31),
            (-1, 1969, 12, 31, 4, 31),
        ] {
            let expected = Date { year, month, day: in_month, weekday, month_days };
            assert_eq!(Date::of(day), expected, "{day}");
        }
    }

    #[test]
    fn every_day_of_six_centuries_follows_the_one_before() {
        let mut before = Date::of(-200_000);
        for day in -199_999..20_000 {
            let today = Date::of(day);
            let is_new_month = before.day == before.month_days;
            let is_new_year = is_new_month && before.month == 12;
            let follows = if is_new_month {
                today.day == 1 && today.month == before.month % 12 + 1
            } else {
                today.day == before.day + 1 && today.month == before.month
            };
            assert!(follows && today.year == before.year + i64::from(is_new_year), "{day}");
            assert_eq!(today.weekday, before.weekday % 7 + 1, "{day}");
            before = today;
        }
    }

    #[test]
    fn a_moment_and_its_date_and_time_lead_to_each_other() {
        for millis in [0, -1, 1_709_251_199_999, 4_107_542_400_000, -62_167_219_200_000] {
            let (Date { year, month, day, .. }, time) = date_and_time(UnixMillis(millis));
            let again = moment(year, month.into(), day.into(), time);
            assert_eq!(again, Some(UnixMillis(millis)));
        }
        let noon = Time { hour: 12, minute: 0, second: 0, milli: 0 };
        assert_eq!(moment(2023, 2, 29, noon), None);
        assert_eq!(moment(2024, 13, 1, noon), None);
        assert_eq!(moment(2024, 1, 1, Time { hour: 24, ..noon }), None);
    }
}
