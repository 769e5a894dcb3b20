//! How long `acquire` of the pool takes: sqlx tells it through `tracing` and in no other way.

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::metrics::POOL_ACQUIRE_SECONDS;

/// Target and field of sqlx's events.
const TARGET: &str = "sqlx::pool::acquire";
const FIELD: &str = "acquired_after_secs";

/// Measures each acquire, whatever `RUST_LOG` lets into the log.
pub(super) fn waits<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    Waits.with_filter(Targets::new().with_target(TARGET, LevelFilter::TRACE))
}

struct Waits;

impl<S: Subscriber> Layer<S> for Waits {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Observe);
    }
}

struct Observe;

impl Visit for Observe {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == FIELD {
            POOL_ACQUIRE_SECONDS.observe(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
