//! Formats of SWIFT and ISO 20022.

use std::fs;
use std::path::Path;

use ::camt053::Document;
use ::mt940::parse_mt940;
use ::quick_xml::events::Event;
use ::quick_xml::reader::Reader;
use ::swift_mt_message::MT940;

use super::{Clock, Outcome, Seen, cents};

/// Takes the `-` that ends a message for part of the balance: it is fed without.
pub fn mt940(path: &Path) -> Outcome {
    let text = fs::read_to_string(path)?.replace("\n-\n", "\n");
    let clock = Clock::start();
    let messages = parse_mt940(&text)?;
    let cost = clock.stop();
    let lines = messages.iter().flat_map(|message| &message.statement_lines);
    Ok((cost, Seen::amounts(lines.map(|line| cents(line.amount)))))
}

/// Reads one message at a time and holds amounts as floats.
pub fn swift_mt_message(path: &Path) -> Outcome {
    let clock = Clock::start();
    let text = fs::read_to_string(path)?;
    let messages = text.split("\n-\n").filter(|message| !message.is_empty());
    let messages = messages
        .map(MT940::parse_from_block4)
        .collect::<Result<Vec<_>, _>>()?;
    let cost = clock.stop();
    let lines = messages.iter().flat_map(|message| &message.statement_lines);
    Ok((
        cost,
        Seen::amounts(lines.map(|line| (line.field_61.amount * 100.0).round() as i128)),
    ))
}

pub fn camt053(path: &Path) -> Outcome {
    let clock = Clock::start();
    let document = Document::load(path)?;
    let cost = clock.stop();
    let entries = document
        .statements()
        .iter()
        .flat_map(|statement| &statement.entry);
    Ok((
        cost,
        Seen::amounts(entries.map(|entry| cents(entry.amount))),
    ))
}

/// What is taken of an entry by hand; each text is used again for the next.
#[derive(Default)]
struct Entry {
    amount: String,
    direction: String,
    status: String,
    booked: String,
    valued: String,
    servicer_reference: String,
    end_to_end: String,
    name: String,
    iban: String,
    text: String,
}

impl Entry {
    /// The field that the text of the innermost element belongs to.
    fn field(&mut self, path: &[String]) -> Option<&mut String> {
        let [.., outer, inner] = path else {
            return None;
        };
        match (outer.as_str(), inner.as_str()) {
            ("Ntry", "Amt") => Some(&mut self.amount),
            ("Ntry", "CdtDbtInd") => Some(&mut self.direction),
            ("Ntry", "AcctSvcrRef") => Some(&mut self.servicer_reference),
            ("Sts", "Cd") => Some(&mut self.status),
            ("BookgDt", "Dt") => Some(&mut self.booked),
            ("ValDt", "Dt") => Some(&mut self.valued),
            ("Refs", "EndToEndId") => Some(&mut self.end_to_end),
            ("Pty", "Nm") => Some(&mut self.name),
            ("Id", "IBAN") => Some(&mut self.iban),
            ("RmtInf", "Ustrd") => Some(&mut self.text),
            _ => None,
        }
    }

    fn clear(&mut self) {
        for text in [
            &mut self.amount,
            &mut self.direction,
            &mut self.status,
            &mut self.booked,
            &mut self.valued,
            &mut self.servicer_reference,
            &mut self.end_to_end,
            &mut self.name,
            &mut self.iban,
            &mut self.text,
        ] {
            text.clear();
        }
    }
}

/// Ten fields of each entry, pulled by hand from a file that is whole in memory and kept no longer
/// than the entry: what a fast XML reader gives before anything is checked or kept.
pub fn quick_xml(path: &Path) -> Outcome {
    let clock = Clock::start();
    let text = fs::read_to_string(path)?;
    let mut reader = Reader::from_str(&text);
    let (mut seen, mut entry) = (Seen::default(), Entry::default());
    let mut path = Vec::new();
    let mut depth = 0;
    loop {
        match reader.read_event()? {
            Event::Start(element) => {
                if path.len() == depth {
                    path.push(String::new());
                }
                path[depth].clear();
                path[depth].push_str(element.local_name().as_ref());
                depth += 1;
            }
            Event::Text(text) => {
                if let Some(field) = entry.field(&path[..depth]) {
                    field.push_str(&text.xml10_content());
                }
            }
            Event::End(element) => {
                depth -= 1;
                if element.local_name().as_ref() == "Ntry" {
                    seen.add(cents(entry.amount.parse()?));
                    entry.clear();
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok((clock.stop(), seen))
}
