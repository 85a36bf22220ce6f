use super::*;

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2025-06-15, as true as it gets.
const TODAY: i64 = 1_750_000_000_000;

/// A machine whose true time is known to the test and whose wall clock is off by `error`.
struct Machine {
    truth: i64,
    error: i64,
    booted: i64,
    clock: AgeClock,
}

impl Machine {
    fn new() -> Self {
        let clock = AgeClock::fresh(UnixMillis(TODAY), Duration::ZERO);
        Self { truth: TODAY, error: 0, booted: TODAY, clock }
    }

    fn wall(&self) -> UnixMillis {
        UnixMillis(self.truth + self.error)
    }

    fn age(&mut self) -> i64 {
        let (wall, run) = (self.wall(), self.truth - self.booted);
        self.clock.now(wall, span(run)).0
    }

    /// Age minus true time: above 0 something could be removed early.
    fn lead(&mut self) -> i64 {
        self.age() - self.truth
    }

    fn run(&mut self, millis: i64) -> &mut Self {
        let end = self.truth + millis;
        while self.truth < end {
            self.truth = end.min(self.truth + 10 * MINUTE);
            let (before, after) = (self.clock.age.0, self.age());
            assert!(after >= before, "age ran back");
        }
        self
    }

    fn wrong_by(&mut self, error: i64) -> &mut Self {
        self.error = error;
        self.age();
        self
    }

    fn restart(&mut self, closed: i64, error: i64) -> &mut Self {
        self.age();
        let note = self.clock.note();
        self.truth += closed;
        self.error = error;
        self.booted = self.truth;
        self.clock = AgeClock::from_note(note, self.wall(), Duration::ZERO);
        assert!(self.clock.age >= note.age, "age ran back across a restart");
        self
    }
}

#[test]
fn a_true_wall_clock_is_followed_to_the_millisecond() {
    let mut machine = Machine::new();
    assert_eq!(machine.run(40 * DAY).lead(), 0);
    assert_eq!(machine.restart(3 * HOUR, 0).run(7).lead(), 0);
    assert_eq!(machine.clock.note().held_millis, 0);
}

#[test]
fn a_small_step_is_followed_at_once() {
    let mut machine = Machine::new();
    assert_eq!(machine.run(HOUR).wrong_by(30_000).lead(), 30_000);
    assert_eq!(machine.run(HOUR).wrong_by(0).run(HOUR).lead(), 0, "and forgotten as it goes");
}

/// Goal: the tolerance is granted once, not at each reading and not at each start.
#[test]
fn many_small_steps_do_not_add_up() {
    let mut machine = Machine::new();
    for step in 1..100 {
        machine.run(10 * MINUTE).wrong_by(step * 50_000);
        assert!(machine.lead() <= TOLERANCE_MILLIS, "step={step}");
    }

    let mut machine = Machine::new();
    machine.restart(MINUTE, 400 * DAY);
    for start in 0..1000 {
        machine.restart(1, 400 * DAY).run(1);
        assert!(machine.lead() <= 0, "start={start}");
    }
}

#[test]
fn a_jump_at_boot_that_is_mended_within_a_day_never_counts() {
    for error in [25 * HOUR, 400 * DAY, 4_294_967_296_000 - TODAY] {
        let mut machine = Machine::new();
        machine.run(HOUR).restart(MINUTE, error);
        machine.run(23 * HOUR);
        assert!(machine.lead() <= 0, "error={error}");
        machine.wrong_by(0).run(60 * DAY);
        assert_eq!(machine.lead(), 0, "error={error}");
    }
}

#[test]
fn a_jump_while_running_that_is_mended_within_a_day_never_counts() {
    let mut machine = Machine::new();
    machine.run(HOUR).wrong_by(400 * DAY).run(23 * HOUR);
    assert!(machine.lead() <= 0);
    machine.wrong_by(0).run(60 * DAY);
    assert_eq!(machine.lead(), 0);
}

#[test]
fn repeated_wrong_boots_do_not_add_up() {
    let mut machine = Machine::new();
    for boot in 0..100 {
        machine.restart(MINUTE, 400 * DAY).run(HOUR).wrong_by(0).run(HOUR);
        machine.restart(MINUTE, 23 * HOUR).run(HOUR).wrong_by(0).run(HOUR);
        assert!(machine.lead() <= 23 * HOUR, "boot={boot}");
    }
}

#[test]
fn a_jump_that_stands_for_a_day_counts_then_and_not_before() {
    let mut machine = Machine::new();
    machine.run(HOUR).wrong_by(400 * DAY).run(24 * HOUR - MINUTE);
    assert!(machine.lead() <= 0);
    machine.run(HOUR);
    assert_eq!(machine.lead(), 400 * DAY);
    assert_eq!(machine.clock.note().held_millis, 0);
}

#[test]
fn a_jump_goes_on_standing_across_short_runs() {
    let mut machine = Machine::new();
    machine.run(HOUR).restart(MINUTE, 400 * DAY);
    for hour in 1..24 {
        machine.restart(HOUR - MINUTE, 400 * DAY).run(MINUTE);
        assert!(machine.lead() <= 0, "hour={hour}");
    }
    machine.restart(2 * HOUR, 400 * DAY);
    assert_eq!(machine.lead(), 400 * DAY);
}

/// Only what was ahead for all of the day counts, not the peak.
#[test]
fn the_least_of_a_changing_jump_is_what_stood() {
    let mut machine = Machine::new();
    machine.run(HOUR).wrong_by(2 * DAY).run(12 * HOUR).wrong_by(400 * DAY).run(12 * HOUR);
    machine.run(MINUTE);
    assert_eq!(machine.lead(), 2 * DAY);
    machine.run(23 * HOUR);
    assert_eq!(machine.lead(), 2 * DAY);
    machine.run(HOUR);
    assert_eq!(machine.lead(), 400 * DAY);

    let mut machine = Machine::new();
    machine.run(HOUR).wrong_by(400 * DAY).run(12 * HOUR).wrong_by(2 * DAY).run(13 * HOUR);
    assert_eq!(machine.lead(), 2 * DAY);
}

/// A jump that has not begun to stand yet must not ride on the note of an older, smaller one.
#[test]
fn a_second_jump_does_not_count_with_the_first_across_a_restart() {
    let mut machine = Machine::new();
    machine.run(HOUR).wrong_by(10 * HOUR).run(20 * HOUR).wrong_by(400 * DAY).run(HOUR);
    machine.restart(HOUR, 400 * DAY);
    assert!(machine.lead() <= 0);
    machine.run(3 * HOUR);
    assert_eq!(machine.lead(), 10 * HOUR);
}

#[test]
fn a_backward_step_neither_stops_age_nor_counts_on_return() {
    for error in [-400 * DAY, -TODAY, -TODAY - 10 * DAY, -HOUR, -1] {
        let mut machine = Machine::new();
        machine.run(HOUR).wrong_by(error).run(3 * DAY);
        assert_eq!(machine.lead(), 0, "error={error}");
        machine.wrong_by(0).run(3 * DAY);
        assert_eq!(machine.lead(), 0, "error={error}");
        machine.restart(MINUTE, error).run(2 * DAY).restart(MINUTE, 0).run(2 * DAY);
        assert!(machine.lead() <= 0, "error={error}");
        machine.run(2 * DAY);
        assert_eq!(machine.lead(), 0, "error={error}");
    }
}

/// A clock that wanders between right and a little behind, seen only in short runs.
#[test]
fn coming_back_across_closed_periods_does_not_count_twice() {
    let mut machine = Machine::new();
    for _ in 0..100 {
        machine.restart(MINUTE, -23 * HOUR).restart(MINUTE, 0);
        assert_eq!(machine.lead(), 0);
    }
}

#[test]
fn many_short_runs_keep_true_time() {
    let mut machine = Machine::new();
    for _ in 0..500 {
        machine.restart(7 * HOUR, 0).run(MINUTE);
        assert_eq!(machine.lead(), 0);
    }
}

#[test]
fn a_long_closed_period_counts_after_a_day() {
    let mut machine = Machine::new();
    machine.restart(90 * DAY, 0).run(23 * HOUR);
    assert_eq!(machine.lead(), -90 * DAY);
    machine.run(2 * HOUR);
    assert_eq!(machine.lead(), 0);

    // Used once a week for a minute: always late by a week at most.
    for _ in 0..10 {
        machine.restart(7 * DAY, 0).run(MINUTE);
        assert!((-7 * DAY..=0).contains(&machine.lead()));
    }
}

#[test]
fn a_suspended_machine_catches_up_within_two_days() {
    let mut machine = Machine::new();
    for _ in 0..30 {
        machine.run(16 * HOUR);
        // Eight hours in which the monotonic clock stands still.
        machine.truth += 8 * HOUR;
        machine.booted += 8 * HOUR;
        assert!((-48 * HOUR..=0).contains(&machine.lead()), "lead={}", machine.lead());
    }
    machine.run(49 * HOUR);
    assert_eq!(machine.lead(), 0);
}

#[test]
fn extreme_readings_neither_panic_nor_run_back() {
    let ends = [i64::MIN, i64::MIN + 1, -1, 0, 1, TODAY, i64::MAX - 1, i64::MAX];
    let spans = [Duration::ZERO, span(DAY), Duration::MAX];
    for wall in ends {
        for age in ends {
            for held_millis in ends {
                let note = AgeNote {
                    wall: UnixMillis(wall),
                    age: UnixMillis(age),
                    held_millis,
                    held_since: UnixMillis(held_millis),
                };
                for next in ends {
                    let mut clock = AgeClock::from_note(note, UnixMillis(next), span(5));
                    let mut last = UnixMillis(age);
                    for monotonic in spans {
                        let now = clock.now(UnixMillis(next), monotonic);
                        assert!(now >= last);
                        last = now;
                        let _ = clock.note();
                    }
                }
            }
        }
    }
}

/// A note taken and read back at once, at every step, changes nothing that counts.
#[test]
fn a_note_carries_everything() {
    let mut kept = Machine::new();
    let mut noted = Machine::new();
    for error in [0, 400 * DAY, 400 * DAY, 5 * HOUR, 5 * HOUR, 5 * HOUR, -DAY, -DAY, 0, 0] {
        for _ in 0..14 {
            kept.wrong_by(error).run(HOUR);
            noted.wrong_by(error).run(HOUR).restart(0, error);
            assert_eq!(kept.age(), noted.age(), "error={error}");
        }
    }
}
