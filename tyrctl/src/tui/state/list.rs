//! Rows with a selection that follows its row, not its place.

use std::cell::Cell;
use std::cmp::Ordering;
use std::sync::Arc;

use tyr_api::agents::{Agent, DiscoveredAgent};
use tyr_api::alerts::Alert;
use tyr_api::events::Event;
use uuid::Uuid;

use crate::tui::state::log::LogLine;

/// A row that can be found again in the next picture.
pub trait Keyed {
    /// Its identity.
    fn key(&self) -> Uuid;
}

/// An agent in a list: the fleet has the rest of it, always as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentKey(pub Uuid);

impl Keyed for AgentKey {
    fn key(&self) -> Uuid {
        self.0
    }
}

impl Keyed for Arc<Agent> {
    fn key(&self) -> Uuid {
        self.agent_id
    }
}

impl Keyed for Arc<Event> {
    fn key(&self) -> Uuid {
        self.event_id
    }
}

impl Keyed for Arc<Alert> {
    fn key(&self) -> Uuid {
        self.alert_id
    }
}

impl Keyed for Arc<DiscoveredAgent> {
    fn key(&self) -> Uuid {
        self.id
    }
}

impl Keyed for Arc<LogLine> {
    fn key(&self) -> Uuid {
        // No version 7 id is that small.
        Uuid::from_u128(u128::from(self.number))
    }
}

/// Rows, what is selected of them, and which of them were drawn last.
///
/// Until the operator moves, the first row is selected and the list stays at its top (it *follows*). After a move the selection is
/// bound to that row's identity and its place on the screen, however many rows arrive above it.
#[derive(Debug)]
pub struct List<T> {
    rows: Vec<T>,
    index: usize,
    selected: Option<Uuid>,
    /// First row at the time the operator left the top; rows before it are new to them.
    left_top_at: Option<Uuid>,
    following: bool,
    // A memory of the last drawing: the height of a panel is known there and nowhere else.
    offset: Cell<usize>,
    height: Cell<usize>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            index: 0,
            selected: None,
            left_top_at: None,
            following: true,
            offset: Cell::new(0),
            height: Cell::new(1),
        }
    }
}

impl<T: Keyed> List<T> {
    /// Replaces the rows; the selection stays with its row, or at its place if the row is gone.
    pub fn set(&mut self, rows: Vec<T>) {
        let before = self.index;
        self.rows = rows;
        if self.following {
            self.index = 0;
            self.offset.set(0);
        } else {
            let found = self.selected.and_then(|key| self.rows.iter().position(|row| row.key() == key));
            self.index = found.unwrap_or(before).min(self.rows.len().saturating_sub(1));
            // The row keeps its place on the screen.
            self.offset.set((self.offset.get() + self.index).saturating_sub(before));
        }
        self.selected = self.rows.get(self.index).map(Keyed::key);
    }

    /// Puts rows in front and takes those away at the end that are held no longer, with the same result as [`List::set`].
    pub fn move_on(&mut self, newer: Vec<T>, held: impl Fn(&T) -> bool) {
        let count = newer.len();
        self.rows.splice(0..0, newer);
        while self.rows.last().is_some_and(|last| !held(last)) {
            self.rows.pop();
        }
        if self.following {
            self.index = 0;
            self.offset.set(0);
        } else {
            let before = self.index;
            let moved = before + count;
            let place = if moved < self.rows.len() { moved } else { before };
            self.index = place.min(self.rows.len().saturating_sub(1));
            self.offset.set((self.offset.get() + self.index).saturating_sub(before));
        }
        self.selected = self.rows.get(self.index).map(Keyed::key);
    }

    /// Puts rows among the others, which are in that order, and takes those away that are held no longer.
    pub fn merge(&mut self, mut newer: Vec<T>, held: impl Fn(&T) -> bool, order: impl Fn(&T, &T) -> Ordering) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(held);
        newer.sort_by(&order);
        let places: Vec<usize> =
            newer.iter().map(|one| rows.partition_point(|row| order(row, one) == Ordering::Less)).collect();
        let mut merged = Vec::with_capacity(rows.len() + newer.len());
        let mut rest = rows.into_iter();
        let mut passed = 0;
        for (one, place) in newer.into_iter().zip(places) {
            merged.extend(rest.by_ref().take(place - passed));
            merged.push(one);
            passed = place;
        }
        merged.extend(rest);
        self.set(merged);
    }

    /// All rows, in order.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&T> {
        self.rows.get(self.index)
    }

    /// The selected row's place.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether the list stays at its top.
    pub fn is_following(&self) -> bool {
        self.following
    }

    /// Rows that arrived above since the operator left the top.
    pub fn newer(&self) -> usize {
        if self.following {
            return 0;
        }
        let Some(mark) = self.left_top_at else { return 0 };
        self.rows.iter().position(|row| row.key() == mark).unwrap_or(self.rows.len())
    }

    /// Goes to the top and stays there.
    pub fn follow(&mut self) {
        self.following = true;
        self.index = 0;
        self.offset.set(0);
        self.left_top_at = None;
        self.selected = self.rows.first().map(Keyed::key);
    }

    /// Stays with the row that is selected now.
    pub fn pin(&mut self) {
        if self.following {
            self.following = false;
            self.left_top_at = self.rows.first().map(Keyed::key);
        }
    }

    /// Moves the selection by that many rows and binds it there.
    pub fn step(&mut self, by: isize) {
        self.go(self.index.saturating_add_signed(by));
    }

    /// Moves by screens.
    pub fn page(&mut self, by: isize) {
        let height = isize::try_from(self.height.get()).unwrap_or(1).max(1);
        self.step(by.saturating_mul(height));
    }

    /// Selects the row at that place, or the last.
    pub fn go(&mut self, index: usize) {
        if self.rows.is_empty() {
            return;
        }
        self.pin();
        self.index = index.min(self.rows.len() - 1);
        self.selected = self.rows.get(self.index).map(Keyed::key);
    }

    /// Scrolls by lines without leaving the place of the selection among the visible rows.
    pub fn wheel(&mut self, by: isize) {
        self.step(by);
        let last = self.rows.len().saturating_sub(self.height.get());
        self.offset.set(self.offset.get().saturating_add_signed(by).min(last));
    }

    /// Selects the row with that identity, if it's there.
    pub fn select(&mut self, key: Uuid) {
        if let Some(index) = self.rows.iter().position(|row| row.key() == key) {
            self.go(index);
        }
    }

    /// The rows to draw into that many lines, with the place of the first, so that the selected one is among them.
    pub fn window(&self, height: usize) -> (usize, &[T]) {
        self.height.set(height.max(1));
        let last = self.rows.len().saturating_sub(height);
        let mut offset = self.offset.get().min(last);
        if self.index < offset {
            offset = self.index;
        } else if height > 0 && self.index >= offset + height {
            offset = self.index + 1 - height;
        }
        self.offset.set(offset);
        (offset, &self.rows[offset..self.rows.len().min(offset + height)])
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Keyed, List};

    impl Keyed for u32 {
        fn key(&self) -> Uuid {
            Uuid::from_u128(u128::from(*self))
        }
    }

    #[test]
    fn stays_at_the_top_until_moved() {
        let mut list = List::default();
        list.set(vec![2, 1]);
        list.set(vec![3, 2, 1]);
        assert_eq!((list.selected(), list.newer()), (Some(&3), 0));
    }

    #[test]
    fn selection_follows_its_row_and_keeps_its_line() {
        let mut list = List::default();
        list.set(vec![5, 4, 3, 2, 1]);
        assert_eq!(list.window(2), (0, &[5, 4][..]));
        list.step(2);
        assert_eq!(list.window(2), (1, &[4, 3][..]));
        list.set(vec![7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(list.selected(), Some(&3));
        assert_eq!(list.newer(), 2);
        assert_eq!(list.window(2), (3, &[4, 3][..]));
        list.follow();
        assert_eq!((list.selected(), list.newer()), (Some(&7), 0));
    }

    #[test]
    fn moving_on_is_like_making_anew() {
        // Rows come in front and go at the end; the operator follows, walks, and stays.
        let (mut moved, mut made) = (List::default(), List::default());
        for list in [&mut moved, &mut made] {
            list.set((1..=10_u32).rev().collect());
        }
        for round in 0..40_u32 {
            let (oldest, newest) = (1 + round * 2, 10 + round * 3);
            let before = if round == 0 { 10 } else { newest - 3 };
            moved.move_on((before + 1..=newest).rev().collect(), |row| *row >= oldest);
            made.set((oldest..=newest).rev().collect());
            for list in [&mut moved, &mut made] {
                match round % 5 {
                    1 => list.step(3),
                    3 if round > 20 => list.follow(),
                    _ => {}
                }
            }
            assert_eq!(moved.rows(), made.rows());
            assert_eq!(
                (moved.index(), moved.newer(), moved.window(4)),
                (made.index(), made.newer(), made.window(4)),
                "{round}"
            );
        }
    }

    #[test]
    fn merging_is_like_sorting_anew() {
        // By the last digit, newest first among equal ones.
        let order = |a: &u32, b: &u32| (a % 10).cmp(&(b % 10)).then(b.cmp(a));
        let (mut merged, mut sorted) = (List::default(), List::default());
        for round in 0..30_u32 {
            let (oldest, newest) = (round * 4, 50 + round * 7);
            let came = if round == 0 { 0..=newest } else { newest - 6..=newest };
            merged.merge(came.collect(), |row| *row >= oldest, order);
            let mut rows: Vec<u32> = (oldest..=newest).collect();
            rows.sort_by(order);
            sorted.set(rows);
            if round % 4 == 1 {
                merged.step(2);
                sorted.step(2);
            }
            assert_eq!(merged.rows(), sorted.rows());
            assert_eq!((merged.index(), merged.window(5)), (sorted.index(), sorted.window(5)), "{round}");
        }
    }

    #[test]
    fn takes_the_neighbour_of_a_row_that_went_away() {
        let mut list = List::default();
        list.set(vec![3, 2, 1]);
        list.go(99);
        assert_eq!(list.selected(), Some(&1));
        list.set(vec![3, 2]);
        assert_eq!(list.selected(), Some(&2));
        list.set(vec![]);
        assert_eq!(list.selected(), None);
        list.step(1);
        assert_eq!(list.window(0), (0, &[][..]));
    }
}
