//! Ways to others by sockets that no rule of addresses speaks of. Each is done only when the other end's answer came back.

use std::io::{self, Error};
use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use io_uring::opcode;

use super::network::{answer, connect_to, datagram, send, send_to, set, socket, target};
use super::read::owned;
use super::sys::{Address, check, descriptor, handed_over};
use super::uring::{Way, run};
use super::{Class, RAW};

/// Option of DCCP: what is asked for and offered there.
const DCCP_SERVICE: i32 = 2;
const SOL_DCCP: i32 = 269;
const SERVICE: u32 = 0x7479_7200;

/// The first argument is the address to reach.
pub(crate) const CLASSES: &[Class] = &[
    ("sctp", |to| {
        let (to, protocol) = (target(to, 0)?, libc::IPPROTO_SCTP);
        let socket = socket(to, libc::SOCK_STREAM, protocol)?;
        connect_to(socket.as_raw_fd(), &Address::new(to))?;
        answer(socket.as_raw_fd())
    }),
    ("dccp", |to| {
        let to = target(to, 0)?;
        let socket = dccp(to)?;
        connect_to(socket.as_raw_fd(), &Address::new(to))?;
        answer(socket.as_raw_fd())
    }),
    ("udplite", |to| {
        let to = target(to, 0)?;
        send_to(&socket(to, libc::SOCK_DGRAM, libc::IPPROTO_UDPLITE)?, &Address::new(to), 0)
    }),
    ("udplite_connect", |to| {
        let to = target(to, 0)?;
        let socket = socket(to, libc::SOCK_DGRAM, libc::IPPROTO_UDPLITE)?;
        connect_to(socket.as_raw_fd(), &Address::new(to))?;
        send(&socket)?;
        answer(socket.as_raw_fd())
    }),
    ("ping", |to| ping(target(to, 0)?, false)),
    ("ping_connect", |to| ping(target(to, 0)?, true)),
    ("raw_udp", |to| {
        let to = target(to, 0)?;
        raw(to, &socket(to, libc::SOCK_RAW, libc::IPPROTO_UDP)?, to, false)
    }),
    ("uring_raw_udp", |to| {
        let to = target(to, 0)?;
        let made = opcode::Socket::new(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_UDP).build();
        raw(to, &owned(run(Way::Plain, made)?), to, false)
    }),
    // One that somebody else made.
    ("raw_from_parent", |to| raw(target(to, 0)?, &handed_over(RAW)?, target(to, 0)?, false)),
    // The kernel is told one address, and the header has another.
    ("raw_header", |to| {
        let (to, elsewhere) = (target(to, 0)?, target(to, 1)?);
        raw(to, &socket(to, libc::SOCK_RAW, libc::IPPROTO_RAW)?, elsewhere, true)
    }),
    ("packet", |to| packet(target(to, 0)?)),
    ("vsock", |to| {
        let socket = vsock_socket()?;
        let address = vsock(target(to, 0)?.port());
        // SAFETY: the address lives as long as the call, and is as long as said.
        check(unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), vsock_bytes()) })?;
        answer(socket.as_raw_fd())
    }),
];

/// One that offers, or asks for, the one service that there is.
pub(crate) fn dccp(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = socket(address, libc::SOCK_DCCP, libc::IPPROTO_DCCP)?;
    set(&socket, SOL_DCCP, DCCP_SERVICE, &SERVICE.to_be())?;
    Ok(socket)
}

pub(crate) fn vsock_socket() -> io::Result<OwnedFd> {
    // SAFETY: makes a socket, or says why not.
    descriptor(unsafe { libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })
}

/// A port of this very machine, as a virtual machine's neighbours see it.
pub(crate) fn vsock(port: u16) -> libc::sockaddr_vm {
    // SAFETY: all zeroes are an address of no family.
    let mut address: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
    address.svm_family = libc::sa_family_t::try_from(libc::AF_VSOCK).expect("families are small numbers");
    address.svm_cid = libc::VMADDR_CID_LOCAL;
    address.svm_port = port.into();
    address
}

pub(crate) fn vsock_bytes() -> libc::socklen_t {
    u32::try_from(size_of::<libc::sockaddr_vm>()).expect("an address is short")
}

/// An echo request by the socket that needs no rights.
fn ping(to: SocketAddr, connected: bool) -> io::Result<()> {
    let socket = socket(to, libc::SOCK_DGRAM, libc::IPPROTO_ICMP)?;
    let address = Address::new(to);
    // Echo request; the kernel puts in what is missing.
    let request = [8_u8, 0, 0, 0, 0, 0, 0, 1];
    if connected {
        connect_to(socket.as_raw_fd(), &address)?;
        // SAFETY: the bytes live as long as the call.
        check(unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) })?;
    } else {
        let (bytes, count) = (request.as_ptr().cast(), request.len());
        // SAFETY: bytes and address live as long as the call.
        check(unsafe { libc::sendto(socket.as_raw_fd(), bytes, count, 0, address.pointer(), address.length()) })?;
    }
    let mut reply = [0_u8; 64];
    // SAFETY: the buffer is as long as said.
    let read = check(unsafe { libc::recv(socket.as_raw_fd(), reply.as_mut_ptr().cast(), reply.len(), 0) })?;
    if read == 8 && reply[0] == 0 { Ok(()) } else { Err(Error::other("no echo")) }
}

/// An ordinary socket for the answer.
fn receiver(to: SocketAddr) -> io::Result<UdpSocket> {
    let receiver = socket(to, libc::SOCK_DGRAM, 0)?;
    let own = Address::new(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0));
    // SAFETY: the address lives as long as the call.
    check(unsafe { libc::bind(receiver.as_raw_fd(), own.pointer(), own.length()) })?;
    Ok(receiver.into())
}

/// A datagram with its UDP header made by hand, and its IP header too where `header` says so, told to go `via` an address.
fn raw(to: SocketAddr, sender: &OwnedFd, via: SocketAddr, header: bool) -> io::Result<()> {
    let receiver = receiver(to)?;
    let mut bytes = datagram(receiver.local_addr()?.port(), to.port())?;
    if header {
        bytes = ip(to, &bytes)?;
    }
    let via = Address::new(SocketAddr::new(via.ip(), 0));
    let (first, count) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: bytes and address live as long as the call.
    check(unsafe { libc::sendto(sender.as_raw_fd(), first, count, 0, via.pointer(), via.length()) })?;
    answer(receiver.as_raw_fd())
}

/// An IPv4 packet from this host to that one.
fn ip(to: SocketAddr, datagram: &[u8]) -> io::Result<Vec<u8>> {
    let SocketAddr::V4(to) = to else { return Err(io::ErrorKind::InvalidInput.into()) };
    let length = u16::try_from(20 + datagram.len()).map_err(Error::other)?.to_be_bytes();
    // Version and length, then the length of all, the time to live, UDP, a check sum, whence and where.
    let mut packet = vec![0x45, 0, length[0], length[1], 0, 1, 0, 0, 64, 17, 0, 0];
    packet.extend(Ipv4Addr::LOCALHOST.octets());
    packet.extend(to.ip().octets());
    let words = packet.chunks_exact(2).map(|two| u32::from(two[0]) << 8 | u32::from(two[1]));
    let sum: u32 = words.sum();
    let sum = !u16::try_from((sum & 0xffff) + (sum >> 16)).map_err(Error::other)?;
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(datagram);
    Ok(packet)
}

/// A whole packet put on the wire; the wire is the loopback device.
fn packet(to: SocketAddr) -> io::Result<()> {
    let receiver = receiver(to)?;
    let bytes = ip(to, &datagram(receiver.local_addr()?.port(), to.port())?)?;
    let protocol = u16::try_from(libc::ETH_P_IP).map_err(Error::other)?.to_be();
    // SAFETY: makes a socket, or says why not.
    let sender = descriptor(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_DGRAM, protocol.into()) })?;
    // SAFETY: all zeroes are an address of no family.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::sa_family_t::try_from(libc::AF_PACKET).map_err(Error::other)?;
    address.sll_protocol = protocol;
    address.sll_halen = 6;
    // SAFETY: the name is a string.
    address.sll_ifindex = unsafe { libc::if_nametoindex(c"lo".as_ptr()) }.try_into().map_err(Error::other)?;
    let length = u32::try_from(size_of::<libc::sockaddr_ll>()).map_err(Error::other)?;
    let (first, count, address) = (bytes.as_ptr().cast(), bytes.len(), (&raw const address).cast());
    // SAFETY: bytes and address live as long as the call.
    check(unsafe { libc::sendto(sender.as_raw_fd(), first, count, 0, address, length) })?;
    answer(receiver.as_raw_fd())
}
