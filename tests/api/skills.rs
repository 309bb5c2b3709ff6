//! Finding, reading and downloading skills.

use clawos_client::key::to_base58;
use clawos_client::solana::actions::skill_address;
use clawos_config::Config;
use clawos_tests::app::{TestAgent, TestApp, TestDatabase, databases, send};
use clawos_tests::publication::{ONE_TIME_PRICING, Publication, USAGE_PRICING};
use clawos_tests::wat_skill::WatSkill;
use reqwest::Method;
use serde_json::{Value, json};

use crate::publish::publish;

async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.get(&format!("/skills?{query}")).await.json(200);
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn put(app: &TestApp, author: &TestAgent, publication: Publication) {
    publish(app, author, &publication.signed(&author.key)).await.json(201);
    // Two skills of one millisecond have no order of their own.
    app.clock.advance(5);
}

#[tokio::test]
async fn skills_are_found_by_words_category_tag_and_kind() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        put(
            &app,
            &author,
            Publication::echo("acme", "free", "1.0.0").edit("Answers with what it is sent", "100% of ÄRGER"),
        )
        .await;
        let once = Publication::priced("acme", "once", "1.0.0", ONE_TIME_PRICING).edit("\"utility\"", "\"analysis\"");
        put(&app, &author, once).await;
        let usage = Publication::priced("acme", "usage", "1.0.0", USAGE_PRICING).edit("\"test\"", "\"text-tools\"");
        put(&app, &author, usage).await;

        assert_eq!(ids(&app, "").await, ["acme.usage", "acme.once", "acme.free"]);
        assert_eq!(ids(&app, "q=ACME.ON").await, ["acme.once"]);
        assert_eq!(ids(&app, "q=payload+usage").await, ["acme.usage"]);
        assert_eq!(ids(&app, "q=%C3%A4rger").await, ["acme.free"]);
        assert_eq!(ids(&app, "q=100%25").await, ["acme.free"]);
        for pattern in ["%25%25", "_cme", "a%25e", "%5C", "'+OR+1=1"] {
            assert!(ids(&app, &format!("q={pattern}")).await.len() < 3, "{pattern} is no wildcard");
        }
        assert_eq!(ids(&app, "category=analysis").await, ["acme.once"]);
        assert_eq!(ids(&app, "tag=text-tools").await, ["acme.usage"]);
        assert!(ids(&app, "tag=text").await.is_empty());
        assert_eq!(ids(&app, "kind=one_time").await, ["acme.once"]);
        assert_eq!(ids(&app, "kind=usage&tag=echo").await, ["acme.usage"]);
        assert!(ids(&app, "kind=subscription").await.is_empty());
        let account = |id| to_base58(&skill_address(author.key.verifying_key().as_bytes(), id));
        for id in ["acme.once", "acme.free"] {
            assert_eq!(ids(&app, &format!("account={}", account(id))).await, [id]);
        }
        assert!(ids(&app, &format!("account={}", account("acme.other"))).await.is_empty());
        for none in [author.id(), "%25"] {
            let refused = app.get(&format!("/skills?account={none}")).await;
            assert_eq!(refused.pointers("validation_failed"), ["/account"], "{none}");
        }

        let mut cursor = String::new();
        for (id, more) in [("acme.usage", true), ("acme.once", true), ("acme.free", false)] {
            let page = app.get(&format!("/skills?limit=1{cursor}")).await.json(200);
            assert_eq!((&page["items"][0]["id"], page["items"].as_array().unwrap().len()), (&json!(id), 1));
            assert_eq!(page["next_cursor"].is_string(), more, "after {id}");
            cursor = format!("&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
        }
        let item = &app.get("/skills?q=usage").await.json(200)["items"][0];
        assert_eq!((&item["kinds"], &item["prices"]["unit"]["amount"]), (&json!(["usage"]), &json!("1000")));
    }
}

#[tokio::test]
async fn a_skill_is_shown_with_all_a_buyer_needs() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        let mut echo = Publication::priced("acme", "echo", "1.0.0", USAGE_PRICING).signed(&author.key);
        echo.readme = Some("# Echo".to_owned());
        publish(&app, &author, &echo).await.json(201);

        let skill = app.get("/skills/acme.echo").await.json(200);
        assert_eq!(skill["publisher"], "acme");
        assert_eq!(skill["license"], "Apache-2.0");
        assert_eq!(skill["limits"]["wall_ms"], 5000);
        assert_eq!(skill["endpoints"][0]["examples"][0]["output"], json!({"text": "hello"}));
        assert_eq!(skill["endpoints"][0]["input"]["required"], json!(["text"]));
        assert_eq!(skill["chain"]["registered"], false);
        let mut named = app.get("/skills/acme.echo?version=1.0.0").await.json(200);
        // The chain has gone on by a slot, perhaps.
        named["chain"]["slot"] = skill["chain"]["slot"].clone();
        assert_eq!(named, skill);
        app.get("/skills/acme.echo?version=9.9.9").await.problem("version_not_found");

        let versions = app.get("/skills/acme.echo/versions").await.json(200);
        let version = app.get("/skills/acme.echo/versions/1.0.0").await.json(200);
        assert_eq!(version["id"], versions["items"][0]["id"]);
        assert_eq!(version["readme"], "# Echo");
        assert_eq!(version["signature"], echo.signature.clone().unwrap());
        // Anyone can recompute what was signed.
        let canonical = clawos_receipts::canonical_json(&version["manifest"]).unwrap();
        assert_eq!(version["manifest_sha256"], hex::encode(clawos_receipts::sha256(canonical.as_bytes())));
        app.get("/skills/acme.echo/versions/9.9.9").await.problem("version_not_found");

        let artifact = app.get("/skills/acme.echo/artifact").await;
        assert_eq!(artifact.bytes, echo.artifact);
        let digest = hex::encode(clawos_receipts::sha256(&echo.artifact));
        assert_eq!(artifact.headers["etag"], format!("\"{digest}\""));
        assert_eq!(artifact.headers["x-clawos-skill-digest"], format!("sha256:{digest}"));
        let again = app
            .request(Method::GET, "/skills/acme.echo/artifact?version=1.0.0")
            .header("if-none-match", format!("\"{digest}\""));
        let again = send(again).await;
        assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
        app.get("/skills/acme.echo/artifact?version=2.0.0").await.problem("version_not_found");
    }
}

#[tokio::test]
async fn an_artifact_of_many_pieces_arrives_whole() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let mut skill = WatSkill::echo();
    let pad: String = (0..40_000).map(|number| format!("{number:06}")).collect();
    skill.main.push_str(&format!("(@custom \"pad\" \"{pad}\")"));
    let large = Publication { artifact: skill.build(), ..Publication::echo("acme", "echo", "1.0.0") };
    publish(&app, &author, &large.clone().signed(&author.key)).await.json(201);
    let artifact = app.get("/skills/acme.echo/artifact").await;
    assert_eq!(artifact.headers["content-length"], large.artifact.len().to_string());
    assert!(artifact.bytes == large.artifact);
}

#[tokio::test]
async fn a_damaged_artifact_is_never_served() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        let echo = Publication::echo("acme", "echo", "1.0.0").signed(&author.key);
        publish(&app, &author, &echo).await.json(201);
        let digest = hex::encode(clawos_receipts::sha256(&echo.artifact));
        let file = app.folder().join("artifacts").join(&digest[..2]).join(&digest);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        app.get("/skills/acme.echo/artifact").await.problem("internal");
    }
}

#[tokio::test]
async fn skills_can_be_read_while_the_chain_is_down() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        let echo = Publication::priced("acme", "echo", "1.0.0", USAGE_PRICING);
        put(&app, &author, echo.clone()).await;
        let nobody = |config: &mut Config| config.chain.rpc_url = "http://127.0.0.1:1".to_owned();
        let app = app.restart_with(&database, nobody).await;
        let skill = app.get("/skills/acme.echo").await.json(200);
        assert_eq!((&skill["id"], &skill["chain"]), (&json!("acme.echo"), &Value::Null));
        assert_eq!(skill["prices"]["unit"]["amount"], "1000");
        assert_eq!(ids(&app, "").await, ["acme.echo"]);
        assert_eq!(app.get("/skills/acme.echo/versions").await.json(200)["items"][0]["version"], "1.0.0");
        assert_eq!(app.get("/skills/acme.echo/artifact").await.bytes, echo.artifact);
        let ready = send(app.http.get(format!("{}/readyz", app.operations))).await.json(200);
        assert_eq!((&ready["ready"], &ready["chain"]), (&json!(true), &json!(false)));
    }
}
