//! The parts of a QIF file, which begin with `!`.

/// What the records are that follow a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Section {
    /// No header came yet.
    #[default]
    Before,
    /// Lines of an account of this kind.
    Lines(Kind),
    /// Accounts.
    Account,
    /// Trades of securities.
    Investment,
    /// Lists of categories, classes, securities, memorized payments.
    List,
    /// A header that QIF does not have.
    Unknown,
}

/// The kind of account that lines are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bank,
    Card,
    Cash,
    Asset,
    Liability,
}

impl Kind {
    pub fn words(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::Card => "card",
            Self::Cash => "cash",
            Self::Asset => "asset",
            Self::Liability => "liability",
        }
    }
}

impl Section {
    /// The section that `line` begins; `!Option` and `!Clear` begin a list, as switches do not
    /// say what follows.
    pub fn of(line: &[u8]) -> Option<Self> {
        let header = line.strip_prefix(b"!")?.to_ascii_lowercase();
        let Some(kind) = header.strip_prefix(b"type:") else {
            return Some(match header.trim_ascii() {
                b"account" => Self::Account,
                rest if rest.starts_with(b"option:") || rest.starts_with(b"clear:") => Self::List,
                _ => Self::Unknown,
            });
        };
        Some(match kind.trim_ascii() {
            b"bank" => Self::Lines(Kind::Bank),
            b"ccard" => Self::Lines(Kind::Card),
            b"cash" => Self::Lines(Kind::Cash),
            b"oth a" => Self::Lines(Kind::Asset),
            b"oth l" => Self::Lines(Kind::Liability),
            b"invst" => Self::Investment,
            b"cat" | b"class" | b"memorized" | b"security" | b"prices" | b"budget" | b"tag"
            | b"template" | b"invitem" | b"invoice" | b"tax" => Self::List,
            _ => Self::Unknown,
        })
    }
}

/// Whether `line` ends a record.
pub(super) fn is_end(line: &[u8]) -> bool {
    line.first() == Some(&b'^')
}
