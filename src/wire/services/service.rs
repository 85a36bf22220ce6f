//! One request, from its head to its reply (rules WIRE-FRONT-1 to 8).
//!
//! The order of the checks is AWS's: target and content type, authentication, types, presence, then
//! the rules of the API, which are not here.

use super::agent::Agent;
use super::health::Health;
use super::lanes::CostlyLane;
use super::local_stack::LocalStackPages;
use super::operations::{BROKEN_OFF, perform_read, read, write_answer};
use super::pairs::Pairs;
use super::replays::{Replays, Seat, Turn};
use super::{other, sts};
use crate::env::Env;
use crate::error::Result as VaultResult;
use crate::model::api::Write;
use crate::model::{Scope, api};
use crate::semantics::Answer;
use crate::vault::Vault;
use crate::wire::http::body::{self, Collected, Intake, Room};
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
    /// Room for bodies of requests that are not verified yet.
    pub(crate) room: Room,
    pub(crate) lists: CostlyLane,
    pub(crate) replays: Arc<Replays>,
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
        let keeps = admitted.is_ok() && self.wants_body(&head).await;
        let intake = if keeps { Intake::Keep(&self.room) } else { Intake::Drop };
        let body = body::collect(body, intake, &self.limits).await;
        if !is_wanted() {
            return Err(ReplyError::Unavailable);
        }
        admitted?;
        let route = Route::of(&head, body.as_ref().map_or(&[], |body| body.bytes.as_slice()));
        note_route(&notes, &route);
        if let Route::Other(service) = &route {
            // Reported even if the body could not be read, because misdirected uploads exceed the limit.
            let read = body.as_ref().map_or(&[][..], |body| body.bytes.as_slice());
            let version = route::parameter(&head, read, "Version");
            let reply = other::answer(&head, service, version.as_deref(), request_id);
            return Ok(Reply { close: body.is_err(), ..reply });
        }
        let Collected { bytes: body, room } = body?;
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
        drop(room);
        let request = read(operation, body)?;
        self.perform(self.vault.in_scope(scope), request, &head).await
    }

    /// Refuses a request that is not meant for this server (rules WIRE-GUARD).
    fn admit(&self, head: &Parts, local: SocketAddr) -> Result<(), ReplyError> {
        let is_unsigned = self.auth == Auth::None || route::is_probe(head);
        let proof = if is_unsigned { Proof::None } else { Proof::Signature };
        guard::check(head, self.names(local), proof)
    }

    /// Whether the body can matter: if the head is refused, it does not (CONN-7).
    async fn wants_body(&self, head: &Parts) -> bool {
        if route::is_probe(head) {
            return false;
        }
        let is_call = head.method == Method::POST
            && is_root(head.uri.path())
            && is_our_type(&head.headers)
            && single(&head.headers, "x-amz-target").and_then(request::from_target).is_some();
        let now = self.env.clock.wall();
        let audience = Audience::SECRETS_MANAGER;
        match self.auth {
            _ if !is_call => route::is_form(head),
            Auth::SigV4 => {
                // A failure is reported where the signature is verified.
                let _ = self.pairs.refresh(&self.vault).await;
                sigv4::may_verify(head, &self.pairs.current(), audience, now)
            }
            Auth::None => true,
        }
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
        head: &Parts,
    ) -> Result<Reply, ReplyError> {
        match request {
            api::Request::Write(write) => self.write_once(&vault, write, head).await,
            api::Request::Read(read) => {
                let turn = self.lists.turn(&read).await;
                let content = tokio::task::spawn_blocking(move || {
                    let content = perform_read(&vault, read);
                    drop(turn);
                    content
                });
                let content = content
                    .await
                    .map_err(|_| ReplyError::Internal("the operation was broken off"))?;
                Ok(Reply::json(content?))
            }
        }
    }

    /// Carries out a write, unless it is the repeat of one (CONN-12, CONN-13).
    async fn write_once(
        &self,
        vault: &Vault,
        write: Write,
        head: &Parts,
    ) -> Result<Reply, ReplyError> {
        let stamp = match self.auth {
            Auth::SigV4 => sigv4::stamp_of(&head.headers),
            Auth::None => None,
        };
        let turn = stamp.map(|stamp| self.replays.begin(&stamp, self.env.clock.wall()));
        let seat = match turn {
            None | Some(Turn::Twin) => None,
            Some(Turn::First(seat)) => Some(seat),
            Some(Turn::Again(kept)) => return Ok(kept.reply()),
            Some(Turn::Wait(mut running)) => {
                let kept = running.wait_for(Option::is_some).await;
                let kept = kept.ok().and_then(|kept| kept.clone());
                return kept.map(|kept| kept.reply()).ok_or(ReplyError::MayBeRepeat);
            }
            Some(Turn::Spent) => return Err(ReplyError::Repeat),
            Some(Turn::Unknown) => return Err(ReplyError::MayBeRepeat),
        };
        let (answered, seat) = self.write(vault, write, seat).await;
        let answered = answered.and_then(|answer| Ok(Reply::json(write_answer(&answer)?)));
        if let Some(seat) = seat {
            match &answered {
                Ok(reply) => seat.answer(reply),
                Err(failure) => seat.answer(&failure.reply()),
            }
        }
        answered
    }

    async fn write(
        &self,
        vault: &Vault,
        write: Write,
        mut seat: Option<Seat>,
    ) -> (Result<Answer, ReplyError>, Option<Seat>) {
        let writes = Arc::clone(&self.writes);
        let Ok(permit) = writes.acquire_owned().await else {
            return (Err(ReplyError::Unavailable), seat);
        };
        if let Some(seat) = &mut seat {
            seat.submitted();
        }
        let (answered, answer) = oneshot::channel();
        let done = move |result: VaultResult<Answer>| {
            // The client may have disconnected. The write has happened anyway, and its seat says so.
            let _ = answered.send((result, seat));
            // Held until now: the request itself ends when its client disconnects.
            drop(permit);
        };
        vault.submit_write(write, done);
        match answer.await {
            Ok((result, seat)) => (result.map_err(ReplyError::from), seat),
            Err(_) => (Err(BROKEN_OFF), None),
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
    Notes::of(head).refused(Cause::Signature(error.why), detail);
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
