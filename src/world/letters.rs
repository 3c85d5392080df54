//! Where messages lie while they are on their way, so that the calendar moves small numbers only.

/// A store of what is under way: places are used again, so nothing is allocated once it is as
/// large as it ever gets.
pub(super) struct Letters<T> {
    places: Vec<T>,
    free: Vec<u32>,
}

impl<T: Copy> Letters<T> {
    /// Nothing is on its way.
    pub(super) fn new() -> Letters<T> {
        Letters { places: Vec::new(), free: Vec::new() }
    }
    /// Keeps a letter until it is taken; its number.
    #[inline]
    pub(super) fn keep(&mut self, letter: T) -> u32 {
        if let Some(number) = self.free.pop()
            && let Some(place) = self.places.get_mut(number as usize)
        {
            *place = letter;
            return number;
        }
        self.grow(letter)
    }
    #[cold]
    #[inline(never)]
    fn grow(&mut self, letter: T) -> u32 {
        self.places.push(letter);
        // All places may be free at once: room for that now saves looking for it later.
        self.free.reserve(self.places.capacity() - self.free.len());
        (self.places.len() - 1) as u32
    }
    /// Looks at a letter.
    #[inline]
    pub(super) fn look(&self, number: u32) -> &T {
        &self.places[number as usize]
    }
    /// Gives up the place of a letter, once.
    #[inline]
    pub(super) fn free(&mut self, number: u32) {
        self.free.push(number);
    }
    /// Takes a letter out.
    #[inline]
    pub(super) fn take(&mut self, number: u32) -> T {
        self.free(number);
        *self.look(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_letter_stays_as_it_is_until_taken(acts in prop::collection::vec((any::<bool>(), 0usize..50), 1..400)) {
            let mut letters = Letters::new();
            let mut twin: Vec<(u32, usize)> = Vec::new();
            for (number, (keep, which)) in acts.into_iter().enumerate() {
                if keep || twin.is_empty() {
                    twin.push((letters.keep(number), number));
                } else {
                    let (place, letter) = twin.swap_remove(which % twin.len());
                    prop_assert_eq!(*letters.look(place), letter);
                    prop_assert_eq!(letters.take(place), letter);
                }
                prop_assert!(twin.iter().all(|(place, letter)| letters.look(*place) == letter));
            }
            prop_assert!(letters.places.len() <= 400);
        }
    }
}
