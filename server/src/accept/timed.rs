//! A connection that ends itself when nothing is asked on it, or when its peer doesn't read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::Place;

/// A peer that takes nothing for this long doesn't read. Keep-alives of both protocols come more often than this.
const STALL_TIMEOUT: Duration = Duration::from_mins(1);

/// How long nothing may be asked on a connection.
#[derive(Clone, Copy, Debug)]
pub struct IdleLimits {
    /// Until the peer has proved something.
    pub unproved: Duration,
    /// After that.
    pub proved: Duration,
}

/// A connection with limits of time, and its place.
#[derive(Debug)]
pub struct Timed<IO> {
    io: IO,
    place: Arc<Place>,
    limits: IdleLimits,
    /// When to look next whether anything is asked.
    look: Pin<Box<Sleep>>,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<IO> Timed<IO> {
    /// Nothing was asked on it yet.
    pub fn new(io: IO, place: Arc<Place>, limits: IdleLimits) -> Self {
        let look = Box::pin(sleep_until(Instant::now() + limits.unproved.min(limits.proved)));
        Self { io, place, limits, look, stalled: None }
    }

    /// The connection itself.
    pub fn get_ref(&self) -> &IO {
        &self.io
    }

    /// Its place.
    pub fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Whether it was idle for too long; looks again when it may be.
    fn is_idle(&mut self, cx: &mut Context<'_>) -> bool {
        while self.look.as_mut().poll(cx).is_ready() {
            let limit = if self.place.is_proved() { self.limits.proved } else { self.limits.unproved };
            let now = Instant::now();
            let end = match self.place.idle_since() {
                Some(since) => Instant::from_std(since) + limit,
                None => now + limit,
            };
            if end <= now {
                return true;
            }
            self.look.as_mut().reset(end);
        }
        false
    }

    /// Passes a write's result on, unless it waits for too long.
    fn unless_stalled<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + STALL_TIMEOUT)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Timed<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_idle(cx) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nothing was asked for too long")));
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Timed<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.unless_stalled(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        self.unless_stalled(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_shutdown(cx);
        self.unless_stalled(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.unless_stalled(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
