//! A skill that is an ordinary program: one call on standard input, what it does on standard output, a JSON line each.

use std::{
    io::{self, BufRead as _, StdinLock},
    process::ExitCode,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut host = Host(io::stdin().lock());
    let call = host.hear();
    let payload = call["payload"].as_str().unwrap_or_default();
    match call["endpoint"].as_str() {
        Some("echo") => {
            say(&json!({ "progress": [1, 2, "half of it"] }));
            say(&json!({ "log": ["info", "echoing"] }));
            say(&json!({ "answer": payload }));
        }
        Some("count") => {
            say(&json!({ "get": "count" }));
            let count = host.hear().as_str().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0) + 1;
            say(&json!({ "set": ["count", count.to_string()] }));
            say(&json!({ "answer": count.to_string() }));
        }
        Some("sleep") => loop {
            thread::sleep(Duration::from_secs(1));
        },
        Some("crash") => return ExitCode::FAILURE,
        _ => say(&json!({ "refusal": ["not-found", "there is no such endpoint"] })),
    }
    ExitCode::SUCCESS
}

struct Host(StdinLock<'static>);

impl Host {
    fn hear(&mut self) -> Value {
        let mut line = String::new();
        let _ = self.0.read_line(&mut line);
        serde_json::from_str(&line).unwrap_or_default()
    }
}

fn say(line: &Value) {
    println!("{line}");
}
