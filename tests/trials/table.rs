//! The table of all trials, from the rows of each file.

use crate::common;

/// One trial: what people do, and what must happen.
pub struct Row {
    pub number: u32,
    pub people: &'static str,
    pub right: &'static str,
    /// Its test in this binary, `file::function`.
    pub test: &'static str,
}

const ALL: [&[Row]; 11] = [
    super::identity::ROWS,
    super::rollback::ROWS,
    super::ownership::ROWS,
    super::media::ROWS,
    super::messages::ROWS,
    super::connections::ROWS,
    super::requests::ROWS,
    super::clients::ROWS,
    super::habits::ROWS,
    super::speaking::ROWS,
    super::socket::ROWS,
];

fn rows() -> Vec<&'static Row> {
    let mut rows: Vec<_> = ALL.into_iter().flatten().collect();
    rows.sort_by_key(|row| row.number);
    rows
}

/// The tests of this binary.
fn tests() -> Vec<String> {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--list", "--format", "terse"])
        .env_remove("STRONGROOM_CHILD")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| Some(line.strip_suffix(": test")?.to_owned())).collect()
}

#[test]
fn table() {
    if common::child_task().is_some() {
        return;
    }
    let tests = tests();
    for row in rows() {
        println!("T{:<3} {}\n     {}\n     {}", row.number, row.people, row.right, row.test);
        assert!(tests.iter().any(|test| test == row.test), "T{} names {}", row.number, row.test);
    }
}

#[test]
fn a_number_stands_for_one_trial() {
    let numbers: Vec<u32> = rows().iter().map(|row| row.number).collect();
    let mut once = numbers.clone();
    once.dedup();
    assert_eq!(numbers, once);
}
