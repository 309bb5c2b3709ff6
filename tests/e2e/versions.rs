//! The versions of a skill, as the command shows them to anybody.

use clawos_tests::app::{TestApp, TestDatabase, send};
use clawos_tests::chain;
use clawos_tests::processes::Clawos;
use clawos_tests::publication::Publication;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn each_version_is_shown_as_it_is_and_an_unknown_one_with_those_there_are() {
    let app = TestApp::start(&TestDatabase::Sqlite).await;
    let author = app.enrol("acme").await;
    let newer = "[skill]\nid";
    let versions = [
        Publication::echo("acme", "echo", "1.0.0"),
        Publication::echo("acme", "echo", "1.1.0").edit(newer, "[limits]\nwall_ms = 7000\n\n[skill]\nid"),
    ];
    for publication in versions {
        let path =
            if publication.resolved().skill.version == "1.0.0" { "/skills" } else { "/skills/acme.echo/versions" };
        let publication = publication.signed(&author.key);
        let request = app.request(Method::POST, path).bearer_auth(author.api_key());
        send(request.multipart(publication.form())).await.json(201);
        // Two versions of one millisecond have no order of their own.
        app.clock.advance(5);
    }
    let home = TempDir::new().expect("a folder for temporary files");
    let anybody = Clawos::new(home.path().join("home"), &app.origin, &chain::shared().rpc_url());

    for (asked, version, wall_ms) in
        [("acme.echo", "1.1.0", 7_000), ("acme.echo@1.1.0", "1.1.0", 7_000), ("acme.echo@1.0.0", "1.0.0", 5_000)]
    {
        let shown = anybody.run(&["show", asked]);
        assert_eq!((&shown["version"], &shown["limits"]["wall_ms"]), (&json!(version), &json!(wall_ms)), "{asked}");
        assert_eq!((&shown["latest_version"], &shown["versions"]), (&json!("1.1.0"), &json!(["1.1.0", "1.0.0"])));
    }
    let older = anybody.for_people(&["show", "acme.echo@1.0.0"]);
    assert!(older.contains("acme.echo 1.0.0") && older.contains("clawos exec acme.echo@1.0.0 echo"), "{older}");
    assert!(anybody.for_people(&["show", "acme.echo"]).contains("clawos exec acme.echo echo"));

    let unknown = anybody.refused(&["show", "acme.echo@9.9.9"], "version_not_found");
    assert_eq!(unknown["detail"], "acme.echo has no version 9.9.9; it has 1.1.0, 1.0.0");
    anybody.refused(&["show", "acme.nothing@1.0.0"], "skill_not_found");
}
