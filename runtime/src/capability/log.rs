//! The log of one call: counted, cut at its limit and marked, never a reason to fail.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use crate::{EventSink, LogLevel, LogLine, error::truncated, limits::MAX_LOG_LINE_BYTES};

/// One call's log. Clones share it: a guest may hold several streams into it.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Mutex<Lines>>);

#[derive(Debug)]
struct Lines {
    kept: Vec<LogLine>,
    /// Bytes that may still be kept.
    room: u64,
    truncated: bool,
    /// What came by streams of a level after its last line end: at most one line's worth each.
    unfinished: BTreeMap<LogLevel, Vec<u8>>,
    /// Bytes that came by streams, those that were cut included.
    streamed: u64,
    /// Who is told of each line kept.
    events: Arc<dyn EventSink>,
}

impl Log {
    /// An empty log that keeps at most `limit` bytes, and tells `events` of each line it keeps.
    pub(crate) fn new(limit: u64, events: Arc<dyn EventSink>) -> Self {
        let (kept, unfinished) = (Vec::new(), BTreeMap::new());
        Self(Arc::new(Mutex::new(Lines { kept, room: limit, truncated: false, unfinished, streamed: 0, events })))
    }

    /// Adds one line. It costs a byte more than its text, so that empty lines are not free.
    pub(crate) fn write(&self, level: LogLevel, message: String) {
        self.lines().write(level, message);
    }

    /// Adds bytes of a stream, each line of which becomes a log line. All streams of a level are one.
    pub(crate) fn stream(&self, level: LogLevel, bytes: &[u8]) {
        let mut lines = self.lines();
        lines.streamed = lines.streamed.saturating_add(bytes.len() as u64);
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            if lines.room == 0 {
                lines.truncated = true;
                return;
            }
            let line = piece.strip_suffix(b"\n");
            lines.extend(level, line.unwrap_or(piece));
            if line.is_some() {
                lines.end_line(level);
            }
        }
    }

    /// Bytes that came by streams so far.
    pub(crate) fn streamed(&self) -> u64 {
        self.lines().streamed
    }

    /// Takes what was logged, and whether something is missing.
    pub(crate) fn take(&self) -> (Vec<LogLine>, bool) {
        let mut lines = self.lines();
        for (level, text) in std::mem::take(&mut lines.unfinished) {
            if !text.is_empty() {
                lines.write(level, String::from_utf8_lossy(&text).into_owned());
            }
        }
        (std::mem::take(&mut lines.kept), lines.truncated)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().expect("no code panics while holding this lock")
    }
}

impl Lines {
    fn write(&mut self, level: LogLevel, message: String) {
        let room = usize::try_from(self.room).unwrap_or(usize::MAX);
        if room == 0 {
            self.truncated = true;
            return;
        }
        let full = message.len();
        let message = truncated(message, MAX_LOG_LINE_BYTES.min(room - 1));
        self.truncated |= message.len() < full;
        self.room = self.room.saturating_sub(message.len() as u64 + 1);
        let line = LogLine { level, message };
        self.events.log(&line);
        self.kept.push(line);
    }

    fn extend(&mut self, level: LogLevel, text: &[u8]) {
        let unfinished = self.unfinished.entry(level).or_default();
        // One byte over the limit is enough to know that the line was cut.
        let room = (MAX_LOG_LINE_BYTES + 1).saturating_sub(unfinished.len());
        unfinished.extend_from_slice(&text[..text.len().min(room)]);
    }

    fn end_line(&mut self, level: LogLevel) {
        let text = std::mem::take(self.unfinished.entry(level).or_default());
        self.write(level, String::from_utf8_lossy(&text).into_owned());
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
        let log = Log::new(10, Arc::new(()));
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
        let log = Log::new(3, Arc::new(()));
        (0..1000).for_each(|_| log.write(LogLevel::Info, String::new()));
        assert_eq!(log.take().0.len(), 3);
    }

    #[test]
    fn cuts_at_a_character_boundary() {
        let log = Log::new(4, Arc::new(()));
        log.write(LogLevel::Info, "aéé".to_owned());
        assert_eq!(texts(&log), ["aé"]);
    }

    #[test]
    fn a_stream_is_split_into_lines_and_its_tail_is_not_lost() {
        let log = Log::new(100, Arc::new(()));
        log.stream(LogLevel::Info, b"one\ntw");
        log.stream(LogLevel::Warn, b"beside");
        log.stream(LogLevel::Info, b"o\n\nthree");
        assert_eq!(log.streamed(), 20);
        assert_eq!(texts(&log), ["one", "two", "", "three", "beside"]);
    }

    #[test]
    fn a_full_log_takes_no_more_of_a_stream_and_says_so() {
        let log = Log::new(4, Arc::new(()));
        log.stream(LogLevel::Info, b"abc\n");
        assert!(!log.take().1, "all of it had room");
        log.stream(LogLevel::Info, &[b'\n'; 1_000_000]);
        log.stream(LogLevel::Info, b"tail");
        assert!(log.lines().unfinished.is_empty());
        assert_eq!(log.take(), (Vec::new(), true));
    }

    #[test]
    fn an_endless_line_takes_bounded_memory() {
        let log = Log::new(1 << 20, Arc::new(()));
        (0..1000).for_each(|_| log.stream(LogLevel::Info, &[b'x'; 4096]));
        assert!(log.lines().unfinished[&LogLevel::Info].capacity() < 4 * MAX_LOG_LINE_BYTES);
        let (lines, truncated) = log.take();
        assert!(truncated);
        assert_eq!(lines[0].message.len(), MAX_LOG_LINE_BYTES);
    }
}
