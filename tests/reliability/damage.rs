//! Damage to files: every single one in a small closed vault, on a simulated disk where a case costs
//! less than a millisecond; a sample of them, and of damage to sled's own files, on a real one.

#[path = "damage/cases.rs"]
mod cases;
#[path = "damage/known_bad.rs"]
mod known_bad;
#[path = "damage/memory.rs"]
mod memory;
#[path = "damage/real.rs"]
mod real;
#[path = "damage/repair.rs"]
mod repair;
#[path = "damage/special.rs"]
mod special;
#[path = "damage/subject.rs"]
mod subject;
