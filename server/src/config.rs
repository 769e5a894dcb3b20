//! The settings of a running server, checked once at the start.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::app::alerts;
use crate::args::{DatabaseArgs, FleetArgs, ServeArgs};

/// A text that no log may show.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Where the database is.
#[derive(Clone, Debug)]
pub enum Database {
    /// A PostgreSQL that somebody else runs.
    Url {
        /// Where, and as whom the server works.
        url: Secret,
        /// As whom migrations and partitions are made, if that is another role.
        owner: Option<Secret>,
    },
    /// A private cluster under the data directory.
    Embedded {
        /// Folder with `postgres` and `initdb`, if the operator named one.
        bin_dir: Option<PathBuf>,
        /// User to run it as, if the operator named one.
        user: Option<String>,
    },
}

/// The settings of a running server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database is.
    pub database: Database,
    /// Keys, certificates and the private cluster.
    pub data_dir: PathBuf,
    /// Built web assets.
    pub web_dir: PathBuf,
    /// REST and SSE listener.
    pub rest_bind: SocketAddr,
    /// Whether the REST listener speaks TLS.
    pub rest_tls: bool,
    /// gRPC listener.
    pub grpc_bind: SocketAddr,
    /// Names and addresses for the server's certificate, beside those it knows by itself.
    pub server_names: Vec<String>,
    /// Enrollment token that is to exist after the start.
    pub bootstrap_enrollment_token: Option<Secret>,
    /// Days that events are kept, 1-3650.
    pub retention_days: u32,
    /// Longest statement of a request.
    pub read_timeout: Duration,
    /// Days that entries of the audit log are kept, 90-36,500.
    pub audit_retention_days: u32,
    /// Silence after which an agent is stale.
    pub stale_after: Duration,
    /// Heartbeat interval for all agents; `None` leaves each its own.
    pub heartbeat_interval: Option<Duration>,
    /// Whether anybody may read metrics.
    pub metrics_public: bool,
    /// Agents with figures of their own in metrics.
    pub metrics_agents_max: u16,
    /// Certificates of agents.
    pub certificates: Certificates,
    /// How much one agent may send.
    pub agent_rate: AgentRate,
    /// How many may be connected.
    pub doors: Doors,
    /// Most event streams at a time.
    pub sse_streams_max: u32,
    /// Most event streams of one user.
    pub sse_streams_per_user: u32,
    /// Alert rules and webhooks.
    pub alerts: alerts::Settings,
}

/// Certificates of agents.
#[derive(Clone, Copy, Debug)]
pub struct Certificates {
    /// How long they live.
    pub life: Duration,
    /// How long after its end one can still be renewed.
    pub grace: Duration,
}

impl Default for Certificates {
    /// A week, and three months.
    fn default() -> Self {
        Self { life: Duration::from_hours(7 * 24), grace: Duration::from_hours(90 * 24) }
    }
}

/// How much one agent may send before it is read slower.
#[derive(Clone, Copy, Debug)]
pub struct AgentRate {
    /// Records per second, at least 1.
    pub records_per_s: u32,
    /// Bytes per second, at least 1.
    pub bytes_per_s: u32,
}

impl Default for AgentRate {
    fn default() -> Self {
        Self { records_per_s: 50_000, bytes_per_s: 64 * 1024 * 1024 }
    }
}

/// How many may be connected to the two ports.
#[derive(Clone, Debug)]
pub struct Doors {
    /// Agents' connections.
    pub grpc_connections_max: usize,
    /// Connections of people and scripts.
    pub rest_connections_max: usize,
    /// Connections from one source on one port; `None`: three quarters of that port's.
    pub per_source_max: Option<usize>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<AddressRange>,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            grpc_connections_max: 20_000,
            rest_connections_max: 4096,
            per_source_max: None,
            trusted_proxies: Vec::new(),
        }
    }
}

/// An address, or all that share its first bits: `10.0.0.5`, `192.0.2.0/24`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    /// IPv4 as its mapped IPv6 address.
    bits: u128,
    mask: u128,
}

impl AddressRange {
    /// Whether it holds that address; IPv4 and its IPv6-mapped form are the same.
    pub fn contains(&self, address: IpAddr) -> bool {
        mapped(address) & self.mask == self.bits
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
    .to_bits()
}

/// A text is no range of addresses.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not an address or a range such as 10.0.0.5, 192.0.2.0/24 or 2001:db8::/32")]
pub struct NoAddressRange;

impl FromStr for AddressRange {
    type Err = NoAddressRange;

    fn from_str(text: &str) -> Result<Self, NoAddressRange> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoAddressRange)?;
        let before = if address.is_ipv4() { Ipv6Addr::BITS - 32 } else { 0 };
        let length = match length {
            Some(length) => length.parse::<u32>().map_err(|_| NoAddressRange)?.saturating_add(before),
            None => Ipv6Addr::BITS,
        };
        let mask = match length {
            0 => 0,
            1..=Ipv6Addr::BITS => u128::MAX << (Ipv6Addr::BITS - length),
            _ => return Err(NoAddressRange),
        };
        Ok(Self { bits: mapped(address) & mask, mask })
    }
}

impl Database {
    /// An empty URL counts as none, as an unset variable in a unit file often is.
    pub fn new(args: &DatabaseArgs, bin_dir: Option<PathBuf>, user: Option<String>) -> Self {
        match args.database_url.as_deref().map(str::trim) {
            Some(url) if !url.is_empty() => {
                let owner = args.migrate_database_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
                Self::Url { url: Secret::new(url.to_owned()), owner: owner.map(|url| Secret::new(url.to_owned())) }
            }
            _ => Self::Embedded {
                bin_dir: bin_dir.filter(|dir| !dir.as_os_str().is_empty()),
                user: user.filter(|user| !user.is_empty()),
            },
        }
    }
}

impl From<ServeArgs> for Config {
    fn from(args: ServeArgs) -> Self {
        let non_empty = |text: &String| !text.trim().is_empty();
        Self {
            database: Database::new(&args.database, args.pg_bin, args.pg_user),
            data_dir: args.database.data_dir,
            web_dir: args.web_dir,
            rest_bind: args.rest_bind,
            rest_tls: !args.rest_no_tls,
            grpc_bind: args.grpc_bind,
            server_names: args.server_names.iter().map(|name| name.trim().to_owned()).filter(non_empty).collect(),
            bootstrap_enrollment_token: args.bootstrap_enrollment_token.filter(non_empty).map(Secret::new),
            retention_days: args.retention_days,
            read_timeout: Duration::from_secs(args.read_timeout_s.into()),
            audit_retention_days: args.audit_retention_days,
            stale_after: Duration::from_secs(args.stale_after_s.into()),
            heartbeat_interval: args.heartbeat_interval_s.map(|s| Duration::from_secs(s.into())),
            metrics_public: args.metrics_public,
            metrics_agents_max: args.metrics_agents_max,
            certificates: Certificates::from(&args.fleet),
            agent_rate: AgentRate::from(&args.fleet),
            doors: Doors::from(args.fleet),
            sse_streams_max: args.sse_streams_max,
            sse_streams_per_user: args.sse_streams_per_user,
            alerts: args.alerts.into(),
        }
    }
}

impl From<&FleetArgs> for Certificates {
    fn from(args: &FleetArgs) -> Self {
        let hours = |hours: u32| Duration::from_hours(hours.into());
        Self { life: hours(args.cert_lifetime_h), grace: hours(args.cert_grace_h) }
    }
}

impl From<&FleetArgs> for AgentRate {
    fn from(args: &FleetArgs) -> Self {
        Self { records_per_s: args.agent_records_per_s, bytes_per_s: args.agent_bytes_per_s }
    }
}

impl From<FleetArgs> for Doors {
    fn from(args: FleetArgs) -> Self {
        let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            grpc_connections_max: count(args.grpc_connections_max),
            rest_connections_max: count(args.rest_connections_max),
            per_source_max: args.connections_per_source_max.map(count),
            trusted_proxies: args.trusted_proxies,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use clap::Parser;

    use super::{AddressRange, AgentRate, Certificates, Config, Doors};
    use crate::args::Cli;

    #[test]
    fn ranges_hold_what_shares_their_first_bits() {
        let holds = |range: &str, address: &str| {
            range.parse::<AddressRange>().expect(range).contains(address.parse::<IpAddr>().expect(address))
        };
        assert!(holds("10.0.0.5", "10.0.0.5") && !holds("10.0.0.5", "10.0.0.6"));
        assert!(holds("192.0.2.0/24", "::ffff:192.0.2.9") && !holds("192.0.2.0/24", "192.0.3.0"));
        assert!(holds("2001:db8::/32", "2001:db8:1::7") && !holds("2001:db8::/32", "10.0.0.1"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "203.0.113.9"));
        for wrong in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "proxy.example.com"] {
            assert!(wrong.parse::<AddressRange>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn defaults_are_the_same_with_and_without_a_command_line() {
        let config = Config::from(Cli::try_parse_from(["tyr-server"]).expect("defaults").serve);
        let (certificates, rate, doors) = (Certificates::default(), AgentRate::default(), Doors::default());
        assert_eq!((config.certificates.life, config.certificates.grace), (certificates.life, certificates.grace));
        assert_eq!(config.agent_rate.records_per_s, rate.records_per_s);
        assert_eq!(config.agent_rate.bytes_per_s, rate.bytes_per_s);
        assert_eq!(config.doors.grpc_connections_max, doors.grpc_connections_max);
        assert_eq!(config.doors.rest_connections_max, doors.rest_connections_max);
        assert_eq!(config.doors.per_source_max, None);
    }
}
