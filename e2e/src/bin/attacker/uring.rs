//! The same by io_uring: the kernel works on requests in a queue, perhaps in a thread of its own.

use std::io::{self, Error};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, opcode, squeue, types::Fd};

use super::Class;
use super::network::{answer, socket, target};
use super::sys::Address;

/// How the kernel is to work on the queue.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// When told, in this task if it can.
    Plain,
    /// When told, in a worker thread.
    Worker,
    /// By itself, in a thread that looks for work.
    Polled,
}

/// The first argument is the address to reach.
pub(crate) const CLASSES: &[Class] = &[
    ("uring_connect", |to| tcp(Way::Plain, target(to, 0)?)),
    ("uring_connect_worker", |to| tcp(Way::Worker, target(to, 0)?)),
    ("uring_connect_polled", |to| tcp(Way::Polled, target(to, 0)?)),
    ("uring_sendmsg", |to| datagram(Way::Plain, target(to, 0)?)),
    ("uring_sendmsg_polled", |to| datagram(Way::Polled, target(to, 0)?)),
];

/// Does one request, and gives what it would have returned as a system call.
pub(crate) fn run(way: Way, request: squeue::Entry) -> io::Result<i32> {
    let mut ring: IoUring = match way {
        Way::Polled => IoUring::builder().setup_sqpoll(100).build(4)?,
        Way::Plain | Way::Worker => IoUring::new(4)?,
    };
    let request = if matches!(way, Way::Worker) { request.flags(squeue::Flags::ASYNC) } else { request };
    // SAFETY: whatever the request points to lives until its completion is taken below.
    unsafe { ring.submission().push(&request).map_err(Error::other)? };
    ring.submit_and_wait(1)?;
    let done = ring.completion().next().ok_or_else(|| Error::other("no completion"))?;
    if done.result() < 0 { Err(Error::from_raw_os_error(-done.result())) } else { Ok(done.result()) }
}

fn tcp(way: Way, to: SocketAddr) -> io::Result<()> {
    let socket = socket(to, libc::SOCK_STREAM, 0)?;
    let address = Address::new(to);
    run(way, opcode::Connect::new(Fd(socket.as_raw_fd()), address.pointer(), address.length()).build())?;
    answer(socket.as_raw_fd())
}

fn datagram(way: Way, to: SocketAddr) -> io::Result<()> {
    let socket = socket(to, libc::SOCK_DGRAM, 0)?;
    let address = Address::new(to);
    let mut part = libc::iovec { iov_base: b"ping".as_ptr().cast_mut().cast(), iov_len: 4 };
    // SAFETY: all zeroes are an empty message.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = address.pointer().cast_mut().cast();
    message.msg_namelen = address.length();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    run(way, opcode::SendMsg::new(Fd(socket.as_raw_fd()), &raw const message).build())?;
    answer(socket.as_raw_fd())
}
