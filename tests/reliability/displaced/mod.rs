//! People move, copy, restore and remove a vault's folder, its LOCK and its files while it is open, and
//! several openers want it (I11). Random schedules, in simulation and with real processes.
//!
//! After each step: nobody has got in beside a holder; no folder has changed that its holder did not change;
//! a holder that was told to look and is displaced says so, writes no more and does not claim a clean close;
//! a put into a folder that is gone is not acknowledged. At the end every folder that is left opens and
//! holds all that was acknowledged into it.

mod real;
mod schedule;
mod simulated;
