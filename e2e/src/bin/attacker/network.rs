//! Ways to reach an address. Each is done only when the other end's answer came back.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::mem::size_of;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::serve::ANSWER;
use super::sys::{Address, check, descriptor, handed_over};
use super::{CONNECTION, Class};

/// Longest wait for an answer that nobody refused.
const ANSWER_MAX: Duration = Duration::from_secs(5);
const PING: &[u8] = b"ping";

/// The first argument is the address to reach; where there is a second, it is one that is allowed.
pub(crate) const CLASSES: &[Class] = &[
    ("tcp", |to| connect(libc::SOCK_STREAM, 0, target(to, 0)?)),
    ("tcp_bound", |to| bound(target(to, 0)?)),
    ("tcp_nonblocking", |to| nonblocking(target(to, 0)?)),
    ("tcp_mapped", |to| connect(libc::SOCK_STREAM, 0, mapped(target(to, 0)?)?)),
    ("tcp_fast_open", |to| fast_open(target(to, 0)?)),
    ("tcp_fast_open_connect", |to| fast_open_connect(target(to, 0)?)),
    ("tcp_again", |to| again(libc::SOCK_STREAM, target(to, 0)?, target(to, 1)?)),
    ("mptcp", |to| connect(libc::SOCK_STREAM, libc::IPPROTO_MPTCP, target(to, 0)?)),
    ("udp_connect", |to| connect(libc::SOCK_DGRAM, 0, target(to, 0)?)),
    ("udp_again", |to| again(libc::SOCK_DGRAM, target(to, 0)?, target(to, 1)?)),
    ("udp_sendto", |to| send_to(&socket(target(to, 0)?, libc::SOCK_DGRAM, 0)?, &Address::new(target(to, 0)?), 0)),
    ("udp_sendmsg", |to| send_message(target(to, 0)?, 1)),
    ("udp_sendmmsg", |to| send_message(target(to, 0)?, 2)),
    ("udp_connected_elsewhere", |to| connected_elsewhere(target(to, 0)?, target(to, 1)?)),
    ("udp_mapped", |to| udp_mapped(target(to, 0)?)),
    ("udp_v4_by_v6_socket", |to| v4_by_v6_socket(target(to, 0)?)),
    ("udp_family_unspecified", |to| family_unspecified(target(to, 0)?)),
    ("descriptor_from_parent", |_| descriptor_from_parent()),
];

/// An address among the arguments.
pub(crate) fn target(arguments: &[&str], index: usize) -> io::Result<SocketAddr> {
    let text = arguments.get(index).ok_or(ErrorKind::InvalidInput)?;
    text.parse().map_err(|error| Error::new(ErrorKind::InvalidInput, format!("{text}: {error}")))
}

fn family(address: SocketAddr) -> i32 {
    if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }
}

/// A socket of the address's family that waits only so long for an answer.
pub(crate) fn socket(address: SocketAddr, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: makes a socket, or says why not.
    let socket = descriptor(unsafe { libc::socket(family(address), kind | libc::SOCK_CLOEXEC, protocol) })?;
    let seconds = ANSWER_MAX.as_secs().cast_signed();
    set(&socket, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &libc::timeval { tv_sec: seconds, tv_usec: 0 })?;
    Ok(socket)
}

pub(crate) fn set<T>(socket: &OwnedFd, level: i32, option: i32, value: &T) -> io::Result<()> {
    let length = u32::try_from(size_of::<T>()).map_err(Error::other)?;
    // SAFETY: the value lives as long as the call, and its length is right.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const *value).cast(), length) })?;
    Ok(())
}

pub(crate) fn connect_to(socket: RawFd, address: &Address) -> io::Result<()> {
    // SAFETY: the address lives as long as the call.
    check(unsafe { libc::connect(socket, address.pointer(), address.length()) })?;
    Ok(())
}

pub(crate) fn send(socket: &OwnedFd) -> io::Result<()> {
    // SAFETY: the bytes live as long as the call.
    check(unsafe { libc::send(socket.as_raw_fd(), PING.as_ptr().cast(), PING.len(), libc::MSG_NOSIGNAL) })?;
    Ok(())
}

/// The answer of the other end; without it nothing was reached.
pub(crate) fn answer(socket: RawFd) -> io::Result<()> {
    let mut buffer = [0_u8; 16];
    // SAFETY: the buffer is as long as said.
    let read = check(unsafe { libc::recv(socket, buffer.as_mut_ptr().cast(), buffer.len(), 0) })?;
    let read = usize::try_from(read).map_err(Error::other)?;
    if &buffer[..read] == ANSWER { Ok(()) } else { Err(Error::other(format!("{read} bytes that are no answer"))) }
}

fn connect(kind: i32, protocol: i32, address: SocketAddr) -> io::Result<()> {
    let socket = socket(address, kind, protocol)?;
    connect_to(socket.as_raw_fd(), &Address::new(address))?;
    send(&socket)?;
    answer(socket.as_raw_fd())
}

fn bound(address: SocketAddr) -> io::Result<()> {
    let socket = socket(address, libc::SOCK_STREAM, 0)?;
    let any = Address::new(if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().map_err(Error::other)?);
    // SAFETY: the address lives as long as the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), any.pointer(), any.length()) })?;
    connect_to(socket.as_raw_fd(), &Address::new(address))?;
    answer(socket.as_raw_fd())
}

fn nonblocking(address: SocketAddr) -> io::Result<()> {
    let socket = socket(address, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0)?;
    match connect_to(socket.as_raw_fd(), &Address::new(address)) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    let mut ready = [libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    // SAFETY: one descriptor that stays open, and their number.
    check(unsafe { libc::poll(ready.as_mut_ptr(), 1, i32::try_from(ANSWER_MAX.as_millis()).unwrap_or(i32::MAX)) })?;
    answer(socket.as_raw_fd())
}

/// The IPv4 address as an IPv6 one.
fn mapped(address: SocketAddr) -> io::Result<SocketAddr> {
    match address.ip() {
        IpAddr::V4(ip) => Ok(SocketAddr::new(ip.to_ipv6_mapped().into(), address.port())),
        IpAddr::V6(_) => Err(ErrorKind::InvalidInput.into()),
    }
}

/// Data with the first packet: `sendto` that connects.
fn fast_open(address: SocketAddr) -> io::Result<()> {
    send_to(&socket(address, libc::SOCK_STREAM, 0)?, &Address::new(address), libc::MSG_FASTOPEN)
}

/// A connect that waits for the first data.
fn fast_open_connect(address: SocketAddr) -> io::Result<()> {
    let socket = socket(address, libc::SOCK_STREAM, 0)?;
    set(&socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, &1_i32)?;
    connect_to(socket.as_raw_fd(), &Address::new(address))?;
    send(&socket)?;
    answer(socket.as_raw_fd())
}

/// Connects where it may, dissolves that with AF_UNSPEC, and connects where it may not.
fn again(kind: i32, denied: SocketAddr, allowed: SocketAddr) -> io::Result<()> {
    let socket = socket(allowed, kind, 0)?;
    connect_to(socket.as_raw_fd(), &Address::new(allowed))?;
    connect_to(socket.as_raw_fd(), &Address::new(allowed).unspecified())?;
    connect_to(socket.as_raw_fd(), &Address::new(denied))?;
    send(&socket)?;
    answer(socket.as_raw_fd())
}

pub(crate) fn send_to(socket: &OwnedFd, address: &Address, flags: i32) -> io::Result<()> {
    let socket = socket.as_raw_fd();
    // SAFETY: bytes and address live as long as the call.
    check(unsafe {
        libc::sendto(socket, PING.as_ptr().cast(), PING.len(), flags, address.pointer(), address.length())
    })?;
    answer(socket)
}

/// One message by `sendmsg`, or several by `sendmmsg`.
fn send_message(address: SocketAddr, count: usize) -> io::Result<()> {
    let socket = socket(address, libc::SOCK_DGRAM, 0)?;
    let address = Address::new(address);
    let mut part = libc::iovec { iov_base: PING.as_ptr().cast_mut().cast(), iov_len: PING.len() };
    // SAFETY: all zeroes are an empty message.
    let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
    message.msg_hdr.msg_name = address.pointer().cast_mut().cast();
    message.msg_hdr.msg_namelen = address.length();
    message.msg_hdr.msg_iov = &raw mut part;
    message.msg_hdr.msg_iovlen = 1;
    if count == 1 {
        // SAFETY: what the message points to lives as long as the call.
        check(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message.msg_hdr, 0) })?;
    } else {
        let mut messages = vec![message; count];
        let length = u32::try_from(count).map_err(Error::other)?;
        // SAFETY: as above, and as many messages as said.
        check(unsafe { libc::sendmmsg(socket.as_raw_fd(), messages.as_mut_ptr(), length, 0) })?;
    }
    answer(socket.as_raw_fd())
}

/// A datagram elsewhere than where its socket is connected to.
fn connected_elsewhere(denied: SocketAddr, allowed: SocketAddr) -> io::Result<()> {
    let socket = socket(allowed, libc::SOCK_DGRAM, 0)?;
    connect_to(socket.as_raw_fd(), &Address::new(allowed))?;
    let address = Address::new(denied);
    // SAFETY: bytes and address live as long as the call.
    check(unsafe {
        libc::sendto(socket.as_raw_fd(), PING.as_ptr().cast(), PING.len(), 0, address.pointer(), address.length())
    })?;
    // The answer comes from an address that the socket isn't connected to, so it can't be read: sent is done.
    Ok(())
}

fn udp_mapped(address: SocketAddr) -> io::Result<()> {
    let address = mapped(address)?;
    send_to(&socket(address, libc::SOCK_DGRAM, 0)?, &Address::new(address), 0)
}

/// An IPv4 address, in the IPv4 form, given to an IPv6 socket.
fn v4_by_v6_socket(address: SocketAddr) -> io::Result<()> {
    send_to(&socket(mapped(address)?, libc::SOCK_DGRAM, 0)?, &Address::new(address), 0)
}

/// Linux takes an address of no family for one of IPv4.
fn family_unspecified(address: SocketAddr) -> io::Result<()> {
    send_to(&socket(address, libc::SOCK_DGRAM, 0)?, &Address::new(address).unspecified(), 0)
}

/// A UDP header and what is sent, for those who make packets by hand.
pub(crate) fn datagram(from: u16, to: u16) -> io::Result<Vec<u8>> {
    let mut datagram = Vec::new();
    datagram.extend(from.to_be_bytes());
    datagram.extend(to.to_be_bytes());
    let length = u16::try_from(8 + PING.len()).map_err(Error::other)?;
    // Without a check sum, which IPv4 allows.
    datagram.extend(length.to_be_bytes().into_iter().chain([0, 0]));
    datagram.extend(PING);
    Ok(datagram)
}

/// Uses a connection that was made by whoever started this process.
fn descriptor_from_parent() -> io::Result<()> {
    let mut stream = TcpStream::from(handed_over(CONNECTION)?);
    stream.write_all(PING)?;
    let mut bytes = [0; ANSWER.len()];
    stream.read_exact(&mut bytes)?;
    if bytes == ANSWER { Ok(()) } else { Err(Error::other("no answer")) }
}
