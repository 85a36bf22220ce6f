//! One request, from its head to its reply (rules WIRE-FRONT-1 to 8).
//!
//! The order of the checks is AWS's: target and content type, authentication, types, presence, then
//! the rules of the API, which are not here.

use super::agent::Agent;
use super::health::Health;
use super::local_stack::LocalStackPages;
use super::operations::{BROKEN_OFF, perform_read, read, write_answer};
use super::pairs::Pairs;
use super::{other, sts};
use crate::env::Env;
use crate::error::Result as VaultResult;
use crate::model::api::Write;
use crate::model::{Scope, api};
use crate::semantics::Answer;
use crate::vault::Vault;
use crate::wire::http::body;
use crate::wire::http::guard::{self, Names, Proof};
use crate::wire::http::route::{self, Route, is_root, single};
use crate::wire::json::{Node, parse};
use crate::wire::observe::{Cause, Notes, Observer};
use crate::wire::options::{Auth, Limits};
use crate::wire::reply::{JSON, Reply, ReplyError};
use crate::wire::request;
use crate::wire::sigv4::{self, Audience, AuthError, Why};
use hyper::http::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

/// What all requests share.
pub(crate) struct Service {
    pub(crate) vault: Vault,
    pub(crate) pairs: Pairs,
    pub(crate) auth: Auth,
    /// The caller when nobody is authenticated.
    pub(crate) anybody: Scope,
    pub(crate) env: Env,
    pub(crate) limits: Limits,
    /// Bounds the writes that the vault has not answered yet.
    pub(crate) writes: Arc<Semaphore>,
    /// The read protocol of AWS's agent, if it is served.
    pub(crate) agent: Option<Agent>,
    pub(crate) health: Health,
    pub(crate) local_stack: LocalStackPages,
    /// Further names by which unsigned requests may reach the ports.
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) observer: Arc<Observer>,
}

impl Service {
    /// Answers a request that came over a connection to `local`. `is_wanted` is called once, when the request
    /// is read completely; if it returns false, the request has no effect.
    pub(crate) async fn answer<B>(
        &self,
        request: Request<B>,
        local: SocketAddr,
        request_id: &str,
        is_wanted: impl FnOnce() -> bool,
    ) -> Reply
    where
        B: hyper::body::Body<Data: hyper::body::Buf>,
    {
        let notes = request.extensions().get::<Notes>().cloned().unwrap_or_default();
        match self.try_answer(request, local, request_id, is_wanted).await {
            Ok(reply) => reply,
            Err(failure) => {
                let reply = failure.reply();
                if reply.status.is_server_error() {
                    self.health.doubt();
                }
                if let ReplyError::Vault(cause) = &failure
                    && reply.status == StatusCode::INTERNAL_SERVER_ERROR
                {
                    notes.refused(Cause::Failed, cause.to_string());
                }
                reply
            }
        }
    }

    /// Answers a request that came in by the agent's port.
    pub(crate) async fn answer_agent<B>(
        &self,
        request: Request<B>,
        local: SocketAddr,
        is_wanted: impl FnOnce() -> bool,
    ) -> Reply
    where
        B: hyper::body::Body<Data: hyper::body::Buf>,
    {
        if let Some(notes) = request.extensions().get::<Notes>() {
            notes.operation("agent");
        }
        match &self.agent {
            Some(agent) => {
                let names = self.names(local);
                agent.answer(&self.vault, &self.limits, request, names, is_wanted).await
            }
            None => ReplyError::Unavailable.reply(),
        }
    }

    /// A fresh request id: a random (version 4) UUID.
    pub(crate) fn request_id(&self) -> String {
        // Without entropy ids repeat, which harms nothing.
        let random = self.env.random().unwrap_or_default();
        uuid::Builder::from_random_bytes(random).into_uuid().to_string()
    }

    async fn try_answer<B>(
        &self,
        request: Request<B>,
        local: SocketAddr,
        request_id: &str,
        is_wanted: impl FnOnce() -> bool,
    ) -> Result<Reply, ReplyError>
    where
        B: hyper::body::Body<Data: hyper::body::Buf>,
    {
        let (head, body) = request.into_parts();
        let notes = Notes::of(&head);
        let admitted = self.admit(&head, local);
        if let Err(ReplyError::Strayed { status, message }) = &admitted {
            note_strayed(&notes, &head, *status, message);
        }
        // The body is read even if the request is refused: some clients read the response only after writing
        // it.
        let body = body::collect(body, self.limits.body_bytes, self.limits.body_time).await;
        if !is_wanted() {
            return Err(ReplyError::Unavailable);
        }
        admitted?;
        let route = Route::of(&head, body.as_ref().map_or(&[], |body| body.as_slice()));
        note_route(&notes, &route);
        if let Route::Other(service) = &route {
            // Reported even if the body could not be read, because misdirected uploads exceed the limit.
            let read = body.as_ref().map_or(&[][..], |body| body.as_slice());
            let version = route::parameter(&head, read, "Version");
            let reply = other::answer(&head, service, version.as_deref(), request_id);
            return Ok(Reply { close: body.is_err(), ..reply });
        }
        let body = body?;
        match route {
            Route::Alive => return Ok(Reply::plain("ok\n")),
            Route::Ready => return Ok(self.health.readiness(&self.vault).await),
            Route::LocalStack(page) => {
                return Ok(self.local_stack.answer(page, &self.vault, &self.health).await);
            }
            Route::Metrics => {
                let free = self.writes.available_permits();
                let writes = self.limits.writes_in_flight.saturating_sub(free) as u64;
                return Ok(self.health.metrics(&self.vault, &self.observer, writes).await);
            }
            Route::Sts => {
                self.local_stack.note_request();
                self.pairs.refresh(&self.vault).await?;
                let who = || self.identify(&head, &body, Audience::STS);
                return Ok(sts::answer(&head, &body, request_id, who));
            }
            Route::Other(_) | Route::SecretsManager => self.local_stack.note_request(),
        }
        if head.method != Method::POST || !is_root(head.uri.path()) || !is_our_type(&head.headers) {
            return Err(ReplyError::NotOurs);
        }
        let operation = single(&head.headers, "x-amz-target")
            .and_then(request::from_target)
            .ok_or(ReplyError::UnknownOperation)?;
        notes.operation(operation.name());
        if self.observer.tells_names() {
            notes.names(names(&body));
        }
        self.pairs.refresh(&self.vault).await?;
        let scope = self.authenticate(&head, &body)?;
        let request = read(operation, body)?;
        self.perform(self.vault.in_scope(scope), request).await.map(Reply::json)
    }

    /// Refuses a request that is not meant for this server (rules WIRE-GUARD).
    fn admit(&self, head: &Parts, local: SocketAddr) -> Result<(), ReplyError> {
        let is_unsigned = self.auth == Auth::None || route::is_probe(head);
        let proof = if is_unsigned { Proof::None } else { Proof::Signature };
        guard::check(head, self.names(local), proof)
    }

    fn names(&self, local: SocketAddr) -> Names<'_> {
        Names { local, allowed: &self.allowed_hosts }
    }

    fn authenticate(&self, head: &Parts, body: &[u8]) -> Result<Scope, ReplyError> {
        self.identify(head, body, Audience::SECRETS_MANAGER).map_err(|error| {
            ReplyError::Unauthenticated { exception: error.exception, message: error.message }
        })
    }

    fn identify(&self, head: &Parts, body: &[u8], audience: Audience) -> Result<Scope, AuthError> {
        match self.auth {
            Auth::SigV4 => {
                let pairs = self.pairs.current();
                sigv4::verify(head, body, &pairs, audience, self.env.clock.wall())
                    .inspect_err(|error| note_refusal(head, error))
            }
            Auth::None => {
                let region = sigv4::region_of(&head.headers).unwrap_or(&self.anybody.region);
                Ok(Scope::new(&self.anybody.account, region))
            }
        }
    }

    async fn perform(
        &self,
        vault: Vault,
        request: api::Request,
    ) -> Result<Zeroizing<Vec<u8>>, ReplyError> {
        match request {
            api::Request::Write(write) => {
                let answer = self.write(&vault, write).await?;
                write_answer(&answer)
            }
            api::Request::Read(read) => {
                tokio::task::spawn_blocking(move || perform_read(&vault, read))
                    .await
                    .map_err(|_| ReplyError::Internal("the operation was broken off"))?
                    .map_err(ReplyError::from)
            }
        }
    }

    async fn write(&self, vault: &Vault, write: Write) -> Result<Answer, ReplyError> {
        let writes = Arc::clone(&self.writes);
        let permit = writes.acquire_owned().await.map_err(|_| ReplyError::Unavailable)?;
        let (answered, answer) = oneshot::channel();
        let done = move |result: VaultResult<Answer>| {
            // The client may have disconnected. The write has happened anyway.
            let _ = answered.send(result);
            // Held until now: the request itself ends when its client disconnects.
            drop(permit);
        };
        vault.submit_write(write, done);
        match answer.await {
            Ok(result) => result.map_err(ReplyError::from),
            Err(_) => Err(BROKEN_OFF),
        }
    }
}

/// Notes what a request asks for.
fn note_route(notes: &Notes, route: &Route<'_>) {
    match route {
        Route::Alive => notes.probe("healthz"),
        Route::Ready => notes.probe("readyz"),
        Route::Metrics => notes.probe("metrics"),
        Route::LocalStack(_) => notes.probe("localstack"),
        Route::Sts => notes.operation("sts"),
        Route::Other(service) => {
            notes.operation("other");
            notes.refused(Cause::OtherService, service.as_ref());
        }
        Route::SecretsManager => (),
    }
}

/// Notes why the guard refuses a request.
fn note_strayed(notes: &Notes, head: &Parts, status: StatusCode, message: &str) {
    if status == StatusCode::MISDIRECTED_REQUEST {
        let host = head.headers.get("host").map(|host| String::from_utf8_lossy(host.as_bytes()));
        notes.refused(Cause::Host, host.unwrap_or_default());
    } else {
        notes.refused(Cause::Strayed, message);
    }
}

/// Notes why a signature is refused.
fn note_refusal(head: &Parts, error: &AuthError) {
    let detail = match error.why {
        // What the message repeats of the header is long and says nothing new.
        Why::Malformed => error.message.split("Authorization=").next().unwrap_or_default(),
        Why::Clock => &error.message,
        _ => sigv4::key_id_of(&head.headers).unwrap_or_default(),
    };
    Notes::of(head).refused(error.why, detail);
}

/// The secrets that a body names. Only for a log that may name them.
fn names(body: &[u8]) -> Vec<String> {
    const NAMES_MAX: usize = 20;
    let Ok(Node::Object(members)) = parse(body) else { return Vec::new() };
    let mut found = Vec::new();
    for (member, node) in &members {
        match (member.as_str(), node) {
            ("SecretId" | "Name", Node::String(name)) => found.push(name.as_str().to_owned()),
            ("SecretIdList", Node::List(list)) => found.extend(list.iter().filter_map(|node| {
                if let Node::String(name) = node { Some(name.as_str().to_owned()) } else { None }
            })),
            _ => (),
        }
    }
    found.truncate(NAMES_MAX);
    found
}

/// AWS JSON 1.1, or plain JSON, which AWS accepts too.
fn is_our_type(headers: &HeaderMap) -> bool {
    single(headers, "content-type").is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        [JSON, "application/json"].iter().any(|ours| media_type.eq_ignore_ascii_case(ours))
    })
}
