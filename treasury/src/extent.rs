//! How much a text of statements may say. It is told from the words, before anything is read: a chain
//! of some thousand operators is a tree as deep, and the stack that going through it takes would end
//! the program with all its clients, not the query.

use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::QueryError;

/// Bytes of a text.
const BYTES_MAX: usize = 1 << 20;
/// Words, numbers and signs of a text.
const WORDS_MAX: usize = 200_000;
/// Statements of a text.
const STATEMENTS_MAX: usize = 1_000;
/// Operators that follow one another in an expression, those of the expressions around it too.
const OPERATORS_MAX: usize = 500;
/// Queries of a statement, one in the other or one after the other.
const QUERIES_MAX: usize = 128;
/// Tables of a statement, each time that one is named: the time to plan joins grows with their cube.
const TABLES_MAX: usize = 128;

/// Holds `sql` against the bounds. What is no SQL is left to whoever reads it.
///
/// # Errors
/// [`QueryError::TooLong`].
pub fn check_extent(sql: &str, dialect: &dyn Dialect) -> Result<(), QueryError> {
    let Some(found) = beyond(sql, dialect) else {
        return Ok(());
    };
    Err(QueryError::TooLong(format!(
        "{found}; ask in parts, take a list (x in (1, 2, 3)) for many conditions, or join a table of \
         your own"
    )))
}

/// The same for an expression of a recipe, which cannot join anything.
///
/// # Errors
/// [`QueryError::TooLong`].
pub(crate) fn check_expression(sql: &str, dialect: &dyn Dialect) -> Result<(), QueryError> {
    let Some(found) = beyond(sql, dialect) else {
        return Ok(());
    };
    Err(QueryError::TooLong(format!(
        "{found}; take a list (x in (1, 2, 3)) or a pattern (x like 'INV-%') for many conditions, or \
         say them in several rules"
    )))
}

/// The bound that `sql` is beyond.
fn beyond(sql: &str, dialect: &dyn Dialect) -> Option<String> {
    if sql.len() > BYTES_MAX {
        return Some(format!(
            "{} bytes are more than the {BYTES_MAX} that are read",
            sql.len()
        ));
    }
    let tokens = Tokenizer::new(dialect, sql).tokenize().ok()?;
    let mut extent = Extent::default();
    for token in &tokens {
        extent.note(token);
        for (found, max, what) in [
            (extent.words, WORDS_MAX, "words"),
            (extent.statements, STATEMENTS_MAX, "statements"),
            (
                extent.operators,
                OPERATORS_MAX,
                "operators in one expression",
            ),
            (extent.queries, QUERIES_MAX, "queries in one statement"),
            (extent.tables, TABLES_MAX, "tables in one statement"),
        ] {
            if found > max {
                return Some(format!("there are more than {max} {what}"));
            }
        }
    }
    None
}

/// What was counted so far.
#[derive(Default)]
struct Extent {
    words: usize,
    statements: usize,
    queries: usize,
    tables: usize,
    /// Operators of the expressions that are open: all, and those of each bracket around.
    operators: usize,
    around: Vec<Around>,
    here: Around,
    last: Option<Keyword>,
}

/// What stands between two brackets so far.
#[derive(Clone, Copy, Default)]
struct Around {
    operators: usize,
    /// Whether commas part tables.
    lists_tables: bool,
}

impl Extent {
    fn note(&mut self, token: &Token) {
        let keyword = match token {
            Token::Whitespace(_) | Token::EOF => return,
            Token::Word(word) => Some(word.keyword),
            _ => None,
        };
        self.words += 1;
        match (token, keyword) {
            (_, Some(keyword)) => self.note_keyword(keyword),
            (Token::LBracket, _) => {
                self.operator();
                self.open();
            }
            (Token::LParen | Token::LBrace, _) => self.open(),
            (Token::RParen | Token::RBracket | Token::RBrace, _) => self.close(),
            (Token::Comma, _) => {
                self.tables += usize::from(self.here.lists_tables);
                self.end();
            }
            (Token::SemiColon, _) => {
                let (words, statements) = (self.words, self.statements + 1);
                *self = Self {
                    words,
                    statements,
                    ..Self::default()
                };
            }
            (token, _) if is_value(token) => {}
            _ => self.operator(),
        }
        self.last = keyword;
    }

    fn note_keyword(&mut self, keyword: Keyword) {
        match keyword {
            Keyword::SELECT | Keyword::VALUES => {
                self.queries += 1;
                self.here.lists_tables = false;
                self.end();
            }
            Keyword::FROM if self.last != Some(Keyword::DISTINCT) => {
                self.tables += 1;
                self.here.lists_tables = true;
            }
            Keyword::JOIN => {
                self.tables += 1;
                self.end();
            }
            Keyword::WHERE | Keyword::HAVING | Keyword::QUALIFY | Keyword::ON => {
                self.here.lists_tables &= keyword == Keyword::ON;
                self.end();
            }
            Keyword::GROUP | Keyword::ORDER | Keyword::WINDOW => self.here.lists_tables = false,
            // Its parts stand one beside the other, and what follows it stands around it.
            Keyword::CASE => self.open(),
            Keyword::WHEN | Keyword::THEN | Keyword::ELSE => self.end(),
            Keyword::END => self.close(),
            Keyword::OR
            | Keyword::AND
            | Keyword::XOR
            | Keyword::AT
            | Keyword::NOT
            | Keyword::IS
            | Keyword::NOTNULL
            | Keyword::IN
            | Keyword::BETWEEN
            | Keyword::OVERLAPS
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::RLIKE
            | Keyword::REGEXP
            | Keyword::MATCH
            | Keyword::SIMILAR
            | Keyword::MEMBER
            | Keyword::OPERATOR
            | Keyword::DIV
            | Keyword::COLLATE
            // Each is around those before, as operators are.
            | Keyword::UNION
            | Keyword::INTERSECT
            | Keyword::EXCEPT => self.operator(),
            _ => {}
        }
    }

    fn operator(&mut self) {
        self.here.operators += 1;
        self.operators += 1;
    }

    /// An expression ends here.
    fn end(&mut self) {
        self.operators -= self.here.operators;
        self.here.operators = 0;
    }

    fn open(&mut self) {
        self.around.push(self.here);
        self.here = Around::default();
    }

    fn close(&mut self) {
        self.end();
        self.here = self.around.pop().unwrap_or_default();
    }
}

/// Whether a token stands for itself, or parts a name.
fn is_value(token: &Token) -> bool {
    use Token::{
        Char, DollarQuotedString, DoubleQuotedString, EscapedStringLiteral, HexStringLiteral,
        NationalStringLiteral, Number, Period, Placeholder, SingleQuotedByteStringLiteral,
        SingleQuotedString, UnicodeStringLiteral,
    };
    matches!(
        token,
        Number(..)
            | Char(_)
            | SingleQuotedString(_)
            | DoubleQuotedString(_)
            | DollarQuotedString(_)
            | SingleQuotedByteStringLiteral(_)
            | NationalStringLiteral(_)
            | EscapedStringLiteral(_)
            | UnicodeStringLiteral(_)
            | HexStringLiteral(_)
            | Placeholder(_)
            | Period
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;

    use super::*;

    fn check(sql: &str) -> Result<(), QueryError> {
        check_extent(sql, &PostgreSqlDialect {})
    }

    #[track_caller]
    fn is_bounded(max: usize, made: impl Fn(usize) -> String) {
        assert_eq!(check(&made(max)), Ok(()));
        let refused = check(&made(max + 1)).unwrap_err().to_string();
        assert!(refused.contains(&format!("more than {max} ")), "{refused}");
    }

    #[test]
    fn each_bound_holds() {
        let chain = |with: &str, of: &str, count: usize| vec![of; count].join(with);
        is_bounded(OPERATORS_MAX, |count| {
            format!("select {}", chain("+", "1", count + 1))
        });
        is_bounded(OPERATORS_MAX, |count| {
            format!(
                "select * from payments where x is not distinct from 1{}",
                " or x".repeat(count - 2)
            )
        });
        is_bounded(OPERATORS_MAX, |count| {
            format!("select 1{}", "::int".repeat(count))
        });
        is_bounded(OPERATORS_MAX, |count| {
            format!("select a{}", "[1]".repeat(count))
        });
        // What is nested counts with what is around it, and a case ends nothing around it.
        is_bounded(OPERATORS_MAX, |count| {
            format!("select 1+(1{})", "+1".repeat(count - 1))
        });
        let case = "case when a = 1 then 1 end";
        is_bounded(OPERATORS_MAX, |count| {
            format!("select {}", chain("+", case, count))
        });
        is_bounded(QUERIES_MAX, |count| chain(" union all ", "select 1", count));
        is_bounded(TABLES_MAX, |count| {
            format!(
                "select 1 from {} where true",
                chain(",", "payments p", count)
            )
        });
        is_bounded(TABLES_MAX, |count| {
            let joins = " join payments using (payment_id)".repeat(count - 1);
            format!("select 1 from payments{joins}")
        });
        is_bounded(STATEMENTS_MAX, |count| ";".repeat(count));
        is_bounded(WORDS_MAX, |count| {
            format!("select x in ({})", chain(",", "1", (count - 4) / 2)) + &" x".repeat(count % 2)
        });
        assert!(check(&" ".repeat(BYTES_MAX)).is_ok());
        assert!(check(&" ".repeat(BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn what_stands_side_by_side_is_no_chain() {
        let whens = " when amount between 1 and 2 then 'a'".repeat(2_000);
        let items = vec!["amount + 1 as x"; 2_000].join(", ");
        let rows = vec!["(1, -2)"; 2_000].join(", ");
        for sql in [
            format!("select case{whens} else 'b' end from payments"),
            format!("select {items} from payments"),
            format!("select * from (values {rows}) t"),
            format!("select '{}'", "+".repeat(2_000)),
            format!("select 1 -- {}", "or ".repeat(2_000)),
            "select 1 + 1; ".repeat(900),
        ] {
            assert_eq!(check(&sql), Ok(()), "{}", &sql[..60]);
        }
        // What cannot be read is refused by whoever reads it.
        assert_eq!(check("select 'x"), Ok(()));
        assert_eq!(check(")))"), Ok(()));
    }
}
