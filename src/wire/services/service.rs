//! One request, from its head to its reply (rules WIRE-FRONT-1 to 8).
//!
//! The order of the checks is AWS's: target and content type, authentication, types, presence, then
//! the rules of the API, which are not here.

use super::agent::Agent;
use super::health::Health;
use super::lanes::{CostlyLane, is_short};
use super::local_stack::LocalStackPages;
use super::operations::{parse_body, perform_read};
use super::pairs::Pairs;
use super::replays::Replays;
use super::request_ids::RequestIds;
use super::short_reads::ShortReads;
use super::{noted, other, sts};
use crate::env::Env;
use crate::model::Scope;
use crate::model::api::{self, Operation};
use crate::vault::Vault;
use crate::wire::encoding::headers::{X_AMZ_TARGET, single};
use crate::wire::http::body::{self, Collected, Intake, Room};
use crate::wire::http::guard::{self, Names, Proof};
use crate::wire::http::route::{self, Route, is_root};
use crate::wire::observe::{Cause, Notes, Observer};
use crate::wire::options::{Auth, Limits};
use crate::wire::reply::{JSON, Reply, ReplyError};
use crate::wire::request;
use crate::wire::sigv4::{self, Audience, AuthError, Claim, Stamp};
use hyper::header::CONTENT_TYPE;
use hyper::http::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The caller, and what makes its request the same as another if it is signed.
type Identity = (Scope, Option<Stamp>);

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
    pub(crate) short_reads: ShortReads,
    pub(crate) replays: Arc<Replays>,
    pub(crate) request_ids: RequestIds,
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
        match self.try_answer(request, &notes, local, request_id, is_wanted).await {
            Ok(reply) => reply,
            Err(failure) => {
                let reply = failure.reply();
                self.judge(&reply);
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
                let (vault, names) = ((&self.vault, &self.short_reads), self.names(local));
                let answer = agent.answer(vault, &self.limits, request, names, is_wanted);
                let reply = answer.await;
                self.judge(&reply);
                reply
            }
            None => ReplyError::Unavailable.reply(),
        }
    }

    /// Asks the vault at once if the server could not do what was asked (HEALTH-3).
    fn judge(&self, reply: &Reply) {
        if reply.status.is_server_error() {
            self.health.doubt();
        }
    }

    async fn try_answer<B>(
        &self,
        request: Request<B>,
        notes: &Notes,
        local: SocketAddr,
        request_id: &str,
        is_wanted: impl FnOnce() -> bool,
    ) -> Result<Reply, ReplyError>
    where
        B: hyper::body::Body<Data: hyper::body::Buf>,
    {
        let (head, body) = request.into_parts();
        let admitted = self.admit(&head, local);
        let called = called(&head);
        // The body is read even if the request is refused: some clients read the response only after writing
        // it.
        let (intake, claim) = if admitted.is_ok() {
            self.intake(&head, called.is_some()).await
        } else {
            (Intake::Drop, None)
        };
        let body = body::collect(body, intake, &self.limits).await;
        if !is_wanted() {
            return Err(ReplyError::Unavailable);
        }
        admitted?;
        let route = if called.is_some() {
            Route::SecretsManager
        } else {
            Route::of(&head, body.as_ref().map_or(&[], |body| body.bytes.as_slice()))
        };
        noted::route(notes, &route);
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
                let who = || {
                    let claim = || claim.unwrap_or_else(|| Claim::read(&head, Audience::STS));
                    Ok(self.identify(&head, &body, claim)?.0)
                };
                return Ok(sts::answer(&head, &body, request_id, who));
            }
            Route::Other(_) | Route::SecretsManager => self.local_stack.note_request(),
        }
        let Some(operation) = called else {
            let is_ours = is_post(&head) && is_our_type(&head.headers);
            return Err(if is_ours { ReplyError::UnknownOperation } else { ReplyError::NotOurs });
        };
        notes.operation(operation.name());
        self.pairs.refresh(&self.vault).await?;
        let (scope, stamp) = self.authenticate(&head, &body, claim)?;
        // Whoever waits for the room is woken by this thread, and must not find it with a read that waits.
        let may_be_short = room.is_none();
        drop(room);
        let body = parse_body(body)?;
        if self.observer.tells_names() {
            notes.names(noted::names(&body));
        }
        let request = request::read(operation, body)?;
        let vault = self.vault.in_scope(scope);
        match request {
            api::Request::Write(write) => self.write_once(&vault, write, stamp).await,
            api::Request::Read(read) => self.read(vault, read, may_be_short).await,
        }
    }

    /// Refuses a request that is not meant for this server (rules WIRE-GUARD).
    fn admit(&self, head: &Parts, local: SocketAddr) -> Result<(), ReplyError> {
        let is_unsigned = self.auth == Auth::None || route::is_probe(head);
        let proof = if is_unsigned { Proof::None } else { Proof::Signature };
        guard::check(head, self.names(local), proof)
    }

    /// What is done with the body: it is kept if it can matter (CONN-7). `is_call`: its head is one of a
    /// request to an operation. Also what the head says about the signature, if it was read.
    async fn intake<'h>(
        &self,
        head: &'h Parts,
        is_call: bool,
    ) -> (Intake<'_>, Option<Result<Claim<'h>, AuthError>>) {
        if route::is_probe(head) {
            return (Intake::Drop, None);
        }
        let is_form = !is_call && route::is_form(head);
        let audience = if is_form { Audience::STS } else { Audience::SECRETS_MANAGER };
        let (can_be_good, claim) = match self.auth {
            _ if !is_call && !is_form => (false, None),
            Auth::SigV4 => {
                // A failure is reported where the signature is verified.
                let _ = self.pairs.refresh(&self.vault).await;
                let (claim, now) = (Claim::read(head, audience), self.env.clock.wall());
                let pairs = self.pairs.current();
                (claim.as_ref().is_ok_and(|claim| claim.may_hold(&pairs, now)), Some(claim))
            }
            Auth::None => (true, None),
        };
        let intake = match (can_be_good, is_form) {
            (true, _) => Intake::Keep(&self.room),
            // It names the operation, by which a refusal is worded.
            (false, true) => Intake::Beginning,
            (false, false) => Intake::Drop,
        };
        (intake, claim)
    }

    fn names(&self, local: SocketAddr) -> Names<'_> {
        Names { local, allowed: &self.allowed_hosts }
    }

    fn authenticate<'h>(
        &self,
        head: &'h Parts,
        body: &[u8],
        claim: Option<Result<Claim<'h>, AuthError>>,
    ) -> Result<Identity, ReplyError> {
        let claim = || claim.unwrap_or_else(|| Claim::read(head, Audience::SECRETS_MANAGER));
        self.identify(head, body, claim).map_err(|error| ReplyError::Unauthenticated {
            exception: error.exception,
            message: error.message,
        })
    }

    fn identify<'h>(
        &self,
        head: &Parts,
        body: &[u8],
        claim: impl FnOnce() -> Result<Claim<'h>, AuthError>,
    ) -> Result<Identity, AuthError> {
        match self.auth {
            Auth::SigV4 => {
                let (pairs, now) = (self.pairs.current(), self.env.clock.wall());
                let verified = claim().and_then(|claim| claim.verify(head, body, &pairs, now));
                let (scope, stamp) = verified.inspect_err(|error| noted::refusal(head, error))?;
                Ok((scope, Some(stamp)))
            }
            Auth::None => {
                let region = sigv4::region_of(&head.headers).unwrap_or(&self.anybody.region);
                Ok((Scope::new(&self.anybody.account, region), None))
            }
        }
    }

    async fn read(
        &self,
        vault: Vault,
        read: api::Read,
        may_be_short: bool,
    ) -> Result<Reply, ReplyError> {
        let turn = self.lists.turn(&read).await;
        let is_short = may_be_short && is_short(&read);
        let content = self.short_reads.perform(is_short, move || {
            let content = perform_read(&vault, read);
            drop(turn);
            content
        });
        let content =
            content.await.map_err(|_| ReplyError::Internal("the operation was broken off"))?;
        Ok(Reply::json(content?))
    }
}

/// The operation that a request asks for, if method, path, type and target are those of one (rules
/// WIRE-FRONT-1 to 3).
fn called(head: &Parts) -> Option<Operation> {
    if !is_post(head) || !is_our_type(&head.headers) {
        return None;
    }
    single(&head.headers, &X_AMZ_TARGET).and_then(request::from_target)
}

fn is_post(head: &Parts) -> bool {
    head.method == Method::POST && is_root(head.uri.path())
}

/// AWS JSON 1.1, or plain JSON, which AWS accepts too.
fn is_our_type(headers: &HeaderMap) -> bool {
    single(headers, &CONTENT_TYPE).is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default().trim();
        [JSON, "application/json"].iter().any(|ours| media_type.eq_ignore_ascii_case(ours))
    })
}
