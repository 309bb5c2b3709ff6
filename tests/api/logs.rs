//! What the program logs: its settings when it starts, and who did what. Never a secret.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use clawos_tests::app::{address, new_key, send, server_program, sign};
use clawos_tests::chain;
use clawos_tests::publication::Publication;
use ed25519_dalek::SigningKey;
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// The program, with `settings`, once it answers; and its address.
fn serve(folder: &Path, settings: &[&str]) -> (Child, String) {
    let mut server = Command::new(server_program())
        .args(["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0", "--data"])
        .arg(folder)
        .args(settings)
        .env("RUST_LOG", "info")
        .env("NO_COLOR", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server's program starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("stdout is a pipe")).read_line(&mut line).expect("it says something");
    let origin = line.strip_prefix("clawos-server ready: ").and_then(|rest| rest.split(' ').next());
    let origin = origin.unwrap_or_else(|| panic!("it said: {line}")).to_owned();
    (server, origin)
}

/// What it logged until now.
fn log(mut server: Child) -> String {
    server.kill().expect("it runs");
    let output = server.wait_with_output().expect("it has ended");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_settings_in_effect_are_logged_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody is there, and errors must not say more than the settings do.
    let rpc = "http://0.0.0.0:1/path-secret?api-key=query-secret";
    let meter = chain::shared().keys().folder().join("meter.json").display().to_string();
    let key = &"5ec7e7".repeat(11)[..64];
    let settings = ["--max-fuel", "123456789", "--rpc-url", rpc, "--meter-key", meter.as_str(), "--server-key", key];
    let (server, _) = serve(folder.path(), &settings);
    let log = log(server);
    for concern in ["server", "data", "chain", "settlement", "limits", "sandbox"] {
        assert!(log.contains(&format!("configuration: {concern}")), "{concern}: {log}");
    }
    for setting in
        ["max_fuel=123456789", "rate_per_minute=6000", "durability=Process", "sandbox_slots=64", "meter=", "0.0.0.0:1"]
    {
        assert!(log.contains(setting), "{setting}: {log}");
    }
    assert!(log.contains("the network is not known yet"), "{log}");
    assert!(!log.contains("-secret") && !log.contains("5ec7e7"), "{log}");
}

/// Asks the server of an origin as one agent, with a name for each request.
struct Caller {
    http: reqwest::Client,
    origin: String,
    /// What registering and verifying answered: agent, key and tokens.
    session: Value,
}

impl Caller {
    async fn enrol(origin: String, key: &SigningKey) -> Caller {
        let http = reqwest::Client::new();
        let post = async |path: &str, body: &Value| {
            send(http.post(format!("{origin}/api/v1/agents/register{path}")).json(body)).await.json(201)
        };
        let challenge = post("", &json!({ "name": "acme", "wallet": address(key) })).await;
        let path = format!("/{}/verify", challenge["challenge"].as_str().expect("an id"));
        let session = post(&path, &json!({ "signature": sign(key, &challenge) })).await;
        Caller { http, origin, session }
    }

    fn token(&self) -> &str {
        self.session["api_key"]["key"].as_str().expect("a key")
    }

    fn request(&self, method: Method, name: &str, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.origin));
        request.header("x-request-id", name).bearer_auth(self.token())
    }

    fn get(&self, name: &str, path: &str) -> RequestBuilder {
        self.request(Method::GET, name, path)
    }

    fn post(&self, name: &str, path: &str) -> RequestBuilder {
        self.request(Method::POST, name, path)
    }
}

/// The line in which a request ended, by some of its text.
fn line_of<'a>(log: &'a str, text: &str) -> &'a str {
    let line = log.lines().find(|line| line.contains(text) && line.contains("status="));
    line.unwrap_or_else(|| panic!("no line with {text}: {log}"))
}

fn receipt(answer: &Value) -> String {
    answer["receipt"]["id"].as_str().unwrap_or_else(|| panic!("no receipt: {answer}")).to_owned()
}

fn form(key: &SigningKey) -> Form {
    Publication::echo("acme", "echo", "1.0.0").signed(key).form()
}

const EXECUTE: &str = "/skills/acme.echo/execute";

#[tokio::test]
async fn a_line_of_a_call_names_agent_key_skill_and_receipt_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (server, origin) = serve(folder.path(), &["--rpc-url", &chain::shared().rpc_url()]);
    let key = new_key();
    let caller = Caller::enrol(origin, &key).await;
    send(caller.post("new", "/skills").multipart(form(&key))).await.json(201);
    let call = json!({ "endpoint": "echo", "payload": { "text": "a secret of the caller" } });
    let receipt = receipt(&send(caller.post("call", EXECUTE).json(&call)).await.json(200));
    let log = log(server);
    let session = &caller.session;
    let line = line_of(&log, "request{id=call ");
    for (name, id) in [
        ("agent", session["agent"]["id"].as_str().expect("an id")),
        ("key", session["api_key"]["id"].as_str().expect("an id")),
        ("skill", "acme.echo"),
        ("receipt", &*receipt),
    ] {
        assert!(line.contains(&format!("{name}=\"{id}\"")), "{name}={id}: {line}");
    }
    let [access, refresh] = ["access_token", "refresh_token"].map(|name| session[name].as_str().expect("a token"));
    for secret in [caller.token(), access, refresh, "a secret of the caller"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn a_line_of_every_other_request_names_what_it_is_about_once() {
    let folder = tempfile::tempdir().unwrap();
    let (server, origin) = serve(folder.path(), &["--rpc-url", &chain::shared().rpc_url()]);
    let key = new_key();
    let caller = Caller::enrol(origin, &key).await;
    send(caller.post("new", "/skills").multipart(form(&key))).await.json(201);
    let call = json!({ "endpoint": "echo", "payload": { "text": "hello" } });
    let keyed = async |name: &str| {
        send(caller.post(name, EXECUTE).header("idempotency-key", "one").json(&call)).await.json(200)
    };
    let first = keyed("first").await;
    assert_eq!(keyed("replay").await, first);
    let receipt = receipt(&first);
    send(caller.post("dry-run", &format!("{EXECUTE}?dry_run=true")).json(&call)).await.json(200);
    send(caller.get("receipt", &format!("/receipts/{receipt}"))).await.json(200);
    send(caller.get("skill", "/skills/acme.echo")).await.json(200);
    send(caller.get("verify", "/marketplace/verify/acme.echo")).await.json(200);
    // What is refused is named too.
    send(caller.post("again", "/skills").multipart(form(&key))).await.problem("skill_exists");
    let order = json!({ "skill": "acme.echo", "kind": "usage", "tier": "personal" });
    send(caller.post("purchase", "/marketplace/purchase").json(&order)).await.problem("skill_free");
    let deposit = json!({ "skill": "acme.echo", "amount": "1" });
    send(caller.post("deposit", "/marketplace/deposit").json(&deposit)).await.problem("skill_free");
    let nobody = address(&new_key());
    send(caller.get("batches", &format!("/licences/{nobody}/batches"))).await.problem("not_found");

    let log = log(server);
    for (request, name, id) in [
        ("new", "skill", "acme.echo"),
        ("again", "skill", "acme.echo"),
        ("skill", "skill", "acme.echo"),
        ("verify", "skill", "acme.echo"),
        ("purchase", "skill", "acme.echo"),
        ("deposit", "skill", "acme.echo"),
        ("dry-run", "skill", "acme.echo"),
        ("receipt", "receipt", &receipt),
        ("replay", "skill", "acme.echo"),
        ("replay", "receipt", &receipt),
        ("batches", "licence", &nobody),
    ] {
        let line = line_of(&log, &format!("request{{id={request} "));
        assert_eq!(line.matches(&format!("{name}=\"{id}\"")).count(), 1, "{request} with {name}={id}: {line}");
    }
}
