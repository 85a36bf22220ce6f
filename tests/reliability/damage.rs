//! Damage to files: every single damage to a small closed vault on a simulated disk, where a case takes less
//! than a millisecond, and a sample of these cases and of damage to sled's own files on a real disk.

#[path = "damage/cases.rs"]
mod cases;
#[path = "damage/cut_short.rs"]
mod cut_short;
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
