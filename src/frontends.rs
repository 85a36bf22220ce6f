//! Joins the command and the server, which do not know each other: gives the command the server that
//! `serve` starts and the HTTP client that calls rotation functions.

#[cfg(feature = "server")]
use crate::cli::transport::{AgentRequest, Hook, Http, ListenRequest, Listening};
#[cfg(feature = "server")]
use crate::vault::RotationError;
#[cfg(feature = "server")]
use crate::wire::{self, AgentOptions, Auth, Limits, Server, ServerOptions};
use std::process::ExitCode;

/// The whole command.
#[must_use]
pub fn main() -> ExitCode {
    crate::cli::main(
        #[cfg(feature = "server")]
        Http { listen, hook },
    )
}

#[cfg(feature = "server")]
fn listen(request: ListenRequest) -> crate::error::Result<Box<dyn Listening>> {
    let ListenRequest {
        vault,
        pairs,
        pairs_are_new,
        listen,
        signed,
        allowed_hosts,
        region,
        log_names,
        other_files,
        agent,
        env,
    } = request;
    let auth = if signed { Auth::SigV4 } else { Auth::None };
    let options = ServerOptions {
        listen,
        auth,
        region,
        pairs_are_new,
        allowed_hosts,
        log_names,
        limits: Limits { other_files, ..Limits::default() },
        ..ServerOptions::default()
    };
    let server = Server::bind(vault, pairs, options, env)?;
    Ok(Box::new(match agent {
        None => server,
        Some(AgentRequest { listen, token, account }) => {
            server.with_agent(AgentOptions { listen, token, account })?
        }
    }))
}

#[cfg(feature = "server")]
fn hook(url: &str) -> Option<Box<dyn Hook>> {
    Some(Box::new(wire::Hook::parse(url)?))
}

#[cfg(feature = "server")]
impl Hook for wire::Hook {
    fn invoke(&self, event: Vec<u8>, goes_on: &dyn Fn() -> bool) -> Result<(), RotationError> {
        wire::Hook::invoke(self, event, goes_on)
    }
}

#[cfg(feature = "server")]
impl Listening for Server {
    fn local_addr(&self) -> std::net::SocketAddr {
        Server::local_addr(self)
    }

    fn agent_addr(&self) -> Option<std::net::SocketAddr> {
        Server::agent_addr(self)
    }

    fn run(self: Box<Self>) -> crate::error::Result<()> {
        Server::run(*self)
    }
}
