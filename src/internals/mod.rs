//! The inner parts, for this crate's own tests, benches and fuzz targets.
//!
//! Everything that is `pub` inside a module of the crate can be reached here under the module's name. There
//! is no stability promise. The feature `__internals` opens it; [`crate`] has what programs use.
//!
//! The other files here reach what is private in one module: `log.rs` is mounted by `src/log/mod.rs`, and so on.
//! They are children of their module, so that nothing has to be made public for them.

macro_rules! open {
    ($($(#[$cfg:meta])* $module:ident),+ $(,)?) => {
        $($(#[$cfg])* pub mod $module { pub use crate::$module::*; })+
    };
}

open!(codec, env, model, secret, crypto, log, semantics, store, error, vault);
open!(
    #[cfg(feature = "server")]
    wire,
);
