//! A map of which a copy costs little: a decision begins with a copy of its room, and a room of ten thousand entries decides many times for each of them.
//!
//! What lies close together is one page, and copies share pages until one of them changes something there.

use std::{collections::BTreeMap, sync::Arc};

use protocol::id::UserId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Of numbers, so many are on a page.
const NUMBERS: u32 = 64;

/// Names are spread over so many pages.
const NAMES: u32 = 256;

/// What pages are found by.
pub(crate) trait Paged: Ord + Clone {
    /// On which page it is.
    fn page(&self) -> u32;
}

impl Paged for u32 {
    fn page(&self) -> u32 {
        self / NUMBERS
    }
}

impl Paged for UserId {
    fn page(&self) -> u32 {
        // FNV-1a: pages must be about equal, and nothing depends on which is whose.
        let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        self.as_str().bytes().fold(0x811c_9dc5, mix) % NAMES
    }
}

/// See the module. Stored as the map that it is. Numbers are in their order, names are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pages<K: Paged, V: Clone> {
    /// None is empty.
    pages: BTreeMap<u32, Arc<BTreeMap<K, V>>>,
    len: usize,
}

impl<K: Paged, V: Clone> Default for Pages<K, V> {
    fn default() -> Self {
        Self { pages: BTreeMap::new(), len: 0 }
    }
}

impl<K: Paged, V: Clone> Pages<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.pages.get(&key.page())?.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let page = self.pages.get_mut(&key.page()).filter(|page| page.contains_key(key))?;
        Arc::make_mut(page).get_mut(key)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let page = self.pages.entry(key.page()).or_default();
        let before = Arc::make_mut(page).insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let page = self.pages.get_mut(&key.page()).filter(|page| page.contains_key(key))?;
        let page = Arc::make_mut(page);
        let removed = page.remove(key);
        self.len -= usize::from(removed.is_some());
        if page.is_empty() {
            self.pages.remove(&key.page());
        }
        removed
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.pages.values().flat_map(|page| page.iter())
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<V: Clone> Pages<u32, V> {
    /// The one with the highest number.
    pub(crate) fn last(&self) -> Option<(u32, &V)> {
        let (number, value) = self.pages.last_key_value()?.1.last_key_value()?;
        Some((*number, value))
    }

    /// Those with this number and higher ones.
    pub(crate) fn from(&self, number: u32) -> impl Iterator<Item = (&u32, &V)> {
        self.pages.range(number.page()..).flat_map(move |(_, page)| page.range(number..))
    }
}

impl<K: Paged, V: Clone> std::ops::Index<&K> for Pages<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("it is there")
    }
}

impl<K: Paged, V: Clone> FromIterator<(K, V)> for Pages<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(all: I) -> Self {
        let mut pages: BTreeMap<u32, BTreeMap<K, V>> = BTreeMap::new();
        for (key, value) in all {
            pages.entry(key.page()).or_default().insert(key, value);
        }
        let len = pages.values().map(BTreeMap::len).sum();
        Self { pages: pages.into_iter().map(|(number, page)| (number, Arc::new(page))).collect(), len }
    }
}

impl<K: Paged + Serialize, V: Clone + Serialize> Serialize for Pages<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<(&K, &V)> = self.iter().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        serializer.collect_map(all)
    }
}

impl<'de, K: Paged + Deserialize<'de>, V: Clone + Deserialize<'de>> Deserialize<'de> for Pages<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Of what is numbered from 0 and stored as a list.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Pages, Serialize, Serializer};

    pub(crate) fn serialize<V: Clone + Serialize, S: Serializer>(
        all: &Pages<u32, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let all: Vec<&V> = all.values().collect();
        serializer.collect_seq(all)
    }

    pub(crate) fn deserialize<'de, V: Clone + Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Pages<u32, V>, D::Error> {
        Ok((0..).zip(Vec::deserialize(deserializer)?).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Listed(#[serde(with = "list")] Pages<u32, String>);

    proptest! {
        #[test]
        fn pages_are_the_map_that_they_stand_for_and_are_stored_as_it_is(
            steps in prop::collection::vec((0_u32..300, prop::option::of("[a-z]{0,3}")), 0..200),
        ) {
            let (mut map, mut pages, mut users) = (BTreeMap::new(), Pages::default(), Pages::default());
            let mut by_name = BTreeMap::new();
            for (number, value) in steps {
                let user = UserId::new(&format!("u{number}")).unwrap();
                let (copy, copied) = (pages.clone(), map.clone());
                match value {
                    Some(value) => {
                        prop_assert_eq!(pages.insert(number, value.clone()), map.insert(number, value));
                        users.insert(user.clone(), number);
                        by_name.insert(user, number);
                    }
                    None => {
                        prop_assert_eq!(pages.remove(&number), map.remove(&number));
                        users.remove(&user);
                        by_name.remove(&user);
                    }
                }
                if let Some(value) = pages.get_mut(&(number + 1)) {
                    value.push('!');
                    map.get_mut(&(number + 1)).unwrap().push('!');
                }
                prop_assert_eq!(pages.len(), map.len());
                prop_assert!(pages.iter().eq(map.iter()));
                prop_assert!(pages.from(number).eq(map.range(number..)));
                prop_assert_eq!(pages.last(), map.last_key_value().map(|(number, value)| (*number, value)));
                prop_assert!(copy.iter().eq(copied.iter()), "a copy does not change");
            }
            let stored = postcard::to_allocvec(&map).unwrap();
            prop_assert_eq!(&postcard::to_allocvec(&pages).unwrap(), &stored);
            prop_assert_eq!(postcard::from_bytes::<Pages<u32, String>>(&stored).unwrap(), pages.clone());
            let stored = postcard::to_allocvec(&by_name).unwrap();
            prop_assert_eq!(&postcard::to_allocvec(&users).unwrap(), &stored);
            prop_assert_eq!(postcard::from_bytes::<Pages<UserId, u32>>(&stored).unwrap(), users);
            let listed = Listed((0..).zip(map.values().cloned()).collect());
            let stored = postcard::to_allocvec(&map.values().collect::<Vec<_>>()).unwrap();
            prop_assert_eq!(&postcard::to_allocvec(&listed).unwrap(), &stored);
            prop_assert_eq!(postcard::from_bytes::<Listed>(&stored).unwrap(), listed);
        }
    }
}
