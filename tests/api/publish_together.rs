//! Publishing while others publish: races, slow work, slow senders.

use std::time::Duration;

use clawos_tests::app::{Answer, TestAgent, TestApp, TestDatabase, databases, send};
use clawos_tests::publication::Publication;
use clawos_tests::wat_skill::WatSkill;
use reqwest::Method;

use crate::publish::{publish, publish_version, stored_artifacts};

/// How often a publisher who is told to wait comes again, every 50 ms.
const TRIES: usize = 400;

#[tokio::test]
async fn of_two_publishers_at_the_same_time_one_wins() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        // Each with a module of its own, of which only the winner's is kept.
        let echo = |number: u8| {
            let mut skill = WatSkill::echo();
            skill.main.push_str(&format!("(@custom \"number\" \"{number}\")"));
            let echo = Publication { artifact: skill.build(), ..Publication::echo("acme", "echo", "1.0.0") };
            echo.signed(&author.key)
        };
        let sent: Vec<_> = (0..4).map(echo).collect();
        let come_again = async |echo: &Publication| {
            for _ in 0..TRIES {
                let answer = publish(&app, &author, echo).await;
                if answer.status != 429 {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            panic!("an author is never let in again");
        };
        let answers = futures::future::join_all(sent.iter().map(come_again)).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(refused.status, 409, "{}", refused.text());
        }
        assert_eq!(stored_artifacts(&app), 1);
    }
}

/// Its eight examples together take a good part of a second for every hundred million `turns`.
fn slow(name: &str, version: &str, turns: u32) -> Publication {
    let slow = WatSkill::running(&format!(
        "(local $n i32) (local.set $n (i32.const {turns})) \
         (loop $again (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $again (local.get $n))) \
         (call $ok (local.get $payload) (local.get $payload-len))"
    ));
    let mut slow = Publication { artifact: slow.build(), ..Publication::echo("acme", name, version) };
    let example = "[[endpoints.examples]]\ninput = \"examples/in.json\"\noutput = \"examples/out.json\"\n";
    slow.manifest.push_str(&example.repeat(7));
    slow
}

#[tokio::test]
async fn a_publish_that_takes_long_does_not_take_the_newest_version_back() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        let first = Publication::echo("acme", "echo", "1.0.0").signed(&author.key);
        publish(&app, &author, &first).await.json(201);
        let (old, new) = (slow("echo", "1.1.0", 30_000_000), Publication::echo("acme", "echo", "2.0.0"));
        let (old, new) = (old.signed(&author.key), new.signed(&author.key));
        let overtaking = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            publish_version(&app, &author, "acme.echo", &new).await
        };
        let (old, new) = futures::future::join(publish_version(&app, &author, "acme.echo", &old), overtaking).await;
        assert_eq!((old.status.as_u16(), new.status.as_u16()), (201, 201), "{} {}", old.text(), new.text());
        assert_eq!(app.get("/skills/acme.echo").await.json(200)["latest_version"], "2.0.0");
    }
}

#[tokio::test]
async fn a_publish_whose_claim_was_taken_over_is_undone() {
    for database in databases().await {
        let app = TestApp::start(&database).await;
        let author = app.enrol("acme").await;
        let request = app.request(Method::POST, "/skills").bearer_auth(author.api_key());
        let request = request
            .header("idempotency-key", "p1")
            .multipart(slow("slow", "1.0.0", 20_000_000).signed(&author.key).form());
        let sent = tokio::spawn(send(request));
        let take = "UPDATE idempotency SET claim = 'clm_another'";
        while sqlx::Executor::execute(&*app.state.db, take).await.unwrap().rows_affected() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sent.await.unwrap().problem("idempotency_running");
        app.get("/skills/acme.slow").await.problem("skill_not_found");
        assert_eq!(stored_artifacts(&app), 0);
    }
}

/// Begins to publish `acme.slow` and hangs up.
async fn publish_and_hang_up(app: &TestApp) {
    let author = app.enrol("acme").await;
    let slow = slow("slow", "1.0.0", 100_000_000);
    let request = app.request(Method::POST, "/skills").bearer_auth(author.api_key());
    let request = request.multipart(slow.signed(&author.key).form()).timeout(Duration::from_millis(250));
    let answer = request.send().await;
    assert!(answer.is_err(), "the server was faster than the client's patience: {answer:?}");
}

#[tokio::test]
async fn a_publisher_who_hangs_up_has_published_all_the_same() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    publish_and_hang_up(&app).await;
    for _ in 0..200 {
        if app.get("/skills/acme.slow").await.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the publish ended with its client");
}

#[tokio::test]
async fn an_orderly_end_waits_for_those_who_hung_up() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    publish_and_hang_up(&app).await;
    let app = app.restart(&TestDatabase::Sqlite).await;
    app.get("/skills/acme.slow").await.json(200);
}

#[tokio::test]
async fn slow_uploads_do_not_add_up() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let mut authors = Vec::new();
    for number in 1..=5 {
        authors.push(app.enrol(&format!("author-{number}")).await);
    }
    let slow = |author: &TestAgent| {
        let never = reqwest::Body::wrap_stream(futures::stream::pending::<std::io::Result<Vec<u8>>>());
        let request = app.request(Method::POST, "/skills").header("content-type", "multipart/form-data; boundary=x");
        tokio::spawn(send(request.bearer_auth(author.api_key()).body(never)))
    };
    let refused = async |uploads: Vec<tokio::task::JoinHandle<Answer>>| {
        let first = futures::future::select_all(uploads);
        let (refused, _, mut waiting) =
            tokio::time::timeout(Duration::from_secs(20), first).await.expect("one is refused");
        let refused = refused.unwrap().problem("rate_limited");
        assert!(refused["detail"].as_str().unwrap().contains("uploads at a time"), "{refused}");
        if let Some(ended) = waiting.iter().position(tokio::task::JoinHandle::is_finished) {
            panic!("another one ended: {:?}", waiting.swap_remove(ended).await.map(|answer| answer.text()));
        }
        waiting
    };
    // Two of an agent wait for their bodies; whichever came third is refused at once.
    let mut uploads = refused((0..3).map(|_| slow(&authors[0])).collect()).await;
    // Others are not kept out by it, until there are eight.
    uploads.extend(authors[1..].iter().flat_map(|author| [author, author]).take(7).map(slow));
    let waiting = refused(uploads).await;
    assert_eq!(waiting.len(), 8);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}
