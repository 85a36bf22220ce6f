//! Schedules: what they mean, what is refused, and when they begin a rotation (SEM-SCHED).

use super::rotation::{F, complete, days, request, rotatable, rotate, turn};
use super::{DAY, S, refused};
use crate::env::UnixMillis;
use crate::model::RotationStep;
use crate::model::api::RotationRules;
use crate::semantics::FaultKind::InvalidParameter;
use crate::semantics::memory::{Mutation, World, token};
use crate::semantics::rotation::schedule::Schedule;
use crate::semantics::{Fault, rotation_due};

const HOUR: i64 = 60 * 60 * 1000;
/// 2024-01-02T00:00:00Z, a Tuesday: the day on which worlds begin, at 03:04:05.678.
const TODAY: i64 = 1_704_153_600_000;

fn rules(expression: &str, duration: Option<&str>) -> RotationRules {
    RotationRules {
        automatically_after_days: None,
        duration: duration.map(str::to_owned),
        schedule_expression: Some(expression.to_owned()),
    }
}

fn configure(world: &mut World, rules: RotationRules) -> Result<(), Fault> {
    world.write(&Mutation::RotateSecret(request("r", Some(rules))), None).map(drop)
}

/// When the next window opens, and what is shown as the last moment of it, both in hours from the
/// beginning of the day; and the days shown.
fn window(rules: RotationRules) -> (i64, i64, Option<i64>) {
    let mut world = rotatable();
    configure(&mut world, rules).unwrap();
    complete(&mut world, "r");
    let opens = rotation_due(&world.view.secrets[&world.id(S).unwrap()], world.now).unwrap();
    let shown = world.describe(S).unwrap().rotation.unwrap();
    let closes = shown.next_rotation_date.unwrap().plus(1000);
    let hours = |at: UnixMillis| {
        assert_eq!(at.since(UnixMillis(TODAY)) % HOUR, 0);
        at.since(UnixMillis(TODAY)) / HOUR
    };
    (hours(opens), hours(closes), shown.rotation_rules.unwrap().automatically_after_days)
}

/// When the next window of a schedule opens, in hours from the beginning of the day.
fn opens(schedule: &Schedule) -> i64 {
    let next = schedule.next(UnixMillis(TODAY + 3 * HOUR)).unwrap();
    next.opens.since(UnixMillis(TODAY)) / HOUR
}

/// SEM-SCHED-1
#[test]
fn days_and_expression_exclude_each_other() {
    let mut world = rotatable();
    let both = RotationRules { automatically_after_days: Some(1), ..rules("rate(1 day)", None) };
    let text = "You cannot specify both rotation frequency and schedule expression together.";
    refused(configure(&mut world, both), InvalidParameter, text);
    assert_eq!(world.describe(S).unwrap().rotation, None);
}

/// SEM-SCHED-2
#[test]
fn days_count_from_the_last_rotation_and_take_the_whole_day() {
    assert_eq!(window(days(1)), (24, 48, Some(1)));
    assert_eq!(window(days(1000)), (24_000, 24_024, Some(1000)));
    assert_eq!(window(rules("rate(10 days)", None)), (240, 264, Some(10)));
    assert_eq!(window(rules("rate(1 day)", Some("3h"))), (24, 27, Some(1)));
}

/// SEM-SCHED-3
#[test]
fn hours_open_an_hour() {
    assert_eq!(window(rules("rate(4 hours)", None)), (7, 8, Some(1)));
    assert_eq!(window(rules("rate(23 hours)", Some("1h"))), (26, 27, Some(1)));
    // 23:00 and three hours would leave the day.
    assert_eq!(window(rules("rate(20 hours)", Some("3h"))), (23, 24, Some(1)));
}

/// SEM-SCHED-4
#[test]
fn a_cron_expression_opens_at_its_next_time() {
    for (expression, opens, closes, shown_days) in [
        ("cron(0 8 * * ? *)", 8, 24, 1),
        ("cron(0 2 * * ? *)", 26, 48, 1),
        ("cron(0 0 1 * ? *)", 30 * 24, 31 * 24, 29),
        ("cron(0 8 ? * SUN *)", 5 * 24 + 8, 6 * 24, 7),
        ("cron(0 8 ? * 1 *)", 5 * 24 + 8, 6 * 24, 7),
        ("cron(0 6 ? * MON-FRI *)", 6, 24, 1),
        ("cron(0 /8 * * ? *)", 8, 9, 1),
        ("cron(0 4,16 * * ? *)", 4, 5, 1),
        ("cron(0 8 L * ? *)", 29 * 24 + 8, 30 * 24, 29),
        ("cron(0 16 ? * 6L *)", 24 * 24 + 16, 25 * 24, 28),
        ("cron(0 16 ? * 2#3 *)", 13 * 24 + 16, 14 * 24, 35),
        ("cron(0 3 6W * ? *)", 3 * 24 + 3, 4 * 24, 32),
        ("cron(0 0 1 1/6 ? *)", 181 * 24, 182 * 24, 184),
    ] {
        let expected = (opens, closes, Some(shown_days));
        assert_eq!(window(rules(expression, None)), expected, "{expression}");
    }
}

/// SEM-SCHED-4: the nearest weekday never leaves the month. In 2024 the 1st of June is a Saturday, the
/// 30th of June a Sunday, the 31st of August a Saturday, the 15th of September a Sunday.
#[test]
fn the_nearest_weekday_is_in_the_month() {
    use crate::env::calendar::days;
    for (expression, month, day) in [
        ("cron(0 8 1W JUN ? *)", 6, 3),
        ("cron(0 8 30W JUN ? *)", 6, 28),
        ("cron(0 8 31W AUG ? *)", 8, 30),
        ("cron(0 8 15W SEP ? *)", 9, 16),
        ("cron(0 8 31W DEC ? *)", 12, 31),
        ("cron(0 8 5W MAR ? *)", 3, 5),
    ] {
        let expected = (days(2024, month, day) - days(2024, 1, 2)) * 24 + 8;
        // Its day moves, so in some years it comes more than a year after the last one (SEM-SCHED-5).
        let schedule = Schedule::of_request(&rules(expression, None)).unwrap().unwrap();
        assert_eq!(opens(&schedule), expected, "{expression}");
    }
}

/// Rules without anything in them are no schedule, and no error.
#[test]
fn no_rules_are_no_schedule() {
    assert_eq!(Schedule::of(&RotationRules::default()), Ok(None));
    let only = RotationRules { duration: Some("2h".into()), ..RotationRules::default() };
    assert!(Schedule::of(&only).is_err());
}

/// SEM-SCHED-5: earlier builds took more, and a vault that holds it keeps to it. A leap day that is a Monday
/// comes once in 28 years.
#[test]
fn what_a_vault_holds_is_kept_to() {
    for (expression, expected) in [
        ("cron(0 8 ? FEB MON#5 *)", 7363 * 24 + 8),
        ("cron(0 0 29 FEB ? *)", 58 * 24),
        ("cron(0 8 * * * *)", 8),
        ("rate(24000 hours)", 24_003),
        ("rate(1000 days)", 24_000),
    ] {
        let rules = rules(expression, None);
        assert!(Schedule::of_request(&rules).is_err(), "{expression}");
        let held = Schedule::of(&rules).unwrap().unwrap();
        assert_eq!(opens(&held), expected, "{expression}");
        assert!(held.days(UnixMillis(TODAY)).unwrap() <= 1000, "{expression}");
    }
}

/// SEM-SCHED-3, SEM-SCHED-5
#[test]
fn rates_have_bounds() {
    for (expression, text) in [
        ("rate(3 hours)", "Rate in hour should be least 4 and less than 24."),
        ("rate(24 hours)", "Rate in hour should be least 4 and less than 24."),
        ("rate(24001 hours)", "Rate in hour should be least 4 and less than 24."),
        ("rate(0 days)", "Rate in day should be greater than 0 and less than 1000."),
        ("rate(1000 days)", "Rate in day should be greater than 0 and less than 1000."),
        ("rate(1001 days)", "Rate in day should be greater than 0 and less than 1000."),
    ] {
        refused(configure(&mut rotatable(), rules(expression, None)), InvalidParameter, text);
    }
    assert_eq!(window(rules("rate(999 days)", None)), (23_976, 24_000, Some(999)));
}

/// SEM-SCHED-5
#[test]
fn what_is_no_schedule_is_refused() {
    for expression in [
        "rate(5 minutes)",
        "rate(5)",
        "rate(days)",
        "rate(-5 days)",
        "rate(+5 days)",
        "rate 5 days",
        "every day",
        "cron()",
        "cron(0 8 * * ?)",
        "cron(0 8 * * ? * *)",
        "cron(5 8 * * ? *)",
        "cron(* 8 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 8 0 * ? *)",
        "cron(0 8 32 * ? *)",
        "cron(0 8 * 13 ? *)",
        "cron(0 8 ? * 8 *)",
        "cron(0 8 ? * ? *)",
        "cron(0 8 1 * MON *)",
        "cron(0 8 * * ? 2030)",
        "cron(0 8 31 FEB ? *)",
        "cron(0 8 * * * *)",
        "cron(0 12 29 2 ? *)",
        "cron(0 8 ? FEB MON#5 *)",
        "cron(0 8 ? MAR MON#5 *)",
        "cron(0 */2 * * ? *)",
        "cron(0 8 5-1 * ? *)",
        "cron(0 8/0 * * ? *)",
        "cron(0 8 ? * MON#6 *)",
        "cron(0 8 X * ? *)",
        "cron(0 99999999999 * * ? *)",
    ] {
        let mut world = rotatable();
        let text = "Invalid schedule expression.";
        if expression.contains('+') {
            assert!(configure(&mut world, rules(expression, None)).is_err());
            continue;
        }
        let outcome = configure(&mut world, rules(expression, None));
        assert_eq!(outcome.unwrap_err().message, text, "{expression}");
        assert_eq!(world.describe(S).unwrap().rotation, None);
    }
}

/// SEM-SCHED-6
#[test]
fn a_window_ends_on_its_day_and_before_the_next() {
    let day = "Starting hour and duration must be within a day.";
    let length = "Duration must be at least 1 hour, at most 24 hour.";
    for (expression, duration, text) in [
        ("cron(0 22 * * ? *)", "3h", day),
        ("cron(0 1 ? * SUN *)", "24h", day),
        (
            "cron(0 0,6 * * ? *)",
            "7h",
            "The Duration value is invalid: a rotation window must end before the next one starts.",
        ),
        ("rate(4 hours)", "5h", "Duration cannot be greater than Rate in hour."),
        ("rate(1 day)", "25h", length),
        ("rate(1 day)", "0h", length),
    ] {
        let outcome = configure(&mut rotatable(), rules(expression, Some(duration)));
        refused(outcome, InvalidParameter, text);
    }
    let alone = RotationRules { duration: Some("3h".into()), ..RotationRules::default() };
    assert!(configure(&mut rotatable(), alone).is_err(), "a length of nothing");
    assert_eq!(window(rules("cron(0 22 * * ? *)", Some("2h"))), (22, 24, Some(1)));
    assert_eq!(window(rules("cron(0 0,12 * * ? *)", Some("12h"))), (12, 24, Some(1)));
}

/// SEM-SCHED-7
#[test]
fn days_alone_are_shown_exactly_as_they_were_given() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    assert_eq!(world.describe(S).unwrap().rotation.unwrap().rotation_rules, Some(days(7)));
}

/// SEM-SCHED-8
#[test]
fn an_expression_is_shown_with_the_days_that_it_comes_to() {
    let mut world = rotatable();
    configure(&mut world, rules("cron(0 8 ? * SUN *)", Some("4h"))).unwrap();
    let shown = world.describe(S).unwrap().rotation.unwrap().rotation_rules.unwrap();
    assert_eq!(shown.automatically_after_days, Some(7));
    assert_eq!(shown.duration.as_deref(), Some("4h"));
    assert_eq!(shown.schedule_expression.as_deref(), Some("cron(0 8 ? * SUN *)"));
}

/// SEM-SCHED-9
#[test]
fn a_new_current_value_counts_as_a_rotation() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    complete(&mut world, "r");
    let next = |world: &World| world.describe(S).unwrap().rotation.unwrap().next_rotation_date;
    let before = next(&world).unwrap();
    world.pass(2 * DAY);
    world.put(S, "aside", "x", &["OTHER"]).unwrap();
    world.update(S, "u", Some("only a text"), None).unwrap();
    assert_eq!(next(&world), Some(before), "nothing new is current");
    world.put(S, "put", "y", &[]).unwrap();
    assert_eq!(next(&world), Some(before.plus(2 * DAY)));
    world.pass(DAY);
    world.update(S, "updated", None, Some("z")).unwrap();
    assert_eq!(next(&world), Some(before.plus(3 * DAY)));
    let last = world.describe(S).unwrap().rotation.unwrap().last_rotated_date;
    assert!(last.unwrap() < world.wall().plus(-2 * DAY), "it is no rotation all the same");
}

/// SEM-SCHED-10
#[test]
fn a_window_that_opens_begins_a_rotation() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    complete(&mut world, "r");
    let opens = UnixMillis(TODAY + 7 * DAY);
    world.now.wall = opens.plus(-1);
    let early = turn(&mut world, None);
    assert_eq!((early.call, early.due), (None, Some(opens)));
    world.now.wall = opens;
    let call = turn(&mut world, None).call.unwrap();
    assert_eq!((call.step, call.function.as_str()), (RotationStep::CreateSecret, F));
    assert_eq!(call.token.as_str(), token("fresh"));
    assert_eq!(world.labels(S), "v1{AWSPREVIOUS} r{AWSCURRENT} fresh{AWSPENDING}");
    complete(&mut world, "fresh");
    assert_eq!(world.labels(S), "r{AWSPREVIOUS} fresh{AWSCURRENT}");
}

/// SEM-SCHED-11
#[test]
fn a_window_that_opens_waits_for_what_is_in_the_way() {
    let mut world = rotatable();
    rotate(&mut world, "r").unwrap();
    complete(&mut world, "r");
    world.put(S, "aside", "x", &["AWSPENDING"]).unwrap();
    world.pass(30 * DAY);
    let waiting = turn(&mut world, None);
    assert_eq!((waiting.call, waiting.due), (None, Some(world.wall().plus(HOUR))));
    world.move_stage(S, "AWSPENDING", Some("aside"), None).unwrap();
    world.functions.clear();
    assert_eq!(turn(&mut world, None).call, None);
    world.functions.insert(F.to_owned());
    assert!(turn(&mut world, None).call.is_some());
}
