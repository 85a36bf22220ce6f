//! The rules of `docs/SEMANTICS.md`, one or more to a test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod access;
mod batch;
mod check;
mod cross_account;
mod date;
mod delete;
mod events;
mod external;
mod keep;
mod list;
#[allow(unreachable_pub)] // public where `fuzz/bodies` compiles it
pub(super) mod memory;
mod name;
mod part;
mod password;
mod policy;
mod promote;
mod replica;
mod rotation;
mod schedule;
mod stage;
mod tag;
mod token;
mod turns;
mod value;

use super::{Fault, FaultKind};
use crate::{env, model, secret, semantics};
use memory::World;

/// A value by its kind and length.
struct Shape(secret::PayloadKind, usize);

impl semantics::validate::Value for Shape {
    fn kind(&self) -> secret::PayloadKind {
        self.0
    }

    fn shape(&self) -> Option<(secret::PayloadKind, usize)> {
        Some((self.0, self.1))
    }
}

const S: &str = "app/db";
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A vault with one secret, whose version `v1` has a value.
fn created() -> World {
    let mut world = World::default();
    world.create(S, "v1", Some("one")).unwrap();
    world
}

/// A vault whose secret is scheduled for deletion.
fn scheduled() -> World {
    let mut world = created();
    world.delete(S, None, None).unwrap();
    world
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Fault>, kind: FaultKind, message: &str) {
    assert_eq!(result.unwrap_err(), Fault::new(kind, message));
}

/// Runs `act` a moment later and asserts that nothing was changed by it, no date either.
#[track_caller]
fn unchanged<T>(world: &mut World, act: impl FnOnce(&mut World) -> T) -> T {
    world.pass(1);
    let before = world.view.clone();
    let result = act(world);
    let mut after = world.view.clone();
    after.request_value.clone_from(&before.request_value);
    assert_eq!(after, before);
    result
}
