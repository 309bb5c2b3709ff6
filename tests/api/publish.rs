//! Publishing: a real component through the real sandbox, and every upload that must be refused.

use std::time::Duration;

use clawos_tests::app::{Answer, TestAgent, TestApp, TestDatabase, databases, send};
use clawos_tests::publication::{ONE_TIME_PRICING, Publication, USAGE_PRICING};
use clawos_tests::scratch::SmallDisk;
use clawos_tests::wat_skill::WatSkill;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

pub(crate) async fn publish(app: &TestApp, agent: &TestAgent, publication: &Publication) -> Answer {
    let request = app.request(Method::POST, "/skills").bearer_auth(agent.api_key());
    send(request.multipart(publication.form())).await
}

async fn dry_run(app: &TestApp, agent: &TestAgent, publication: &Publication) -> Answer {
    let request = app.request(Method::POST, "/skills?dry_run=true").bearer_auth(agent.api_key());
    send(request.multipart(publication.form())).await
}

pub(crate) async fn publish_version(app: &TestApp, agent: &TestAgent, id: &str, publication: &Publication) -> Answer {
    let request = app.request(Method::POST, &format!("/skills/{id}/versions")).bearer_auth(agent.api_key());
    send(request.multipart(publication.form())).await
}

pub(crate) fn stored_artifacts(app: &TestApp) -> usize {
    let folders = std::fs::read_dir(app.folder().join("artifacts")).unwrap();
    let files = |path: std::path::PathBuf| if path.is_dir() { std::fs::read_dir(path).unwrap().count() } else { 1 };
    folders.map(|entry| files(entry.unwrap().path())).sum()
}

#[tokio::test]
async fn a_skill_is_tried_and_then_published() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        let echo = Publication::priced("acme", "echo", "1.0.0", USAGE_PRICING);

        let tried = dry_run(&app, &author, &echo).await.json(200);
        assert_eq!(tried["version_id"], Value::Null);
        assert_eq!(stored_artifacts(&app), 0);
        app.get("/skills/acme.echo").await.problem("skill_not_found");

        let report = publish(&app, &author, &echo.clone().signed(&author.key)).await.json(201);
        assert!(report["version_id"].as_str().unwrap().starts_with("ver_"));
        assert_eq!(report["module_sha256"], hex::encode(clawos_receipts::sha256(&echo.artifact)));
        assert_eq!(report["manifest_sha256"], hex::encode(echo.resolved().sha256().unwrap()));
        assert_eq!(report["permissions"], json!(["clawos:skill/clock", "clawos:skill/log", "clawos:skill/random"]));
        assert_eq!(report["examples"][0]["ok"], true);
        assert!(report["examples"][0]["fuel"].as_str().unwrap().parse::<u64>().unwrap() > 0);
        assert_eq!(report["registered"], false);
        assert_eq!(stored_artifacts(&app), 1);
        for (one, other) in [("module_sha256", "manifest_sha256"), ("size", "permissions")] {
            assert_eq!((&tried[one], &tried[other]), (&report[one], &report[other]));
        }
    }
}

#[tokio::test]
async fn versions_are_immutable_and_belong_to_their_publisher() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let (author, other) = (app.enrol("acme").await, app.enrol("other").await);
        let first = Publication::echo("acme", "echo", "1.0.0").signed(&author.key);
        publish(&app, &author, &first).await.json(201);
        publish(&app, &author, &first).await.problem("skill_exists");
        publish_version(&app, &author, "acme.echo", &first).await.problem("version_exists");
        let changed = first.clone().edit("Answers with", "Replies with").signed(&author.key);
        publish_version(&app, &author, "acme.echo", &changed).await.problem("version_exists");

        let second = Publication::echo("acme", "echo", "1.1.0").signed(&author.key);
        publish_version(&app, &author, "acme.echo", &second).await.json(201);
        assert_eq!(app.get("/skills/acme.echo").await.json(200)["latest_version"], "1.1.0");
        // A fix of the old line and a beta do not become what buyers get.
        for version in ["1.0.1", "2.0.0-beta.1"] {
            let side = Publication::echo("acme", "echo", version).signed(&author.key);
            publish_version(&app, &author, "acme.echo", &side).await.json(201);
            assert_eq!(app.get("/skills/acme.echo").await.json(200)["latest_version"], "1.1.0");
        }

        let theirs = Publication::echo("other", "echo", "3.0.0").signed(&other.key);
        publish_version(&app, &other, "acme.echo", &theirs).await.problem("not_publisher");
        publish_version(&app, &other, "other.echo", &theirs).await.problem("skill_not_found");
        let squat = Publication::echo("acme", "second", "1.0.0").signed(&other.key);
        publish(&app, &other, &squat).await.problem("not_publisher");
        let elsewhere = Publication::echo("acme", "another", "1.0.0").signed(&author.key);
        publish_version(&app, &author, "acme.echo", &elsewhere).await.problem("validation_failed");
        let listed = app.get("/skills/acme.echo/versions").await.json(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 4);
        let page = app.get("/skills/acme.echo/versions?limit=3").await.json(200);
        let rest = format!("/skills/acme.echo/versions?cursor={}", page["next_cursor"].as_str().unwrap());
        let rest = app.get(&rest).await.json(200);
        assert_eq!((&rest["items"][0]["version"], &rest["next_cursor"]), (&json!("1.0.0"), &Value::Null));
    }
}

#[tokio::test]
async fn a_version_is_signed_by_its_publisher_or_refused() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let (author, other) = (app.enrol("acme").await, app.enrol("other").await);
        let echo = Publication::echo("acme", "echo", "1.0.0");
        assert_eq!(publish(&app, &author, &echo).await.pointers("validation_failed"), ["/signature"]);
        let garbage = Publication { signature: Some("abc".to_owned()), ..echo.clone() };
        assert_eq!(publish(&app, &author, &garbage).await.pointers("validation_failed"), ["/signature"]);
        publish(&app, &author, &echo.clone().signed(&other.key)).await.problem("bad_signature");
        // Signed for one module, sent with another.
        let mut swapped = echo.clone().signed(&author.key);
        swapped.artifact = WatSkill::running("(call $ok (i32.const 0) (i32.const 0))").build();
        publish(&app, &author, &swapped).await.problem("bad_signature");
        let readers = json!({"name": "reader", "scopes": ["read"]});
        let reader = app.post_as(author.token(), "/agents/me/keys", &readers).await.json(201);
        let request = app.request(Method::POST, "/skills").bearer_auth(reader["key"].as_str().unwrap());
        send(request.multipart(echo.clone().signed(&author.key).form())).await.problem("scope_missing");
        send(app.request(Method::POST, "/skills").multipart(echo.form())).await.problem("unauthenticated");
        assert_eq!(stored_artifacts(&app), 0);
    }
}

#[tokio::test]
async fn a_wrong_manifest_is_explained_key_by_key() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let echo = || Publication::priced("acme", "echo", "1.0.0", ONE_TIME_PRICING);
    let refuse = |publication: Publication| {
        let (app, author) = (&app, &author);
        async move { dry_run(app, author, &publication).await }
    };
    let unknown = refuse(echo().edit("[runtime]", "[runtime]\ncolour = \"red\"")).await;
    assert_eq!(unknown.pointers("manifest_invalid"), ["/manifest/runtime/colour"]);
    let two = refuse(echo().edit("1.0.0", "one").edit("Apache-2.0", "mine, all mine")).await;
    assert_eq!(two.pointers("manifest_invalid").len(), 2);
    // NUL, which Postgres cannot store.
    let nul = refuse(echo().edit("For tests:", "For\\u0000tests:")).await;
    assert_eq!(nul.pointers("manifest_invalid"), ["/manifest/skill/description"]);
    refuse(echo().edit("[skill]", "[skill")).await.problem("manifest_invalid");
    refuse(echo().edit("\"wasm\"", "\"docker\"")).await.problem("artifact_invalid");
    let price = refuse(echo().edit("0.5", "0.0000000001")).await;
    assert_eq!(price.pointers("price_invalid"), ["/manifest/pricing/once"]);
    let missing = Publication { files: Vec::new(), ..echo() };
    refuse(missing).await.problem("schema_invalid");
    let bad = refuse(echo().file("schemas/in.json", r#"{"type":"objekt"}"#)).await;
    assert_eq!(bad.pointers("schema_invalid"), ["/manifest/endpoints/0/input"]);
    refuse(echo().file("schemas/in.json", "{")).await.problem("schema_invalid");
    refuse(echo().file("schemas/in.json", r#"{"$ref":"https://example.com/s.json"}"#)).await.problem("schema_invalid");
    refuse(echo().file("examples/in.json", r#"{"text":7}"#)).await.problem("example_failed");
    let differs = refuse(echo().file("examples/out.json", r#"{"text":"bye"}"#)).await;
    assert_eq!(differs.pointers("example_failed"), ["/manifest/endpoints/0/examples/0/output"]);
    let permission = refuse(echo().edit("[runtime]", "[permissions]\nkv = true\n\n[runtime]")).await;
    assert_eq!(permission.pointers("permission_mismatch"), ["/manifest/permissions/kv"]);
    let http = refuse(echo().edit("[runtime]", "[permissions]\nhttp = [\"api.example.com\"]\n\n[runtime]")).await;
    assert_eq!(http.pointers("permission_mismatch"), ["/manifest/permissions/http"]);
    let crash = Publication { artifact: WatSkill::running("unreachable").build(), ..echo() };
    refuse(crash).await.problem("example_failed");
}

#[tokio::test]
async fn what_is_no_component_is_refused_and_not_kept() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let good = WatSkill::echo().build();
    let half = good[..good.len() / 2].to_vec();
    let artifacts: &[(&str, Vec<u8>)] = &[
        ("nothing", Vec::new()),
        ("text", WatSkill::echo().text().into_bytes()),
        ("a core module", b"\0asm\x01\0\0\0".to_vec()),
        ("native code", std::fs::read("/bin/true").unwrap()),
        ("half a component", half),
        ("random bytes", (0..9_999_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
    ];
    for (what, artifact) in artifacts {
        let publication = Publication { artifact: artifact.clone(), ..Publication::echo("acme", "echo", "1.0.0") };
        let answer = publish(&app, &author, &publication.signed(&author.key)).await;
        assert_eq!(answer.problem("artifact_invalid")["retryable"], false, "{what}");
    }
    let huge = vec![0; 32 * 1024 * 1024 + 1];
    let publication = Publication { artifact: huge, ..Publication::echo("acme", "echo", "1.0.0") };
    dry_run(&app, &author, &publication).await.problem("payload_too_large");
    assert_eq!(stored_artifacts(&app), 0);
    app.get("/skills/acme.echo").await.problem("skill_not_found");
}

#[tokio::test]
async fn the_form_itself_is_checked() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let echo = Publication::echo("acme", "echo", "1.0.0");
    let post = |form: Form| {
        send(app.request(Method::POST, "/skills?dry_run=true").bearer_auth(author.api_key()).multipart(form))
    };
    post(Form::new()).await.problem("invalid_body");
    assert_eq!(post(Form::new().text("artifact", "x")).await.pointers("invalid_body"), ["/manifest"]);
    assert_eq!(post(Form::new().text("manifest", "x")).await.pointers("invalid_body"), ["/artifact"]);
    assert_eq!(post(echo.form().text("manifest", "x")).await.pointers("invalid_body"), ["/manifest"]);
    assert_eq!(post(echo.form().text("colour", "red")).await.pointers("invalid_body"), ["/colour"]);
    let nameless = echo.form().part("file", Part::text("{}"));
    assert_eq!(post(nameless).await.pointers("invalid_body"), ["/file"]);
    let again = echo.form().part("file", Part::text("{}").file_name("schemas/in.json"));
    assert_eq!(post(again).await.pointers("invalid_body"), ["/schemas~1in.json"]);
    let latin = Form::new().part("manifest", Part::bytes(vec![0xff])).part("artifact", Part::bytes(vec![1]));
    assert_eq!(post(latin).await.pointers("invalid_body"), ["/manifest"]);
    post(Form::new().text("manifest", "x".repeat(200 * 1024))).await.problem("payload_too_large");
    let json = app.request(Method::POST, "/skills").bearer_auth(author.api_key()).json(&json!({}));
    send(json).await.problem("unsupported_media_type");
}

#[tokio::test]
async fn a_retried_publish_is_done_once() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        let echo = Publication::echo("acme", "echo", "1.0.0").signed(&author.key);
        let post = |publication: &Publication| {
            let request = app.request(Method::POST, "/skills").bearer_auth(author.api_key());
            send(request.header("idempotency-key", "p1").multipart(publication.form()))
        };
        let first = post(&echo).await;
        // Another multipart boundary, the same parts.
        let second = post(&echo).await;
        assert_eq!(first.json(201), second.json(201));
        let other = Publication { readme: Some("# Echo".to_owned()), ..echo.clone() };
        post(&other).await.problem("idempotency_mismatch");
    }
}

#[tokio::test]
async fn a_day_has_room_for_so_much_of_one_publisher() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let (author, other) = (app.enrol("acme").await, app.enrol("other").await);
        let echo = |name: &str, author: &TestAgent| Publication::echo(&author.name, name, "1.0.0").signed(&author.key);
        publish(&app, &author, &echo("first", &author)).await.json(201);
        sqlx::Executor::execute(&*app.state.db, "UPDATE versions SET size = 536870912").await.unwrap();
        let refused = publish(&app, &author, &echo("second", &author)).await;
        assert_eq!(refused.problem("rate_limited")["retryable"], true);
        let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((86_000..=86_400).contains(&wait), "{wait}");
        publish(&app, &other, &echo("second", &other)).await.json(201);
        app.clock.advance(24 * 3600 * 1000);
        publish(&app, &author, &echo("second", &author)).await.json(201);
    }
}

#[tokio::test]
async fn a_full_disk_leaves_nothing_half_written() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let Some(disk) = SmallDisk::mount_on(app.folder().join("artifacts"), 64) else { return };
    let mut skill = WatSkill::echo();
    skill.main.push_str(&format!("(data (i32.const 0) \"{}\")", "a".repeat(30_000)));
    skill.main.push_str(&format!("(global $pad i32 (i32.const 0)) (@custom \"pad\" \"{}\")", "b".repeat(60_000)));
    let large = Publication { artifact: skill.build(), ..Publication::echo("acme", "large", "1.0.0") };
    let refused = publish(&app, &author, &large.signed(&author.key)).await;
    let kept = stored_artifacts(&app);
    let listed = app.get("/skills/acme.large").await;
    let small = publish(&app, &author, &Publication::echo("acme", "small", "1.0.0").signed(&author.key)).await;
    drop(disk);
    assert_eq!(refused.problem("storage_full")["retryable"], true);
    assert_eq!(kept, 0);
    listed.problem("skill_not_found");
    small.json(201);
}

#[tokio::test]
async fn an_upload_is_not_read_for_those_who_may_not_publish() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let settings = json!({"name": "reader", "scopes": ["read"]});
    let reader = app.post_as(author.token(), "/agents/me/keys", &settings).await.json(201);
    let never = || reqwest::Body::wrap_stream(futures::stream::pending::<std::io::Result<Vec<u8>>>());
    let request = || app.request(Method::POST, "/skills").header("content-type", "multipart/form-data; boundary=x");
    let refused = async {
        send(request().bearer_auth(reader["key"].as_str().unwrap()).body(never())).await.problem("scope_missing");
        send(request().body(never())).await.problem("unauthenticated");
    };
    tokio::time::timeout(Duration::from_secs(20), refused).await.expect("answered before the body is there");
}
