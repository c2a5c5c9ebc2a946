//! The messages, and by what they are recognised.

use crate::format::Role;
use crate::xml::{each_attribute, visit_opened};

/// How a message is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Accounts with balances and entries.
    Report,
    /// Payments that somebody is told to make.
    Instructions,
    /// What became of payments.
    Statuses,
    /// What payments are for.
    Advice,
}

/// One message of the standard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Business area and number (`camt.053`).
    pub name: &'static str,
    /// The element inside `Document`, without the version that the oldest ones carry.
    pub element: &'static str,
    pub content: Content,
    pub role: Role,
    pub about: &'static str,
}

macro_rules! messages {
    ($($constant:ident = $name:literal, $element:literal, $content:ident, $role:ident, $about:literal;)+) => {
        $(pub(super) static $constant: Message = Message {
            name: $name,
            element: $element,
            content: Content::$content,
            role: Role::$role,
            about: $about,
        };)+

        pub(super) static MESSAGES: &[&Message] = &[$(&$constant),+];
    };
}

messages! {
    CAMT_052 = "camt.052", "BkToCstmrAcctRpt", Report, BankLines, "account report during the day, versions 01 to 13";
    CAMT_053 = "camt.053", "BkToCstmrStmt", Report, BankLines, "account statement, versions 01 to 13";
    CAMT_054 = "camt.054", "BkToCstmrDbtCdtNtfctn", Report, Details, "single payments behind lines of a statement, versions 01 to 13";
    PAIN_001 = "pain.001", "CstmrCdtTrfInitn", Instructions, Remittances, "credit transfers that a customer orders, with the German 002.03 and 003.03";
    PAIN_008 = "pain.008", "CstmrDrctDbtInitn", Instructions, Remittances, "direct debits that a customer orders, with the German 002.02 and 003.02";
    PACS_008 = "pacs.008", "FIToFICstmrCdtTrf", Instructions, Remittances, "credit transfers between banks for customers";
    PACS_009 = "pacs.009", "FICdtTrf", Instructions, Remittances, "credit transfers between banks for themselves";
    PACS_003 = "pacs.003", "FIToFICstmrDrctDbt", Instructions, Remittances, "direct debits between banks for customers";
    PAIN_002 = "pain.002", "CstmrPmtStsRpt", Statuses, Remittances, "status of payments for the customer";
    PACS_002 = "pacs.002", "FIToFIPmtStsRpt", Statuses, Remittances, "status of payments between banks";
    PACS_004 = "pacs.004", "PmtRtr", Statuses, Remittances, "payments that came back";
    CAMT_029 = "camt.029", "RsltnOfInvstgtn", Statuses, Remittances, "answers to requests for cancellation";
    CAMT_055 = "camt.055", "CstmrPmtCxlReq", Statuses, Remittances, "a customer's requests for cancellation";
    CAMT_056 = "camt.056", "FIToFIPmtCxlReq", Statuses, Remittances, "requests for cancellation between banks";
    REMT_001 = "remt.001", "RmtAdvc", Advice, Remittances, "remittance advice apart from its payment";
}

/// The message whose element has this name. Before version 03 some elements had the version
/// behind the name, or the message's identifier for a name.
pub(super) fn of_element(name: &str) -> Option<&'static Message> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = match stem.strip_suffix('V') {
        Some(stem) if stem.len() < name.len() - 1 => stem,
        _ => name,
    };
    let found = MESSAGES.iter().find(|message| message.element == stem);
    found.or_else(|| of_identifier(name)).copied()
}

fn of_identifier(identifier: &str) -> Option<&'static &'static Message> {
    MESSAGES.iter().find(|message| {
        let rest = identifier.strip_prefix(message.name);
        rest.is_some_and(|rest| rest.starts_with('.'))
    })
}

/// The identifier at the end of a namespace: `camt.053.001.08` of
/// `urn:iso:std:iso:20022:tech:xsd:camt.053.001.08`.
pub(super) fn identifier_of(namespace: &str) -> &str {
    let start = namespace.rfind([':', '/']).map_or(0, |at| at + 1);
    namespace[start..].trim_start_matches('$')
}

/// The identifier up to the version, without what national schemes put behind it.
pub(super) fn version_of(identifier: &str) -> &str {
    let end = identifier.match_indices('.').nth(3).map(|(at, _)| at);
    &identifier[..end.unwrap_or(identifier.len())]
}

/// What the beginning of a file says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recognized {
    Message(&'static Message),
    /// A message of the standard that is not among [`MESSAGES`].
    Other,
}

/// Recognises a file by the first message element; where there is none, by a namespace.
pub(super) fn recognize(head: &[u8]) -> Option<Recognized> {
    let mut by_namespace = None;
    let mut is_standard = false;
    let by_element = visit_opened(head, |name, attributes| {
        each_attribute(attributes, |key, value| {
            if key.starts_with(b"xmlns") {
                let namespace = std::str::from_utf8(value).unwrap_or_default();
                is_standard |= is_of_standard(namespace);
                let message = of_identifier(identifier_of(namespace));
                by_namespace = by_namespace.or(message.copied());
            }
        });
        of_element(std::str::from_utf8(name).unwrap_or_default())
    });
    match by_element.or(by_namespace) {
        Some(message) => Some(Recognized::Message(message)),
        None => is_standard.then_some(Recognized::Other),
    }
}

fn is_of_standard(namespace: &str) -> bool {
    namespace.starts_with("urn:iso:std:iso:20022:")
        || namespace.starts_with("urn:swift:xsd:")
        || namespace.starts_with("urn:sepade:xsd:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<&'static str> {
        recognize(text.as_bytes()).map(|recognized| match recognized {
            Recognized::Message(message) => message.name,
            Recognized::Other => "other",
        })
    }

    #[test]
    fn wrappers_and_prefixes_do_not_matter() {
        let wrapped = "\u{feff}\n<?xml version='1.0'?><e:Env xmlns:e='urn:x'><AppHdr \
            xmlns=\"urn:iso:std:iso:20022:tech:xsd:head.001.001.02\"><Fr/></AppHdr>\
            <n:Document xmlns:n=\"urn:any\"><n:FIToFIPmtStsRpt>";
        assert_eq!(name(wrapped), Some("pacs.002"));
        assert_eq!(name("<Document><BkToCstmrStmtV01>"), Some("camt.053"));
        assert_eq!(name("<Document><pain.001.001.02>"), Some("pain.001"));
        let empty = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.054.001.13\"/>";
        assert_eq!(name(empty), Some("camt.054"));
        let other = "<D xmlns:p='urn:swift:xsd:camt.003.001.04'><p:GetAcct/></D>";
        assert_eq!(name(other), Some("other"));
        assert_eq!(name("<OFX><BkToCstmr/></OFX>"), None);
        assert_eq!(name("Date,Amount\n<Document>"), None);
    }
}
