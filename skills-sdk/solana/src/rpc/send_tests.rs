//! What becomes of a transaction when its answer gets lost, against a real HTTP server that speaks JSON-RPC badly.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use clawos_interface::ProgramError;
use clawos_interface::instruction::set_compute_unit_limit;
use serde_json::{Value, json};

use super::*;
use crate::failure::program_error;
use crate::rpc::connect;

/// How the node behaves, and what it was sent.
#[derive(Clone, Default)]
struct Node {
    /// The first `sendTransaction` is taken, but its answer is not JSON-RPC.
    loses_answer: bool,
    /// `sendTransaction` is refused with the program's error.
    refuses: bool,
    /// The first `sendTransaction` equals one that somebody sent before.
    knows_the_first: bool,
    sent: Arc<Mutex<usize>>,
}

async fn answer(State(node): State<Node>, Json(request): Json<Value>) -> Response {
    let result = match request["method"].as_str() {
        Some("getLatestBlockhash") => {
            let sent = *node.sent.lock().expect("sent");
            let blockhash = solana_hash::Hash::new_from_array([u8::try_from(sent).expect("few"); 32]).to_string();
            let value = json!({ "blockhash": blockhash, "lastValidBlockHeight": 100 });
            json!({ "context": { "slot": 1 }, "value": value })
        }
        Some("sendTransaction") => {
            *node.sent.lock().expect("sent") += 1;
            if node.knows_the_first && *node.sent.lock().expect("sent") == 1 {
                let error = json!({ "code": -32002, "message": "already processed", "data": { "err": "AlreadyProcessed", "logs": [] } });
                return Json(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error })).into_response();
            }
            if node.refuses {
                let data = json!({ "err": { "InstructionError": [0, { "Custom": 6028 }] }, "logs": ["log line"] });
                let error = json!({ "code": -32002, "message": "simulation failed", "data": data });
                return Json(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error })).into_response();
            }
            if node.loses_answer {
                return "the connection broke".into_response();
            }
            return Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": Value::Null })).into_response();
        }
        Some("getSignatureStatuses") => {
            let landed = *node.sent.lock().expect("sent") > 0;
            let status = json!({ "slot": 7, "confirmations": 1, "err": null, "status": { "Ok": null }, "confirmationStatus": "confirmed" });
            json!({ "context": { "slot": 8 }, "value": [if landed { status } else { Value::Null }] })
        }
        other => panic!("unexpected method {other:?}"),
    };
    Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).into_response()
}

async fn endpoint(node: Node) -> RpcClient {
    let router = axum::Router::new().route("/", post(answer)).with_state(node);
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    connect(&format!("http://{address}"), Duration::from_secs(20))
}

/// Sends a transaction of one instruction.
async fn send(rpc: &RpcClient) -> Result<Confirmed, SendError> {
    send_and_confirm(rpc, &SigningKey::from_bytes(&[7; 32]), &[set_compute_unit_limit(1)]).await
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_the_chain_not_by_sending_something_new() {
    let node = Node { loses_answer: true, ..Node::default() };
    let confirmed = send(&endpoint(node.clone()).await).await.expect("it landed");
    assert_eq!(confirmed.slot, 7);
    assert_eq!(*node.sent.lock().expect("sent"), 1);
}

#[tokio::test]
async fn a_transaction_that_equals_an_earlier_one_is_sent_on_a_newer_blockhash() {
    let node = Node { knows_the_first: true, ..Node::default() };
    send(&endpoint(node.clone()).await).await.expect("it landed");
    assert_eq!(*node.sent.lock().expect("sent"), 2);
}

#[tokio::test]
async fn a_refusal_is_final_and_carries_the_program_s_error() {
    let node = Node { refuses: true, ..Node::default() };
    let refused = send(&endpoint(node.clone()).await).await.expect_err("refused");
    let SendError::Rpc(error) = refused else { panic!("{refused}") };
    let error = error.get_transaction_error().expect("a transaction's error");
    assert_eq!(program_error(&error), Some(ProgramError::TermsChanged));
    assert_eq!(*node.sent.lock().expect("sent"), 1);
}

#[tokio::test]
async fn an_unreachable_node_is_an_error_at_once() {
    let error = send(&connect("http://127.0.0.1:9", Duration::from_secs(20))).await.expect_err("nobody there");
    assert!(matches!(error, SendError::Rpc(_)), "{error}");
}
