//! A key-value store over TCP, and the port that speaks to it: a capability with real I/O.
//!
//! A request is one line, `get KEY` or `set KEY VALUE`; so is the answer, `= VALUE` or `-`.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use clawos_runtime::capability::kv::{KeyValue, KeyValueError};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

type Values = Arc<Mutex<BTreeMap<String, String>>>;

/// The server, for as long as the test runs.
pub(crate) struct KvServer {
    address: SocketAddr,
    values: Values,
    threads: Arc<Mutex<Vec<String>>>,
}

impl KvServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let values = Values::default();
        let served = values.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, served.clone()));
            }
        });
        Self { address, values, threads: Arc::default() }
    }

    pub(crate) fn put(&self, key: &str, value: &str) {
        self.values.lock().expect("no test panics with it").insert(key.to_owned(), value.to_owned());
    }

    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.values.lock().expect("no test panics with it").get(key).cloned()
    }

    /// A port to it.
    pub(crate) fn store(&self) -> TcpStore {
        TcpStore { address: self.address, threads: self.threads.clone() }
    }

    /// The names of the threads from which its ports connected, in order.
    pub(crate) fn threads(&self) -> Vec<String> {
        self.threads.lock().expect("no test panics with it").clone()
    }
}

async fn serve(mut connection: TcpStream, values: Values) {
    let (reading, mut writing) = connection.split();
    let mut lines = BufReader::new(reading).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let answer = {
            let mut values = values.lock().expect("no test panics with it");
            match words[..] {
                ["get", key] => values.get(key).map_or("-".to_owned(), |value| format!("= {value}")),
                ["set", key, value] => {
                    values.insert(key.to_owned(), value.to_owned()).map_or("-".to_owned(), |_| "= ".to_owned())
                }
                _ => return,
            }
        };
        if writing.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Connects anew for each request.
#[derive(Debug)]
pub(crate) struct TcpStore {
    address: SocketAddr,
    threads: Arc<Mutex<Vec<String>>>,
}

impl TcpStore {
    async fn ask(&self, request: String) -> Result<Option<String>, KeyValueError> {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        self.threads.lock().expect("no test panics with it").push(thread);
        let failed = |error: std::io::Error| KeyValueError::Unavailable(error.to_string());
        let mut connection = TcpStream::connect(self.address).await.map_err(failed)?;
        connection.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut answer = String::new();
        BufReader::new(connection).read_line(&mut answer).await.map_err(failed)?;
        Ok(answer.strip_prefix("= ").map(|value| value.trim_end().to_owned()))
    }
}

#[async_trait]
impl KeyValue for TcpStore {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, KeyValueError> {
        Ok(self.ask(format!("get {key}\n")).await?.map(Bytes::from))
    }

    async fn apply(&self, writes: BTreeMap<String, Bytes>) -> Result<(), KeyValueError> {
        for (key, value) in writes {
            self.ask(format!("set {key} {}\n", String::from_utf8_lossy(&value))).await?;
        }
        Ok(())
    }
}
