//! Columns that drop by priority where the room is short, and rows that are drawn into what is left.

use ratatui::layout::Rect;

use crate::tui::state::State;
use crate::tui::state::list::Keyed;
use crate::tui::state::mouse::Target;
use crate::tui::state::order;
use crate::tui::theme::{Glyph, Role};
use crate::tui::views::canvas::{Canvas, Cut, Span};

/// Columns before the first cell: selection and mark.
pub const GUTTER: u16 = 4;
/// Columns between two cells.
const GAP: u16 = 2;

/// From this priority on a column is nice to have: the filling column is given its wish first.
const NICE: u8 = 5;

/// How wide a column is.
#[derive(Clone, Copy, Debug)]
pub enum Width {
    /// That wide.
    Fixed(u16),
    /// As wide as the widest visible cell, within bounds.
    Fit(u16, u16),
    /// Takes what the others leave: never less than the first; less than the second only where columns of use would go otherwise.
    Fill(u16, u16),
}

/// A column of a table of `R`.
#[derive(Debug)]
pub struct Column<R> {
    /// Its head, upper case.
    pub head: &'static str,
    /// How wide.
    pub width: Width,
    /// Aligned to the right.
    pub right: bool,
    /// Columns with the highest number go first where the room is short; 0 stays always.
    pub priority: u8,
    /// Where its text is cut.
    pub cut: Cut,
    /// Its text.
    pub cell: for<'a> fn(&'a State, &'a R) -> Span<'a>,
}

/// Where a column stands.
struct Place<'c, R> {
    column: &'c Column<R>,
    x: u16,
    width: u16,
}

/// A table ready to draw rows.
pub struct Table<'c, R> {
    kind: order::Table,
    places: Vec<Place<'c, R>>,
    area: Rect,
}

impl<'c, R: Keyed> Table<'c, R> {
    /// Places the columns that the operator wants into the width of that area, measuring the visible rows where a column wants
    /// it; `without` names a column that says nothing here.
    pub fn place<'r>(
        canvas: &Canvas<'_>,
        state: &'r State,
        area: Rect,
        (kind, columns): (order::Table, &'c [Column<R>]),
        without: &str,
        visible: &(impl Iterator<Item = &'r R> + Clone),
    ) -> Self
    where
        R: 'r,
    {
        let widths: Vec<u16> = columns
            .iter()
            .map(|column| match column.width {
                Width::Fixed(width) | Width::Fill(width, _) => width,
                Width::Fit(min, max) => visible
                    .clone()
                    .map(|row| canvas.width(&(column.cell)(state, row).text))
                    .max()
                    .unwrap_or(min)
                    .max(canvas.width(column.head))
                    .clamp(min, max),
            })
            .collect();
        // One column stays free on the right, so that text doesn't touch the box.
        let room = area.width.saturating_sub(GUTTER + 1);
        let wanted = |n: &usize| columns[*n].head != without && state.layout.shows(kind, columns[*n].head);
        let mut kept: Vec<usize> = (0..columns.len()).filter(wanted).collect();
        // What was asked for goes last.
        let priority = |n: usize| {
            let asked = kind.is_unusual(columns[n].head);
            if asked { columns[n].priority.min(1) } else { columns[n].priority }
        };
        let needed = |kept: &[usize]| {
            kept.iter().map(|n| widths[*n]).sum::<u16>()
                + GAP * u16::try_from(kept.len().saturating_sub(1)).unwrap_or(0)
        };
        let wish: u16 = columns
            .iter()
            .map(|column| match column.width {
                Width::Fill(least, wish) => wish - least,
                Width::Fixed(_) | Width::Fit(..) => 0,
            })
            .sum();
        loop {
            let victim = kept.iter().copied().filter(|n| priority(*n) > 0).max_by_key(|n| priority(*n));
            let Some(victim) = victim else { break };
            let extra = if priority(victim) >= NICE { wish } else { 0 };
            if needed(&kept) + extra <= room {
                break;
            }
            kept.retain(|n| *n != victim);
        }
        let spare = room.saturating_sub(needed(&kept));
        let fills = kept.iter().filter(|n| matches!(columns[**n].width, Width::Fill(..))).count();
        let share = u16::try_from(fills).ok().filter(|fills| *fills > 0).map_or(0, |fills| spare / fills);
        let mut x = area.x + GUTTER;
        let mut places = Vec::with_capacity(kept.len());
        for n in kept {
            let column = &columns[n];
            let wanted = widths[n] + if matches!(column.width, Width::Fill(..)) { share } else { 0 };
            let width = wanted.min(area.right().saturating_sub(x + 1));
            places.push(Place { column, x, width });
            x = x.saturating_add(width + GAP);
        }
        Self { kind, places, area }
    }

    /// Writes the heads into a line; the one that is sorted by has a sign where there is room for it.
    pub fn heads(&self, canvas: &mut Canvas<'_>, state: &State, y: u16) {
        let order = state.layout.order(self.kind);
        for place in &self.places {
            let head = place.column.head;
            let mut text = head.to_owned();
            let mut role = Role::Dim;
            if order.head == head {
                role = Role::Accent;
                let sign = canvas.theme.glyph(if order.reversed { Glyph::SortUp } else { Glyph::SortDown });
                if canvas.width(head) + canvas.width(sign) <= place.width {
                    text.push_str(sign);
                }
            }
            if place.column.right {
                canvas.text_right(place.x, place.x + place.width, y, &text, role);
            } else {
                canvas.text(place.x, y, place.width, &text, role);
            }
            state.drawn(Rect { x: place.x, y, width: place.width, height: 1 }, Target::Head(self.kind, head));
        }
    }

    /// Writes a row into a line; `mark` stands before it.
    pub fn row(&self, canvas: &mut Canvas<'_>, state: &State, y: u16, row: &R, mark: (&str, Role), look: Look) {
        canvas.text(self.area.x + 1, y, 2, mark.0, mark.1);
        marked(canvas, state, self.area, y, row);
        for place in &self.places {
            let span = (place.column.cell)(state, row);
            if place.column.right {
                canvas.text_right(place.x, place.x + place.width, y, &span.text, span.role);
            } else {
                canvas.text_cut(place.x, y, place.width, &span.text, span.role, place.column.cut);
            }
        }
        select(canvas, self.area, y, look);
    }
}

/// The sign of a row that the operator marked.
pub fn marked(canvas: &mut Canvas<'_>, state: &State, area: Rect, y: u16, row: &impl Keyed) {
    if state.marked.contains(&row.key()) {
        canvas.text(area.x + 3, y, 1, canvas.theme.glyph(Glyph::Check), Role::Accent);
    }
}

/// How a row stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Not at all.
    Plain,
    /// Selected, in the list that has the focus.
    Selected,
    /// Selected, in another list.
    SelectedElsewhere,
}

impl Look {
    /// Of the row at that place.
    pub fn of(place: usize, selected: usize, focused: bool) -> Self {
        match (place == selected, focused) {
            (false, _) => Self::Plain,
            (true, true) => Self::Selected,
            (true, false) => Self::SelectedElsewhere,
        }
    }
}

/// Marks a line as selected; the sign carries it where there is neither colour nor reverse.
pub fn select(canvas: &mut Canvas<'_>, area: Rect, y: u16, look: Look) {
    let line = Rect { y, height: 1, ..area };
    match look {
        Look::Plain => {}
        Look::Selected => {
            canvas.text(area.x, y, 1, canvas.theme.glyph(Glyph::Marker), Role::Normal);
            canvas.restyle(line, Role::Selected);
        }
        Look::SelectedElsewhere => {
            canvas.text(area.x, y, 1, canvas.theme.glyph(Glyph::Bullet), Role::Dim);
        }
    }
}
