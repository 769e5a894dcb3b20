//! Where the server is, and which authority vouches for it.

use std::fmt;
use std::net::IpAddr;

use rustls_pki_types::ServerName;
use serde::Deserialize;

/// Port that `tyr-server` listens on for agents.
const PORT_DEFAULT: u16 = 7700;

/// `https://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServerUrl {
    host: String,
    port: u16,
}

impl ServerUrl {
    /// Host name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port, 7700 when the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name that the server's certificate must carry.
    pub fn tls_name(&self) -> ServerName<'static> {
        ServerName::try_from(self.host.clone()).expect("checked when it was read")
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |why: &str| format!("`server` is `{text}`: {why}, expected https://HOST:7700");
        let rest = text.strip_prefix("https://").ok_or_else(|| wrong("it does not begin with https://"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, port)) => (address, port.strip_prefix(':').or(port.is_empty().then_some(""))),
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, Some("")),
            },
        };
        let port = match port {
            Some("") if !rest.ends_with(':') => PORT_DEFAULT,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| wrong("the port is no number"))?,
            None => return Err(wrong("there is text behind the address")),
        };
        if ServerName::try_from(host).is_err() {
            return Err(wrong("the host is no name and no address"));
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse() {
            Ok(IpAddr::V6(address)) => write!(f, "https://[{address}]:{}", self.port),
            _ => write!(f, "https://{}:{}", self.host, self.port),
        }
    }
}

/// SHA-256 of the authority's certificate in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct CaPin(pub [u8; 32]);

impl TryFrom<String> for CaPin {
    type Error = String;

    /// Takes hex in either case, with or without the colons that `openssl x509 -fingerprint` puts in.
    fn try_from(text: String) -> Result<Self, String> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text.replace(':', ""), &mut digest)
            .map_err(|_| "`ca_sha256` is no SHA-256 in hex (64 digits)".to_owned())?;
        Ok(Self(digest))
    }
}
