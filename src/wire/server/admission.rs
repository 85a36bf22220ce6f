//! The open connections: admits new ones and closes idle ones when the server is full (rules WIRE-NET-1, 2).

use super::connection::{self, Listener};
use crate::wire::http::phase::Connection;
use crate::wire::reply::ReplyError;
use crate::wire::services::Service;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(super) struct Connections {
    pub(super) open: Vec<Arc<Connection>>,
    pub(super) tasks: JoinSet<()>,
}

impl Connections {
    /// Admits a connection. A full server closes the connection that has waited longest; if all are busy, it
    /// refuses the new one.
    pub(super) fn admit(
        &mut self,
        service: &Arc<Service>,
        stream: TcpStream,
        listener: Listener,
        stop: &watch::Sender<bool>,
    ) {
        self.forget_closed();
        if self.open.len() >= service.limits.connections
            && !self.make_room(service.limits.body_patience)
        {
            turn_away(&stream, service);
            return;
        }
        let connection = Arc::new(Connection::new());
        self.open.push(Arc::clone(&connection));
        let service = Arc::clone(service);
        self.tasks.spawn(connection::serve(
            service,
            connection,
            stream,
            listener,
            stop.subscribe(),
        ));
    }

    pub(super) fn make_room(&mut self, patience: Duration) -> bool {
        let mut candidates: Vec<_> = (0..)
            .zip(&self.open)
            .filter_map(|(index, connection)| Some((connection.priority(patience)?, index)))
            .collect();
        candidates.sort();
        for (_, index) in candidates {
            // It may have become busy since.
            if self.open.get(index).is_some_and(|connection| connection.give_up(patience)) {
                self.open.swap_remove(index);
                return true;
            }
        }
        false
    }

    /// Drops connections whose task has ended: nothing else holds them.
    pub(super) fn forget_closed(&mut self) {
        self.open.retain(|connection| Arc::strong_count(connection) > 1);
    }
}

/// Sends the reason if the network takes it at once. The connection ends either way.
fn turn_away(stream: &TcpStream, service: &Service) {
    let reply = ReplyError::Unavailable.reply();
    let content = reply.content.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\nx-amzn-requestid: {}\r\n\
         connection: close\r\n\r\n",
        reply.status,
        reply.content_type,
        content.len(),
        service.request_id()
    );
    let _ = stream.try_write(&[head.as_bytes(), content.as_slice()].concat());
}
