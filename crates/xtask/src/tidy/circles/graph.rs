//! Which file needs which, and the circles in that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What makes one file need another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edge {
    /// Counted from 1.
    pub(super) line: usize,
    /// The path, as it is written.
    pub(super) text: String,
}

/// Files by number, and the first edge between each two of them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    edges: BTreeMap<usize, BTreeMap<usize, Edge>>,
}

impl Graph {
    /// Adds an edge; a file that needs itself is none.
    pub(super) fn add(&mut self, from: usize, to: usize, edge: Edge) {
        if from == to {
            return;
        }
        let known = self.edges.entry(from).or_default().entry(to).or_insert_with(|| edge.clone());
        if edge.line < known.line {
            *known = edge;
        }
    }

    pub(super) fn edge(&self, from: usize, to: usize) -> Option<&Edge> {
        self.edges.get(&from)?.get(&to)
    }

    fn next(&self, from: usize) -> impl Iterator<Item = usize> + '_ {
        self.edges.get(&from).into_iter().flat_map(|to| to.keys().copied())
    }

    /// Files that need each other, directly or by others: sets of two and more.
    pub(super) fn circles(&self) -> Vec<BTreeSet<usize>> {
        let reach: BTreeMap<usize, BTreeSet<usize>> =
            self.edges.keys().map(|from| (*from, self.reached(*from))).collect();
        let meets = |a: usize, b: usize| reach.get(&a).is_some_and(|reached| reached.contains(&b));
        let mut found: Vec<BTreeSet<usize>> = Vec::new();
        for from in reach.keys().copied().filter(|from| meets(*from, *from)) {
            if !found.iter().any(|circle| circle.contains(&from)) {
                found.push(reach[&from].iter().copied().filter(|to| meets(*to, from)).collect());
            }
        }
        found
    }

    /// All that a file needs, directly or by others; itself only where it is in a circle.
    fn reached(&self, from: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<usize> = self.next(from).collect();
        while let Some(file) = waiting.pop() {
            if reached.insert(file) {
                waiting.extend(self.next(file));
            }
        }
        reached
    }

    /// The shortest way round among the members of a circle.
    pub(super) fn shortest(&self, members: &BTreeSet<usize>) -> Vec<usize> {
        let ways = members.iter().filter_map(|start| self.around(*start));
        ways.min_by_key(Vec::len).unwrap_or_default()
    }

    /// The shortest way from a file back to itself.
    fn around(&self, start: usize) -> Option<Vec<usize>> {
        let mut before: BTreeMap<usize, usize> = BTreeMap::new();
        let mut waiting = VecDeque::from([start]);
        while let Some(file) = waiting.pop_front() {
            for next in self.next(file) {
                if next == start {
                    let mut way = vec![file];
                    while let Some(last) = way.last().filter(|last| **last != start) {
                        way.push(before[last]);
                    }
                    way.reverse();
                    return Some(way);
                }
                before.entry(next).or_insert_with(|| {
                    waiting.push_back(next);
                    file
                });
            }
        }
        None
    }
}
