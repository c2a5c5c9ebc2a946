//! Customers: their numbers, accounts, names and families.

use std::sync::Arc;

use ahash::RandomState;
use arrow::array::RecordBatch;
use hashbrown::HashMap;
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::columns::{BadBatch, Text};
use crate::names::{Found, Name, NameIndex};

/// Rows whose names one thread parses at a time.
const ROWS_PER_TASK: usize = 256;

/// No party.
pub const NO_PARTY: u32 = u32::MAX;
/// An account that several parties share tells nothing.
const SHARED: u32 = u32::MAX - 1;

struct Party {
    id: Box<str>,
    name: Option<Box<str>>,
    parsed_name: Name,
    parent: u32,
}

/// All parties, with the indexes that identify a payer.
#[derive(Default)]
#[expect(
    clippy::struct_field_names,
    reason = "the parties of the store are its parties"
)]
pub struct Parties {
    parties: Vec<Party>,
    /// The ancestor at the top, by party; one without a parent is its own. Apart from the rest,
    /// because every candidate item asks for it.
    roots: Vec<u32>,
    by_id: HashMap<Box<str>, u32, RandomState>,
    by_account: HashMap<Account, u32, RandomState>,
    names: NameIndex,
    families: HashMap<u32, Vec<u32>, RandomState>,
    parents: Vec<(u32, Box<str>)>,
    /// Parties that are their own parent, directly or by way of others.
    circular: Vec<u32>,
    /// By party: how many parties have the rarest word of its name.
    holders: Vec<u32>,
}

impl Parties {
    /// Adds the rows of a batch of the table `parties`; returns the rows whose party came
    /// before and were left out.
    pub fn load(&mut self, batch: &RecordBatch) -> Result<Vec<usize>, BadBatch> {
        let ids = Text::of(batch, "party_id")?;
        let names = Text::of(batch, "name")?;
        let aliases = Text::of(batch, "aliases")?;
        let parents = Text::of(batch, "parent_id")?;
        let accounts = Text::of(batch, "accounts")?;
        let parsed = (0..batch.num_rows()).into_par_iter().map(|row| {
            let all = std::iter::once(names.text(row)).chain(aliases.text(row).split('|'));
            all.map(Name::of).collect()
        });
        let parsed: Vec<SmallVec<[Name; 2]>> = parsed.with_min_len(ROWS_PER_TASK).collect();
        let mut repeated = Vec::new();
        for (row, parsed) in parsed.into_iter().enumerate() {
            let party = self.intern(ids.text(row));
            if self.parties[party as usize].name.is_some() {
                repeated.push(row);
                continue;
            }
            self.parties[party as usize].name = Some(names.text(row).into());
            if let Some(name) = parsed.first() {
                self.parties[party as usize].parsed_name = name.clone();
            }
            for name in parsed {
                self.names.insert(name, party);
            }
            for account in accounts.text(row).split('|') {
                self.add_account(account, party);
            }
            if let Some(parent) = parents.get(row) {
                self.parents.push((party, parent.into()));
            }
        }
        Ok(repeated)
    }

    /// The number of the party `id`, if it is there.
    pub fn find(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// The number of the party `id`, made if it is not there.
    pub fn intern(&mut self, id: &str) -> u32 {
        if let Some(party) = self.find(id) {
            return party;
        }
        let party = self.parties.len() as u32;
        self.parties.push(Party {
            id: id.into(),
            name: None,
            parsed_name: Name::default(),
            parent: NO_PARTY,
        });
        self.roots.push(party);
        self.by_id.insert(id.into(), party);
        party
    }

    fn add_account(&mut self, account: &str, party: u32) {
        let account = normalize_account(account);
        if account.is_empty() {
            return;
        }
        let holder = self.by_account.entry(account).or_insert(party);
        if *holder != party {
            *holder = SHARED;
        }
    }

    /// Ties parents to children, once all parties are there.
    pub fn finish_loading(&mut self) {
        for (child, parent) in std::mem::take(&mut self.parents) {
            match self.by_id.get(&parent) {
                Some(&parent) if parent == child => self.circular.push(child),
                Some(&parent) => self.parties[child as usize].parent = parent,
                None => {}
            }
        }
        for party in 0..self.parties.len() as u32 {
            let root = self.find_root(party).unwrap_or_else(|| {
                self.circular.push(party);
                party
            });
            self.roots[party as usize] = root;
            if root != party {
                self.families.entry(root).or_default().push(party);
            }
        }
        self.count_words();
    }

    fn count_words(&mut self) {
        let mut counts: HashMap<&[u8], u32, RandomState> = HashMap::default();
        for party in &self.parties {
            for word in party.parsed_name.words() {
                *counts.entry(word).or_default() += 1;
            }
        }
        let rarest = |party: &Party| {
            let counts = party.parsed_name.words().map(|word| counts[word]);
            counts.min().unwrap_or_default()
        };
        self.holders = self.parties.iter().map(rarest).collect();
    }

    /// How many parties have the rarest word of the party's name.
    pub fn holders(&self, party: u32) -> u32 {
        self.holders.get(party as usize).copied().unwrap_or(0)
    }

    /// The share of parties that have the rarest word of a party's name, on average.
    pub fn usual_name_share(&self) -> f64 {
        let named = self.holders.iter().filter(|&&holders| holders > 0);
        let (count, sum) = named.fold((0_u64, 0_u64), |(count, sum), &holders| {
            (count + 1, sum + u64::from(holders))
        });
        let pairs = count as f64 * self.len() as f64;
        if count == 0 { 1.0 } else { sum as f64 / pairs }
    }

    /// Of `pairs` pairs of two parties' names, the share that are similar and the share that differ
    /// so much that it speaks against them. The pairs are always the same.
    pub fn chance_of_names(&self, pairs: u64) -> (f64, f64) {
        let named: Vec<&Name> = self
            .parties
            .iter()
            .map(|party| &party.parsed_name)
            .filter(|name| !name.is_empty())
            .collect();
        if named.len() < 2 {
            return (0.0, 1.0);
        }
        let (mut similar, mut differing) = (0_u64, 0_u64);
        for pair in 0..pairs {
            let place = |part: u64| (scattered(2 * pair + part) % named.len() as u64) as usize;
            let alike = named[place(0)].similarity(named[place(1)]);
            similar += u64::from((NAME_SIMILAR..0.999).contains(&alike));
            differing += u64::from(alike < NAME_DIFFERS_BELOW);
        }
        let share = |count: u64| count as f64 / pairs as f64;
        (share(similar), share(differing))
    }

    /// Parties that are their own parent, directly or by way of others; each stands for itself.
    pub fn circular(&self) -> &[u32] {
        &self.circular
    }

    /// Parents in a circle have no top; the walk stops after as many steps as are plausible.
    fn find_root(&self, party: u32) -> Option<u32> {
        const GENERATIONS_MAX: usize = 16;
        let mut root = party;
        for _ in 0..GENERATIONS_MAX {
            match self.parties[root as usize].parent {
                NO_PARTY => return Some(root),
                parent => root = parent,
            }
        }
        None
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parties.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.parties.len()
    }

    /// The party's identifier.
    pub fn id(&self, party: u32) -> &str {
        &self.parties[party as usize].id
    }

    /// The party's name, if a parties file gave one.
    pub fn name(&self, party: u32) -> Option<&str> {
        self.parties[party as usize].name.as_deref()
    }

    /// Whether a parties file named the party.
    pub fn is_named(&self, party: u32) -> bool {
        self.parties[party as usize].name.is_some()
    }

    /// The party at the top of the family.
    pub fn root(&self, party: u32) -> u32 {
        self.roots[party as usize]
    }

    /// A party whose name or alias has the same words as `name`.
    pub fn by_exact_name(&self, name: &Name) -> Option<u32> {
        self.names.exact(name)
    }

    /// Whether the two belong to one family (parent, child, sibling), or are the same.
    pub fn related(&self, left: u32, right: u32) -> bool {
        left != NO_PARTY
            && right != NO_PARTY
            && self.roots[left as usize] == self.roots[right as usize]
    }

    /// The others of the party's family.
    pub fn relatives(&self, party: u32) -> impl Iterator<Item = u32> + '_ {
        let root = self.roots[party as usize];
        self.families
            .get(&root)
            .into_iter()
            .flatten()
            .copied()
            .chain(std::iter::once(root))
            .filter(move |&relative| relative != party)
    }

    /// The one party that holds `account` (an IBAN or `ABA:account`).
    pub fn by_account(&self, account: &str) -> Option<u32> {
        self.by_account
            .get(&normalize_account(account))
            .copied()
            .filter(|&party| party != SHARED)
    }

    /// The party with the customer number `number`.
    pub fn by_number(&self, number: &str) -> Option<u32> {
        self.find(number.trim())
    }

    /// The parties whose names are not plainly different from `name`, the most alike first.
    pub fn suspects(&self, name: &str) -> Arc<[u32]> {
        self.names.suspects(name)
    }

    /// The party whose name is most like `name`.
    pub fn by_name(&self, name: &str) -> Option<Found> {
        self.names.find(name)
    }

    /// How alike `name` and the party's name are, between 0 and 1.
    pub fn name_similarity(&self, party: u32, name: &Name) -> f64 {
        self.parties[party as usize].parsed_name.similarity(name)
    }
}

/// Names at least this alike are held for the same, where a recipe does not say otherwise.
const NAME_SIMILAR: f64 = 0.86;
/// Names less alike than this speak against a customer.
pub const NAME_DIFFERS_BELOW: f64 = 0.45;

/// A number that looks like chance and is none (the finaliser of SplitMix64).
pub const fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// An account as it is compared.
pub type Account = SmallVec<[u8; 40]>;

/// Capitals without blanks; the leading zeros of an account behind its bank code are dropped,
/// because cheques and master data pad differently.
pub fn normalize_account(account: &str) -> Account {
    let mut compact = Account::new();
    let mut behind_bank = false;
    let mut leading = false;
    for byte in account.bytes() {
        if byte == b':' {
            leading = !behind_bank;
            behind_bank = true;
            compact.push(byte);
        } else if byte.is_ascii_alphanumeric() && !(leading && byte == b'0') {
            leading = false;
            compact.push(byte.to_ascii_uppercase());
        }
    }
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_agree_however_they_are_padded() {
        assert_eq!(
            normalize_account("021000021:000123").as_slice(),
            b"021000021:123"
        );
        assert_eq!(
            normalize_account(" de89 3704 0044").as_slice(),
            b"DE8937040044"
        );
    }

    #[test]
    fn an_account_of_two_parties_tells_nothing() {
        let mut parties = Parties::default();
        let (one, two) = (parties.intern("1"), parties.intern("2"));
        parties.add_account("1:5", one);
        assert_eq!(parties.by_account("1:005"), Some(one));
        parties.add_account("1:5", two);
        assert_eq!(parties.by_account("1:5"), None);
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let mut parties = Parties::default();
        let (one, two) = (parties.intern("1"), parties.intern("2"));
        parties.parents = vec![(one, "2".into()), (two, "1".into())];
        parties.finish_loading();
        assert!(parties.related(one, one));
        assert_eq!(parties.circular(), [one, two]);
    }
}
