//! Names of columns.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{Expr, Ident, Select, SelectItem};

use crate::catalog::emptiness::name_of;

/// Names for columns that have none, as Postgres gives them; numbered where they would be the
/// same, which the query engine refuses.
pub fn name_columns(select: &mut Select) {
    let mut taken: HashSet<String> = HashSet::new();
    for item in &select.projection {
        if let SelectItem::ExprWithAlias { alias, .. } = item {
            taken.insert(alias.value.clone());
        }
    }
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expr) = item else {
            continue;
        };
        let name = name_of(expr);
        let is_named_by_itself = matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        if taken.insert(name.clone()) {
            if is_named_by_itself {
                continue;
            }
        } else if is_named_by_itself {
            // `a.id, b.id`: their tables tell them apart, unless it is twice the same.
            if !taken.insert(expr.to_string()) {
                let alias = numbered(&name, &mut taken);
                *item = named(expr, alias);
            }
            continue;
        }
        let alias = if taken.contains(&format!("{name}#")) {
            numbered(&name, &mut taken)
        } else {
            taken.insert(format!("{name}#"));
            name
        };
        *item = named(expr, alias);
    }
}

fn numbered(name: &str, taken: &mut HashSet<String>) -> String {
    let free = (2..).map(|number| format!("{name}_{number}"));
    let mut free = free.filter(|candidate| !taken.contains(candidate));
    let alias = free.next().unwrap_or_default();
    taken.insert(alias.clone());
    alias
}

fn named(expr: &Expr, alias: String) -> SelectItem {
    SelectItem::ExprWithAlias {
        expr: expr.clone(),
        alias: Ident::with_quote('"', alias),
    }
}
