//! What goes into a decision and what comes out of it. The rules stand above these types.
//!
//! - `view`: what the rules can see of the vault
//! - `context`: who asks, when, and fresh identities
//! - `effect`: one change that a plan asks for, and how many rows it touches
//! - `answer`: what the caller gets
//! - `outcome`: the plan itself, or why there is none

mod answer;
mod context;
mod effect;
mod outcome;
mod view;

pub use answer::Answer;
pub use context::{Context, Now};
pub use effect::{Effect, rows};
pub(crate) use outcome::{Outcome, nothing};
pub use outcome::{Plan, Refusal};
pub use view::View;
