//! One request, from its head to its reply (rules WIRE-FRONT-1 to 8).
//!
//! The order of the checks is AWS's: target and content type, authentication, types, presence, then
//! the rules of the API, which are not here.

use super::agent::Agent;
use super::sts;
use crate::env::Env;
use crate::error::Result as VaultResult;
use crate::model::Scope;
use crate::semantics::Answer;
use crate::vault::{Vault, Write};
use crate::wire::http::body;
use crate::wire::http::guard;
use crate::wire::http::route::{Route, single};
use crate::wire::json;
use crate::wire::options::{Auth, Limits};
use crate::wire::reply::{Failure, JSON, Reply};
use crate::wire::request::Operation;
use crate::wire::request::{self, Call, Read};
use crate::wire::response;
use crate::wire::schema::Fields;
use crate::wire::sigv4::{self, Audience, AuthError, Keyring};
use hyper::http::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Method, Request};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

/// What all requests share.
pub(in crate::wire) struct Service {
    pub(in crate::wire) vault: Vault,
    pub(in crate::wire) keys: Keyring,
    pub(in crate::wire) auth: Auth,
    /// The caller when nobody is authenticated.
    pub(in crate::wire) anybody: Scope,
    pub(in crate::wire) env: Env,
    pub(in crate::wire) limits: Limits,
    /// Writes that the vault has and has not answered.
    pub(in crate::wire) writes: Arc<Semaphore>,
    /// The read protocol of AWS's agent, if it is served.
    pub(in crate::wire) agent: Option<Agent>,
    /// Held while the vault is asked whether it is ready.
    pub(in crate::wire) probe: Arc<Semaphore>,
}

impl Service {
    /// Answers a request that came over a connection to `local`, as number `request_id`. `is_wanted`
    /// is asked once, when the request is read whole, and may turn it down.
    pub(in crate::wire) async fn answer<B>(
        &self,
        request: Request<B>,
        local: SocketAddr,
        request_id: &str,
        is_wanted: impl FnOnce() -> bool,
    ) -> Reply
    where
        B: hyper::body::Body<Data: hyper::body::Buf>,
    {
        match self.try_answer(request, local, request_id, is_wanted).await {
            Ok(reply) => reply,
            Err(failure) => failure.reply(),
        }
    }

    /// A fresh request id: a random (version 4) UUID.
    pub(in crate::wire) fn request_id(&self) -> String {
        // Without entropy the id repeats: a pity, not a danger.
        let random = self.env.random().unwrap_or_default();
        uuid::Builder::from_random_bytes(random).into_uuid().to_string()
    }

    async fn try_answer<B>(
        &self,
        request: Request<B>,
        local: SocketAddr,
        request_id: &str,
        is_wanted: impl FnOnce() -> bool,
    ) -> Result<Reply, Failure>
    where
        B: hyper::body::Body<Data: hyper::body::Buf>,
    {
        let (head, body) = request.into_parts();
        let admitted = guard::check(&head, local);
        // Read whatever is decided: a sender that reads only after writing then gets the reply.
        let body = body::collect(body, self.limits.body_bytes, self.limits.body_time).await;
        if !is_wanted() {
            return Err(Failure::Unavailable);
        }
        admitted?;
        let route = Route::of(&head, body.as_ref().map_or(&[], |body| body.as_slice()));
        if let Route::Other(service) = &route {
            // Told even if the body was not for us to read: uploads go astray too.
            let reply = Failure::OtherService(service.to_string()).reply();
            return Ok(Reply { close: body.is_err(), ..reply });
        }
        let body = body?;
        match route {
            Route::Alive => return Ok(Reply::plain("ok\n")),
            Route::Ready => return Ok(self.readiness().await),
            Route::LocalStack => return Ok(self.local_stack_health().await),
            Route::Sts => {
                let who = || self.identify(&head, &body, Audience::STS);
                return Ok(sts::answer(&head, &body, request_id, who));
            }
            Route::Other(_) | Route::SecretsManager => (),
        }
        if head.method != Method::POST || head.uri.path() != "/" || !is_our_type(&head.headers) {
            return Err(Failure::NotOurs);
        }
        let operation = single(&head.headers, "x-amz-target")
            .and_then(Operation::from_target)
            .ok_or(Failure::UnknownOperation)?;
        let scope = self.authenticate(&head, &body)?;
        let call = read(operation, body)?;
        self.perform(operation, scope, call).await.map(Reply::json)
    }

    fn authenticate(&self, head: &Parts, body: &[u8]) -> Result<Scope, Failure> {
        self.identify(head, body, Audience::SECRETS_MANAGER).map_err(|error| {
            Failure::Unauthenticated { exception: error.exception, message: error.message }
        })
    }

    fn identify(&self, head: &Parts, body: &[u8], audience: Audience) -> Result<Scope, AuthError> {
        match self.auth {
            Auth::SigV4 => sigv4::verify(head, body, &self.keys, audience, self.env.clock.wall()),
            Auth::None => {
                let region = sigv4::region_of(&head.headers).unwrap_or(&self.anybody.region);
                Ok(Scope::new(&self.anybody.account, region))
            }
        }
    }

    async fn perform(
        &self,
        operation: Operation,
        scope: Scope,
        call: Call,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match call {
            Call::Write(write) => {
                let answer = self.write(&scope, write).await?;
                response::write(operation, answer).ok_or(MISFIT)
            }
            Call::Read(read) => {
                let vault = self.vault.clone();
                tokio::task::spawn_blocking(move || perform_read(&vault, &scope, &read))
                    .await
                    .map_err(|_| Failure::Internal("the operation was broken off"))?
                    .map_err(Failure::from)
            }
        }
    }

    async fn write(&self, scope: &Scope, write: Write) -> Result<Answer, Failure> {
        let writes = Arc::clone(&self.writes);
        let permit = writes.acquire_owned().await.map_err(|_| Failure::Unavailable)?;
        let (answered, answer) = oneshot::channel();
        let done = move |result: VaultResult<Answer>| {
            // The client may be gone; the write has happened all the same.
            let _ = answered.send(result);
            // Held until here, and not by the request, which ends when its client goes.
            drop(permit);
        };
        self.vault.submit(scope, write, Box::new(done));
        match answer.await {
            Ok(result) => result.map_err(Failure::from),
            Err(_) => Err(BROKEN_OFF),
        }
    }
}

/// The vault's answer is of another operation.
pub(in crate::wire) const MISFIT: Failure =
    Failure::Internal("the answer does not fit the operation");
/// The vault dropped a write's callback.
pub(in crate::wire) const BROKEN_OFF: Failure =
    Failure::Internal("the operation was broken off; its outcome is unknown");

/// Parses a body; it is wiped before the operation starts.
pub(in crate::wire) fn read(
    operation: Operation,
    body: Zeroizing<Vec<u8>>,
) -> Result<Call, Failure> {
    let node = json::parse(&body).map_err(|_| Failure::NotJson)?;
    drop(body);
    request::read(operation, Fields::check(node, operation.members())?)
}

pub(in crate::wire) fn perform_read(
    vault: &Vault,
    scope: &Scope,
    read: &Read,
) -> VaultResult<Zeroizing<Vec<u8>>> {
    Ok(match read {
        Read::BatchGetSecretValue(request) => {
            response::secret_value_batch(&vault.batch_get_secret_value(scope, request)?)?
        }
        Read::DescribeSecret(request) => {
            response::description(&vault.describe_secret(scope, request)?)
        }
        Read::GetRandomPassword(request) => {
            response::random_password(&vault.get_random_password(request)?)?
        }
        Read::GetResourcePolicy(request) => {
            response::resource_policy(&vault.get_resource_policy(scope, request)?)
        }
        Read::GetSecretValue(request) => {
            response::secret_value(&vault.get_secret_value(scope, request)?)?
        }
        Read::ListResourcePolicies(request) => {
            response::policy_page(&vault.list_resource_policies(scope, request)?)
        }
        Read::ListSecretVersionIds(request) => {
            response::version_page(&vault.list_secret_version_ids(scope, request)?)
        }
        Read::ListSecrets(request) => response::secret_page(&vault.list_secrets(scope, request)?),
        Read::ValidateResourcePolicy(request) => {
            response::policy_validation(&vault.validate_resource_policy(scope, request)?)
        }
    })
}

/// AWS JSON 1.1, or plain JSON, which AWS takes for it.
fn is_our_type(headers: &HeaderMap) -> bool {
    single(headers, "content-type").is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        [JSON, "application/json"].iter().any(|ours| media_type.eq_ignore_ascii_case(ours))
    })
}
