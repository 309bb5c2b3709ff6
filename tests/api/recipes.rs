//! The recipes of the API's description, followed by a client that knows nothing else.

use clawos_tests::app::{TestApp, TestDatabase, send};
use clawos_tests::documented::DOCUMENT;
use clawos_tests::publication::Publication;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The text of the description between a fence of this kind and its end.
fn fenced(kind: &str) -> String {
    let description = DOCUMENT["info"]["description"].as_str().expect("a text");
    let (_, rest) = description.split_once(&format!("```{kind}\n")).expect("the description has it");
    rest.split_once("```").expect("a fence ends").0.to_owned()
}

/// The recipe's text with the members of an answer in their places.
fn statement(answer: &Value, skill: &str) -> String {
    let named = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned();
    let recipe = fenced("text").replace("{skill}", skill);
    ["version", "module_sha256", "manifest_sha256"]
        .iter()
        .fold(recipe, |text, name| text.replace(&format!("{{{name}}}"), &named(name)))
}

/// RFC 8785, for what has neither fractions nor names beyond ASCII.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.keys().collect();
            names.sort();
            let members: Vec<_> = names
                .into_iter()
                .map(|name| format!("{}:{}", Value::from(name.as_str()), canonical(&members[name])))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[tokio::test]
async fn a_version_is_published_and_checked_by_the_description_alone() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let mut publication = Publication::echo("acme", "echo", "1.0.0");
    let publish = async |path: &str, publication: &Publication| {
        send(app.request(Method::POST, path).bearer_auth(author.token()).multipart(publication.form())).await
    };
    let tried = publish("/skills?dry_run=true", &publication).await.json(200);
    assert_eq!(tried["module_sha256"], sha256(&publication.artifact));
    let text = statement(&tried, tried["skill"].as_str().expect("an id"));
    let signature = author.key.sign(text.as_bytes());
    // A text that differs in its last byte alone is another one.
    let other = author.key.sign(text.trim_end().as_bytes());
    publication.signature = Some(bs58::encode(other.to_bytes()).into_string());
    publish("/skills", &publication).await.problem("bad_signature");
    publication.signature = Some(bs58::encode(signature.to_bytes()).into_string());
    publish("/skills", &publication).await.json(201);

    let version = app.get("/skills/acme.echo/versions/1.0.0").await.json(200);
    assert_eq!(version["manifest_sha256"], sha256(canonical(&version["manifest"]).as_bytes()));
    let module = app.get("/skills/acme.echo/artifact?version=1.0.0").await;
    assert_eq!(version["module_sha256"], sha256(&module.bytes));
    let bytes = |name: &str| bs58::decode(version[name].as_str().expect("base58")).into_vec().expect("base58");
    let wallet = VerifyingKey::try_from(&*bytes("publisher_wallet")).expect("a key");
    let signature = Signature::from_slice(&bytes("signature")).expect("a signature");
    wallet.verify_strict(statement(&version, "acme.echo").as_bytes(), &signature).expect("it is the publisher's");
}
