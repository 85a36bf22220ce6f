//! The open connections: admits new ones, and closes those that give way when the server is full (rules
//! WIRE-NET-1, 2, CONN-1 to 4).

use super::connection::{self, Listener};
use crate::env::real::{open_files_max, unread_bytes};
use crate::wire::http::phase::Connection;
use crate::wire::observe::Cause;
use crate::wire::options::Limits;
use crate::wire::services::Service;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

/// Files that a vault has open, and some to spare.
const VAULT_FILES: usize = 96;
/// So many connections are served however few files the process may open.
const CONNECTIONS_MIN: usize = 8;
/// So many connections that gave way may still be closing. Each has a file until it is closed, so beyond that
/// a new one waits.
const CLOSING_MAX: usize = 8;
/// So many connections are accepted before there is a place for them.
const WAITING_MAX: usize = 1;

/// How many connections there may be at once.
pub(super) fn connections_max(limits: &Limits) -> usize {
    let others = VAULT_FILES + CLOSING_MAX + WAITING_MAX;
    let left = open_files_max().saturating_sub(others).saturating_sub(limits.other_files);
    limits.connections.min(left.max(CONNECTIONS_MIN))
}

/// A connection that was accepted and for which there is no place yet. All others wait in the system's queue.
struct Waiting {
    stream: TcpStream,
    listener: Listener,
    /// Whether the log has heard that the server is full.
    is_told: bool,
}

pub(super) struct Connections {
    service: Arc<Service>,
    stop: watch::Sender<bool>,
    open: HashMap<u64, Arc<Connection>>,
    next: u64,
    waiting: Option<Waiting>,
    tasks: JoinSet<u64>,
}

impl Connections {
    pub(super) fn new(service: Arc<Service>, stop: &watch::Sender<bool>) -> Self {
        Self {
            service,
            stop: stop.clone(),
            open: HashMap::new(),
            next: 0,
            waiting: None,
            tasks: JoinSet::new(),
        }
    }

    /// Whether another connection may be accepted.
    pub(super) fn accepts(&self) -> bool {
        self.waiting.is_none()
    }

    /// Takes a connection that was accepted. In a full server it waits until another one ends or gives way.
    pub(super) fn arrive(&mut self, stream: TcpStream, listener: Listener) {
        self.waiting = Some(Waiting { stream, listener, is_told: false });
        self.admit_waiting();
    }

    /// Looks again whether there is a place for the one that waits. `false`: it still waits.
    pub(super) fn admit_waiting(&mut self) -> bool {
        if self.waiting.is_none() {
            return true;
        }
        // That it waits until others are closed lasts a moment and is nothing to report.
        if !self.has_files() {
            return false;
        }
        let is_full = self.open.len() >= self.service.limits.connections;
        if is_full && !self.make_room() {
            self.tell_full();
            return false;
        }
        if let Some(Waiting { stream, listener, .. }) = self.waiting.take() {
            self.admit(stream, listener);
        }
        true
    }

    /// Reports once for each connection that waits that all others are active.
    fn tell_full(&mut self) {
        let Some(waiting) = self.waiting.as_mut().filter(|waiting| !waiting.is_told) else {
            return;
        };
        waiting.is_told = true;
        let detail = format!("all {} connections are active, a new one waits", self.open.len());
        self.service.observer.refuse(Cause::Full, &detail);
    }

    /// Whether few enough of those that gave way are still closing.
    fn has_files(&self) -> bool {
        self.tasks.len() < self.service.limits.connections.saturating_add(CLOSING_MAX)
    }

    fn admit(&mut self, stream: TcpStream, listener: Listener) {
        let (read, write) = stream.into_split();
        let write = Arc::new(write);
        let asked = Arc::clone(&write);
        let connection = Arc::new(Connection::new(move || unread_bytes((*asked).as_ref())));
        let id = self.next;
        self.next += 1;
        self.open.insert(id, Arc::clone(&connection));
        let service = Arc::clone(&self.service);
        let stop = self.stop.subscribe();
        self.tasks.spawn(async move {
            connection::serve(service, connection, (read, write), listener, stop).await;
            id
        });
    }

    /// Closes the connection that gives way first. `false`: all are active.
    pub(super) fn make_room(&mut self) -> bool {
        let limits = &self.service.limits;
        let mut candidates: Vec<_> = self
            .open
            .iter()
            .filter_map(|(id, connection)| Some((connection.priority(limits)?, *id)))
            .collect();
        candidates.sort();
        for (_, id) in candidates {
            // It may have become active since.
            if self.open.get(&id).is_some_and(|connection| connection.give_up(limits)) {
                self.open.remove(&id);
                return true;
            }
        }
        false
    }

    /// Waits for a connection to end; `None` if there is none.
    pub(super) async fn next_end(&mut self) -> Option<()> {
        let ended = self.tasks.join_next().await?;
        self.forget(&ended);
        Some(())
    }

    fn forget(&mut self, ended: &Result<u64, JoinError>) {
        match ended {
            Ok(id) => {
                self.open.remove(id);
            }
            // A defect ended the task. Nothing else holds its connection.
            Err(_) => self.open.retain(|_, connection| Arc::strong_count(connection) > 1),
        }
    }
}
