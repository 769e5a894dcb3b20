//! Time and names of events: one clock reading gives both.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use uuid::{Builder, Uuid};

/// When an event happened, and the UUID v7 made of the very same reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Microseconds since the Unix epoch, on this host's clock.
    pub unix_us: i64,
    /// UUID v7: milliseconds, then the microseconds within them, then a counter, then 48 random bits. So ids sort as the
    /// events were made, also within a microsecond.
    pub id: Uuid,
}

impl Stamp {
    /// The time as the wire wants it: nanoseconds, truncated to whole microseconds.
    pub fn unix_ns(self) -> i64 {
        self.unix_us.saturating_mul(1000)
    }
}

/// Makes [`Stamp`]s.
#[derive(Debug, Default)]
pub struct Clock {
    counter: u16,
}

impl Clock {
    /// A stamp for something that happens now.
    pub fn now(&mut self) -> Stamp {
        self.at_unix_us(unix_us_now())
    }

    /// A stamp for something that the kernel saw at `boot_ns` nanoseconds of `CLOCK_BOOTTIME`.
    ///
    /// The offset to the wall clock is read now and not kept, so a clock that is set right applies from the next event on.
    pub fn at_boot_ns(&mut self, boot_ns: u64) -> Stamp {
        let boot = clock_gettime(ClockId::Boottime);
        let boot_us_now = boot.tv_sec * 1_000_000 + boot.tv_nsec / 1000;
        let age_us = boot_us_now.saturating_sub_unsigned(boot_ns / 1000).max(0);
        self.at_unix_us(unix_us_now() - age_us)
    }

    fn at_unix_us(&mut self, unix_us: i64) -> Stamp {
        let unix_us = unix_us.max(0);
        let (millis, micros) = (unix_us.unsigned_abs() / 1000, unix_us.unsigned_abs() % 1000);
        self.counter = self.counter.wrapping_add(1) & 0x3fff;
        let mut tail: [u8; 10] = rand::random();
        // Bytes 0-1 are the 12 bits behind the version, bytes 2-3 the 14 bits behind the variant.
        tail[..2].copy_from_slice(&u16::try_from(micros).expect("below 1000").to_be_bytes());
        tail[2..4].copy_from_slice(&self.counter.to_be_bytes());
        Stamp { unix_us, id: Builder::from_unix_timestamp_millis(millis, &tail).into_uuid() }
    }
}

/// This host's wall clock in microseconds since the Unix epoch; 0 when it stands before that.
pub fn unix_us_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// A time as metadata shows it: RFC 3339 in UTC with microseconds.
pub fn rfc3339(unix_us: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(unix_us).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use super::{Clock, rfc3339, unix_us_now};
    use rustix::time::{ClockId, clock_gettime};

    #[test]
    fn id_and_time_are_one_reading() {
        let stamp = Clock::default().now();
        let (seconds, nanos) = stamp.id.get_timestamp().expect("version 7").to_unix();
        let id_ms = i64::try_from(seconds).unwrap() * 1000 + i64::from(nanos / 1_000_000);
        assert_eq!(id_ms, stamp.unix_us / 1000);
        assert_eq!(stamp.id.get_version_num(), 7);
        assert_eq!(stamp.unix_ns() % 1000, 0);
    }

    #[test]
    fn ids_sort_as_they_were_made_within_one_microsecond() {
        let mut clock = Clock::default();
        let ids: Vec<_> = (0..1000).map(|_| clock.at_unix_us(1_700_000_000_123_456).id).collect();
        assert!(ids.is_sorted());
        assert!(clock.at_unix_us(1_700_000_000_123_457).id > ids[999]);
    }

    #[test]
    fn boot_time_becomes_wall_time() {
        let boot = clock_gettime(ClockId::Boottime);
        let boot_ns = u64::try_from(boot.tv_sec * 1_000_000_000 + boot.tv_nsec).unwrap();
        let before = unix_us_now();
        let stamp = Clock::default().at_boot_ns(boot_ns - 5_000_000_000);
        let back = before - stamp.unix_us;
        assert!((4_000_000..=5_100_000).contains(&back), "{back} µs");
    }

    #[test]
    fn shows_microseconds() {
        assert_eq!(rfc3339(1_700_000_000_000_001), "2023-11-14T22:13:20.000001Z");
    }
}
