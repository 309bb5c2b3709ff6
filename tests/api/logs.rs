//! What the program logs: its settings when it starts, and who did what. Never a secret.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use clawos_tests::app::{address, new_key, send, server_program, sign};
use clawos_tests::chain;
use clawos_tests::publication::Publication;
use ed25519_dalek::SigningKey;
use reqwest::Method;
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

/// Requests that are refused, read, or were done before, each under its own id; what their lines name: request, field, id.
async fn ask_others(
    origin: &str,
    token: &str,
    key: &SigningKey,
    receipt: &str,
) -> Vec<(&'static str, &'static str, String)> {
    let http = reqwest::Client::new();
    let request = |method: Method, name: &str, path: &str| {
        http.request(method, format!("{origin}/api/v1{path}")).header("x-request-id", name).bearer_auth(token)
    };
    let ask = |name: &str, path: &str| request(Method::GET, name, path);
    let tell = |name: &str, path: &str| request(Method::POST, name, path);
    let again = Publication::echo("acme", "echo", "1.0.0").signed(key).form();
    send(tell("publish", "/skills").multipart(again)).await.problem("skill_exists");
    send(ask("skill", "/skills/acme.echo")).await.json(200);
    send(ask("verify", "/marketplace/verify/acme.echo")).await.json(200);
    let order = json!({"skill": "acme.echo", "kind": "usage", "tier": "personal"});
    send(tell("purchase", "/marketplace/purchase").json(&order)).await.problem("skill_free");
    let execute = "/skills/acme.echo/execute";
    let call = json!({"endpoint": "echo", "payload": {"text": "hello"}});
    send(tell("dry-run", &format!("{execute}?dry_run=true")).json(&call)).await.json(200);
    send(ask("receipt", &format!("/receipts/{receipt}"))).await.json(200);
    let first = send(tell("keyed", execute).header("idempotency-key", "one").json(&call)).await.json(200);
    let replay = send(tell("replay", execute).header("idempotency-key", "one").json(&call)).await.json(200);
    assert_eq!(replay, first);
    let nobody = address(&new_key());
    send(ask("batches", &format!("/licences/{nobody}/batches"))).await.problem("not_found");

    let of_skill = ["publish", "skill", "verify", "purchase", "dry-run", "replay"];
    let mut named: Vec<_> = of_skill.into_iter().map(|request| (request, "skill", "acme.echo".to_owned())).collect();
    named.push(("receipt", "receipt", receipt.to_owned()));
    named.push(("replay", "receipt", first["receipt"]["id"].as_str().expect("an id").to_owned()));
    named.push(("batches", "licence", nobody));
    named
}

#[tokio::test]
async fn each_line_of_a_request_names_agent_key_skill_and_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let rpc = chain::shared().rpc_url();
    let (server, origin) = serve(folder.path(), &["--rpc-url", &rpc]);
    let http = reqwest::Client::new();
    let post = async |path: &str, token: Option<&str>, body: &Value| {
        let request = http.post(format!("{origin}/api/v1{path}")).json(body);
        send(token.map_or(request.try_clone().unwrap(), |token| request.bearer_auth(token))).await
    };
    let key = new_key();
    let challenge = post("/agents/register", None, &json!({"name": "acme", "wallet": address(&key)})).await.json(201);
    let path = format!("/agents/register/{}/verify", challenge["challenge"].as_str().unwrap());
    let session = post(&path, None, &json!({"signature": sign(&key, &challenge)})).await.json(201);
    let token = session["api_key"]["key"].as_str().unwrap();
    let form = Publication::echo("acme", "echo", "1.0.0").signed(&key).form();
    send(http.post(format!("{origin}/api/v1/skills")).bearer_auth(token).multipart(form)).await.json(201);
    let call = json!({"endpoint": "echo", "payload": {"text": "a secret of the caller"}});
    let answer = post("/skills/acme.echo/execute", Some(token), &call).await.json(200);
    let receipt = answer["receipt"]["id"].as_str().unwrap_or_else(|| panic!("no receipt: {answer}"));

    let others = ask_others(&origin, token, &key, receipt).await;

    let log = log(server);
    let line_of = |text: &str| {
        let line = log.lines().find(|line| line.contains(text) && line.contains("status="));
        line.unwrap_or_else(|| panic!("no line with {text}: {log}"))
    };
    let line = line_of("/execute");
    for (name, id) in [
        ("agent", session["agent"]["id"].as_str().expect("an id")),
        ("key", session["api_key"]["id"].as_str().expect("an id")),
        ("skill", "acme.echo"),
        ("receipt", receipt),
    ] {
        assert!(line.contains(&format!("{name}=\"{id}\"")), "{name}={id}: {line}");
    }
    for (request, name, id) in others {
        let line = line_of(&format!("request{{id={request} "));
        assert_eq!(line.matches(&format!("{name}=\"{id}\"")).count(), 1, "{request} with {name}={id}: {line}");
    }
    let secrets = [token, session["access_token"].as_str().unwrap(), session["refresh_token"].as_str().unwrap()];
    for secret in secrets.iter().chain(&["a secret of the caller"]) {
        assert!(!log.contains(secret), "{log}");
    }
}
