//! The report: the median of the rounds with the least and the most, as a Markdown table.

use std::time::Duration;

use crate::wrk::Seen;

/// One round of one target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    seen: Seen,
    cpu_us: f64,
}

impl Round {
    /// What `wrk` saw, and the processor time that the server took meanwhile.
    pub(crate) fn new(seen: Seen, cpu: Duration) -> Self {
        Self { seen, cpu_us: cpu.as_secs_f64() * 1e6 / (seen.requests.max(1) as f64) }
    }

    fn rate(&self) -> f64 {
        self.seen.requests as f64 * 1e6 / self.seen.duration_us.max(1) as f64
    }
}

/// One row of the table.
pub(crate) fn row(name: &str, rounds: &[Round]) -> String {
    let column = |digits: usize, value: fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        match (values.first(), values.get(values.len() / 2), values.last()) {
            (Some(least), Some(median), Some(most)) => format!("{median:.digits$} ({least:.digits$}–{most:.digits$})"),
            _ => "–".to_owned(),
        }
    };
    format!(
        "| {name} | {} | {} | {} | {} |",
        column(0, Round::rate),
        column(2, |round| round.seen.p50_us as f64 / 1e3),
        column(2, |round| round.seen.p99_us as f64 / 1e3),
        column(1, |round| round.cpu_us),
    )
}

/// The table's head.
pub(crate) const HEAD: &str =
    "| target | requests/s | p50 ms | p99 ms | server CPU µs/call |\n| --- | --- | --- | --- | --- |";
