//! What the tests of this layer share.

use crate::cli::context::Context;
use crate::env::Env;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// The real files and time, with these environment variables and no others.
pub(crate) fn context(vars: &[(&str, &str)]) -> Context {
    let vars: BTreeMap<String, OsString> =
        vars.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    let env = Env::real();
    Context {
        env,
        vars: Box::new(move |name| vars.get(name).cloned()),
        #[cfg(feature = "server")]
        http: crate::cli::transport::Http {
            listen: |_| Err(crate::error::ErrorKind::Closed.into()),
            hook: |_| None,
        },
    }
}
