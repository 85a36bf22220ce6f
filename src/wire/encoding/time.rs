//! Times in the headers of requests: ISO 8601 basic and RFC 9110 dates.

use crate::env::UnixMillis;
use crate::env::calendar::{self, Date, Time, date_and_time};

/// Reads `YYYYMMDD'T'HHMMSS'Z'`.
pub(crate) fn parse_basic(text: &str) -> Option<UnixMillis> {
    let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
    let [y0, y1, y2, y3, mo0, mo1, d0, d1, b'T', h0, h1, mi0, mi1, s0, s1, b'Z'] = *bytes else {
        return None;
    };
    let year = number(&[y0, y1, y2, y3])?;
    let date = (year, number(&[mo0, mo1])?, number(&[d0, d1])?);
    moment(date, (number(&[h0, h1])?, number(&[mi0, mi1])?, number(&[s0, s1])?))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`. The day of the week is not checked against the date.
pub(crate) fn parse_http(text: &str) -> Option<UnixMillis> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (clock, zone) = (parts.next()?, parts.next()?);
    if zone != "GMT" || parts.next().is_some() || (day.len(), year.len(), clock.len()) != (2, 4, 8)
    {
        return None;
    }
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let mut fields = clock.split(':').map(|field| number(field.as_bytes()));
    let clock = (fields.next()??, fields.next()??, fields.next()??);
    moment((number(year.as_bytes())?, month, number(day.as_bytes())?), clock)
}

/// Writes `YYYYMMDD'T'HHMMSS'Z'`, dropping the fraction. A year has its last four digits. Each request needs
/// it, so no formatting is done.
pub(crate) fn basic(at: UnixMillis) -> [u8; 16] {
    let (Date { year, month, day, .. }, Time { hour, minute, second, .. }) = date_and_time(at);
    let digit = |number: i64| b"0123456789".get(usize::try_from(number % 10).unwrap_or(0)).copied();
    let pair = |number: i64| [number / 10, number].map(|n| digit(n).unwrap_or(b'0'));
    let ([y0, y1], [y2, y3]) = (pair(year / 100), pair(year));
    let ([mo0, mo1], [d0, d1]) = (pair(month.into()), pair(day.into()));
    let ([h0, h1], [mi0, mi1], [s0, s1]) = (pair(hour), pair(minute), pair(second));
    [y0, y1, y2, y3, mo0, mo1, d0, d1, b'T', h0, h1, mi0, mi1, s0, s1, b'Z']
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
    })
}

fn moment((year, month, day): (i64, i64, i64), clock: (i64, i64, i64)) -> Option<UnixMillis> {
    let (hour, minute, second) = clock;
    calendar::moment(year, month, day, Time { hour, minute, second, milli: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_and_http_dates_name_the_same_moments() {
        for (basic, http, seconds) in [
            ("19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT", 1_440_938_160),
            ("20240229T235959Z", "Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("19691231T235959Z", "Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ] {
            let at = UnixMillis(seconds * 1000);
            assert_eq!(parse_basic(basic), Some(at), "{basic}");
            assert_eq!(parse_http(http), Some(at), "{http}");
            assert_eq!(super::basic(at), basic.as_bytes());
        }
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830T123600z",
            "20150830t123600Z",
            "20151330T123600Z",
            "20150230T123600Z",
            "20150831T243600Z",
            "2015083 T123600Z",
            "+0150830T123600Z",
            "20150830T123600ZZ",
            "2015-08-30T12:36:00Z",
            "20230229T000000Z",
        ] {
            assert_eq!(parse_basic(text), None, "{text:?}");
        }
        for text in [
            "",
            "Sun, 30 Aug 2015 12:36:00",
            "Sun, 30 Aug 2015 12:36:00 CET",
            "Sun, 31 Feb 2015 12:36:00 GMT",
            "Sun, 3 Aug 2015 12:36:00 GMT",
            "Sun 30 Aug 2015",
        ] {
            assert_eq!(parse_http(text), None, "{text:?}");
        }
    }
}
