//! The first few of a whole vocabulary in some order, without sorting it.

use std::cmp::Ordering;

/// The first `n` of `items` in the order of `compare`, sorted: one pass, in which few items are more than looked at once.
pub(crate) fn first<T: Copy>(
    items: impl Iterator<Item = T>,
    n: usize,
    compare: impl Fn(&T, &T) -> Ordering + Copy,
) -> Vec<T> {
    if n == 0 {
        return Vec::new();
    }
    // Room for twice as many, so that the list is cut only after as many more have come.
    let mut list: Vec<T> = Vec::new();
    let mut last: Option<T> = None;
    for item in items {
        if last.is_some_and(|last| compare(&item, &last).is_gt()) {
            continue;
        }
        list.push(item);
        if list.len() == 2 * n {
            list.select_nth_unstable_by(n - 1, compare);
            list.truncate(n);
            last = list.last().copied();
        }
    }
    list.sort_unstable_by(compare);
    list.truncate(n);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_sorting_all_of_them_gives() {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u32
        };
        for n_items in [0, 1, 2, 31, 1000] {
            // Many are equal, so that the order among those counts too.
            let items: Vec<(u32, u32)> = (0..n_items).map(|i| (random() % 50, i)).collect();
            let compare = |a: &(u32, u32), b: &(u32, u32)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
            let mut sorted = items.clone();
            sorted.sort_by(compare);
            for n in [0, 1, 2, 7, 999, 1000, 5000] {
                let found = first(items.iter().copied(), n, compare);
                assert_eq!(found, sorted[..n.min(sorted.len())], "{n} of {n_items}");
            }
        }
    }
}
