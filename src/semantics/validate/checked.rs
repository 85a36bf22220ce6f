//! Requests that passed their checks, with what they name parsed. Only this file makes one, so
//! whoever holds one neither checks nor parses again.

use super::names::Names;
use crate::model::SecretRef;
use crate::secret::PayloadKind;
use crate::semantics::fault::Fault;
use std::ops::Deref;

/// A request that can be checked without looking at the vault (SEM-CHECK-1).
pub trait Check {
    /// What it names, parsed.
    type Names;

    /// Whether it changes only what a replica in another account has of its own. Such an operation is
    /// allowed on the replica (SEM-XREPL-6).
    const IS_ABOUT_A_REPLICAS_OWN: bool = false;

    /// Whether the owner may always do it. Otherwise a policy could lock the owner out for good
    /// (SEM-ACCESS-3).
    const IS_ALWAYS_THE_OWNERS: bool = false;

    /// Checks its members in AWS's order and parses what it names: model constraints (all violations
    /// in one message, E27), then the characters of the name (E12), then the token (E10).
    fn check(&self) -> Result<Self::Names, Fault>;
}

/// A request about one secret.
pub trait AboutSecret: Check<Names: Names> {
    /// Its `SecretId`, as it was given.
    fn secret_id(&self) -> &str;
}

/// A `SecretId`, as it was given and as it was read.
#[derive(Clone, Copy, Debug)]
pub struct SecretId<'a> {
    /// As it was given: refusals repeat it.
    pub text: &'a str,
    /// As it was read.
    pub reference: &'a SecretRef,
}

/// A request that passed its checks. Derefs to the request.
#[derive(Clone, Copy, Debug)]
pub struct Checked<R: Check> {
    request: R,
    names: R::Names,
}

impl<R: Check> Checked<R> {
    /// Checks a request.
    pub fn new(request: R) -> Result<Self, Fault> {
        let names = request.check()?;
        Ok(Self { request, names })
    }

    /// What it names.
    pub fn names(&self) -> &R::Names {
        &self.names
    }
}

impl<R: AboutSecret> Checked<R> {
    /// The secret that it is about.
    pub fn secret(&self) -> SecretId<'_> {
        SecretId { text: self.request.secret_id(), reference: self.names.secret() }
    }
}

impl<R: Check> Deref for Checked<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.request
    }
}

/// A value that travels with a request: its kind and length as far as they are to be checked.
pub trait Value {
    /// Its kind.
    fn kind(&self) -> PayloadKind;

    /// `None`: it was checked before it was sealed.
    fn shape(&self) -> Option<(PayloadKind, usize)>;
}

impl Value for PayloadKind {
    fn kind(&self) -> PayloadKind {
        *self
    }

    fn shape(&self) -> Option<(PayloadKind, usize)> {
        None
    }
}

/// A request with a value. It is checked with the value, which is then sealed.
pub trait WithValue: Check {
    /// The request once its value was sealed.
    type Sealed: Check<Names = Self::Names>;
    /// The value.
    type Value;

    /// Replaces the value by its kind.
    fn take_value(self) -> (Self::Sealed, Option<Self::Value>);
}

impl<R: WithValue> Checked<R> {
    /// Replaces the value by its kind; `seal` gets the value and gives what it was sealed to.
    pub(crate) fn seal<S, E>(
        self,
        seal: impl FnOnce(R::Value) -> Result<S, E>,
    ) -> Result<(Checked<R::Sealed>, Option<S>), E> {
        let Self { request, names } = self;
        let (request, value) = request.take_value();
        let sealed = value.map(seal).transpose()?;
        Ok((Checked { request, names }, sealed))
    }
}

/// Writes `WithValue` for a request. All its members but the value are listed. A member `without`
/// which it travels on has no use once it was checked.
macro_rules! with_value {
    ($request:ident { $($member:ident),* $(,)? } $(without $dropped:ident)?) => {
        impl<V: Value> crate::semantics::validate::WithValue for $request<V> {
            type Sealed = $request<crate::secret::PayloadKind>;
            type Value = V;

            fn take_value(self) -> (Self::Sealed, Option<V>) {
                let Self { value, $($member,)* $($dropped: _)? } = self;
                let kind = value.as_ref().map(Value::kind);
                ($request { value: kind, $($member,)* $($dropped: None)? }, value)
            }
        }
    };
}

pub(crate) use with_value;
