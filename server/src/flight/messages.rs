//! Messages: what is asked in them, and what is told by them.

use arrow::datatypes::Schema;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::sql::{Any, Command, ProstMessageExt};
use arrow_flight::{
    CancelStatus, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket,
};
use datafusion::sql::sqlparser::ast::Statement;
use prost::Message;
use tonic::{Response, Status};

use crate::query;
use crate::wire::{Refusal, state};

/// Bytes in front of a ticket's SQL that name the query.
pub const NAME_BYTES: usize = 32;

/// The one question in `sql`.
pub fn question(sql: &str) -> Result<Statement, Refusal> {
    let mut commands = query::read(sql)?;
    match (commands.pop(), commands.is_empty()) {
        (Some(query::Command::Rows(statement)), true) => Ok(*statement),
        (Some(_), true) => {
            let found = "only queries are answered here: select, values, explain";
            Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found))
        }
        (None, _) => Err(Refusal::new(state::SYNTAX_ERROR, "there is no statement")),
        (Some(_), false) => {
            let found = "send one statement at a time";
            Err(Refusal::new(state::SYNTAX_ERROR, found))
        }
    }
}

/// Says that rows with these columns are to be had for a ticket.
pub fn info<C: ProstMessageExt>(
    columns: &Schema,
    ticket: &C,
    descriptor: FlightDescriptor,
) -> Result<Response<FlightInfo>, Status> {
    let ticket = Ticket::new(ticket.as_any().encode_to_vec());
    let info = FlightInfo::new()
        .try_with_schema(columns)
        .map_err(|error| Status::internal(error.to_string()))?
        .with_endpoint(FlightEndpoint::new().with_ticket(ticket))
        .with_descriptor(descriptor)
        .with_ordered(true);
    Ok(Response::new(info))
}

/// The name of the query that a ticket is for.
pub fn name_in(ticket: &Ticket) -> Option<Vec<u8>> {
    let any = Any::decode(&*ticket.ticket).ok()?;
    match Command::try_from(any).ok()? {
        Command::TicketStatementQuery(ticket) => {
            Some(ticket.statement_handle.get(..NAME_BYTES)?.to_vec())
        }
        Command::CommandPreparedStatementQuery(query) => {
            Some(query.prepared_statement_handle.to_vec())
        }
        _ => None,
    }
}

/// Columns as a message has them.
pub fn schema_bytes(schema: &Schema) -> Result<IpcMessage, Status> {
    let options = IpcWriteOptions::default();
    let message = SchemaAsIpc::new(schema, &options).try_into();
    message.map_err(|error: arrow::error::ArrowError| Status::internal(error.to_string()))
}

/// The refusal of what would write.
pub fn read_only() -> Status {
    let found = "a ledger is only read; write a select";
    Refusal::new(state::READ_ONLY_SQL_TRANSACTION, found).into()
}

/// The refusal of a message that is none.
pub fn malformed(error: &prost::DecodeError) -> Status {
    Status::invalid_argument(format!("the message cannot be read: {error}"))
}

/// What became of a wish to cancel.
pub fn cancel_status(found: bool) -> CancelStatus {
    if found {
        CancelStatus::Cancelling
    } else {
        CancelStatus::NotCancellable
    }
}
