//! The other end of the network attempts.

use std::io::{self, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;

use super::network::{socket, target};
use super::say;
use super::sys::{Address, check};

/// What the other end answers.
pub(crate) const ANSWER: &[u8] = b"pong";

/// Answers at these addresses for ever, by TCP, UDP and, where the kernel has it, SCTP.
pub(crate) fn serve(addresses: &[&str]) -> io::Result<()> {
    for address in addresses {
        accept(TcpListener::bind(address)?);
        // A kernel without SCTP has no way round it either.
        if let Ok(listener) = sctp(address) {
            accept(listener);
        }
        let udp = UdpSocket::bind(address)?;
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((_, from)) = udp.recv_from(&mut buffer) {
                let _ = udp.send_to(ANSWER, from);
            }
        });
    }
    say("serving")?;
    loop {
        std::thread::park();
    }
}

fn accept(listener: TcpListener) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever is gone already got what he wanted.
            let _ = stream.and_then(|mut stream| stream.write_all(ANSWER));
        }
    });
}

/// Its calls are those of TCP.
fn sctp(address: &str) -> io::Result<TcpListener> {
    let address = target(&[address], 0)?;
    let socket = socket(address, libc::SOCK_STREAM, libc::IPPROTO_SCTP)?;
    let address = Address::new(address);
    // SAFETY: the address lives as long as the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), address.pointer(), address.length()) })?;
    // SAFETY: no memory is passed.
    check(unsafe { libc::listen(socket.as_raw_fd(), 16) })?;
    Ok(socket.into())
}
