//! The REST door and the event stream, asked by a real client over a real socket.

mod agents;
mod alerts;
mod assignments;
mod audit;
mod authorisation;
mod errors;
mod events;
mod harness;
mod hostile;
mod lists;
mod metrics;
mod policies;
mod schemathesis;
mod sessions;
mod stats;
mod stream;
mod tls;
mod tokens;
mod users;
mod webhooks;
