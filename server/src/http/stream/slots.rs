//! How many streams are open, of all users and of each, and whether their sessions still hold.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::app::auth::{self, User};

/// How often a session is looked at, once for all of its streams, in case that another server ended it.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// All open streams.
#[derive(Debug)]
pub struct Streams {
    max: u32,
    per_user_max: u32,
    open: AtomicU32,
    users: Mutex<HashMap<Uuid, u32>>,
    sessions: Mutex<HashMap<Uuid, Weak<CancellationToken>>>,
}

/// Why no further stream can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The server has as many as it may.
    Server,
    /// This user has.
    User,
}

/// One open stream; dropping it makes room.
#[derive(Debug)]
pub(super) struct Slot {
    streams: Arc<Streams>,
    user_id: Uuid,
}

impl Streams {
    /// None is open yet.
    pub fn new(max: u32, per_user_max: u32) -> Self {
        Self { max, per_user_max, open: AtomicU32::new(0), users: Mutex::default(), sessions: Mutex::default() }
    }

    /// How many are open.
    pub fn open(&self) -> u32 {
        self.open.load(Ordering::Relaxed)
    }

    /// Most streams of one user.
    pub(super) fn per_user_max(&self) -> u32 {
        self.per_user_max
    }

    /// Room for one more stream of that user.
    pub(super) fn open_for(self: &Arc<Self>, user_id: Uuid) -> Result<Slot, Full> {
        let mut users = lock(&self.users);
        if users.values().sum::<u32>() >= self.max {
            return Err(Full::Server);
        }
        let count = users.entry(user_id).or_default();
        if *count >= self.per_user_max {
            return Err(Full::User);
        }
        *count += 1;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Slot { streams: Arc::clone(self), user_id })
    }

    /// Cancelled when the user's session is over. Looked at while somebody holds it, and until `stop`.
    pub(super) fn session(
        self: &Arc<Self>,
        app: &Arc<App>,
        user: &User,
        stop: &CancellationToken,
    ) -> Arc<CancellationToken> {
        let key = user.session_id;
        let mut sessions = lock(&self.sessions);
        if let Some(ended) = sessions.get(&key).and_then(Weak::upgrade) {
            return ended;
        }
        let ended = Arc::new(CancellationToken::new());
        sessions.insert(key, Arc::downgrade(&ended));
        let (streams, app, user, stop) = (Arc::clone(self), Arc::clone(app), user.clone(), stop.clone());
        let watched = Arc::downgrade(&ended);
        tokio::spawn(async move {
            tokio::select! {
                () = watch(&app, &user, &watched) => {}
                () = stop.cancelled() => {}
            }
            let mut sessions = lock(&streams.sessions);
            // Another one may have taken its place.
            if sessions.get(&key).is_some_and(|other| other.ptr_eq(&watched)) {
                sessions.remove(&key);
            }
        });
        ended
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut users = lock(&self.streams.users);
        if let Some(count) = users.get_mut(&self.user_id) {
            *count -= 1;
            if *count == 0 {
                users.remove(&self.user_id);
            }
        }
        self.streams.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every update is one insertion, removal or addition.
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at a session until it is over or nobody cares.
async fn watch(app: &App, user: &User, watched: &Weak<CancellationToken>) {
    let mut endings = app.endings.listen();
    let mut check = interval_at(Instant::now() + CHECK_EVERY, CHECK_EVERY);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = check.tick() => {}
            ended = endings.recv() => match ended {
                Ok(ended) if !ended.concerns(user) => continue,
                // It may be this one; or some were missed.
                _ => {}
            },
        }
        let Some(ended) = watched.upgrade() else { return };
        let valid = match auth::still_valid(app, user).await {
            Ok(valid) => valid,
            // Says nothing of the user; the end of the token is known without a database.
            Err(_) => Timestamp::now() < user.session_expires_at,
        };
        if !valid {
            ended.cancel();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::{Full, Streams};

    #[test]
    fn slots_are_counted_for_each_user_and_for_all() {
        let streams = Arc::new(Streams::new(3, 2));
        let (one, two, three) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let open = |user| streams.open_for(user);
        let (first, _second) = (open(one).expect("room"), open(one).expect("room"));
        assert_eq!(open(one).expect_err("full"), Full::User);
        let _third = open(two).expect("room");
        assert_eq!(open(three).expect_err("full"), Full::Server);
        assert_eq!(streams.open(), 3);
        drop(first);
        assert_eq!(streams.open(), 2);
        let _again = open(one).expect("room");
    }
}
