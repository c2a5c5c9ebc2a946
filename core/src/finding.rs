//! What was wrong with a file, and what could not be read of it.

use crate::reason::closed_list;

closed_list! {
    /// How much a finding matters.
    Severity {
        Info = 1, "info", "Worth knowing; everything was read and ties.";
        Warning = 2, "warning", "Something is unusual; the money is as the file says.";
        Error = 3, "error", "A figure does not tie or something was not read; a person should look.";
    }
}

closed_list! {
    /// What a finding is about.
    FindingCode {
        UnknownFile = 1, "unknown_file", "No known format fits the file; nothing of it was read.";
        EmptyFile = 2, "empty_file", "The file has no content.";
        UnreadableFile = 3, "unreadable_file", "The file could not be opened or read to its end.";
        NotMoneyFile = 4, "not_money_file", "The file is known, but holds nothing to tie out.";
        TruncatedFile = 5, "truncated_file", "The file ends before its closing records.";
        MissingRecord = 6, "missing_record", "A record that the format asks for is absent.";
        UnexpectedRecord = 7, "unexpected_record", "A record stands where the format has no place for it.";
        ControlTotal = 8, "control_total", "A control total differs from the sum of what was read.";
        ControlCount = 9, "control_count", "A control count differs from the number read.";
        BalanceRollForward = 10, "balance_roll_forward", "Opening balance and movements do not give the closing balance.";
        QuarantinedLines = 11, "quarantined_lines", "Lines were put into quarantine.";
        ProfileChosen = 12, "profile_chosen", "The layout profile that fits best.";
        ProfileUncertain = 13, "profile_uncertain", "No layout profile ties; the nearest was used.";
        MissingColumn = 14, "missing_column", "A column that the file must have is absent.";
        UnknownColumn = 15, "unknown_column", "A column that is not of the canonical list; it is kept.";
        UnknownParty = 16, "unknown_party", "An open item belongs to a party that no parties file names.";
        RepeatedDelivery = 17, "repeated_delivery", "Lines of the file came in an earlier delivery; they add nothing.";
        CurrencyConflict = 18, "currency_conflict", "One account has lines in two currencies.";
        UnknownCode = 19, "unknown_code", "A code that the format's list does not have.";
        Encoding = 20, "encoding", "Bytes that are not of the expected character set.";
        RepeatedItem = 21, "repeated_item", "An open item or party came twice.";
        OverflowSequence = 22, "overflow_sequence", "Continuation records are not in sequence.";
        LockboxDeposit = 23, "lockbox_deposit", "A lockbox deposit on the statement and the lockbox file do not tie.";
        ConvertedCharacters = 24, "converted_characters", "Text was decoded from an older character set.";
        UnusableColumn = 25, "unusable_column", "A column is of a type that cannot hold its values exactly; the file was not read.";
        StatementGap = 26, "statement_gap", "Statement numbers or pages are not in sequence.";
        CheckDigit = 27, "check_digit", "A check digit of an account or reference is wrong.";
        TransportLimit = 28, "transport_limit", "A compressed file unpacks to more than the limit; nothing more of it was read.";
        LayoutInferred = 29, "layout_inferred", "The columns and conventions of a file were inferred from its content.";
        LayoutUncertain = 30, "layout_uncertain", "The content fits more than one convention; nothing was read.";
        Superseded = 31, "superseded", "Lines that a later or fuller report also has; that report counts.";
        NotBooked = 32, "not_booked", "Lines announced for an account whose statement does not have them yet.";
        ItemDiffers = 33, "item_differs", "A known open item has another open amount than the ledger.";
        CircularParent = 34, "circular_parent", "A party is its own parent, directly or by way of others.";
        NegativeItem = 35, "negative_item", "An item that is owed has an amount below zero.";
        UnknownCurrency = 36, "unknown_currency", "A currency code that ISO 4217 does not have.";
        UnreadValue = 63, "unread_value", "A value does not parse; its column is empty or taken from elsewhere.";
        ControlNumber = 73, "control_number", "A control number is not the one that its header has, or comes twice.";
        TestData = 74, "test_data", "The sender marks the data as a test.";
        NotRead = 83, "not_read", "Parts of the file that hold no bank lines; they were not read.";
        TestDelivery = 84, "test_delivery", "A test; what it says is information and was not booked.";
        BankMessage = 93, "bank_message", "A message of the bank to the account holder.";
        RoundedAmounts = 103, "rounded_amounts", "Amounts have more decimals than are kept.";
        NoEffect = 104, "no_effect", "Rows tell of payments, but move no balance.";
        LayoutAssumed = 113, "layout_assumed", "A convention that the content leaves open was assumed, because it is usual.";
    }
}

closed_list! {
    /// Why a line was not read.
    QuarantineReason {
        BadAmount = 1, "bad_amount", "An amount does not parse.";
        BadDate = 2, "bad_date", "A date does not parse.";
        BadCurrency = 3, "bad_currency", "A currency code does not parse.";
        MissingField = 4, "missing_field", "A field that must have a value is empty or absent.";
        UnknownRecord = 5, "unknown_record", "The record type is unknown.";
        MisplacedRecord = 6, "misplaced_record", "The record has no owner before it.";
        BadStructure = 7, "bad_structure", "The line does not have the shape of its record.";
        TooLong = 8, "too_long", "The line is longer than the limit.";
        BadValue = 9, "bad_value", "A value is not of its closed list.";
        UnknownType = 10, "unknown_type", "A type code that does not say which way the money moves.";
        RepeatedKey = 11, "repeated_key", "The identifier came before with other content.";
        AmountsDiffer = 82, "amounts_differ", "The amounts of one line do not tie with each other.";
    }
}

/// Something about a file, or a line of it, that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is about.
    pub code: FindingCode,
    /// The path as given.
    pub file: String,
    /// Line number from 1, or none for the file as a whole.
    pub line: Option<u64>,
    /// What was found.
    pub found: String,
    /// What was expected, or empty.
    pub expected: String,
    /// What to do about it.
    pub action: String,
}

/// Bytes of a file that could not be read into a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedLine {
    /// The path as given.
    pub file: String,
    /// Line number from 1 of the first byte.
    pub line: u64,
    /// Offset of the first byte.
    pub byte_start: u64,
    /// Offset after the last byte.
    pub byte_end: u64,
    /// Why, of the closed list.
    pub reason: QuarantineReason,
    /// What was found, what was expected, what to do.
    pub message: String,
    /// The bytes themselves.
    pub raw: Vec<u8>,
}
