//! A stream that checks the hash of what it passes on, and never passes on the end of something else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, ReadBuf};

/// Passes on `len` bytes of `inner`. The last of them are withheld, and an error of kind [`io::ErrorKind::InvalidData`]
/// given instead, when there are more or fewer or when their SHA-256 is not `sha256`. After an error every further read
/// gives it again.
pub fn checked<R: AsyncRead + Send + Unpin>(inner: R, len: u64, sha256: [u8; 32]) -> impl AsyncRead + Send + Unpin {
    Checked { inner, left: len, hasher: Sha256::new(), sha256, state: State::Reading }
}

struct Checked<R> {
    inner: R,
    left: u64,
    hasher: Sha256,
    sha256: [u8; 32],
    state: State,
}

/// How far a stream has come.
enum State {
    /// The hash is not known yet.
    Reading,
    /// All bytes were passed on and had their hash.
    Done,
    /// Nothing more is passed on.
    Failed(io::ErrorKind, String),
}

impl<R: AsyncRead + Unpin> Checked<R> {
    /// Reads once and checks what was read.
    fn poll_checked(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = &buffer.filled()[before..];
        let count = read.len() as u64;
        if count > self.left || (count == 0 && self.left > 0 && buffer.remaining() > 0) {
            return Poll::Ready(Err(damaged()));
        }
        self.hasher.update(read);
        self.left -= count;
        if self.left == 0 && matches!(self.state, State::Reading) {
            if self.hasher.finalize_reset().as_slice() != self.sha256 {
                return Poll::Ready(Err(damaged()));
            }
            self.state = State::Done;
        }
        Poll::Ready(Ok(()))
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the artifact is damaged: it does not have its hash")
}

impl<R: AsyncRead + Unpin> AsyncRead for Checked<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let State::Failed(kind, text) = &self.state {
            return Poll::Ready(Err(io::Error::new(*kind, text.clone())));
        }
        let before = buffer.filled().len();
        let result = ready!(self.poll_checked(context, buffer));
        if let Err(error) = &result {
            buffer.set_filled(before);
            self.state = State::Failed(error.kind(), error.to_string());
        }
        Poll::Ready(result)
    }
}
