//! The inner parts, for this crate's own tests, benches and fuzz targets.
//!
//! Everything that is `pub` inside a module of the crate can be reached here under the module's name. There
//! is no stability promise. The feature `__internals` opens it; [`crate`] has what programs use.

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
