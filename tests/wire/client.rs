//! A server in this process and a client that writes raw bytes: no HTTP library smooths anything
//! over. The signer shares no code with the verifier.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use strongroom::__internals::env::{
    Clock, DirEntry, Entropy, Env, File, Fs, LockGuard, LockMode, Metadata, OpenMode, UnixMillis,
};
use strongroom::__internals::error::Error;
use strongroom::__internals::secret::SecretBytes;
use strongroom::__internals::vault::{Credential, Vault};
use strongroom::__internals::wire::{AgentOptions, Auth, Limits, Server, ServerOptions, Stopper};

pub(crate) const KEY_ID: &str = "AKIAWIRETEST";
pub(crate) const SECRET: &str = "a-secret-access-key-of-forty-characters!";
/// What the server's clock shows, until it is set.
pub(crate) const NOW: &str = "20260102T030405Z";
pub(crate) const NOW_MILLIS: i64 = 1_767_323_045_000;
/// What a request to the agent's port shows.
pub(crate) const AGENT_TOKEN: &str = "a-token-of-the-agents-port";

struct Stopped {
    started: Instant,
    wall: Arc<AtomicI64>,
}

impl Clock for Stopped {
    fn wall(&self) -> UnixMillis {
        UnixMillis(self.wall.load(Ordering::Relaxed))
    }
    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Numbers that never repeat: enough for request ids.
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        for word in buffer.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            word.iter_mut().zip(count).for_each(|(byte, count)| *byte = count);
        }
        Ok(())
    }
}

/// The server touches no file.
struct NoFiles;

#[rustfmt::skip]
impl Fs for NoFiles {
    fn open(&self, _: &Path, _: OpenMode) -> io::Result<Arc<dyn File>> { unreachable!() }
    fn create_dir(&self, _: &Path) -> io::Result<()> { unreachable!() }
    fn read_dir(&self, _: &Path) -> io::Result<Vec<DirEntry>> { unreachable!() }
    fn metadata(&self, _: &Path) -> io::Result<Option<Metadata>> { unreachable!() }
    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> { unreachable!() }
    fn remove_file(&self, _: &Path) -> io::Result<()> { unreachable!() }
    fn remove_dir_all(&self, _: &Path) -> io::Result<()> { unreachable!() }
    fn sync_dir(&self, _: &Path) -> io::Result<()> { unreachable!() }
    fn set_mode(&self, _: &Path, _: u32) -> io::Result<()> { unreachable!() }
    fn free_bytes(&self, _: &Path) -> io::Result<u64> { unreachable!() }
    fn lock(&self, _: &Path, _: LockMode) -> io::Result<Option<Box<dyn LockGuard>>> { unreachable!() }
    fn bind(self: Arc<Self>, _: &Path) -> io::Result<Arc<dyn Fs>> { unreachable!() }
    fn is_real(&self) -> bool { false }
}

/// A clock that shows `wall`, and no files.
pub(crate) fn env(wall: &Arc<AtomicI64>) -> Env {
    Env {
        clock: Arc::new(Stopped { started: Instant::now(), wall: Arc::clone(wall) }),
        entropy: Arc::new(Counter(AtomicU64::new(1))),
        fs: Arc::new(NoFiles),
    }
}

/// A server on a free port with an empty vault in memory.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) agent: Option<SocketAddr>,
    pub(crate) vault: Vault,
    /// What the server's clock shows, in milliseconds.
    pub(crate) wall: Arc<AtomicI64>,
    stopper: Stopper,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Running {
    pub(crate) fn start(auth: Auth, limits: Limits) -> Self {
        Self::with(ServerOptions {
            auth,
            stop_on_signals: false,
            limits,
            ..ServerOptions::default()
        })
    }

    /// A server with these options, on a free port.
    pub(crate) fn with(options: ServerOptions) -> Self {
        let vault = Vault::in_memory().expect("a vault in memory needs nothing");
        Self::on(vault, options, false)
    }

    /// A server with ordinary options that also speaks the agent's protocol.
    pub(crate) fn with_agent() -> Self {
        let vault = Vault::in_memory().expect("a vault in memory needs nothing");
        let options = ServerOptions { stop_on_signals: false, ..ServerOptions::default() };
        Self::on(vault, options, true)
    }

    /// A server on this vault.
    pub(crate) fn on(vault: Vault, options: ServerOptions, has_agent: bool) -> Self {
        let options = ServerOptions { listen: "127.0.0.1:0".parse().unwrap(), ..options };
        let pair = Credential {
            access_key_id: KEY_ID.into(),
            account: "123456789012".into(),
            secret_access_key: SecretBytes::copy_from(SECRET.as_bytes()),
        };
        let wall = Arc::new(AtomicI64::new(NOW_MILLIS));
        let server = Server::bind(vault.clone(), vec![pair], options, env(&wall));
        let mut server = server.expect("a free port");
        if has_agent {
            let token = SecretBytes::copy_from(AGENT_TOKEN.as_bytes());
            let (listen, account) = ("127.0.0.1:0".parse().unwrap(), "123456789012".into());
            server = server.with_agent(AgentOptions { listen, token, account }).expect("a port");
        }
        let (address, agent, stopper) =
            (server.local_addr(), server.agent_addr(), server.stopper());
        let thread = Some(std::thread::spawn(move || server.run()));
        Self { address, agent, vault, wall, stopper, thread }
    }

    /// A server that believes everybody, with ordinary limits.
    pub(crate) fn open() -> Self {
        Self::start(Auth::None, Limits::default())
    }

    pub(crate) fn connect(&self) -> Wire {
        Wire::to(self.address)
    }

    /// Connects to the agent's port.
    pub(crate) fn connect_agent(&self) -> Wire {
        Wire::to(self.agent.expect("a server with an agent's port"))
    }

    /// Calls an operation over a connection of its own.
    pub(crate) fn call(&self, operation: &str, body: &str) -> Response {
        self.connect().call(operation, body.as_bytes())
    }

    pub(crate) fn stop(&self) {
        self.stopper.stop();
    }

    /// Waits for the server to end by itself.
    pub(crate) fn join(mut self) -> Result<(), Error> {
        self.thread.take().unwrap().join().expect("the server does not panic")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the server does not panic").expect("the server ends well");
            }
        }
    }
}

/// A connection.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    pub(crate) host: String,
}

impl Wire {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, host: format!("127.0.0.1:{}", address.port()) }
    }

    pub(crate) fn call(&mut self, operation: &str, body: &[u8]) -> Response {
        let request = Request::new(&self.host, operation, body);
        self.exchange(&request.bytes())
    }

    pub(crate) fn exchange(&mut self, request: &[u8]) -> Response {
        self.write(request);
        self.read().expect("an answer")
    }

    /// The server may have answered and closed before it has read everything.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next response; `None` if the connection ends first.
    pub(crate) fn read(&mut self) -> Option<Response> {
        let mut response = self.read_head()?;
        let len = response.header("content-length").map_or(0, |len| len.parse().unwrap());
        response.body.resize(len, 0);
        self.stream.read_exact(&mut response.body).expect("the announced body");
        Some(response)
    }

    /// The next response without its body: all of it that a `HEAD` gets.
    pub(crate) fn read_head(&mut self) -> Option<Response> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                Ok(_) => return None,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer in time: {error}"),
            }
        }
        let head = String::from_utf8(head).expect("a head is text");
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Some(Response { status, headers, body: Vec::new() })
    }

    /// How long the server takes to end the connection, up to 10 s.
    pub(crate) fn time_to_end(&mut self) -> Duration {
        let start = Instant::now();
        self.stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut rest = [0; 4096];
        while matches!(self.stream.read(&mut rest), Ok(1..)) {}
        start.elapsed()
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body is text")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        // Some answers have no body.
        if self.body.is_empty() {
            return serde_json::json!({});
        }
        serde_json::from_slice(&self.body).expect("a body is JSON")
    }

    #[track_caller]
    pub(crate) fn ok(self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.text()), (status, body));
    }
}

/// A request under construction.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(host: &str, operation: &str, body: &[u8]) -> Self {
        let request =
            Self { line: "POST / HTTP/1.1".into(), headers: Vec::new(), body: body.into() };
        request
            .with("host", host)
            .with("content-type", "application/x-amz-json-1.1")
            .with("x-amz-target", &format!("secretsmanager.{operation}"))
            .with("content-length", &body.len().to_string())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| found != name);
        self
    }

    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    pub(crate) fn line(self, line: &str) -> Self {
        Self { line: line.into(), ..self }
    }

    /// Signs all headers that it has, in `region`, as at `time`.
    pub(crate) fn signed(self, key_id: &str, secret: &str, region: &str, time: &str) -> Self {
        self.signed_for("secretsmanager", key_id, secret, region, time)
    }

    /// The same for any service.
    pub(crate) fn signed_for(
        self,
        service: &str,
        key_id: &str,
        secret: &str,
        region: &str,
        time: &str,
    ) -> Self {
        let request = self.set("x-amz-date", time);
        let mut headers = request.headers.clone();
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let lines = lines.concat();
        let body = hex::encode(Sha256::digest(&request.body));
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{body}");
        let scope = format!("{}/{region}/{service}/aws4_request", &time[..8]);
        let digest = hex::encode(Sha256::digest(canonical));
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in scope.split('/') {
            key = mac(&key, part);
        }
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let signature = hex::encode(mac(&key, &text));
        request.with(
            "authorization",
            &format!(
                "AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, \
                 Signature={signature}"
            ),
        )
    }

    /// Signs it as the server wants it.
    pub(crate) fn well_signed(self) -> Self {
        self.signed(KEY_ID, SECRET, "us-east-1", NOW)
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.head().as_slice(), &self.body].concat()
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("every length is a key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
