//! Input of the API rules: rotation schedules and password requests.

use super::input::{Input, Stream, text};
use std::convert::Infallible;
use strongroom::__internals::env::UnixMillis;
use strongroom::__internals::model::api::{GetRandomPassword, RotateSecret, RotationRules};
use strongroom::__internals::semantics::password::Recipe;
use strongroom::__internals::semantics::validate::Check;
use strongroom::__internals::semantics::{FaultKind, internals};

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;
/// In this range, the years 0 to 9999, every schedule must have a next window.
const TIMES: [i64; 2] = [-62_167_219_200_000, 253_402_300_799_000 - 50 * 366 * DAY];

/// An accepted schedule has a next window after any time. It starts on the hour, lasts at least an hour, ends
/// within its day and before the next window, and is the same from any time in between.
pub(super) fn schedule(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (choice, from) = (input.u8(), input.i64());
    let from = UnixMillis(TIMES[0] + from.rem_euclid(TIMES[1] - TIMES[0]));
    let days = i64::from(input.u16());
    let duration = text(input.short());
    let expression = text(input.rest());
    let rules = RotationRules {
        automatically_after_days: (choice & 1 == 1).then_some(days),
        duration: (choice & 2 == 2).then(|| duration.to_owned()),
        schedule_expression: (choice & 4 == 0).then(|| expression.to_owned()),
    };
    let request = RotateSecret {
        secret_id: "s".to_owned(),
        client_request_token: Some("t".repeat(32)),
        rotation_rules: Some(rules.clone()),
        ..RotateSecret::default()
    };
    // Only valid members are interpreted.
    if request.check().is_err() {
        return;
    }
    let Ok(Some(windows)) = internals::schedule(&rules) else { return };
    let (opens, closes) = windows.next(from).expect("a schedule always has a next window");
    assert!(opens > from, "{rules:?}: the next window is after now");
    assert_eq!(opens.0.rem_euclid(HOUR), 0, "{rules:?}: windows open on the hour");
    assert!(closes.0 - opens.0 >= HOUR, "{rules:?}: a window is an hour at least");
    assert!(opens.0.div_euclid(DAY) == (closes.0 - 1).div_euclid(DAY), "{rules:?}: within a day");
    let (after, _) = windows.next(opens).expect("and another after it");
    assert!(after >= closes, "{rules:?}: windows do not meet");
    assert!(windows.days(from).is_some_and(|days| days >= 1), "{rules:?}: days are shown");
    let middle = UnixMillis(from.0.midpoint(opens.0 - 1));
    let again = windows.next(middle).map(|(opens, _)| opens);
    if expression.trim_start().starts_with("cron") && choice & 5 == 0 {
        assert_eq!(again, Some(opens), "{rules:?}: no window was passed over");
    } else {
        assert!(again >= Some(opens), "{rules:?}: later is not sooner");
    }
}

/// A password has the requested length, only allowed characters, and at least one of each required class.
pub(super) fn password(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (present, on, seed) = (input.u8(), input.u8(), input.u32());
    let length = i64::from(input.u16().cast_signed());
    let flag = |bit: u8| (present >> bit & 1 == 1).then_some(on >> bit & 1 == 1);
    let request = GetRandomPassword {
        password_length: flag(0).map(|_| length),
        exclude_characters: flag(1).map(|_| text(input.rest()).to_owned()),
        exclude_numbers: flag(2),
        exclude_punctuation: flag(3),
        exclude_uppercase: flag(4),
        exclude_lowercase: flag(5),
        include_space: flag(6),
        require_each_included_type: flag(7),
    };
    let recipe = match Recipe::new(&request) {
        Ok(recipe) => recipe,
        Err(fault) => {
            let known = [FaultKind::InvalidParameter, FaultKind::Validation];
            assert!(known.contains(&fault.kind), "{fault:?}");
            return;
        }
    };
    let dice = Stream::new(seed.into());
    let fill = |buffer: &mut [u8]| {
        dice.fill(buffer);
        Ok::<(), Infallible>(())
    };
    let Ok(password) = recipe.draw(fill);
    let expected = request.password_length.map_or(32, |length| length as usize);
    assert_eq!(password.len(), expected, "{request:?}");
    assert!((1..=4096).contains(&expected), "{request:?}");
    let excluded = request.exclude_characters.as_deref().unwrap_or_default();
    let classes: [(Option<bool>, fn(u8) -> bool); 4] = [
        (request.exclude_uppercase, |byte| byte.is_ascii_uppercase()),
        (request.exclude_lowercase, |byte| byte.is_ascii_lowercase()),
        (request.exclude_numbers, |byte| byte.is_ascii_digit()),
        (request.exclude_punctuation, |byte| byte.is_ascii_punctuation()),
    ];
    for byte in password.iter().copied() {
        assert!(!excluded.contains(char::from(byte)), "{request:?}: {byte}");
        let of_class = classes.iter().any(|(off, is)| *off != Some(true) && is(byte));
        let is_space = byte == b' ' && request.include_space == Some(true);
        assert!(of_class || is_space, "{request:?}: {byte}");
    }
    if request.require_each_included_type != Some(false) {
        for (off, is) in classes {
            let has = password.iter().any(|byte| is(*byte));
            assert!(off == Some(true) || has, "{request:?}: a class is missing");
        }
    }
}
