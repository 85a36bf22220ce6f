//! The servers, each in a process of its own.

use super::exports::Exports;
use super::sigv4::Keys;
use crate::measure::ends_with_us;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where the runner leaves the path of the command that it has built.
pub const BINARY: &str = "STRONGROOM_BINARY";
/// How long moto may take to start.
const MOTO: Duration = Duration::from_secs(60);

pub fn binary() -> PathBuf {
    std::env::var_os(BINARY).expect("the runner names the command").into()
}

pub struct Server {
    child: Child,
    pub host: String,
}

impl Server {
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The command's server, with the vault in this folder. It is made if it is missing.
    pub fn product(folder: &Path) -> (Self, Keys) {
        let mut command = Command::new(binary());
        command.arg("--vault").arg(folder.join("vault"));
        command.arg("--key-file").arg(folder.join("vault.key"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--print-credentials"]);
        command.env("HOME", folder).stdin(Stdio::null()).stdout(Stdio::null());
        ends_with_us(&mut command);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut lines = Vec::new();
        let mut log = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        for line in log.by_ref() {
            lines.push(line.expect("the server's log is text"));
            if lines.last().is_some_and(|line| line == "Ready.") {
                break;
            }
        }
        std::thread::spawn(move || log.for_each(drop));
        let exports = Exports::of(lines.iter().map(String::as_str));
        (Self { child, host: exports.host() }, exports.keys())
    }

    /// hyper alone. It answers with the head and body of `sample`; with a folder after the body of the
    /// request is durable there.
    pub fn bare(sample: &[u8], durable: Option<&Path>) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("the program has a path"));
        command.arg("bare-server").args(durable);
        command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::null());
        ends_with_us(&mut command);
        let mut child = command.spawn().expect("the program starts");
        let mut input = child.stdin.take().expect("it is piped");
        input.write_all(sample).expect("the bare server reads its answer");
        drop(input);
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let host = lines.next().expect("the bare server prints its address").expect("it is text");
        Self { child, host }
    }

    /// moto's server, if it is installed. It keeps secrets in memory.
    pub fn moto() -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").ok()?;
        let host = free.local_addr().ok()?.to_string();
        drop(free);
        let port = host.rsplit(':').next()?;
        let mut command = Command::new("moto_server");
        command.args(["-p", port]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        ends_with_us(&mut command);
        let server = Self { child: command.spawn().ok()?, host };
        let begun = Instant::now();
        while begun.elapsed() < MOTO {
            if TcpStream::connect(&server.host).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
