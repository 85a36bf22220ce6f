//! What a command may look at besides its arguments.

#[cfg(feature = "server")]
use super::transport::Http;
use crate::env::Env;
use std::ffi::OsString;

/// Where environment variables are read.
pub(crate) type Vars = Box<dyn Fn(&str) -> Option<OsString>>;

/// What a command may look at besides its arguments.
pub(crate) struct Context {
    /// Time, chance, files.
    pub(crate) env: Env,
    /// The environment variables.
    pub(crate) vars: Vars,
    /// What speaks HTTP.
    #[cfg(feature = "server")]
    pub(crate) http: Http,
}

impl Context {
    /// An environment variable; an empty one counts as unset, as the XDG rules have it.
    pub(crate) fn var(&self, name: &str) -> Option<OsString> {
        (self.vars)(name).filter(|value| !value.is_empty())
    }
}
