//! The elements of OFX that are read, and those that are known and passed over.

/// Elements that hold elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Document,
    /// A message set or a wrapper that says nothing by itself.
    Wrapper,
    Status,
    /// The statement of a bank account, a card or an investment account.
    Statement,
    Account,
    /// Booked lines.
    Lines,
    /// Lines announced (OFX 2.2).
    PendingLines,
    Line,
    Payee,
    CounterpartyAccount,
    /// The amount's own currency.
    Currency,
    /// The currency that the amount was converted from.
    OriginalCurrency,
    LedgerBalance,
    AvailableBalance,
    InvestmentBalances,
}

impl Aggregate {
    /// The aggregate of this name, in capital letters.
    pub fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"OFX" => Self::Document,
            b"SIGNONMSGSRSV1"
            | b"SONRS"
            | b"FI"
            | b"BANKMSGSRSV1"
            | b"STMTTRNRS"
            | b"CREDITCARDMSGSRSV1"
            | b"CCSTMTTRNRS"
            | b"INVSTMTMSGSRSV1"
            | b"INVSTMTTRNRS"
            | b"INVTRANLIST"
            | b"INVBANKTRAN" => Self::Wrapper,
            b"STATUS" => Self::Status,
            b"STMTRS" | b"CCSTMTRS" | b"INVSTMTRS" => Self::Statement,
            b"BANKACCTFROM" | b"CCACCTFROM" | b"INVACCTFROM" => Self::Account,
            b"BANKTRANLIST" => Self::Lines,
            b"BANKTRANLISTP" => Self::PendingLines,
            b"STMTTRN" | b"STMTTRNP" => Self::Line,
            b"PAYEE" => Self::Payee,
            b"BANKACCTTO" | b"CCACCTTO" => Self::CounterpartyAccount,
            b"CURRENCY" => Self::Currency,
            b"ORIGCURRENCY" => Self::OriginalCurrency,
            b"LEDGERBAL" => Self::LedgerBalance,
            b"AVAILBAL" => Self::AvailableBalance,
            b"INVBAL" => Self::InvestmentBalances,
            _ => return None,
        })
    }
}

/// Trades of securities in an investment account: no bank lines.
pub(super) fn is_trade(name: &[u8]) -> bool {
    const TRADES: &[&[u8]] = &[
        b"BUYDEBT",
        b"BUYMF",
        b"BUYOPT",
        b"BUYOTHER",
        b"BUYSTOCK",
        b"CLOSUREOPT",
        b"INCOME",
        b"INVEXPENSE",
        b"JRNLFUND",
        b"JRNLSEC",
        b"MARGININTEREST",
        b"REINVEST",
        b"RETOFCAP",
        b"SELLDEBT",
        b"SELLMF",
        b"SELLOPT",
        b"SELLOTHER",
        b"SELLSTOCK",
        b"SPLIT",
        b"TRANSFER",
    ];
    TRADES.contains(&name)
}

/// Parts of a file that are about something else than bank lines.
pub(super) fn is_other_part(name: &[u8]) -> bool {
    const PARTS: &[&[u8]] = &[
        b"BALLIST",
        b"BILLPAYMSGSRSV1",
        b"EMAILMSGSRSV1",
        b"IMAGEDATA",
        b"IMAGEMSGSRSV1",
        b"INTERXFERMSGSRSV1",
        b"INV401K",
        b"INV401KBAL",
        b"INVOOLIST",
        b"INVPOSLIST",
        b"LOANMSGSRSV1",
        b"PRESDIRMSGSRSV1",
        b"PRESDLVMSGSRSV1",
        b"PROFMSGSRSV1",
        b"SECLISTMSGSRSV1",
        b"SIGNUPMSGSRSV1",
        b"TAX1098MSGSRSV1",
        b"TAX1099MSGSRSV1",
        b"TAXW2MSGSRSV1",
        b"WIREXFERMSGSRSV1",
    ];
    PARTS.contains(&name)
}

/// A value of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Type,
    Posted,
    Initiated,
    Available,
    Amount,
    BankId,
    CheckNumber,
    Reference,
    Name,
    PayeeName,
    ExtendedName,
    Memo,
    Corrects,
    Correction,
    Currency,
    ToBank,
    ToAccount,
}

impl Field {
    /// How many there are.
    pub const COUNT: usize = Self::ToAccount as usize + 1;

    /// The field that element `name` inside `parent` is.
    pub fn of(parent: Aggregate, name: &[u8]) -> Option<Self> {
        Some(match (parent, name) {
            (Aggregate::Line, b"TRNTYPE") => Self::Type,
            (Aggregate::Line, b"DTPOSTED" | b"DTTRAN") => Self::Posted,
            (Aggregate::Line, b"DTUSER") => Self::Initiated,
            (Aggregate::Line, b"DTAVAIL") => Self::Available,
            (Aggregate::Line, b"TRNAMT") => Self::Amount,
            (Aggregate::Line, b"FITID") => Self::BankId,
            (Aggregate::Line, b"CHECKNUM") => Self::CheckNumber,
            (Aggregate::Line, b"REFNUM") => Self::Reference,
            (Aggregate::Line, b"NAME") => Self::Name,
            (Aggregate::Payee, b"NAME") => Self::PayeeName,
            (Aggregate::Line, b"EXTDNAME") => Self::ExtendedName,
            (Aggregate::Line, b"MEMO") => Self::Memo,
            (Aggregate::Line, b"CORRECTFITID") => Self::Corrects,
            (Aggregate::Line, b"CORRECTACTION") => Self::Correction,
            (Aggregate::Currency, b"CURSYM") => Self::Currency,
            (Aggregate::CounterpartyAccount, b"BANKID") => Self::ToBank,
            (Aggregate::CounterpartyAccount, b"ACCTID") => Self::ToAccount,
            _ => return None,
        })
    }
}

/// Whether `name` is an element of OFX that a line may have and that says nothing about its
/// money.
pub(super) fn is_known_beside(parent: Aggregate, name: &[u8]) -> bool {
    const BESIDE: &[&[u8]] = &[
        b"DTEXPIRE",
        b"IMAGEREF",
        b"INV401KSOURCE",
        b"PAYEEID",
        b"PAYEEID2",
        b"SIC",
        b"SRVRTID",
        b"SUBACCTFUND",
    ];
    parent != Aggregate::Line || BESIDE.contains(&name)
}
