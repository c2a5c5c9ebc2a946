//! What a ledger learns from people's decisions: later files need them less, and are no less right.

use std::fmt::Write as _;

use crate::command::Told;
use crate::desk::Desk;

const PARTIES: &str = "\
party_id,role,name,aliases,parent_id,accounts
C1,customer,Acme Tools Inc,,,
C2,customer,Birch Lumber LLC,,,
C3,customer,Cedar Foods Co,,,
C4,customer,Dune Dental Group,,,
";

/// A payment: its reference, payer, the payer's account, its amount, and the item that it pays.
type Paid = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

const ZENITH: &str = "DE02120300000000202051";
const QUICK: &str = "DE02500105170137075030";
const OAK: &str = "DE02100500000054540402";

/// Zenith always pays for Cedar and the Oakline treasury for Dune, whatever their names say. The
/// factor pays for two customers; on the third day its amount is that of an item of either.
const DAYS: [&[Paid]; 4] = [
    &[
        ("E11", "Zenith Holdings", ZENITH, "301.11", "I31"),
        ("E12", "Quick Factor LLC", QUICK, "101.11", "I11"),
        ("E13", "Oakline Treasury Services", OAK, "401.11", "I41"),
    ],
    &[
        ("E21", "Zenith Holdings", ZENITH, "302.22", "I32"),
        ("E22", "Quick Factor LLC", QUICK, "202.22", "I22"),
        ("E23", "Oakline Treasury Services", OAK, "402.22", "I42"),
    ],
    &[
        ("E31", "Zenith Holdings", ZENITH, "303.33", "I33"),
        ("E32", "Quick Factor LLC", QUICK, "555.55", "I25"),
        ("E33", "Oakline Treasury Services", OAK, "403.33", "I43"),
        ("E34", "Zenith Holdings Ltd", "", "304.44", "I34"),
    ],
    &[
        ("E41", "Zenith Holdings", ZENITH, "305.55", "I35"),
        ("E42", "Quick Factor LLC", QUICK, "104.44", "I14"),
        ("E43", "Oakline Treasury Services", OAK, "404.44", "I44"),
    ],
];

fn open_items() -> String {
    let mut rows = "item_id,entity,party_id,kind,number,po_number,currency,amount,open_amount,\
                    issue_date,due_date,discount_amount,discount_date\n"
        .to_owned();
    let mut add = |item: &str, party: &str, amount: &str| {
        writeln!(
            rows,
            "{item},US1,{party},invoice,N-{item}00,,USD,{amount},{amount},2026-02-01,2026-03-03,,"
        )
        .unwrap();
    };
    for (_, _, _, amount, item) in DAYS.iter().copied().flatten() {
        let party = format!("C{}", &item[1..2]);
        add(item, &party, amount);
    }
    // What would tempt: the factor's amounts are those of other customers' items too.
    add("I15", "C1", "555.55");
    add("I24", "C2", "104.44");
    rows
}

fn statement(day: usize, paid: &[Paid]) -> String {
    let mut entries = String::new();
    for (reference, payer, account, amount, _) in paid {
        let account = if account.is_empty() {
            String::new()
        } else {
            format!("<DbtrAcct><Id><IBAN>{account}</IBAN></Id></DbtrAcct>")
        };
        write!(
            entries,
            "<Ntry><Amt Ccy=\"USD\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
             <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-1{day}</Dt></BookgDt>\
             <ValDt><Dt>2026-03-1{day}</Dt></ValDt><NtryDtls><TxDtls>\
             <Refs><EndToEndId>{reference}</EndToEndId></Refs><Amt Ccy=\"USD\">{amount}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr>\
             {account}</RltdPties></TxDtls></NtryDtls></Ntry>"
        )
        .unwrap();
    }
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr>\
         <MsgId>M{day}</MsgId><CreDtTm>2026-03-1{day}T06:05:00</CreDtTm></GrpHdr><Stmt>\
         <Id>S{day}</Id><CreDtTm>2026-03-1{day}T06:05:00</CreDtTm>\
         <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>USD</Ccy></Acct>\
         {entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

/// A ledger's desk, on which somebody works.
struct Work(Desk);

impl Work {
    fn begin() -> Self {
        let work = Self(Desk::empty());
        work.put("books", "parties.csv", PARTIES);
        work.put("books", "open_items.csv", &open_items());
        work.post("books");
        work
    }

    fn put(&self, folder: &str, name: &str, content: &str) {
        let dir = self.0.path(folder);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(name), content).unwrap();
    }

    fn post(&self, folder: &str) {
        let told = self
            .0
            .tieout(&["run", folder, "--ledger", "ledger", "--out", "out"]);
        assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    }

    fn receive(&self, day: usize) {
        let folder = format!("day{day}");
        self.put(&folder, "statement.xml", &statement(day, DAYS[day - 1]));
        self.post(&folder);
    }

    /// The answer to a question over the ledger, as CSV without its header.
    fn ask(&self, question: &str) -> String {
        let told = self
            .0
            .tieout(&["sql", question, "--ledger", "ledger", "--format", "csv"]);
        assert_eq!(told.status, 0, "{question}: {}", told.stderr);
        let rows = told.stdout.split_once('\n').unwrap().1;
        rows.trim_end().to_owned()
    }

    fn id(&self, reference: &str) -> String {
        self.ask(&format!(
            "select payment_id from payments where end_to_end_id = '{reference}'"
        ))
    }

    fn tieout(&self, words: &[&str]) -> Told {
        let mut all = words.to_vec();
        all.extend(["--ledger", "ledger"]);
        let told = self.0.tieout(&all);
        assert_eq!(told.status, 0, "{words:?}: {}{}", told.stdout, told.stderr);
        told
    }

    /// Ada decides what the engine left open of a day, as it truly is.
    fn decide(&self, day: usize) {
        for (reference, _, _, amount, item) in DAYS[day - 1] {
            let state = format!("select status from payments where end_to_end_id = '{reference}'");
            if self.ask(&state) == "applied" {
                continue;
            }
            let (id, item) = (self.id(reference), format!("{item}={amount}"));
            self.tieout(&[
                "act",
                "apply",
                &id,
                "--item",
                &item,
                "--by",
                "Ada",
                "--reason",
                "asked them",
            ]);
        }
    }

    fn forget(&self, words: &[&str]) -> Told {
        let mut all = vec!["memory", "forget", "--by", "Bea", "--reason", "to compare"];
        all.extend(words);
        self.tieout(&all)
    }

    /// What was applied of the days, rightly and wrongly.
    fn score(&self, days: &[usize]) -> (usize, usize) {
        let (mut right, mut wrong) = (0, 0);
        for (reference, _, _, _, item) in days.iter().flat_map(|day| DAYS[day - 1]) {
            let id = self.id(reference);
            let applied = self.ask(&format!(
                "select item_id from applications where payment_id = '{id}' and status = 'applied'"
            ));
            match applied.as_str() {
                "" => {}
                applied if applied == *item => right += 1,
                _ => wrong += 1,
            }
        }
        (right, wrong)
    }

    /// Two days on which somebody decides, then two on which the ledger has to.
    fn four_days(remembers: bool) -> Self {
        let work = Self::begin();
        for day in 1..=2 {
            work.receive(day);
            work.decide(day);
        }
        if !remembers {
            for kind in ["alias", "account", "weight"] {
                if work.memory().contains(&format!(",{kind},")) {
                    work.forget(&["--kind", kind]);
                }
            }
        }
        work.receive(3);
        work.receive(4);
        work
    }

    fn memory(&self) -> String {
        self.tieout(&["memory", "export"]).stdout
    }
}

#[test]
fn what_people_decide_raises_the_rate_and_lowers_no_precision() {
    let (without, with) = (Work::four_days(false), Work::four_days(true));
    assert_eq!(without.score(&[3, 4]), (0, 0));
    // The factor's payments wait, though an item of either customer has their amount.
    assert_eq!(with.score(&[3, 4]), (5, 0));
    with.tieout(&["audit", "verify"]);
    let told = with.tieout(&["explain", &with.id("E31")]);
    assert!(
        told.stdout.contains("remembered_account"),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("C3 by 2 decisions"), "{}", told.stdout);
}

#[test]
fn the_same_days_and_decisions_again_learn_and_decide_the_same() {
    let question = "select end_to_end_id, status, party_id, score, rule from payments order by 1";
    let (once, again) = (Work::four_days(true), Work::four_days(true));
    assert_eq!(once.ask(question), again.ask(question));
    // All but the time of the decisions.
    let timeless = |work: &Work| -> Vec<String> {
        let rows = work.memory();
        let cells = |row: &str| {
            let cells = row.split(',').enumerate();
            cells
                .filter(|(place, _)| *place != 7)
                .map(|(_, cell)| cell.to_owned())
                .collect::<Vec<_>>()
                .join(",")
        };
        rows.lines().map(cells).collect()
    };
    assert_eq!(timeless(&once), timeless(&again));
}

#[test]
fn every_entry_says_where_it_came_from() {
    let work = Work::begin();
    work.receive(1);
    work.decide(1);
    let id = work.id("E11");
    let memory = work.memory();
    let of_payment: Vec<&str> = memory.lines().filter(|row| row.contains(&id)).collect();
    assert_eq!(of_payment.len(), 2, "{memory}");
    for (row, begins) in of_payment.iter().zip([
        format!(".1,account,{ZENITH},C3,,{id},"),
        format!(".2,alias,Zenith Holdings,C3,,{id},"),
    ]) {
        assert!(
            row.contains(&begins) && row.ends_with(",Ada,asked them"),
            "{row}"
        );
    }
    let listed = work.tieout(&["memory", "list", "--party", "C3", "--kind", "alias"]);
    assert!(
        listed.stdout.contains("Zenith Holdings"),
        "{}",
        listed.stdout
    );
    assert!(!listed.stdout.contains("Oakline"), "{}", listed.stdout);
}

#[test]
fn what_is_forgotten_is_used_no_more() {
    let work = Work::begin();
    for day in 1..=2 {
        work.receive(day);
        work.decide(day);
    }
    let memory = work.memory();
    let of_zenith = |row: &&str| row.contains("Zenith") || row.contains(ZENITH);
    let ids: Vec<&str> = memory
        .lines()
        .filter(of_zenith)
        .filter_map(|row| row.split(',').next())
        .collect();
    assert_eq!(ids.len(), 4, "{memory}");
    let told = work.forget(&ids);
    assert_eq!(told.stdout, "forgot 4 entries\n");
    work.receive(3);
    // Oakline's only: what was learned of Zenith is gone.
    assert_eq!(work.score(&[3]), (1, 0));
    work.tieout(&["audit", "verify"]);
    let mut again = vec!["memory", "forget", "--by", "Bea", "--reason", "x"];
    again.extend([ids[0], "--ledger", "ledger"]);
    let told = work.0.tieout(&again);
    assert_eq!(told.status, 1);
    assert!(
        told.stderr.contains("there is no memory"),
        "{}",
        told.stderr
    );
}

#[test]
fn a_decision_that_is_taken_back_teaches_nothing() {
    let work = Work::begin();
    work.receive(1);
    work.decide(1);
    let id = work.id("E11");
    assert!(work.memory().contains(&id));
    work.tieout(&[
        "act",
        "unmatch",
        &id,
        "--by",
        "Ada",
        "--reason",
        "not theirs",
    ]);
    assert!(!work.memory().contains(&id), "{}", work.memory());
    work.tieout(&["audit", "verify"]);
}

#[test]
fn a_confirmed_or_rejected_proposal_is_remembered_as_a_kind_of_answer() {
    let work = Work::begin();
    // The same amount twice among the customer's items: a person has to choose.
    let rows = "item_id,entity,party_id,kind,number,po_number,currency,amount,open_amount,\
                issue_date,due_date,discount_amount,discount_date\n\
                J1,US1,C1,invoice,N-J1,,USD,77.70,77.70,2026-02-01,2026-03-03,,\n\
                J2,US1,C1,invoice,N-J2,,USD,77.70,77.70,2026-02-02,2026-03-04,,\n";
    work.put("more", "open_items.csv", rows);
    let paid: &[Paid] = &[("E51", "Acme Tools Inc", "", "77.70", "J1")];
    work.put("more", "statement.xml", &statement(5, paid));
    work.post("more");
    let id = work.id("E51");
    let status = "select status from payments where end_to_end_id = 'E51'";
    assert_eq!(work.ask(status), "proposed");
    work.tieout(&[
        "act",
        "reject",
        &id,
        "--by",
        "Ada",
        "--reason",
        "the other one",
    ]);
    let memory = work.memory();
    let pattern = "weight,single_item: name_exact + amount_exact + other_reading,,false,";
    assert!(memory.contains(pattern), "{memory}");
}

#[test]
fn what_was_learned_of_a_purged_customer_goes_too() {
    let work = Work::begin();
    for day in 1..=2 {
        work.receive(day);
        work.decide(day);
    }
    let told = work.tieout(&[
        "audit",
        "purge",
        "--party",
        "C3",
        "--by",
        "Ada",
        "--reason",
        "by letter",
    ]);
    assert!(told.stdout.contains("purged"), "{}", told.stdout);
    let memory = work.memory();
    assert!(
        !memory.contains("Zenith") && !memory.contains(ZENITH),
        "{memory}"
    );
    assert!(memory.contains("Oakline"), "{memory}");
    work.tieout(&["audit", "verify"]);
    work.receive(3);
    // Oakline's only: of Zenith nothing is known any more.
    assert_eq!(work.score(&[3]), (1, 0));
    work.tieout(&["audit", "verify"]);
}
