//! A clerk's desk: a folder of files, the command run over it, and the tables that came out.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{self, Told};

pub const PARTIES: &str = "\
party_id,role,name,aliases,parent_id,accounts
C1,customer,Acme Tools Inc,,,021000021:111
C2,customer,Birch Lumber LLC,Birch & Sons,,021000021:222
";

pub const OPEN_ITEMS: &str = "\
item_id,entity,party_id,kind,number,po_number,currency,amount,open_amount,issue_date,due_date,discount_amount,discount_date
I1,US1,C1,invoice,INV-10001,,USD,500.00,500.00,2026-02-01,2026-03-03,,
I2,US1,C1,invoice,INV-10002,,USD,730.25,730.25,2026-02-10,2026-03-12,,
I3,US1,C2,invoice,INV-20001,,USD,1200.00,1200.00,2026-02-15,2026-03-17,,
I4,US1,C2,invoice,INV-20002,,USD,88.10,88.10,2026-03-01,2026-03-31,,
";

/// One desk; gone with all its files when it is dropped.
pub struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    pub fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        Self { dir }
    }

    /// A desk with parties and open items.
    pub fn with_books() -> Self {
        let desk = Self::empty();
        desk.put("parties.csv", PARTIES);
        desk.put("open_items.csv", OPEN_ITEMS);
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a file into the folder that is run.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("in").join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// `tieout run in --out out` and the words.
    pub fn run(&self, words: &[&str]) -> Told {
        let mut command = command::command();
        command.current_dir(self.dir.path());
        command.args(["run", "in", "--out", "out"]).args(words);
        command.output().unwrap().into()
    }

    /// `tieout` with the words, from the desk.
    pub fn tieout(&self, words: &[&str]) -> Told {
        let mut command = command::command();
        command.current_dir(self.dir.path()).args(words);
        command.output().unwrap().into()
    }

    /// A table of the last run.
    pub fn table(&self, name: &str) -> Table {
        Table::read(&self.path("out").join(format!("{name}.csv")))
    }
}

/// One line of a statement: BAI2 type code, cents, bank reference, text.
pub type Line<'a> = (&'a str, u64, &'a str, &'a str);

/// A BAI2 statement of one account whose control totals tie.
pub fn statement(lines: &[Line]) -> String {
    account_statement("USD", lines)
}

/// The same, in a currency.
pub fn account_statement(currency: &str, lines: &[Line]) -> String {
    let total: u64 = lines.iter().map(|line| line.1).sum();
    let entry = |(code, cents, reference, words): &Line| {
        format!("16,{code},{cents},Z,{reference},,{words}\n")
    };
    let entries: Vec<String> = lines.iter().map(entry).collect();
    let (account, group, file) = (lines.len() + 2, lines.len() + 4, lines.len() + 6);
    format!(
        "01,021000021,TIEOUT,260331,0600,{total},,,2/\n\
         02,TIEOUT,021000021,1,260331,0600,{currency},2/\n\
         03,7700112233,{currency},/\n\
         {}\
         49,{total},{account}/\n\
         98,{total},1,{group}/\n\
         99,{total},1,{file}/\n",
        entries.concat()
    )
}

/// A table as text, by column name.
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    places: HashMap<String, usize>,
}

impl Table {
    pub fn read(path: &Path) -> Self {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let header: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        let rows = reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        let places = header.iter().cloned().zip(0..).collect();
        Self {
            header,
            rows,
            places,
        }
    }

    /// The cells of a column, from the first row to the last.
    pub fn column(&self, name: &str) -> Vec<&str> {
        let place = self.places[name];
        self.rows.iter().map(|row| row[place].as_str()).collect()
    }

    pub fn cell<'a>(&self, row: &'a [String], name: &str) -> &'a str {
        &row[self.places[name]]
    }

    /// The rows whose column holds the value.
    pub fn rows_where(&self, name: &str, value: &str) -> Vec<&[String]> {
        let place = self.places[name];
        let wanted = self.rows.iter().filter(|row| row[place] == value);
        wanted.map(Vec::as_slice).collect()
    }
}
