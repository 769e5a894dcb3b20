//! Merges states that no input tells apart, and lays out the tables.

use std::collections::HashMap;

use super::Automaton;
use super::build::Raw;

pub(super) fn tables(raw: &Raw) -> Automaton {
    let block = blocks(raw);
    // Rows in the order in which they are reached: the dead state, then breadth first, so that what a walk begins with lies
    // together.
    let mut row_of: HashMap<u32, u32> = HashMap::from([(block[0], 0)]);
    let mut order = vec![0];
    let mut row = |state: u32, order: &mut Vec<usize>| {
        let fresh = u32::try_from(order.len()).expect("states are bounded");
        *row_of.entry(block[state as usize]).or_insert_with(|| {
            order.push(state as usize);
            fresh
        })
    };
    let columns = raw.width + 1;
    let offset = |row: u32| row * u32::try_from(columns).expect("at most 257");
    let starts = raw.starts.iter().map(|start| offset(row(*start, &mut order))).collect();
    let mut table = Vec::new();
    let mut at = 0;
    while at < order.len() {
        let state = order[at];
        table.push(raw.accept[state]);
        for class in 0..raw.width {
            table.push(offset(row(raw.next[state * raw.width + class], &mut order)));
        }
        at += 1;
    }
    Automaton {
        classes: raw.classes.map(|class| class + 1),
        columns: u32::try_from(columns).expect("at most 257"),
        table,
        starts,
        sets: raw.sets.clone(),
    }
}

/// The block of each state: Hopcroft's algorithm (1971), in n log n steps per class.
fn blocks(raw: &Raw) -> Vec<u32> {
    let count = raw.accept.len();
    let mut partition = Partition::by(&raw.accept);
    let before = Predecessors::of(raw);
    // Pairs of a block and a class that may still split others. All blocks at first: simpler than all but the largest.
    let mut pending: Vec<(u32, usize)> =
        (0..partition.blocks()).flat_map(|block| (0..raw.width).map(move |class| (block, class))).collect();
    let mut waiting: Vec<bool> = vec![true; pending.len()];
    let mut marked: Vec<u32> = Vec::with_capacity(count);
    while let Some((block, class)) = pending.pop() {
        waiting[block as usize * raw.width + class] = false;
        marked.clear();
        for &state in partition.states(block) {
            marked.extend_from_slice(before.of_state(state, class));
        }
        for &state in &marked {
            partition.mark(state);
        }
        for (old, fresh) in partition.split_marked() {
            waiting.resize(partition.blocks() as usize * raw.width, false);
            for class in 0..raw.width {
                // Both halves if the whole was still to do, else the smaller one suffices.
                let whole = waiting[old as usize * raw.width + class];
                let smaller = if partition.len(old) < partition.len(fresh) { old } else { fresh };
                let add = if whole { fresh } else { smaller };
                waiting[add as usize * raw.width + class] = true;
                pending.push((add, class));
            }
        }
    }
    partition.block_of
}

/// Who leads where: per class, the states before each state.
struct Predecessors {
    states: usize,
    /// Where the list of (class, state) begins in `list`.
    begin: Vec<u32>,
    list: Vec<u32>,
}

impl Predecessors {
    fn of(raw: &Raw) -> Self {
        let states = raw.accept.len();
        let slot = |edge: usize| (edge % raw.width) * states + raw.next[edge] as usize;
        let mut begin = vec![0u32; raw.width * states + 1];
        for edge in 0..raw.next.len() {
            begin[slot(edge) + 1] += 1;
        }
        for at in 1..begin.len() {
            begin[at] += begin[at - 1];
        }
        let mut free = begin.clone();
        let mut list = vec![0; raw.next.len()];
        for edge in 0..raw.next.len() {
            let place = &mut free[slot(edge)];
            list[*place as usize] = u32::try_from(edge / raw.width).expect("states are bounded");
            *place += 1;
        }
        Self { states, begin, list }
    }

    fn of_state(&self, state: u32, class: usize) -> &[u32] {
        let slot = class * self.states + state as usize;
        &self.list[self.begin[slot] as usize..self.begin[slot + 1] as usize]
    }
}

/// States in blocks, each block a range of one list, its marked states first.
struct Partition {
    list: Vec<u32>,
    /// Where a state stands in `list`.
    place: Vec<u32>,
    block_of: Vec<u32>,
    begin: Vec<u32>,
    end: Vec<u32>,
    marked: Vec<u32>,
    touched: Vec<u32>,
}

impl Partition {
    /// One block per accept.
    fn by(accept: &[u32]) -> Self {
        let count = u32::try_from(accept.len()).expect("states are bounded");
        let mut list: Vec<u32> = (0..count).collect();
        list.sort_by_key(|state| accept[*state as usize]);
        let mut partition = Self {
            place: vec![0; accept.len()],
            block_of: vec![0; accept.len()],
            begin: Vec::new(),
            end: Vec::new(),
            marked: Vec::new(),
            touched: Vec::new(),
            list,
        };
        for at in 0..count {
            let state = partition.list[at as usize] as usize;
            let new = at == 0 || accept[partition.list[at as usize - 1] as usize] != accept[state];
            if new {
                partition.add(at, at);
            }
            let block = partition.blocks() - 1;
            partition.end[block as usize] = at + 1;
            partition.block_of[state] = block;
            partition.place[state] = at;
        }
        partition
    }

    fn add(&mut self, begin: u32, end: u32) {
        self.begin.push(begin);
        self.end.push(end);
        self.marked.push(0);
    }

    fn blocks(&self) -> u32 {
        u32::try_from(self.begin.len()).expect("no more than states")
    }

    fn len(&self, block: u32) -> u32 {
        self.end[block as usize] - self.begin[block as usize]
    }

    fn states(&self, block: u32) -> &[u32] {
        &self.list[self.begin[block as usize] as usize..self.end[block as usize] as usize]
    }

    /// Moves a state to the front of its block.
    fn mark(&mut self, state: u32) {
        let block = self.block_of[state as usize] as usize;
        let front = self.begin[block] + self.marked[block];
        let place = self.place[state as usize];
        if place < front {
            return;
        }
        if self.marked[block] == 0 {
            self.touched.push(self.block_of[state as usize]);
        }
        let other = self.list[front as usize];
        self.list.swap(front as usize, place as usize);
        self.place[other as usize] = place;
        self.place[state as usize] = front;
        self.marked[block] += 1;
    }

    /// Makes a block of its own of the marked states of each block that has others too: pairs of (rest, marked).
    fn split_marked(&mut self) -> Vec<(u32, u32)> {
        let mut split = Vec::new();
        for block in std::mem::take(&mut self.touched) {
            let marked = std::mem::take(&mut self.marked[block as usize]);
            if marked == self.len(block) {
                continue;
            }
            let begin = self.begin[block as usize];
            let fresh = self.blocks();
            self.add(begin, begin + marked);
            self.begin[block as usize] += marked;
            for at in begin..begin + marked {
                self.block_of[self.list[at as usize] as usize] = fresh;
            }
            split.push((block, fresh));
        }
        split
    }
}
