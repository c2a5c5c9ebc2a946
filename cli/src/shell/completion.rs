//! Completion of commands, keywords, and the names of what there is.

use super::command;

const KEYWORDS: [&str; 44] = [
    "select",
    "from",
    "where",
    "group by",
    "order by",
    "limit",
    "having",
    "join",
    "left join",
    "full join",
    "on",
    "using",
    "and",
    "or",
    "not",
    "in",
    "is null",
    "is not null",
    "like",
    "ilike",
    "between",
    "case",
    "when",
    "then",
    "else",
    "end",
    "as",
    "distinct",
    "union all",
    "with",
    "asc",
    "desc",
    "nulls last",
    "count(*)",
    "sum(",
    "avg(",
    "min(",
    "max(",
    "round(",
    "coalesce(",
    "filter (where",
    "over (partition by",
    "cast(",
    "create external table",
];

/// Completes words.
pub struct Words(Vec<String>);

impl Words {
    /// With the names of relations, columns and functions.
    pub fn new(mut names: Vec<String>) -> Self {
        names.extend(KEYWORDS.iter().map(|&word| word.to_owned()));
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// Where the last word of `before` begins, and what it may become.
    pub fn complete(&self, before: &str) -> (usize, Vec<String>) {
        if before.starts_with('\\') && !before.contains(' ') {
            let commands = command::names().filter(|name| name.starts_with(before));
            return (0, commands.map(str::to_owned).collect());
        }
        let begins = before
            .rfind(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .map_or(0, |last| {
                last + before[last..].chars().next().map_or(1, char::len_utf8)
            });
        let word = before[begins..].to_lowercase();
        if word.is_empty() {
            return (begins, Vec::new());
        }
        let names = self.0.iter().filter(|name| name.starts_with(&word));
        (begins, names.cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_completed_where_they_stand() {
        let words = Words::new(vec!["payments".into(), "payment_id".into()]);
        let at_end = |line: &str| words.complete(line);
        assert_eq!(at_end("select * from paym").1, ["payment_id", "payments"]);
        assert_eq!(at_end("select p.PAYMENT_").0, 9);
        assert_eq!(at_end("select p.PAYMENT_").1, ["payment_id"]);
        assert_eq!(at_end("\\ti").1, ["\\timing"]);
        assert_eq!(at_end("gro").1, ["group by"]);
        assert!(at_end("select ").1.is_empty());
        assert_eq!(at_end("select 'ü").0, 8);
    }
}
