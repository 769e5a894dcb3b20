//! How many agents need a look: counted once a second, as going through ten thousand for each frame would be most of its work.

use crate::tui::state::State;
use crate::tui::state::fleet::Standing;

/// Agents by what an operator should know of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Stale or worse.
    pub stale: usize,
    /// In need of attention for whatever reason.
    pub attention: usize,
}

/// When a census was taken, and whether it still holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    census: Census,
    /// Second of the shown clock; absent when it has to be taken anew.
    second: Option<i64>,
}

impl Taken {
    /// Agents changed, or another picture is shown.
    pub(super) fn is_void(&mut self) {
        self.second = None;
    }
}

impl State {
    /// The census of the last frame that was prepared.
    pub fn census(&self) -> Census {
        self.census.census
    }

    pub(super) fn take_census(&mut self) {
        let Some(clock) = self.clock else { return };
        if self.census.second == Some(clock.as_second()) {
            return;
        }
        let fleet = &self.data().fleet;
        let mut census = Census::default();
        for standing in fleet.standings(clock) {
            census.stale += usize::from(matches!(standing, Standing::Stale | Standing::Offline));
            census.attention += usize::from(standing.needs_attention());
        }
        self.census = Taken { census, second: Some(clock.as_second()) };
    }
}
