//! System calls as the kernel knows them: the names of their errors, addresses as bytes.

use std::io::{self, Error};
use std::mem::size_of;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

const NAMES: [(i32, &str); 24] = [
    (libc::EPERM, "EPERM"),
    (libc::EACCES, "EACCES"),
    (libc::ENOENT, "ENOENT"),
    (libc::EEXIST, "EEXIST"),
    (libc::EBADF, "EBADF"),
    (libc::EINVAL, "EINVAL"),
    (libc::EIO, "EIO"),
    (libc::EXDEV, "EXDEV"),
    (libc::ELOOP, "ELOOP"),
    (libc::ENOSYS, "ENOSYS"),
    (libc::ENOTDIR, "ENOTDIR"),
    (libc::EISDIR, "EISDIR"),
    (libc::ETXTBSY, "ETXTBSY"),
    (libc::ENOEXEC, "ENOEXEC"),
    (libc::EROFS, "EROFS"),
    (libc::EOPNOTSUPP, "EOPNOTSUPP"),
    (libc::EAFNOSUPPORT, "EAFNOSUPPORT"),
    (libc::EPROTONOSUPPORT, "EPROTONOSUPPORT"),
    (libc::ECONNREFUSED, "ECONNREFUSED"),
    (libc::ECONNRESET, "ECONNRESET"),
    (libc::ENETUNREACH, "ENETUNREACH"),
    (libc::EISCONN, "EISCONN"),
    (libc::ETIMEDOUT, "ETIMEDOUT"),
    (libc::EAGAIN, "EAGAIN"),
];

/// Its name in errno(3).
pub(crate) fn errno_name(number: i32) -> String {
    NAMES.iter().find(|(known, _)| *known == number).map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

/// Output of a program.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The result of a system call, or what the kernel said.
pub(crate) fn check<T: TryInto<i64> + Copy>(result: T) -> io::Result<T> {
    let negative = result.try_into().is_ok_and(|number: i64| number < 0);
    if negative { Err(Error::last_os_error()) } else { Ok(result) }
}

/// A new descriptor, or what the kernel said.
pub(crate) fn descriptor<T: TryInto<i64> + Copy>(result: T) -> io::Result<OwnedFd> {
    let number = check(result)?.try_into().ok().and_then(|number: i64| i32::try_from(number).ok());
    let number = number.ok_or_else(|| Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: the kernel just gave it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Makes a descriptor known under another number too, to programs that are executed as well.
pub(crate) fn place(from: RawFd, number: RawFd) -> io::Result<()> {
    // SAFETY: whoever has that number in use is told in the head of the program.
    check(unsafe { libc::dup2(from, number) })?;
    if from == number {
        // Then nothing was done, and it would be closed by an exec.
        // SAFETY: the descriptor is open.
        check(unsafe { libc::fcntl(number, libc::F_SETFD, 0) })?;
    }
    Ok(())
}

/// One more of what somebody else opened.
pub(crate) fn handed_over(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: what is no descriptor answers EBADF.
    descriptor(unsafe { libc::dup(number) })
}

fn family(number: i32) -> libc::sa_family_t {
    number.try_into().expect("families are small numbers")
}

/// An address as the kernel takes it.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    storage: libc::sockaddr_storage,
    length: libc::socklen_t,
}

impl Address {
    /// In the family of the address.
    pub(crate) fn new(address: SocketAddr) -> Self {
        // SAFETY: all zeroes are an address of no family.
        let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
        let length = match address.ip() {
            IpAddr::V4(ip) => {
                let v4 = libc::sockaddr_in {
                    sin_family: family(libc::AF_INET),
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(ip.octets()) },
                    sin_zero: [0; 8],
                };
                // SAFETY: the storage is large enough and aligned for every address.
                unsafe { std::ptr::write((&raw mut storage).cast(), v4) };
                size_of::<libc::sockaddr_in>()
            }
            IpAddr::V6(ip) => {
                let v6 = libc::sockaddr_in6 {
                    sin6_family: family(libc::AF_INET6),
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: 0,
                    sin6_addr: libc::in6_addr { s6_addr: ip.octets() },
                    sin6_scope_id: 0,
                };
                // SAFETY: as above.
                unsafe { std::ptr::write((&raw mut storage).cast(), v6) };
                size_of::<libc::sockaddr_in6>()
            }
        };
        Self { storage, length: u32::try_from(length).expect("an address is short") }
    }

    /// The same bytes, under the family AF_UNSPEC.
    pub(crate) fn unspecified(mut self) -> Self {
        self.storage.ss_family = family(libc::AF_UNSPEC);
        self
    }

    pub(crate) fn pointer(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    pub(crate) fn length(&self) -> libc::socklen_t {
        self.length
    }
}
