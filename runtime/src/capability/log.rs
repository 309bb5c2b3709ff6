//! The log of one call: counted, cut at its limit and marked, never a reason to fail.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::{LogLevel, LogLine, error::truncated, limits::MAX_LOG_LINE_BYTES};

/// One call's log. Clones share it: a guest may hold several streams into it.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Mutex<Lines>>);

#[derive(Debug)]
struct Lines {
    kept: Vec<LogLine>,
    /// Bytes that may still be kept.
    room: u64,
    truncated: bool,
}

impl Log {
    /// An empty log that keeps at most `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self(Arc::new(Mutex::new(Lines { kept: Vec::new(), room: limit, truncated: false })))
    }

    /// Adds one line. It costs a byte more than its text, so that empty lines are not free.
    pub(crate) fn write(&self, level: LogLevel, message: String) {
        let mut lines = self.lines();
        let room = usize::try_from(lines.room).unwrap_or(usize::MAX);
        if room == 0 {
            lines.truncated = true;
            return;
        }
        let full = message.len();
        let message = truncated(message, MAX_LOG_LINE_BYTES.min(room - 1));
        lines.truncated |= message.len() < full;
        lines.room = lines.room.saturating_sub(message.len() as u64 + 1);
        lines.kept.push(LogLine { level, message });
    }

    /// A byte stream into this log: each line of it becomes a log line.
    pub(crate) fn stream(&self, level: LogLevel) -> LineStream {
        LineStream { log: self.clone(), level, pending: Vec::new() }
    }

    /// Takes what was logged, and whether something is missing.
    pub(crate) fn take(&self) -> (Vec<LogLine>, bool) {
        let mut lines = self.lines();
        (std::mem::take(&mut lines.kept), lines.truncated)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().expect("no code panics while holding this lock")
    }
}

/// Turns bytes into log lines. What follows the last line end is logged when the stream is dropped.
#[derive(Debug)]
pub(crate) struct LineStream {
    log: Log,
    level: LogLevel,
    pending: Vec<u8>,
}

impl LineStream {
    /// Adds bytes. At most one line's worth is ever held.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            // One byte over the limit is enough for the log to know that the line was cut.
            let room = (MAX_LOG_LINE_BYTES + 1).saturating_sub(self.pending.len());
            self.pending.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        self.log.write(self.level, line);
    }
}

impl Drop for LineStream {
    fn drop(&mut self) {
        if !self.pending.is_empty() {
            self.end_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &Log) -> Vec<String> {
        log.take().0.into_iter().map(|line| line.message).collect()
    }

    #[test]
    fn keeps_lines_in_order_up_to_its_limit_and_says_that_it_cut() {
        let log = Log::new(10);
        log.write(LogLevel::Info, "1234".to_owned());
        log.write(LogLevel::Warn, "56789".to_owned());
        log.write(LogLevel::Info, "gone".to_owned());
        let (lines, truncated) = log.take();
        assert!(truncated);
        assert_eq!(lines[0], LogLine { level: LogLevel::Info, message: "1234".to_owned() });
        assert_eq!(lines[1], LogLine { level: LogLevel::Warn, message: "5678".to_owned() });
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn empty_lines_count() {
        let log = Log::new(3);
        (0..1000).for_each(|_| log.write(LogLevel::Info, String::new()));
        assert_eq!(log.take().0.len(), 3);
    }

    #[test]
    fn cuts_at_a_character_boundary() {
        let log = Log::new(4);
        log.write(LogLevel::Info, "aéé".to_owned());
        assert_eq!(texts(&log), ["aé"]);
    }

    #[test]
    fn a_stream_is_split_into_lines_and_its_tail_is_not_lost() {
        let log = Log::new(100);
        let mut stream = log.stream(LogLevel::Info);
        stream.push(b"one\ntw");
        stream.push(b"o\n\nthree");
        drop(stream);
        assert_eq!(texts(&log), ["one", "two", "", "three"]);
    }

    #[test]
    fn an_endless_line_takes_bounded_memory() {
        let log = Log::new(1 << 20);
        let mut stream = log.stream(LogLevel::Info);
        (0..1000).for_each(|_| stream.push(&[b'x'; 4096]));
        assert!(stream.pending.capacity() < 4 * MAX_LOG_LINE_BYTES);
        drop(stream);
        let (lines, truncated) = log.take();
        assert!(truncated);
        assert_eq!(lines[0].message.len(), MAX_LOG_LINE_BYTES);
    }
}
