//! From a request to its answer.
//!
//! [`Vault::submit`] is the form for servers, which parks no thread per request. It leaves an absent
//! `ClientRequestToken` absent, because AWS refuses a raw request without one (rule SEM-TOKEN).

use crate::error::{ErrorKind, Result};
#[allow(clippy::wildcard_imports, reason = "the table of operations names every request")]
use crate::model::api::*;
use crate::semantics::Answer;
use crate::vault::handle::Vault;

/// A response as the pipeline answers it.
pub(crate) trait FromAnswer: Sized {
    /// `None`: the answer is of another operation, which is a defect.
    fn from_answer(answer: Answer) -> Option<Self>;
}

macro_rules! from_answer {
    ($($response:ty: $answer:ident;)*) => {$(
        impl FromAnswer for $response {
            fn from_answer(answer: Answer) -> Option<Self> {
                if let Answer::$answer(response) = answer { Some(response) } else { None }
            }
        }
    )*};
}

from_answer! {
    AssociationResponse: Associated;
    DeleteSecretResponse: Deleted;
    PolicyResponse: PolicyNamed;
    ReplicationResponse: Replicated;
    VersionResponse: Written;
}

impl FromAnswer for SecretResponse {
    fn from_answer(answer: Answer) -> Option<Self> {
        match answer {
            Answer::Named(response) | Answer::Promoted(response) => Some(response),
            _ => None,
        }
    }
}

impl FromAnswer for () {
    fn from_answer(answer: Answer) -> Option<Self> {
        matches!(answer, Answer::Done).then_some(())
    }
}

/// A request of an operation that changes the vault. Implemented for all of them; for [`Vault::submit`].
pub trait WriteRequest: ApiRequest + Into<Write> {
    /// The response in what the pipeline answers. `None`: it is of another operation, which is a defect.
    #[doc(hidden)]
    fn response(answer: Answer) -> Option<Self::Response>;
}

impl<R: ApiRequest<Response: FromAnswer> + Into<Write>> WriteRequest for R {
    fn response(answer: Answer) -> Option<Self::Response> {
        FromAnswer::from_answer(answer)
    }
}

impl Vault {
    /// Hands a write to the commit pipeline and returns at once. `done` is called exactly once: on
    /// the commit thread after the batch's sync (it must not block or call the vault), or here if
    /// the request is refused before it is queued. A full queue is refused with
    /// [`ErrorKind::Busy`]. If the commit thread dies, `done` is dropped uncalled.
    pub fn submit<R: WriteRequest>(
        &self,
        request: R,
        done: impl FnOnce(Result<R::Response>) + Send + 'static,
    ) {
        self.submit_write(request, |answer| {
            done(answer.and_then(|answer| {
                R::response(answer).ok_or_else(|| ErrorKind::OutcomeUnknown.into())
            }));
        });
    }

    /// [`submit`](Self::submit) for a write of any operation. The answer is the pipeline's own.
    #[doc(hidden)]
    pub fn submit_write(
        &self,
        write: impl Into<Write>,
        done: impl FnOnce(Result<Answer>) + Send + 'static,
    ) {
        let job =
            self.caller.scope().and_then(|scope| self.inner.prepare_write(scope, write.into()));
        match job {
            Ok(job) => self.inner.driver.submit(job(Box::new(done))),
            Err(error) => done(Err(error)),
        }
    }

    /// Performs a write and waits for its outcome.
    pub(super) fn write<R: WriteRequest>(&self, request: R) -> Result<R::Response> {
        let answer = self.inner.write(self.caller.scope()?, request.into())?;
        R::response(answer).ok_or_else(|| ErrorKind::OutcomeUnknown.into())
    }
}

/// [`Vault::perform`], from the table of operations.
macro_rules! perform {
    (
        writes {
            $($write:ident $(<$value:ident>)? => $write_response:ty, $write_method:ident;)*
        }
        reads { $($read:ident => $read_response:ty, $read_method:ident;)* }
    ) => {
        impl Vault {
            /// Performs a request of any operation, as its method does.
            pub fn perform(&self, request: impl Into<Request>) -> Result<Response> {
                Ok(match request.into() {
                    $(Request::Write(Write::$write(request)) => {
                        Response::$write(self.$write_method(request)?)
                    })*
                    $(Request::Read(Read::$read(request)) => {
                        Response::$read(self.$read_method(request)?)
                    })*
                })
            }
        }
    };
}

for_each_operation!(perform);
