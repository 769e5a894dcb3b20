//! Tells what runs for long (streams) that sessions have ended, so that it ends too, at once.
//!
//! Servers beside this one are not told; their streams look at the database every few seconds.

use tokio::sync::broadcast;
use uuid::Uuid;

use super::User;

/// News that wait for one stream; a stream that misses some looks for itself.
const WAITING_MAX: usize = 64;

/// Which sessions ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// This one.
    Session(Uuid),
    /// All of this user, perhaps but for one that began since.
    User(Uuid),
    /// All that an old key signed.
    Key,
}

impl Ended {
    /// Whether this may be about that session.
    pub fn concerns(self, user: &User) -> bool {
        match self {
            Self::Session(session_id) => session_id == user.session_id,
            Self::User(user_id) => user_id == user.user_id,
            Self::Key => true,
        }
    }
}

/// Where endings are told.
#[derive(Debug)]
pub struct Endings(broadcast::Sender<Ended>);

impl Default for Endings {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING_MAX))
    }
}

impl Endings {
    /// Tells of an ending. Call it when the database has it.
    pub fn tell(&self, ended: Ended) {
        // Nobody listening is fine.
        let _ = self.0.send(ended);
    }

    /// Endings from now on.
    pub fn listen(&self) -> broadcast::Receiver<Ended> {
        self.0.subscribe()
    }
}
