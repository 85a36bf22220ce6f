//! `cron(minutes hours day-of-month month day-of-week year)` as rotation schedules have it: the
//! minute is 0 and the year `*` (SEM-SCHED-5, SEM-SCHED-6).

use crate::env::UnixMillis;
use crate::env::calendar::{DAY_MILLIS, Date, HOUR_MILLIS, day_of, start_of};

/// How many days are searched for the next match. A schedule without a match by then never has one: the
/// rarest is a fifth weekday in February, which comes every 28 years, or after 40 years around a year
/// such as 2100.
const HORIZON_DAYS: i64 = 41 * 366;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A parsed expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    /// Bit n: hour n.
    hours: u64,
    days: Vec<DayRule>,
    /// Bit n: month n, from 1.
    months: u64,
    weekdays: Vec<DayRule>,
    /// Whether one of the two day fields, and only one, is `?`.
    leaves_one_choice: bool,
}

/// One item of the day-of-month or day-of-week field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DayRule {
    /// Bit n: that day of the month.
    Days(u64),
    /// The last day of the month.
    LastDay,
    /// The weekday nearest to that day, within its month.
    NearestWeekday(u8),
    /// Bit n: that day of the week, 1 for Sunday.
    Weekdays(u64),
    /// The last such weekday of the month.
    LastWeekday(u8),
    /// The n-th such weekday of the month.
    NthWeekday(u8, u8),
}

impl Cron {
    /// Parses the text between the parentheses.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_whitespace();
        let mut field = || fields.next();
        let (minutes, hours, days) = (field()?, field()?, field()?);
        let (months, weekdays, years) = (field()?, field()?, field()?);
        if field().is_some() || !minutes.trim_start_matches('0').is_empty() || years != "*" {
            return None;
        }
        // One of the two day fields says nothing, as `?` means.
        if days == "?" && weekdays == "?" {
            return None;
        }
        if days != "?" && weekdays != "?" && days != "*" && weekdays != "*" {
            return None;
        }
        Some(Self {
            hours: set(hours, 0, 23, &[])?,
            days: day_rules(days)?,
            months: set(months, 1, 12, &MONTHS)?,
            weekdays: weekday_rules(weekdays)?,
            leaves_one_choice: (days == "?") != (weekdays == "?"),
        })
    }

    /// Whether one of the two day fields leaves the choice to the other.
    pub(super) fn leaves_one_choice(&self) -> bool {
        self.leaves_one_choice
    }

    /// Days from one day that it matches to the next, at most. More than the searched days: it matches none.
    pub(super) fn gap_days(&self) -> i64 {
        let mut last = 0;
        let mut gap = 0;
        for day in 0..HORIZON_DAYS {
            let date = Date::of(day);
            if has(self.months, date.month.into()) && self.comes_on(date) {
                gap = gap.max(day - last);
                last = day;
            }
        }
        gap.max(HORIZON_DAYS - last)
    }

    /// Whether it matches more than once a day. Its windows are then an hour long, not a day.
    pub(super) fn is_hourly(&self) -> bool {
        self.hours.count_ones() > 1
    }

    /// The last hour of the day that it matches.
    pub(super) fn last_hour(&self) -> i64 {
        i64::from(63_u32.saturating_sub(self.hours.leading_zeros()))
    }

    /// Hours from one time of a day to the next, at least.
    pub(super) fn gap_hours(&self) -> i64 {
        let hours: Vec<i64> = (0..24).filter(|hour| has(self.hours, *hour)).collect();
        let within = hours.iter().zip(hours.iter().skip(1)).map(|(a, b)| b - a);
        let around = hours.first().zip(hours.last()).map(|(first, last)| first + 24 - last);
        within.chain(around).min().unwrap_or(24)
    }

    /// The first time after `after`.
    pub(super) fn next(&self, after: UnixMillis) -> Option<UnixMillis> {
        let first = day_of(after);
        let mut day = first;
        while day < first.saturating_add(HORIZON_DAYS) {
            let today = Date::of(day);
            if !has(self.months, today.month.into()) {
                // The first of the next month.
                day = day.saturating_add(i64::from(today.month_days.saturating_sub(today.day)) + 1);
                continue;
            }
            if self.comes_on(today) {
                let hours = (0..DAY_MILLIS / HOUR_MILLIS).filter(|hour| has(self.hours, *hour));
                let mut times = hours.map(|hour| start_of(day).plus(hour * HOUR_MILLIS));
                if let Some(time) = times.find(|time| *time > after) {
                    return Some(time);
                }
            }
            day = day.saturating_add(1);
        }
        None
    }

    /// Whether it matches a day of one of its months.
    fn comes_on(&self, date: Date) -> bool {
        self.days.iter().any(|rule| rule.meets(date))
            && self.weekdays.iter().any(|rule| rule.meets(date))
    }
}

impl DayRule {
    fn meets(self, date: Date) -> bool {
        match self {
            Self::Days(days) => has(days, date.day.into()),
            Self::LastDay => date.day == date.month_days,
            Self::NearestWeekday(day) => nearest_weekday(day, date) == Some(date.day),
            Self::Weekdays(days) => has(days, date.weekday.into()),
            Self::LastWeekday(weekday) => date.weekday == weekday && date.day + 7 > date.month_days,
            Self::NthWeekday(weekday, nth) => {
                date.weekday == weekday && (date.day - 1) / 7 + 1 == nth
            }
        }
    }
}

/// The day from Monday to Friday that is nearest to `day`, in the month of `date`.
fn nearest_weekday(day: u8, date: Date) -> Option<u8> {
    if day > date.month_days {
        return None;
    }
    let shift = (i16::from(day) - i16::from(date.day)).rem_euclid(7);
    let weekday = (i16::from(date.weekday) - 1 + shift).rem_euclid(7) + 1;
    Some(match weekday {
        7 if day == 1 => day + 2,
        7 => day - 1,
        1 if day == date.month_days => day - 2,
        1 => day + 1,
        _ => day,
    })
}

fn has(set: u64, number: i64) -> bool {
    u32::try_from(number).is_ok_and(|number| set.checked_shr(number).unwrap_or(0) & 1 == 1)
}

fn day_rules(text: &str) -> Option<Vec<DayRule>> {
    text.split(',').map(day_rule).collect()
}

fn day_rule(text: &str) -> Option<DayRule> {
    if text == "L" {
        return Some(DayRule::LastDay);
    }
    if let Some(day) = text.strip_suffix('W') {
        let day = day.parse().ok().filter(|day| (1..=31).contains(day))?;
        return Some(DayRule::NearestWeekday(day));
    }
    let text = if text == "?" { "*" } else { text };
    item(text, 1, 31, &[]).map(DayRule::Days)
}

fn weekday_rules(text: &str) -> Option<Vec<DayRule>> {
    text.split(',').map(weekday_rule).collect()
}

fn weekday_rule(text: &str) -> Option<DayRule> {
    let weekday = |text| number(text, 1, 7, &WEEKDAYS).and_then(|day| u8::try_from(day).ok());
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth))?;
        return Some(DayRule::NthWeekday(weekday(day)?, nth));
    }
    if text == "L" {
        return Some(DayRule::Weekdays(1 << 7));
    }
    if let Some(day) = text.strip_suffix('L') {
        return Some(DayRule::LastWeekday(weekday(day)?));
    }
    let text = if text == "?" { "*" } else { text };
    item(text, 1, 7, &WEEKDAYS).map(DayRule::Weekdays)
}

/// A list of items as a set of bits.
fn set(text: &str, min: u32, max: u32, names: &[&str]) -> Option<u64> {
    text.split(',').try_fold(0, |set, part| Some(set | item(part, min, max, names)?))
}

/// `*`, `n`, `n-m`, each with `/step`; a start may be left out before a step.
fn item(text: &str, min: u32, max: u32, names: &[&str]) -> Option<u64> {
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, Some(step.parse::<u32>().ok().filter(|step| *step > 0)?)),
        None => (text, None),
    };
    let (first, last) = match range {
        "*" => (min, max),
        "" if step.is_some() => (min, max),
        _ => {
            if let Some((first, last)) = range.split_once('-') {
                (number(first, min, max, names)?, number(last, min, max, names)?)
            } else {
                let first = number(range, min, max, names)?;
                (first, if step.is_some() { max } else { first })
            }
        }
    };
    if first > last {
        return None;
    }
    let step = usize::try_from(step.unwrap_or(1)).ok()?;
    Some((first..=last).step_by(step).fold(0, |set, number| set | 1 << number))
}

fn number(text: &str, min: u32, max: u32, names: &[&str]) -> Option<u32> {
    let found = (min..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(text));
    if let Some((number, _)) = found {
        return Some(number);
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| (min..=max).contains(number))
}
