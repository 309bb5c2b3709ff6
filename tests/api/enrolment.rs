//! Enrolment and sign-in by signed challenge: what works, and every way it must not.

use clawos_receipts::statement::Challenge;
use clawos_receipts::text::from_base58;
use clawos_tests::app::{TestApp, address, databases, new_key, sign};
use serde_json::{Value, json};

fn verify_path(challenge: &Value) -> String {
    format!("/agents/register/{}/verify", challenge["challenge"].as_str().unwrap())
}

#[tokio::test]
async fn an_agent_enrols_with_its_wallet_and_signs_in_again() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let key = new_key();
        let registration =
            json!({"name": "word-smith", "wallet": address(&key), "description": "Counts words", "roles": ["author"]});
        let challenge = app.post("/agents/register", &registration).await.json(201);

        // The client can rebuild the text from the fields, so it signs nothing it did not make.
        let rebuilt = Challenge {
            origin: app.origin.clone(),
            genesis: from_base58(challenge["genesis"].as_str().unwrap()).unwrap(),
            handle: "word-smith".to_owned(),
            wallet: key.verifying_key().to_bytes(),
            nonce: challenge["nonce"].as_str().unwrap().to_owned(),
            expires_at_ms: challenge["expires_at_ms"].as_u64().unwrap(),
        };
        assert_eq!(rebuilt.text().unwrap(), challenge["message"]);
        assert_eq!(challenge["genesis"], clawos_tests::chain::shared().genesis_hash().to_string());

        let session = app.post(&verify_path(&challenge), &json!({"signature": sign(&key, &challenge)})).await.json(201);
        assert_eq!(session["agent"]["name"], "word-smith");
        assert_eq!(session["agent"]["roles"], json!(["author"]));
        assert_eq!(session["api_key"]["scopes"], json!(["publish", "invoke", "read"]));
        let token = session["access_token"].as_str().unwrap();
        assert!(token.starts_with("claw_at_"));
        let mut me = app.get_as(token, "/agents/me").await.json(200);
        assert_eq!(me["credential"].take()["kind"], "session");
        me.as_object_mut().expect("an agent is an object").remove("credential");
        assert_eq!(me, session["agent"]);

        let challenge = app.post("/auth/challenge", &json!({"wallet": address(&key)})).await.json(201);
        let answer = json!({"challenge": challenge["challenge"], "signature": sign(&key, &challenge)});
        let second = app.post("/auth/verify", &answer).await.json(200);
        assert_eq!(second["agent"], session["agent"]);
        assert_eq!(second["api_key"], Value::Null);

        for name in [session["agent"]["id"].as_str().unwrap(), "word-smith"] {
            assert_eq!(app.get(&format!("/agents/{name}")).await.json(200), session["agent"]);
        }
        app.get("/agents/nobody").await.problem("not_found");
    }
}

#[tokio::test]
async fn a_challenge_works_once_and_only_for_its_wallet() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let (key, thief) = (new_key(), new_key());
        let registration = json!({"name": "acme", "wallet": address(&key)});
        let challenge = app.post("/agents/register", &registration).await.json(201);
        let path = verify_path(&challenge);

        let forged = json!({"signature": sign(&thief, &challenge)});
        app.post(&path, &forged).await.problem("bad_signature");
        let mut other_text = challenge.clone();
        other_text["message"] = json!(challenge["message"].as_str().unwrap().replace("acme", "evil"));
        app.post(&path, &json!({"signature": sign(&key, &other_text)})).await.problem("bad_signature");

        let answer = json!({"signature": sign(&key, &challenge)});
        app.post(&path, &answer).await.json(201);
        app.post(&path, &answer).await.problem("challenge_used");
        // A registration challenge is no sign-in challenge, and the other way round.
        let misuse = json!({"challenge": challenge["challenge"], "signature": sign(&key, &challenge)});
        app.post("/auth/verify", &misuse).await.problem("not_found");
        app.post("/agents/register/chl_00000000000000000000000000000000/verify", &answer).await.problem("not_found");
    }
}

#[tokio::test]
async fn a_challenge_expires() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let key = new_key();
        let challenge = app.post("/agents/register", &json!({"name": "late", "wallet": address(&key)})).await.json(201);
        app.clock.advance(5 * 60 * 1000 + 1);
        let answer = json!({"signature": sign(&key, &challenge)});
        app.post(&verify_path(&challenge), &answer).await.problem("challenge_expired");
    }
}

#[tokio::test]
async fn names_and_wallets_are_unique() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let (first, second) = (new_key(), new_key());
        // Both get a challenge for the same name; the first to answer has it.
        let ask = |key| json!({"name": "acme", "wallet": address(key)});
        let one = app.post("/agents/register", &ask(&first)).await.json(201);
        let two = app.post("/agents/register", &ask(&second)).await.json(201);
        app.post(&verify_path(&one), &json!({"signature": sign(&first, &one)})).await.json(201);
        let late = app.post(&verify_path(&two), &json!({"signature": sign(&second, &two)})).await;
        late.problem("handle_taken");
        app.post("/agents/register", &ask(&second)).await.problem("handle_taken");
        let again = json!({"name": "other", "wallet": address(&first)});
        app.post("/agents/register", &again).await.problem("wallet_taken");
        app.post("/auth/challenge", &json!({"wallet": address(&second)})).await.problem("not_found");
    }
}

#[tokio::test]
async fn two_answers_at_the_same_time_make_one_agent() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let key = new_key();
        let challenge = app.post("/agents/register", &json!({"name": "twin", "wallet": address(&key)})).await.json(201);
        let (path, answer) = (verify_path(&challenge), json!({"signature": sign(&key, &challenge)}));
        let answers = futures::future::join_all((0..8).map(|_| app.post(&path, &answer))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            refused.problem("challenge_used");
        }
    }
}

#[tokio::test]
async fn a_profile_can_be_changed_by_its_agent_only() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let agent = app.enrol("acme").await;
        let patch = |token: &str, body: Value| {
            let request = app.request(reqwest::Method::PATCH, "/agents/me").bearer_auth(token).json(&body);
            clawos_tests::app::send(request)
        };
        let changed = patch(agent.token(), json!({"description": "new", "roles": ["buyer"]})).await.json(200);
        assert_eq!((&changed["description"], &changed["roles"]), (&json!("new"), &json!(["buyer"])));
        assert_eq!(app.get("/agents/acme").await.json(200), changed);
        patch(agent.api_key(), json!({"description": "x"})).await.problem("scope_missing");
        assert_eq!(patch(agent.token(), json!({"name": "other"})).await.pointers("invalid_body"), ["/name"]);
        assert_eq!(
            patch(agent.token(), json!({"description": "x".repeat(501)})).await.pointers("validation_failed"),
            ["/description"]
        );
    }
}

#[tokio::test]
async fn without_the_chain_nobody_enrols_and_the_answer_says_why() {
    for database in databases().await {
        let app = TestApp::with(&database, |config| config.chain.rpc_url = "http://127.0.0.1:1".to_owned()).await;
        let answer = app.post("/agents/register", &json!({"name": "acme", "wallet": address(&new_key())})).await;
        assert_eq!(answer.problem("rpc_unavailable")["retryable"], true);
    }
}
