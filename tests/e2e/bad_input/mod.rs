//! Bad input of every kind, with the answer it gets. Each test prints its part of the table; see it with
//! `cargo test -p clawos-tests --test e2e bad_input -- --nocapture`.

mod calls;
mod forms;
mod identity;
mod openapi;
mod outages;
mod publishing;
mod requests;

use clawos_tests::app::Answer;
use clawos_tests::processes::clawos::Refusal;
use serde_json::Value;

/// What was sent and what came back, printed when the test ends.
#[derive(Default)]
struct Table(Vec<(String, String)>);

impl Table {
    /// Checks that an answer is a problem with this status and code, and notes it.
    #[track_caller]
    fn http(&mut self, what: &str, answer: &Answer, status: u16, code: &str) -> Value {
        let problem = answer.problem(code);
        assert_eq!(answer.status.as_u16(), status, "{what}: {problem}");
        self.note(what, &format!("{status} {code}"), &problem);
        problem
    }

    /// Checks that a command ended with this exit code and problem, and notes it.
    #[track_caller]
    fn command(&mut self, what: &str, outcome: Result<Value, Refusal>, exit: i32, code: &str) -> Value {
        let refusal = outcome.err().unwrap_or_else(|| panic!("{what}: it was accepted"));
        assert_eq!((refusal.exit, refusal.code()), (exit, code), "{what}: {:#}", refusal.problem);
        self.note(what, &format!("exit {exit} {code}"), &refusal.problem);
        refusal.problem
    }

    /// Notes an answer with the first thing it says.
    fn note(&mut self, what: &str, answer: &str, problem: &Value) {
        let first = &problem["errors"][0];
        let finding = |name: &str| first[name].as_str().unwrap_or_default().to_owned();
        let text = match first {
            Value::Null => problem["detail"].as_str().unwrap_or_default().to_owned(),
            _ => format!("{} {}", finding("pointer"), finding("detail")),
        };
        let text: String = text.trim().lines().next().unwrap_or_default().chars().take(150).collect();
        self.0.push((what.to_owned(), format!("{answer}: {text}")));
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        for (what, answer) in &self.0 {
            println!("| {what} | {answer} |");
        }
    }
}
