//! The other end of the network attempts.

use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use super::network::{set, socket, target};
use super::say;
use super::socket::{dccp, vsock, vsock_bytes, vsock_socket};
use super::sys::{Address, check, descriptor};

/// What the other end answers.
pub(crate) const ANSWER: &[u8] = b"pong";

/// Answers at these addresses for ever, by TCP, UDP and, where the kernel has them, SCTP, DCCP, UDP-Lite and vsock.
pub(crate) fn serve(addresses: &[&str]) -> io::Result<()> {
    for address in addresses {
        accept(TcpListener::bind(address)?);
        // A kernel without one of these has no way round it either; of vsock the port alone counts, so the first address has it.
        for listener in [sctp(address), dccp_listener(address), vsock_listener(address)].into_iter().flatten() {
            accept(listener);
        }
        echo(UdpSocket::bind(address)?);
        if let Ok(udplite) = udplite(address) {
            echo(udplite);
        }
    }
    say("serving")?;
    loop {
        std::thread::park();
    }
}

fn echo(socket: UdpSocket) {
    std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(ANSWER, from);
        }
    });
}

fn accept(listener: TcpListener) {
    std::thread::spawn(move || {
        loop {
            // Nobody for some seconds is no end; and whoever is gone already got what he wanted.
            if let Ok(stream) = accepted(&listener) {
                std::thread::spawn(|| answer(TcpStream::from(stream)));
            }
        }
    });
}

/// Reads to the end as well: a socket that is closed with something unread is reset, and the answer may be lost with it.
fn answer(mut stream: TcpStream) -> io::Result<u64> {
    stream.write_all(ANSWER)?;
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream, &mut io::sink())
}

/// Not by the library, which takes no addresses of other families.
fn accepted(listener: &TcpListener) -> io::Result<OwnedFd> {
    let nobody = std::ptr::null_mut();
    // SAFETY: no address is asked for.
    descriptor(unsafe { libc::accept4(listener.as_raw_fd(), nobody, nobody.cast(), libc::SOCK_CLOEXEC) })
}

fn sctp(address: &str) -> io::Result<TcpListener> {
    let address = target(&[address], 0)?;
    let socket = socket(address, libc::SOCK_STREAM, libc::IPPROTO_SCTP)?;
    let address = Address::new(address);
    listen(socket, address.pointer(), address.length())
}

fn dccp_listener(address: &str) -> io::Result<TcpListener> {
    let address = target(&[address], 0)?;
    let (socket, address) = (dccp(address)?, Address::new(address));
    listen(socket, address.pointer(), address.length())
}

fn vsock_listener(address: &str) -> io::Result<TcpListener> {
    let address = vsock(target(&[address], 0)?.port());
    listen(vsock_socket()?, (&raw const address).cast(), vsock_bytes())
}

/// Its calls are those of UDP.
fn udplite(address: &str) -> io::Result<UdpSocket> {
    let address = target(&[address], 0)?;
    let socket = socket(address, libc::SOCK_DGRAM, libc::IPPROTO_UDPLITE)?;
    // It waits for as long as need be.
    set(&socket, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &libc::timeval { tv_sec: 0, tv_usec: 0 })?;
    let address = Address::new(address);
    // SAFETY: the address lives as long as the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), address.pointer(), address.length()) })?;
    Ok(socket.into())
}

/// Its calls are those of TCP.
fn listen(socket: OwnedFd, address: *const libc::sockaddr, length: libc::socklen_t) -> io::Result<TcpListener> {
    // SAFETY: whoever calls keeps the address as long as the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), address, length) })?;
    // SAFETY: no memory is passed.
    check(unsafe { libc::listen(socket.as_raw_fd(), 16) })?;
    Ok(socket.into())
}
