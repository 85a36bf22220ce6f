//! The server: binds its ports, accepts connections, shuts down (rules WIRE-NET-1, 2, 6).

use super::admission::{self, Connections};
use super::connection::Listener;
use super::signals::Signals;
use crate::env::real::{is_out_of_files, widen_backlog};
use crate::env::{Env, UnixMillis};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Scope;
use crate::model::name::{is_host, is_region};
use crate::vault::{Credential, Vault};
use crate::wire::http::body::Room;
use crate::wire::observe::Observer;
use crate::wire::options::{AgentOptions, Auth, Limits, ServerOptions};
use crate::wire::services::{
    Agent, CostlyLane, Health, LocalStackPages, Pairs, READ_THREADS_MAX, Replays, RequestIds,
    Service, ShortReads, serving_threads,
};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// Pause after a failed accept, for example without file descriptors, which would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often a full server looks whether somebody gives way to the connection that waits.
const LOOK: Duration = Duration::from_millis(25);
/// Connections that may wait in the system's queue.
const BACKLOG: i32 = 4096;
/// How long running reads may take after the last response.
const RUNTIME_END: Duration = Duration::from_secs(1);

/// A server whose port is bound. [`Server::run`] answers requests.
pub struct Server {
    service: Arc<Service>,
    listener: TcpListener,
    local: SocketAddr,
    /// The agent's port.
    agent: Option<TcpListener>,
    stop: Arc<watch::Sender<bool>>,
    signals: Option<Signals>,
    // Last, so that all that belongs to it is dropped before.
    runtime: Runtime,
}

/// Stops a server from another thread.
#[derive(Clone)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// Shuts down as on SIGTERM: no new requests, running requests finish, then `run` returns.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Binds the port and installs the signal handlers. `credentials` are the pairs that may sign. `env` is
    /// the clock for signatures and the randomness for request ids.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for [`Auth::None`] on an address that others reach, and for an account or
    /// region that is none; [`ErrorKind::Io`] when the port cannot be had.
    pub fn bind(
        vault: Vault,
        credentials: Vec<Credential>,
        options: ServerOptions,
        env: Env,
    ) -> Result<Self> {
        check(&options)?;
        let ServerOptions {
            listen,
            auth,
            account,
            region,
            pairs_are_new,
            allowed_hosts,
            stop_on_signals,
            log_names,
            limits,
        } = options;
        let (listener, local) = take_port(listen, "listen on")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(serving_threads())
            .max_blocking_threads(READ_THREADS_MAX)
            .thread_name("strongroom-http")
            .build()
            .map_err(|cause| Error::io("start threads", "", cause))?;
        let signals = if stop_on_signals {
            let _inside = runtime.enter();
            Some(Signals::take_over().map_err(|cause| Error::io("take over signals", "", cause))?)
        } else {
            None
        };
        let replays = Arc::new(Replays::new(if pairs_are_new {
            UnixMillis(i64::MIN)
        } else {
            env.clock.wall()
        }));
        let service = Service {
            pairs: Pairs::new(credentials, &vault, &env)?,
            vault,
            auth,
            anybody: Scope::new(&account, &region),
            observer: Arc::new(Observer::new(env.clone(), log_names)),
            request_ids: RequestIds::new(env.clone()),
            env,
            writes: Arc::new(Semaphore::new(limits.writes_in_flight)),
            health: Health::new(),
            local_stack: LocalStackPages::default(),
            allowed_hosts,
            room: Room::new(),
            lists: CostlyLane::new(),
            short_reads: ShortReads::new(runtime.handle().clone())
                .map_err(|cause| Error::io("start threads", "", cause))?,
            replays,
            agent: None,
            limits: Limits { connections: admission::connections_max(&limits), ..limits },
        };
        let stop = Arc::new(watch::Sender::new(false));
        let service = Arc::new(service);
        Ok(Self { service, listener, local, agent: None, stop, signals, runtime })
    }

    /// Binds a second port, for the read protocol of AWS's agent (rules WIRE-AGENT).
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for an address that is not loopback, an account that is none, and a
    /// token that no header can carry; [`ErrorKind::Io`] when the port cannot be had.
    pub fn with_agent(mut self, options: AgentOptions) -> Result<Self> {
        check_agent(&options)?;
        let (listener, _) = take_port(options.listen, "listen for the agent on")?;
        // Nothing else holds the service before `run`.
        if let Some(service) = Arc::get_mut(&mut self.service) {
            let scope = Scope::new(&options.account, &service.anybody.region);
            service.agent = Some(Agent::new(options.token, scope));
            self.agent = Some(listener);
        }
        Ok(self)
    }

    /// The address that the agent's port is bound to, if there is one.
    pub fn agent_addr(&self) -> Option<SocketAddr> {
        self.agent.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// The address that it is bound to; with port 0 asked for, the port that it got.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// A handle to stop it with.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }

    /// Answers requests until it is stopped. Blocks the thread; not to be called from async code.
    /// A second signal returns without waiting for requests in flight. The vault stays open.
    pub fn run(self) -> Result<()> {
        let Self { service, listener: api, local: _, agent, stop, signals, runtime } = self;
        let result = runtime.block_on(async {
            let listener = |listener| {
                tokio::net::TcpListener::from_std(listener)
                    .map_err(|cause| Error::io("listen", "", cause))
            };
            let ports = Ports { api: listener(api)?, agent: agent.map(listener).transpose()? };
            serve(service, ports, &stop, signals).await;
            Ok(())
        });
        runtime.shutdown_timeout(RUNTIME_END);
        result
    }
}

fn check(options: &ServerOptions) -> Result<()> {
    let usage = |what| Err(ErrorKind::Usage { what }.into());
    if options.auth == Auth::None && !options.listen.ip().is_loopback() {
        return usage("a server without authentication listens on a loopback address only");
    }
    if !is_region(&options.region) {
        return usage("the region must look like us-east-1");
    }
    if !options.allowed_hosts.iter().all(|host| is_host(host)) {
        return usage("an allowed host is a NAME or NAME:PORT");
    }
    check_account(&options.account)
}

fn check_account(account: &str) -> Result<()> {
    if crate::model::name::is_account(account) {
        return Ok(());
    }
    Err(ErrorKind::Usage { what: "the account must be 12 digits" }.into())
}

fn check_agent(options: &AgentOptions) -> Result<()> {
    let usage = |what| Err(ErrorKind::Usage { what }.into());
    if !options.listen.ip().is_loopback() {
        return usage("the agent's port is for a loopback address only");
    }
    // EXPOSE: only to see whether a header can carry it and nobody guesses it.
    let token = options.token.expose();
    if token.len() < AgentOptions::TOKEN_BYTES_MIN || !token.iter().all(u8::is_ascii_graphic) {
        return usage("the agent's token must be 16 visible ASCII characters or more");
    }
    check_account(&options.account)
}

fn take_port(listen: SocketAddr, op: &'static str) -> Result<(TcpListener, SocketAddr)> {
    let taken = TcpListener::bind(listen).and_then(|listener| {
        listener.set_nonblocking(true)?;
        widen_backlog(&listener, BACKLOG)?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    });
    taken.map_err(|cause| cannot_listen(listen, op, cause))
}

fn cannot_listen(listen: SocketAddr, op: &'static str, cause: io::Error) -> Error {
    let is_taken = cause.kind() == io::ErrorKind::AddrInUse && listen.port() == ServerOptions::PORT;
    let cause = if is_taken {
        let beside = SocketAddr::new(listen.ip(), ServerOptions::PORT_BESIDE);
        let words = format!("another program uses the port, perhaps an AWS emulator; try {beside}");
        io::Error::new(cause.kind(), words)
    } else {
        cause
    };
    Error::io(op, listen.to_string(), cause)
}

/// The ports of a server that runs.
struct Ports {
    api: tokio::net::TcpListener,
    agent: Option<tokio::net::TcpListener>,
}

impl Ports {
    async fn accept(&self) -> io::Result<(TcpStream, Listener)> {
        let agent = async {
            match &self.agent {
                Some(agent) => agent.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.api.accept() => accepted.map(|(stream, _)| (stream, Listener::Api)),
            accepted = agent => accepted.map(|(stream, _)| (stream, Listener::Agent)),
        }
    }
}

async fn serve(
    service: Arc<Service>,
    ports: Ports,
    stop: &watch::Sender<bool>,
    mut signals: Option<Signals>,
) {
    let mut connections = Connections::new(Arc::clone(&service), stop);
    let mut stopped = stop.subscribe();
    let mut health = pin!(service.health.watch(&service.vault));
    loop {
        let accepts = connections.accepts();
        tokio::select! {
            () = &mut health => (),
            _ = stopped.wait_for(|stop| *stop) => break,
            () = Signals::next(&mut signals) => break,
            Some(()) = connections.next_end() => drop(connections.admit_waiting()),
            () = tokio::time::sleep(LOOK), if !accepts => drop(connections.admit_waiting()),
            accepted = ports.accept(), if accepts => match accepted {
                Ok((stream, listener)) => connections.arrive(stream, listener),
                Err(error) => {
                    // One connection less lets the next one in.
                    if is_out_of_files(&error) {
                        connections.make_room();
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(ports);
    stop.send_replace(true);
    let drained = async { while connections.next_end().await.is_some() {} };
    tokio::select! {
        _ = timeout(service.limits.drain_time, drained) => (),
        () = Signals::next(&mut signals) => (),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// WIRE-NET-1
    #[test]
    fn a_server_that_believes_everybody_stays_on_loopback() {
        for (listen, allowed) in [
            ("127.0.0.1:0", true),
            ("127.9.9.9:0", true),
            ("[::1]:0", true),
            ("0.0.0.0:0", false),
            ("[::]:0", false),
            ("192.168.1.5:0", false),
        ] {
            let listen = listen.parse().unwrap();
            let options = ServerOptions { listen, auth: Auth::None, ..ServerOptions::default() };
            assert_eq!(check(&options).is_ok(), allowed, "{listen}");
            assert!(check(&ServerOptions { auth: Auth::SigV4, ..options }).is_ok());
        }
    }

    #[test]
    fn an_account_is_twelve_digits_and_a_region_looks_like_one() {
        for account in ["", "1", "00000000000a", "0000000000000"] {
            let options = ServerOptions { account: account.into(), ..ServerOptions::default() };
            assert!(check(&options).is_err(), "{account}");
        }
        let options = ServerOptions { region: "us".into(), ..ServerOptions::default() };
        assert!(check(&options).is_err());
    }

    #[test]
    fn a_taken_port_is_named_with_a_way_out() {
        let error = cannot_listen(
            "127.0.0.1:4566".parse().unwrap(),
            "listen on",
            io::ErrorKind::AddrInUse.into(),
        );
        let text = error.to_string();
        assert!(text.contains("127.0.0.1:4566") && text.contains("127.0.0.1:4584"), "{text}");
        let other = cannot_listen(
            "127.0.0.1:80".parse().unwrap(),
            "listen on",
            io::ErrorKind::AddrInUse.into(),
        );
        assert!(!other.to_string().contains("4584"));
    }
}
