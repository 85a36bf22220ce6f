//! What a put and a get cost, counted and not timed: allocations, instructions and system calls, on the disk
//! and with sled. Each bound is a fifth above what stands beside it, which was counted when it was set; where
//! that is nothing, a little is allowed. Whoever makes a path cheaper lowers both.
//!
//! A put is counted up to its answer. The flush of its rows comes later and is not counted here:
//! `store::tests::measure::flush_under_puts` has it.
//!
//! The vault works on the caller's thread (`background` is off), so that nothing is counted that belongs to
//! another operation. What syncs and calls a put makes in a vault with threads: `durability_cost.rs`.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::result_large_err)]
#![allow(clippy::zombie_processes, clippy::needless_range_loop, clippy::type_complexity)]
#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

use common::world::{self, Setup};
use std::path::Path;
use std::process::{Command, Stdio};
use strongroom::__internals::model::api::{CreateSecret, GetSecretValue, PutSecretValue};
use strongroom::__internals::secret::SecretValue;
use strongroom::__internals::vault::Vault;

/// Operations that are counted.
const COUNT: u64 = 500;
const SECRETS: u64 = 20;
/// Allocations and bytes of one operation.
const PUT_ALLOCATIONS: u64 = 125; // 104
const PUT_BYTES: u64 = 37_000; // 31,000
const GET_ALLOCATIONS: u64 = 12; // 10
const GET_BYTES: u64 = 3_200; // 2,625
/// Instructions of one operation in the profile of the tests.
const PUT_INSTRUCTIONS: u64 = 580_000; // 480,000
const GET_INSTRUCTIONS: u64 = 56_000; // 46,442
/// System calls of 100 gets, also those that threads of the state make meanwhile.
const CALLS: u64 = 2; // 0

fn value() -> SecretValue {
    SecretValue::binary(vec![7; 1024])
}

fn name(n: u64) -> String {
    format!("secret-{}", n % SECRETS)
}

/// A vault whose memtable takes every put of a test, so that no flush falls into the count.
fn vault(dir: &Path) -> Vault {
    let setup = Setup { background: false, memtable: Some(256 << 20), ..Setup::usual() };
    let vault = world::create_in(&dir.join("vault"), &dir.join("key"), &setup).unwrap();
    for n in 0..SECRETS {
        let mut request = CreateSecret::new(name(n));
        request.value = Some(value());
        vault.create_secret(request).unwrap();
    }
    // After these each secret has its labels, and what a read leaves behind is there.
    (0..2 * SECRETS).for_each(|n| put(&vault, n));
    (0..3 * SECRETS).for_each(|n| get(&vault, n));
    vault
}

fn put(vault: &Vault, n: u64) {
    vault.put_secret_value(PutSecretValue::new(name(n), value())).unwrap();
}

fn get(vault: &Vault, n: u64) {
    vault.get_secret_value(GetSecretValue::new(name(n))).unwrap();
}

/// What callgrind counts, by the names of these two. The threads of the state spin and wait beside them, more
/// in one run than in another, and are left out.
#[inline(never)]
fn counted_put(vault: &Vault, n: u64) {
    put(vault, n);
}

#[inline(never)]
fn counted_get(vault: &Vault, n: u64) {
    get(vault, n);
}

#[test]
fn allocations_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(dir.path());
    let count = |work: &dyn Fn(u64)| {
        let counted = allocation_counter::measure(|| (0..COUNT).for_each(work));
        (counted.count_total / COUNT, counted.bytes_total / COUNT)
    };
    let gets = count(&|n| get(&vault, n));
    let puts = count(&|n| put(&vault, n));
    println!("allocations and bytes: {gets:?} a get, {puts:?} a put of 1 KiB");
    assert!(gets.0 <= GET_ALLOCATIONS && gets.1 <= GET_BYTES, "a get: {gets:?}");
    assert!(puts.0 <= PUT_ALLOCATIONS && puts.1 <= PUT_BYTES, "a put: {puts:?}");
    vault.close().unwrap();
}

/// The child: so many gets and puts in a vault in this folder.
#[test]
fn child() {
    let Some(task) = common::child_task() else { return };
    let words: Vec<&str> = task.split(' ').collect();
    let [dir, gets, puts] = words[..] else { panic!("{task}") };
    let (gets, puts): (u64, u64) = (gets.parse().unwrap(), puts.parse().unwrap());
    let vault = vault(Path::new(dir));
    (0..gets).for_each(|n| counted_get(&vault, n));
    (0..puts).for_each(|n| counted_put(&vault, n));
    vault.close().unwrap();
}

fn works(tool: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(tool);
    command.args(arguments).arg("true").stdout(Stdio::null()).stderr(Stdio::null());
    let works = command.status().is_ok_and(|status| status.success());
    if !works {
        println!("SKIP {tool} does not run here");
    }
    works
}

/// What `tool` says on standard error about a child that does so many gets and puts.
fn watched(tool: &str, arguments: &[&str], gets: u64, puts: u64) -> String {
    let dir = tempfile::tempdir().unwrap();
    let child = common::child("child", &format!("{} {gets} {puts}", dir.path().display()));
    let mut command = Command::new(tool);
    command.args(arguments).arg(child.get_program()).args(child.get_args());
    command.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn instructions_are_bounded() {
    const ARGUMENTS: [&str; 2] = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    if !works("valgrind", &ARGUMENTS) {
        return;
    }
    let instructions = |what: &str, gets, puts| {
        let toggle = format!("--toggle-collect=*counted_{what}*");
        let said = watched("valgrind", &[ARGUMENTS[0], ARGUMENTS[1], &toggle], gets, puts);
        let line = said.lines().find_map(|line| line.split_once("Collected : ")).unwrap();
        let count = line.1.trim().parse::<u64>().unwrap() / COUNT;
        assert!(count > 1000, "callgrind has not seen a {what}: {said}");
        count
    };
    let (gets, puts) = (instructions("get", COUNT, 0), instructions("put", 0, COUNT));
    println!("instructions: {gets} a get, {puts} a put of 1 KiB");
    assert!(gets <= GET_INSTRUCTIONS, "a get: {gets}");
    assert!(puts <= PUT_INSTRUCTIONS, "a put: {puts}");
}

/// A get of a value that was read before asks the system for nothing. What threads do to wait for one another
/// (futex, `sched_yield`) is not counted, because threads of the state do it beside the gets: that a get
/// takes no lock which others hold is not shown here.
#[test]
fn a_get_makes_no_system_call() {
    if !works("strace", &["-o", "/dev/null"]) {
        return;
    }
    let calls = |gets| {
        let said = watched("strace", &["-f", "-c", "-U", "name,calls"], gets, 0);
        let counts = said.lines().filter_map(|line| {
            let (name, calls) = line.trim().split_once(' ')?;
            let is_of_threads = ["futex", "total", "sched_yield"].contains(&name);
            calls.trim().parse::<u64>().ok().filter(|_| !is_of_threads)
        });
        counts.sum::<u64>()
    };
    let (few, many) = (calls(COUNT), calls(21 * COUNT));
    println!("system calls of {COUNT} and of {} gets: {few}, {many}", 21 * COUNT);
    // What the set-up writes is seen, so calls of gets would be.
    assert!(few > SECRETS, "strace's table was not read");
    assert!(many.saturating_sub(few) <= 20 * COUNT / 100 * CALLS, "{few}, {many}");
}
