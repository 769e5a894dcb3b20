//! Addresses, and the rules over them.

pub(crate) mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;

use crate::words::{Protocol, Verdict};

/// IPv4-mapped IPv6 addresses as the IPv4 address they are, everything else as it is.
pub fn canonical(addr: IpAddr) -> IpAddr {
    addr.to_canonical()
}

/// A block of addresses of one family.
///
/// An IPv4 block holds the mapped IPv6 addresses too; an IPv6 block never holds an IPv4 address, whatever its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    /// As 128 bits, IPv4 as `::ffff:a.b.c.d`; bits behind `length` are zero.
    bits: u128,
    /// In 128 bits: 96 to 128 for IPv4.
    length: u8,
    v4: bool,
}

/// `::ffff:0:0`, under whose first 96 bits the IPv4 addresses lie.
const MAPPED: u128 = 0xffff << 32;

impl Cidr {
    /// A block from an address and a length in the address's own family; `None` when the length is too long.
    /// Bits behind the length are dropped.
    pub fn new(addr: IpAddr, length: u8) -> Option<Self> {
        match addr {
            IpAddr::V4(v4) if length <= 32 => Some(Self::masked(u128::from(v4.to_ipv6_mapped()), length + 96, true)),
            IpAddr::V6(v6) if length <= 128 => {
                let bits = u128::from(v6);
                let v4 = length >= 96 && bits >> 32 == MAPPED >> 32;
                Some(Self::masked(bits, length, v4))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        }
    }

    fn masked(bits: u128, length: u8, v4: bool) -> Self {
        Self { bits: bits & mask(length), length, v4 }
    }

    /// The block's first address as 128 bits, IPv4 as mapped, and its length in 128 bits: a key of an LPM trie.
    pub fn prefix(&self) -> (Ipv6Addr, u8) {
        (Ipv6Addr::from(self.bits), self.length)
    }

    /// Is the block of IPv4 addresses?
    pub fn is_v4(&self) -> bool {
        self.v4
    }

    /// Is the address in it?
    pub fn contains(&self, addr: IpAddr) -> bool {
        let (bits, v4) = match canonical(addr) {
            IpAddr::V4(addr) => (u128::from(addr.to_ipv6_mapped()), true),
            IpAddr::V6(addr) => (u128::from(addr), false),
        };
        v4 == self.v4 && bits & mask(self.length) == self.bits
    }

    /// Is all of the other block in it?
    pub fn covers(&self, other: &Self) -> bool {
        self.v4 == other.v4 && self.length <= other.length && other.bits & mask(self.length) == self.bits
    }
}

/// `10.0.0.0/8`, `2001:db8::/32`.
impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = Ipv6Addr::from(self.bits);
        if self.v4 {
            write!(f, "{}/{}", canonical(first.into()), self.length - 96)
        } else {
            write!(f, "{first}/{}", self.length)
        }
    }
}

fn mask(length: u8) -> u128 {
    if length == 0 { 0 } else { u128::MAX << (128 - length) }
}

/// Where a connection goes: a block of addresses, some of its ports, one protocol or both.
///
/// Written `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`, `10.0.0.0/8:443`, `[2001:db8::1]:8000-8999`, `[2001:db8::]/32:443`,
/// `0.0.0.0/0:53/udp`, `192.0.2.7:*/tcp`; `*` alone is any address of either family, and can carry ports too (`*:25`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetTarget {
    /// `None`: every address.
    pub cidr: Option<Cidr>,
    /// Both ends are in it.
    pub ports: RangeInclusive<u16>,
    /// `None`: any.
    pub protocol: Option<Protocol>,
}

/// As it is written.
impl fmt::Display for NetTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all_ports = self.ports == (0..=u16::MAX);
        match &self.cidr {
            None => f.write_str("*")?,
            Some(cidr) if cidr.is_v4() || all_ports && self.protocol.is_none() => cidr.fmt(f)?,
            Some(cidr) => match cidr.to_string().split_once('/') {
                Some((addr, length)) => write!(f, "[{addr}]/{length}")?,
                None => cidr.fmt(f)?,
            },
        }
        match (all_ports, self.ports.start() == self.ports.end()) {
            (true, _) if self.protocol.is_none() => {}
            (true, _) => f.write_str(":*")?,
            (false, true) => write!(f, ":{}", self.ports.start())?,
            (false, false) => write!(f, ":{}-{}", self.ports.start(), self.ports.end())?,
        }
        self.protocol.map_or(Ok(()), |protocol| write!(f, "/{protocol}"))
    }
}

/// Why a text is no target of a connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetTargetError {
    /// No address where one should be.
    #[error("`{0}` is not an IP address or CIDR")]
    Address(String),
    /// The prefix length is no number, or too large for the family.
    #[error("`/{length}` is not a prefix length of {family}, which goes up to {max}")]
    Length {
        /// As written.
        length: String,
        /// `IPv4` or `IPv6`.
        family: &'static str,
        /// 32 or 128.
        max: u8,
    },
    /// Bits set behind the prefix length: probably another block was meant.
    #[error("`{written}` has bits set behind its prefix length")]
    HostBits {
        /// As written.
        written: String,
        /// The block that it lies in.
        block: String,
    },
    /// No port, range of ports or `*` where one should be.
    #[error("`{0}` is not a port, a range of ports or `*`")]
    Ports(String),
    /// First port behind the last.
    #[error("the range of ports `{0}` ends before it begins")]
    PortsReversed(String),
    /// Neither tcp nor udp.
    #[error("`{0}` is not a protocol: it is `tcp` or `udp`")]
    Protocol(String),
}

impl NetTarget {
    /// Reads a target.
    ///
    /// # Errors
    /// What part of it can't be read.
    pub fn parse(text: &str) -> Result<Self, NetTargetError> {
        let bad_address = || NetTargetError::Address(text.to_owned());
        let (address, length, tail) = if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']').ok_or_else(bad_address)?;
            if address.parse::<Ipv6Addr>().is_err() {
                return Err(bad_address());
            }
            let (length, tail) = split_tail(rest.strip_prefix('/'), rest);
            (address, length, tail)
        } else if text.matches(':').count() > 1 {
            // IPv6 without brackets: there is no telling a port from a group, so it carries none.
            let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
            (address, length, "")
        } else {
            let (block, tail) = text.find(':').map_or((text, ""), |at| text.split_at(at));
            let (address, length) = block.split_once('/').map_or((block, None), |(a, l)| (a, Some(l)));
            (address, length, tail)
        };
        let cidr = if address == "*" && length.is_none() {
            None
        } else {
            Some(block(text, address.parse().map_err(|_| bad_address())?, length)?)
        };
        let (ports, protocol) = match tail.strip_prefix(':') {
            None if tail.is_empty() => (0..=u16::MAX, None),
            None => return Err(bad_address()),
            Some(tail) => {
                let (ports, protocol) = tail.split_once('/').map_or((tail, None), |(p, proto)| (p, Some(proto)));
                let protocol =
                    protocol.map(|p| p.parse().map_err(|_| NetTargetError::Protocol(p.to_owned()))).transpose()?;
                (port_range(ports)?, protocol)
            }
        };
        Ok(Self { cidr, ports, protocol })
    }

    /// Does a connection to this address go there?
    pub fn matches(&self, addr: IpAddr, port: u16, protocol: Protocol) -> bool {
        self.cidr.is_none_or(|cidr| cidr.contains(addr))
            && self.ports.contains(&port)
            && self.protocol.is_none_or(|own| own == protocol)
    }

    /// Every port of every protocol?
    pub fn is_whole(&self) -> bool {
        self.ports == (0..=u16::MAX) && self.protocol.is_none()
    }
}

/// `/64:443` or `:443` behind the bracket: the length, and what is from the colon on.
fn split_tail<'a>(length_and_tail: Option<&'a str>, rest: &'a str) -> (Option<&'a str>, &'a str) {
    match length_and_tail {
        None => (None, rest),
        Some(inner) => {
            let (length, tail) = inner.find(':').map_or((inner, ""), |at| inner.split_at(at));
            (Some(length), tail)
        }
    }
}

fn block(text: &str, addr: IpAddr, length: Option<&str>) -> Result<Cidr, NetTargetError> {
    let (family, max) = if addr.is_ipv4() { ("IPv4", 32) } else { ("IPv6", 128) };
    let length = match length {
        None => max,
        Some(text) => number(text)
            .and_then(|n| u8::try_from(n).ok())
            .filter(|n| *n <= max)
            .ok_or_else(|| NetTargetError::Length { length: text.to_owned(), family, max })?,
    };
    let cidr = Cidr::new(addr, length).expect("the length was compared with the family's longest");
    let first = Ipv6Addr::from(cidr.bits);
    let same = match addr {
        IpAddr::V4(v4) => v4.to_ipv6_mapped() == first,
        IpAddr::V6(v6) => v6 == first,
    };
    if same {
        return Ok(cidr);
    }
    let first = if addr.is_ipv4() { canonical(first.into()) } else { first.into() };
    Err(NetTargetError::HostBits { written: text.to_owned(), block: format!("{first}/{length}") })
}

fn port_range(text: &str) -> Result<RangeInclusive<u16>, NetTargetError> {
    let bad = || NetTargetError::Ports(text.to_owned());
    if text == "*" {
        return Ok(0..=u16::MAX);
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (number(low).ok_or_else(bad)?, number(high).ok_or_else(bad)?);
    if low > high { Err(NetTargetError::PortsReversed(text.to_owned())) } else { Ok(low..=high) }
}

/// Digits alone: `u16::from_str` takes a `+` as well.
fn number(text: &str) -> Option<u16> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The addresses of a rule: `cidr_allow` and `cidr_deny`.
///
/// A deny or alert rule matches what is in `deny` (anything, if that is empty) and not in `allow`; an allow rule what is in
/// `allow` (anything, if that is empty) and not in `deny`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetMatch {
    /// `cidr_allow`.
    pub allow: Vec<NetTarget>,
    /// `cidr_deny`.
    pub deny: Vec<NetTarget>,
}

impl NetMatch {
    /// The targets that a rule of this verdict is about (empty: all), and those that it leaves out.
    pub fn sides(&self, verdict: Verdict) -> (&[NetTarget], &[NetTarget]) {
        match verdict {
            Verdict::Allow => (&self.allow, &self.deny),
            Verdict::Deny | Verdict::Alert => (&self.deny, &self.allow),
        }
    }

    /// Does a rule of this verdict match a connection?
    pub fn matches(&self, verdict: Verdict, addr: IpAddr, port: u16, protocol: Protocol) -> bool {
        let (about, except) = self.sides(verdict);
        (about.is_empty() || about.iter().any(|t| t.matches(addr, port, protocol)))
            && !except.iter().any(|t| t.matches(addr, port, protocol))
    }
}
