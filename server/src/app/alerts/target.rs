//! Where a webhook may lead. An admin chooses the address and the server calls it, so it must not become a way to what only the
//! server can reach: the metadata service of a cloud hands out credentials to whoever asks from the machine itself.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::app::alerts::Settings;

/// Longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2048;

/// Why an address is not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no address.
    #[error("`url` is not an address like https://example.com/hook, of at most {URL_BYTES_MAX} bytes")]
    NotAUrl,
    /// Anything but http and https.
    #[error("`url` is neither https nor http")]
    Scheme,
    /// Unprotected on the way.
    #[error("`url` is http, and what is sent could be read on the way; http is for this very machine only")]
    Unprotected,
    /// It holds a password, which lists and logs would show.
    #[error("`url` holds a user name or a password")]
    Credentials,
    /// Link-local and the like.
    #[error("`{0}` is an address of this machine's surroundings (link-local, metadata, multicast)")]
    Address(IpAddr),
}

impl Refused {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotAUrl | Self::Scheme => "give the whole address, with https://",
            Self::Unprotected => "use https, or start the server with --alert-allow-http (TYR_ALERT_ALLOW_HTTP=true)",
            Self::Credentials => "messages are signed with the webhook's secret instead",
            Self::Address(_) => {
                "if that is meant, start the server with --alert-allow-link-local (TYR_ALERT_ALLOW_LINK_LOCAL=true)"
            }
        }
    }
}

/// Reads an address and says whether it may be called, as far as its text tells; names are looked at when they are resolved.
///
/// # Errors
/// See [`Refused`].
pub fn check(settings: &Settings, url: &str) -> Result<Url, Refused> {
    if url.len() > URL_BYTES_MAX || url.chars().any(char::is_control) {
        return Err(Refused::NotAUrl);
    }
    let url = Url::parse(url).map_err(|_| Refused::NotAUrl)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Refused::NotAUrl)?;
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let is_loopback = address.map_or_else(|| is_localhost(host), |address| canonical(address).is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_loopback || settings.allow_http => {}
        "http" => return Err(Refused::Unprotected),
        _ => return Err(Refused::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Credentials);
    }
    match address {
        Some(address) if !settings.allow_link_local && is_of_surroundings(address) => Err(Refused::Address(address)),
        _ => Ok(url),
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

/// An IPv4 address that is dressed as IPv6 (mapped, compatible, NAT64, 6to4) counts as what it leads to.
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let segments = v6.segments();
    let tail = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Loopback and unspecified, which look like compatible ones.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            tail(high, low)
        }
        _ => address,
    }
}

/// Link-local, unspecified, multicast, broadcast, and the places outside of them where clouds keep metadata services.
fn is_of_surroundings(address: IpAddr) -> bool {
    /// Alibaba Cloud and Oracle Cloud (RFC 7534 range) keep theirs here.
    const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    /// Amazon EC2.
    const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match canonical(address) {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || v4.octets()[0] == 0
                || v4.is_multicast()
                || v4.is_broadcast()
                || METADATA_V4.contains(&v4)
        }
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || v6 == METADATA_V6,
    }
}

/// Resolves names and leaves out what must not be called: a name may lead anywhere, and elsewhere a moment later.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    allow_link_local: bool,
}

impl Guard {
    /// With those settings.
    pub fn new(settings: &Settings) -> Self {
        Self { allow_link_local: settings.allow_link_local }
    }

    fn lets(self, name: &str, address: IpAddr) -> bool {
        (self.allow_link_local || !is_of_surroundings(address))
            // `http` is allowed for this name, so it has to be this machine.
            && (!is_localhost(name) || canonical(address).is_loopback())
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.iter().copied().filter(|address| guard.lets(name.as_str(), address.ip())).collect();
            match (allowed.is_empty(), found.first()) {
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
                (true, Some(address)) => Err(Box::new(Refused::Address(address.ip())) as Box<dyn Error + Send + Sync>),
                (true, None) => Err(Box::new(NoAddress) as Box<dyn Error + Send + Sync>),
            }
        })
    }
}

#[derive(Debug)]
struct NoAddress;

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name has no address")
    }
}

impl Error for NoAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> Option<Refused> {
        check(&Settings::default(), url).err()
    }

    #[test]
    fn takes_https_and_this_machine() {
        for url in [
            "https://hooks.example.com/services/T0/B0/x",
            "https://10.1.2.3:8443/hook",
            "https://[fd12:3456::1]/hook",
            "http://127.0.0.1:9000/",
            "http://localhost:9000/",
            "http://[::1]:9000/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert_eq!(refused(url), None, "{url}");
        }
    }

    #[test]
    fn refuses_what_is_no_address_or_unprotected() {
        for url in ["", "x", "https://", "https://a b", "https://a\nb/", &format!("https://a/{}", "x".repeat(2048))] {
            assert_eq!(refused(url), Some(Refused::NotAUrl), "{url}");
        }
        for url in ["ftp://example.com/", "file:///etc/passwd", "gopher://x/"] {
            assert!(matches!(refused(url), Some(Refused::Scheme | Refused::NotAUrl)), "{url}");
        }
        for url in ["http://example.com/", "http://10.0.0.1/", "http://localhost.evil.example/"] {
            assert_eq!(refused(url), Some(Refused::Unprotected), "{url}");
        }
        assert_eq!(refused("https://user:pass@example.com/"), Some(Refused::Credentials));
        let told = Settings { allow_http: true, ..Settings::default() };
        check(&told, "http://example.com/").expect("told so");
    }

    #[test]
    fn refuses_metadata_services_in_each_of_their_disguises() {
        for url in [
            "https://169.254.169.254/latest/meta-data",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://[::ffff:169.254.169.254]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[2002:a9fe:a9fe::]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://100.100.100.200/",
            "https://0.0.0.0/",
            "https://[::]/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
        ] {
            assert!(matches!(refused(url), Some(Refused::Address(_))), "{url}");
        }
        let told = Settings { allow_link_local: true, ..Settings::default() };
        check(&told, "https://169.254.169.254/").expect("told so");
    }

    #[test]
    fn names_are_looked_at_where_they_lead() {
        let guard = Guard::new(&Settings::default());
        assert!(guard.lets("example.com", IpAddr::from([10, 0, 0, 1])));
        assert!(!guard.lets("example.com", IpAddr::from([169, 254, 169, 254])));
        assert!(guard.lets("localhost", IpAddr::from([127, 0, 0, 1])));
        assert!(!guard.lets("localhost", IpAddr::from([10, 0, 0, 1])));
        let told = Guard::new(&Settings { allow_link_local: true, ..Settings::default() });
        assert!(told.lets("example.com", IpAddr::from([169, 254, 169, 254])));
    }
}
