//! The balance that stands beside every line: the strongest evidence of order and sign, and a
//! check of every line.

use tieout_core::Amount;

/// The effect of a line on the account, and the balance beside it.
type Line = (Amount, Amount);

/// Counts under which reading each balance follows from its neighbour.
#[derive(Clone, Debug, Default)]
pub(super) struct RunningBalance {
    last: Option<Line>,
    /// Neighbouring lines of one account.
    pub pairs: u64,
    pub oldest_first: u64,
    pub newest_first: u64,
    /// The same with every sign turned.
    pub turned_oldest_first: u64,
    pub turned_newest_first: u64,
    /// The same whichever way each amount moves.
    unsigned_oldest_first: u64,
    unsigned_newest_first: u64,
    /// Pairs whose balances differ.
    pub moves: u64,
}

/// The order of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineOrder {
    OldestFirst,
    NewestFirst,
}

impl LineOrder {
    /// The balance that the later of two neighbouring lines should have, and the one it has.
    pub fn expected(self, above: Line, below: Line) -> (Amount, Amount) {
        match self {
            Self::OldestFirst => (above.1 + below.0, below.1),
            Self::NewestFirst => (below.1 + above.0, above.1),
        }
    }

    /// The order in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::OldestFirst => "oldest line first",
            Self::NewestFirst => "newest line first",
        }
    }
}

impl RunningBalance {
    /// Takes the next line into account.
    pub fn add(&mut self, effect: Amount, balance: Amount) {
        if let Some(above) = self.last.replace((effect, balance)) {
            let turned = ((-above.0, above.1), (-effect, balance));
            let ties = |order: LineOrder, above, below| {
                let (expected, found) = order.expected(above, below);
                u64::from(expected == found)
            };
            let below = (effect, balance);
            self.pairs += 1;
            self.oldest_first += ties(LineOrder::OldestFirst, above, below);
            self.newest_first += ties(LineOrder::NewestFirst, above, below);
            self.turned_oldest_first += ties(LineOrder::OldestFirst, turned.0, turned.1);
            self.turned_newest_first += ties(LineOrder::NewestFirst, turned.0, turned.1);
            let step = (balance - above.1).abs();
            self.unsigned_oldest_first += u64::from(step == effect.abs());
            self.unsigned_newest_first += u64::from(step == above.0.abs());
            self.moves += u64::from(above.1 != balance);
        }
    }

    /// The next line has no neighbour: another account begins.
    pub fn interrupt(&mut self) {
        self.last = None;
    }

    /// Pairs that tie in the better order.
    pub fn ties(&self) -> u64 {
        self.oldest_first.max(self.newest_first)
    }

    /// Pairs that tie in the better order with every sign turned.
    pub fn turned_ties(&self) -> u64 {
        self.turned_oldest_first.max(self.turned_newest_first)
    }

    /// Pairs that tie in the better order if each amount may move either way.
    pub fn unsigned_ties(&self) -> u64 {
        self.unsigned_oldest_first.max(self.unsigned_newest_first)
    }

    /// The order in which more pairs tie, if one has more.
    pub fn order(&self, is_turned: bool) -> Option<LineOrder> {
        let (oldest, newest) = if is_turned {
            (self.turned_oldest_first, self.turned_newest_first)
        } else {
            (self.oldest_first, self.newest_first)
        };
        match oldest.cmp(&newest) {
            std::cmp::Ordering::Greater => Some(LineOrder::OldestFirst),
            std::cmp::Ordering::Less => Some(LineOrder::NewestFirst),
            std::cmp::Ordering::Equal => None,
        }
    }
}
