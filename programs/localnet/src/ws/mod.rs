//! Subscriptions over a websocket: connections and their messages. A connection's subscriptions are in
//! `session`, what each of them watches in `subscription`.

mod session;
mod subscription;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::time::MissedTickBehavior;

use self::session::Session;
use crate::bank::Commit;
use crate::node::Node;

/// The most concurrent connections; further ones get 429.
const MAX_CONNECTIONS: usize = 256;
/// Largest message from a client, in bytes.
const MAX_MESSAGE: usize = 64 << 10;

#[derive(Clone)]
struct Websocket {
    node: Arc<Node>,
    stopped: watch::Receiver<bool>,
    connections: Arc<Semaphore>,
    /// Numbers for subscriptions, unique in this process.
    next: Arc<AtomicU64>,
}

pub(crate) fn router(node: Arc<Node>, stopped: watch::Receiver<bool>) -> Router {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let state = Websocket { node, stopped, connections, next: Arc::default() };
    Router::new().route("/", any(upgrade)).with_state(state)
}

async fn upgrade(State(state): State<Websocket>, upgrade: WebSocketUpgrade) -> Response {
    let Ok(permit) = state.connections.clone().try_acquire_owned() else {
        return (StatusCode::TOO_MANY_REQUESTS, "too many websocket connections").into_response();
    };
    upgrade.max_message_size(MAX_MESSAGE).on_upgrade(move |socket| async move {
        // Commits are heard from here on, so none falls between a subscription and its first look.
        let ((recent, commits), slot_ms) = {
            let bank = state.node.bank();
            (bank.subscribe(), bank.slot_ms())
        };
        let session = Session::new(state.node, state.next, recent);
        serve(socket, session, commits, Duration::from_millis(slot_ms), state.stopped).await;
        drop(permit);
    })
}

async fn serve(
    mut socket: WebSocket,
    mut session: Session,
    mut commits: broadcast::Receiver<Arc<Commit>>,
    slot_length: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let mut slots = tokio::time::interval(slot_length);
    slots.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let messages = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => session.receive(&text),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
            },
            commit = commits.recv() => match commit {
                Ok(commit) => session.committed(commit),
                // Something was missed: the client must connect again and look for itself.
                Err(RecvError::Lagged(_) | RecvError::Closed) => break,
            },
            _ = slots.tick(), if session.waits() => session.advance(),
        };
        for message in messages {
            if socket.send(Message::Text(message.to_string().into())).await.is_err() {
                return;
            }
        }
    }
    let frame = CloseFrame { code: close_code::AWAY, reason: "localnet stops or this client is too slow".into() };
    // The client may be gone already.
    let _ = socket.send(Message::Close(Some(frame))).await;
}
