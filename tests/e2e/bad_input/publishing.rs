//! Manifests, schemas, permissions and artifacts that are wrong: what the server says, and what `clawos` says before.

use std::fs;
use std::path::PathBuf;

use clawos_tests::app::{Answer, TestDatabase, send};
use clawos_tests::guests::MARKDOWN_HTML;
use clawos_tests::publication::Publication;
use clawos_tests::wat_skill::WatSkill;
use reqwest::Method;

use super::Table;
use crate::world::{World, on_both_databases};

/// One byte more than an artifact may have.
const OVERSIZED: usize = 32 * 1024 * 1024 + 1;

fn echo() -> Publication {
    Publication::echo("acme", "echo", "1.0.0")
}

async fn publish(world: &World, publication: &Publication) -> Answer {
    let token = world.author.token();
    send(world.request(Method::POST, "/skills").bearer_auth(token).multipart(publication.form())).await
}

on_both_databases!(manifests_at_the_server, without guests);

async fn manifests_at_the_server(database: &TestDatabase) {
    let world = World::enrolled_on(database, &[]);
    let mut table = Table::default();
    let signed = |publication: Publication| publication.signed(world.author.wallet().signing_key());
    let kv = "[permissions]\nkv = true\n\n[runtime]";
    let cases = [
        ("an unknown key", echo().edit("[runtime]", "[runtime]\ncolour = \"red\""), "manifest_invalid"),
        ("no TOML", echo().edit("[skill]", "[skill"), "manifest_invalid"),
        ("a version that is none", echo().edit("1.0.0", "one"), "manifest_invalid"),
        ("a wrong schema", echo().file("schemas/in.json", r#"{"type": "objekt"}"#), "schema_invalid"),
        (
            "a schema elsewhere",
            echo().file("schemas/in.json", r#"{"$ref": "https://example.com/s"}"#),
            "schema_invalid",
        ),
        ("a schema that is missing", Publication { files: Vec::new(), ..echo() }, "schema_invalid"),
        (
            "an example that does not match its schema",
            echo().file("examples/in.json", r#"{"text": 7}"#),
            "example_failed",
        ),
        (
            "an example with another output",
            signed(echo().file("examples/out.json", r#"{"text": "bye"}"#)),
            "example_failed",
        ),
        ("a permission the module does not import", signed(echo().edit("[runtime]", kv)), "permission_mismatch"),
    ];
    for (what, publication, code) in cases {
        table.http(&format!("manifest: {what}"), &publish(&world, &publication).await, 422, code);
    }
    world.get(&world.author, "/skills/acme.echo").await.problem("skill_not_found");
}

on_both_databases!(artifacts_at_the_server, without guests);

async fn artifacts_at_the_server(database: &TestDatabase) {
    let world = World::enrolled_on(database, &[]);
    let mut table = Table::default();
    let good = WatSkill::echo().build();
    let crashing = WatSkill::running("unreachable").build();
    let artifacts: [(&str, Vec<u8>, u16, &str); 8] = [
        ("nothing", Vec::new(), 422, "artifact_invalid"),
        ("text", WatSkill::echo().text().into_bytes(), 422, "artifact_invalid"),
        ("a core module", b"\0asm\x01\0\0\0".to_vec(), 422, "artifact_invalid"),
        ("native code", fs::read("/bin/true").expect("Debian has it"), 422, "artifact_invalid"),
        ("truncated", good[..good.len() - 7].to_vec(), 422, "artifact_invalid"),
        ("half", good[..good.len() / 2].to_vec(), 422, "artifact_invalid"),
        ("a module that traps on its own example", crashing, 422, "example_failed"),
        ("oversized", vec![0; OVERSIZED], 413, "payload_too_large"),
    ];
    for (what, artifact, status, code) in artifacts {
        let publication = Publication { artifact, ..echo() }.signed(world.author.wallet().signing_key());
        table.http(&format!("artifact: {what}"), &publish(&world, &publication).await, status, code);
    }
    world.get(&world.author, "/skills/acme.echo").await.problem("skill_not_found");
    let good = echo().signed(world.author.wallet().signing_key());
    publish(&world, &good).await.json(201);
}

on_both_databases!(projects_at_the_command);

/// The same faults in an author's folder.
async fn projects_at_the_command(database: &TestDatabase) {
    let world = World::enrolled_on(database, &[]);
    let mut table = Table::default();
    let folder = world.project(MARKDOWN_HTML);
    let module = PathBuf::from(&folder).join("skill.wasm");
    let good = fs::read(&module).expect("it was built");
    let publish = ["publish", &folder, "--no-build"];
    let check = ["check", &folder];
    for (what, artifact) in [
        ("text", b"hello".to_vec()),
        ("a core module", b"\0asm\x01\0\0\0".to_vec()),
        ("native code", fs::read("/bin/true").expect("Debian has it")),
        ("truncated", good[..good.len() / 2].to_vec()),
    ] {
        fs::write(&module, artifact).expect("the test's folder can be written");
        table.command(&format!("clawos check: {what}"), world.author.attempt(&check), 5, "invalid");
        let outcome = world.author.attempt(&publish);
        table.command(&format!("clawos publish: {what}"), outcome, 5, "artifact_invalid");
    }
    fs::write(&module, vec![0; OVERSIZED]).expect("the test's folder can be written");
    table.command("clawos publish: oversized", world.author.attempt(&publish), 5, "invalid");
    fs::write(&module, good).expect("the test's folder can be written");
    for (what, from, to) in [
        ("an unknown key", "[runtime]", "[runtime]\ncolour = \"red\""),
        ("a permission the module does not import", "[runtime]", "[permissions]\nkv = true\n\n[runtime]"),
        ("a price that cannot be charged exactly", "once = \"0.05\"", "once = \"0.0000000001\""),
    ] {
        world.edit(MARKDOWN_HTML, from, to);
        table.command(&format!("clawos check: {what}"), world.author.attempt(&check), 5, "invalid");
        world.edit(MARKDOWN_HTML, to, from);
    }
    world.author.run(&check);
    world.outsider.refused(&["show", MARKDOWN_HTML], "skill_not_found");
}
