//! Schemas of the tables that clients ask about.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, Statement, TableFactor, VisitorMut, visit_relations,
};

use crate::catalog::{INFORMATION, PG_CATALOG, layout};

/// Whether it reads any of them.
pub fn is_about_catalog(statement: &Statement) -> bool {
    let found = visit_relations(statement, |name| {
        let is_there = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .any(|part| [PG_CATALOG, INFORMATION].contains(&part.value.as_str()));
        if is_there {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    found.is_break()
}

/// Gives the tables of `pg_catalog` their schema, and `information_schema` the name that it has
/// here.
pub struct Qualifier;

impl VisitorMut for Qualifier {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table {
            name,
            args: Some(_),
            ..
        } = factor
        {
            // Functions have no schema.
            name.0.drain(..name.0.len().saturating_sub(1));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        let parts: Vec<String> = name
            .0
            .iter()
            .filter_map(|part| part.as_ident())
            .map(|part| part.value.to_lowercase())
            .collect();
        let (schema, table) = match &parts[..] {
            [table] if layout::pg_catalog().iter().any(|one| one.name == table) => {
                (PG_CATALOG, table)
            }
            [.., schema, table] if schema == "information_schema" => (INFORMATION, table),
            [.., schema, table] if schema == PG_CATALOG => (PG_CATALOG, table),
            _ => return ControlFlow::Continue(()),
        };
        *name = ObjectName::from(vec![Ident::new(schema), Ident::new(table)]);
        ControlFlow::Continue(())
    }
}
