//! The rival of the load bench: a plain axum server that answers every POST with its body.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("echo ready: http://{}/", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/", post(async |body: Bytes| body))).await
}
