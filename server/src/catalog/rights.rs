//! What a user may do with a table, as clients ask it: `has_table_privilege` and its kin.

use datafusion::sql::sqlparser::ast::{Expr, Function};

use super::relations::Relations;
use super::rewrite::{arguments, call, literal};
use crate::access::Allowed;

/// The function that the calls become: what may be read, the table, the privilege.
pub const FUNCTION: &str = "has_privilege_of";
/// Stands for all tables.
const ALL: &str = "*";

/// A call of `name` for the user who asks, whatever user it names: what others may do is nobody's
/// business.
pub fn asked(name: &str, function: &Function, allowed: &Allowed) -> Option<Expr> {
    let columns = match name {
        "has_table_privilege" | "has_any_column_privilege" => 0,
        "has_column_privilege" => 1,
        _ => return None,
    };
    let arguments = arguments(function);
    let least = 2 + columns;
    let own = match arguments.len() {
        count if count == least => &arguments[..],
        count if count == least + 1 => &arguments[1..],
        _ => return None,
    };
    let (table, privilege) = (own.first()?, own.last()?);
    let readable = match allowed {
        Allowed::All => ALL.to_owned(),
        Allowed::Only(names) => names.join("\n"),
    };
    let arguments = [literal(&readable), (*table).clone(), (*privilege).clone()];
    Some(call(FUNCTION, arguments))
}

/// Whether `readable` has the table, given by name or number, for a privilege that is there: to read.
/// What is about the catalog may be read by anyone. None for a table that is not there.
pub fn has(relations: &Relations, readable: &str, table: &str, privilege: &str) -> Option<bool> {
    let mut wanted = privilege.split(',').map(|one| one.trim().to_lowercase());
    let reads = wanted.any(|one| one == "select");
    let relation = match table.parse::<i64>() {
        Ok(oid) => relations.numbered(oid),
        Err(_) => relations.named(table),
    };
    let Some(relation) = relation else {
        let bare = table.replace('"', "");
        let is_catalog = bare.starts_with("pg_") || bare.starts_with("information_schema.");
        return is_catalog.then_some(reads);
    };
    let full = format!("{}.{}", relation.schema, relation.name);
    let is_readable = readable == ALL || readable.lines().any(|name| name == full);
    Some(reads && is_readable)
}
