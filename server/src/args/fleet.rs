//! Settings of the two doors and of what agents may do.

use clap::Args;

use crate::config::AddressRange;

/// Settings of the two doors and of what agents may do.
#[derive(Clone, Debug, Args)]
pub struct FleetArgs {
    /// Hours that an agent's certificate lives; it is renewed by itself after two thirds of them.
    #[arg(
        long,
        env = "TYR_CERT_LIFETIME_H",
        default_value_t = 168,
        value_parser = clap::value_parser!(u32).range(1..=8760),
        value_name = "HOURS"
    )]
    pub cert_lifetime_h: u32,
    /// Hours after its end in which an agent's certificate can still be renewed, so that a host which was away for long
    /// needs no new enrollment; 0 for none.
    #[arg(
        long,
        env = "TYR_CERT_GRACE_H",
        default_value_t = 2160,
        value_parser = clap::value_parser!(u32).range(0..=87_600),
        value_name = "HOURS"
    )]
    pub cert_grace_h: u32,
    /// Records per second that one agent may send; it is read slower above that, and nothing is lost.
    #[arg(
        long,
        env = "TYR_AGENT_RECORDS_PER_S",
        default_value_t = 50_000,
        value_parser = clap::value_parser!(u32).range(100..),
        value_name = "N"
    )]
    pub agent_records_per_s: u32,
    /// Bytes per second that one agent may send; it is read slower above that, and nothing is lost.
    #[arg(
        long,
        env = "TYR_AGENT_BYTES_PER_S",
        default_value_t = 64 * 1024 * 1024,
        value_parser = clap::value_parser!(u32).range(64 * 1024..),
        value_name = "BYTES"
    )]
    pub agent_bytes_per_s: u32,
    /// Connections of agents at a time.
    #[arg(
        long,
        env = "TYR_GRPC_CONNECTIONS_MAX",
        default_value_t = 20_000,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        value_name = "N"
    )]
    pub grpc_connections_max: u32,
    /// Connections of people and scripts at a time.
    #[arg(
        long,
        env = "TYR_REST_CONNECTIONS_MAX",
        default_value_t = 4096,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        value_name = "N"
    )]
    pub rest_connections_max: u32,
    /// Connections from one address (IPv6: one /64) at a time, on each port [default: three quarters of that port's].
    #[arg(
        long,
        env = "TYR_CONNECTIONS_PER_SOURCE_MAX",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        value_name = "N"
    )]
    pub connections_per_source_max: Option<u32>,
    /// Addresses of proxies in front of the REST listener, e.g. 10.0.0.5,192.0.2.0/24: their `X-Forwarded-For` is believed, and
    /// nobody else's.
    #[arg(long, env = "TYR_TRUSTED_PROXIES", value_delimiter = ',', value_name = "ADDRESSES")]
    pub trusted_proxies: Vec<AddressRange>,
}
