//! What is answered to each call.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, CommandGetCatalogs,
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandGetXdbcTypeInfo, CommandPreparedStatementQuery, CommandPreparedStatementUpdate,
    CommandStatementIngest, CommandStatementQuery, CommandStatementUpdate,
    DoPutPreparedStatementResult, ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, FlightDescriptor,
    FlightInfo, HandshakeRequest, HandshakeResponse, IpcMessage, Ticket,
};
use datafusion::sql::sqlparser::ast::Statement;
use futures::{StreamExt, TryStreamExt, stream};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use super::about;
use super::entry::{Caller, Tokens, caller};
use super::messages::{
    NAME_BYTES, cancel_status, info, malformed, name_in, question, read_only, schema_bytes,
};
use super::rows::{Answer, Order, answer, flat, no_random, whole};
use super::running::Running;
use super::statements::{self, Prepared, Statements};
use super::tickets::Tickets;
use crate::access::secret_bytes;
use crate::catalog::Asker;
use crate::query::{Planned, Snapshot};
use crate::serve::Server;
use crate::session;
use crate::wire::Refusal;

const CANCEL: &str = "CancelFlightInfo";

/// Flight SQL over a ledger.
pub struct Service {
    server: Arc<Server>,
    tokens: Tokens,
    statements: Statements,
    tickets: Tickets,
    running: Running,
}

impl Service {
    /// Over what `server` serves.
    pub fn over(server: Arc<Server>) -> Self {
        Self {
            server,
            tokens: Tokens::default(),
            statements: Statements::default(),
            tickets: Tickets::default(),
            running: Running::default(),
        }
    }

    async fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        caller(&self.server, &self.tokens, request).await
    }

    async fn snapshot(&self) -> Result<Arc<Snapshot>, Refusal> {
        let latest = self.server.books.latest().await;
        latest.map_err(|error| Refusal::unreadable(&error))
    }

    async fn plan(&self, statement: &Statement, caller: &Caller) -> Result<Planned, Refusal> {
        let asker = Asker {
            user: &caller.user,
            allowed: caller.allowed.clone(),
            process: 0,
            setting: &|name| session::default(name).map(str::to_owned),
        };
        let snapshot = self.snapshot().await?;
        self.server.plan(statement, &[], &asker, snapshot).await
    }

    /// The statement as it is planned for the newest state.
    async fn renewed(&self, prepared: &Prepared, caller: &Caller) -> Result<Arc<Planned>, Refusal> {
        let planned = Arc::clone(&prepared.planned.lock());
        if planned.snapshot.number == self.snapshot().await?.number {
            return Ok(planned);
        }
        let planned = Arc::new(self.plan(&prepared.statement, caller).await?);
        *prepared.planned.lock() = Arc::clone(&planned);
        Ok(planned)
    }

    /// Cancels the queries that `info` leads to; whether any ran.
    fn cancel(&self, info: &FlightInfo, caller: &Caller) -> bool {
        let tickets = info.endpoint.iter();
        let tickets = tickets.filter_map(|endpoint| endpoint.ticket.as_ref());
        let cancellations = &self.server.cancellations;
        let mut found = false;
        for name in tickets.filter_map(name_in) {
            found |= self.running.cancel(&name, &caller.user, cancellations);
        }
        found
    }

    /// Says where rows are that no query gives.
    async fn listed<C: ProstMessageExt>(
        &self,
        command: C,
        columns: &Schema,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.caller(&request).await?;
        info(columns, &command, request.into_inner())
    }

    async fn about(
        &self,
        batch: Result<RecordBatch, FlightError>,
        request: &Request<Ticket>,
    ) -> Result<Answer, Status> {
        self.caller(request).await?;
        Ok(whole(batch?))
    }
}

#[tonic::async_trait]
impl FlightSqlService for Service {
    type FlightService = Self;

    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<<Self as FlightService>::HandshakeStream>, Status> {
        let caller = self.caller(&request).await?;
        let token = self.tokens.give(&caller.user).ok_or_else(no_random)?;
        let bearer = format!("Bearer {token}").parse();
        let bearer = bearer.map_err(|_| Status::internal("the token is no header"))?;
        let greeting = HandshakeResponse {
            protocol_version: 0,
            payload: token.into_bytes().into(),
        };
        let mut response = Response::new(stream::iter([Ok(greeting)]).boxed());
        response.metadata_mut().insert("authorization", bearer);
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let caller = self.caller(&request).await?;
        let planned = self.plan(&question(&query.query)?, &caller).await?;
        let mut handle = secret_bytes().ok_or_else(no_random)?.to_vec();
        handle.extend(query.query.as_bytes());
        let columns = flat(&planned.schema);
        self.tickets
            .keep(&handle[..NAME_BYTES], &caller.user, planned);
        let ticket = TicketStatementQuery {
            statement_handle: handle.into(),
        };
        info(&columns, &ticket, request.into_inner())
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        let caller = self.caller(&request).await?;
        let unknown = || Status::invalid_argument("the ticket is not one of this server");
        let parts = ticket.statement_handle.split_at_checked(NAME_BYTES);
        let (name, sql) = parts.ok_or_else(unknown)?;
        let sql = str::from_utf8(sql).map_err(|_| unknown())?;
        let number = self.snapshot().await?.number;
        let planned = match self.tickets.take(name, &caller.user, number) {
            Some(planned) => planned,
            None => self.plan(&question(sql)?, &caller).await?,
        };
        let order = Order {
            plan: planned.with(Vec::new())?,
            snapshot: Arc::clone(&planned.snapshot),
            columns: planned.schema,
            name: name.to_vec(),
        };
        answer(&self.server, &self.running, &caller, order).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let caller = self.caller(&request).await?;
        let statement = question(&query.query)?;
        let planned = self.plan(&statement, &caller).await?;
        let IpcMessage(dataset_schema) = schema_bytes(&flat(&planned.schema))?;
        let IpcMessage(parameter_schema) = schema_bytes(&statements::parameters(&planned))?;
        let name = self.statements.keep(&caller.user, statement, planned)?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: name.into(),
            dataset_schema,
            parameter_schema,
        })
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        let caller = self.caller(&request).await?;
        let name = &query.prepared_statement_handle;
        self.statements.close(name, &caller.user);
        Ok(())
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let caller = self.caller(&request).await?;
        let name = query.prepared_statement_handle;
        let prepared = self.statements.get(&name, &caller.user)?;
        let data = request.into_inner().map_err(FlightError::from);
        let batches = FlightRecordBatchStream::new_from_flight_data(data);
        let rows: Vec<RecordBatch> = batches.try_collect().await?;
        let planned = Arc::clone(&prepared.planned.lock());
        *prepared.values.lock() = statements::values(&planned, &rows)?;
        Ok(DoPutPreparedStatementResult {
            prepared_statement_handle: Some(name),
        })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let caller = self.caller(&request).await?;
        let name = &query.prepared_statement_handle;
        let prepared = self.statements.get(name, &caller.user)?;
        let planned = self.renewed(&prepared, &caller).await?;
        info(&flat(&planned.schema), &query, request.into_inner())
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        let caller = self.caller(&request).await?;
        let name = query.prepared_statement_handle.to_vec();
        let prepared = self.statements.get(&name, &caller.user)?;
        let planned = self.renewed(&prepared, &caller).await?;
        let values = prepared.values.lock().clone();
        let order = Order {
            plan: planned.with(values)?,
            snapshot: Arc::clone(&planned.snapshot),
            columns: planned.schema.clone(),
            name,
        };
        answer(&self.server, &self.running, &caller, order).await
    }

    async fn do_action_cancel_query(
        &self,
        query: ActionCancelQueryRequest,
        request: Request<Action>,
    ) -> Result<ActionCancelQueryResult, Status> {
        let caller = self.caller(&request).await?;
        let info = FlightInfo::decode(query.info).map_err(|error| malformed(&error))?;
        // The numbers of both actions' results are the same.
        let result = cancel_status(self.cancel(&info, &caller)) as i32;
        Ok(ActionCancelQueryResult { result })
    }

    async fn do_action_fallback(
        &self,
        request: Request<Action>,
    ) -> Result<Response<<Self as FlightService>::DoActionStream>, Status> {
        let caller = self.caller(&request).await?;
        let action = request.into_inner();
        if action.r#type != CANCEL {
            let found = format!("there is no action {:?}", action.r#type);
            return Err(Status::unimplemented(found));
        }
        let wish = CancelFlightInfoRequest::decode(action.body);
        let wish = wish.map_err(|error| malformed(&error))?;
        let info = wish.info.unwrap_or_default();
        let result = CancelFlightInfoResult::new(cancel_status(self.cancel(&info, &caller)));
        let result = arrow_flight::Result::new(result.encode_to_vec());
        Ok(Response::new(stream::iter([Ok(result)]).boxed()))
    }

    async fn list_custom_actions(&self) -> Option<Vec<Result<ActionType, Status>>> {
        Some(vec![Ok(ActionType {
            r#type: CANCEL.to_owned(),
            description: "Cancels a query by its FlightInfo".to_owned(),
        })])
    }

    async fn get_flight_info_catalogs(
        &self,
        command: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = command.into_builder().schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_catalogs(
        &self,
        command: CommandGetCatalogs,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        self.about(about::catalogs(command), &request).await
    }

    async fn get_flight_info_schemas(
        &self,
        command: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = command.clone().into_builder().schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_schemas(
        &self,
        command: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        self.caller(&request).await?;
        let snapshot = self.snapshot().await?;
        let relations = &snapshot.catalog.relations;
        Ok(whole(about::schemas(command, relations)?))
    }

    async fn get_flight_info_tables(
        &self,
        command: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = command.clone().into_builder().schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_tables(
        &self,
        command: CommandGetTables,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        let caller = self.caller(&request).await?;
        let snapshot = self.snapshot().await?;
        let relations = &snapshot.catalog.relations;
        Ok(whole(about::tables(command, relations, &caller.allowed)?))
    }

    async fn get_flight_info_table_types(
        &self,
        command: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = command.into_builder().schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_table_types(
        &self,
        command: CommandGetTableTypes,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        self.about(about::table_types(command), &request).await
    }

    async fn get_flight_info_sql_info(
        &self,
        command: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = about::sql_info()?.schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_sql_info(
        &self,
        command: CommandGetSqlInfo,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        let batch = about::sql_info().and_then(|infos| command.into_builder(&infos).build());
        self.about(batch, &request).await
    }

    async fn get_flight_info_xdbc_type_info(
        &self,
        command: CommandGetXdbcTypeInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = about::types()?.schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_xdbc_type_info(
        &self,
        command: CommandGetXdbcTypeInfo,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        let batch = about::types().and_then(|types| command.into_builder(&types).build());
        self.about(batch, &request).await
    }

    async fn get_flight_info_primary_keys(
        &self,
        command: CommandGetPrimaryKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = about::no_primary_keys().schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_primary_keys(
        &self,
        _: CommandGetPrimaryKeys,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        self.about(Ok(about::no_primary_keys()), &request).await
    }

    async fn get_flight_info_exported_keys(
        &self,
        command: CommandGetExportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = about::no_foreign_keys().schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_exported_keys(
        &self,
        _: CommandGetExportedKeys,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        self.about(Ok(about::no_foreign_keys()), &request).await
    }

    async fn get_flight_info_imported_keys(
        &self,
        command: CommandGetImportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = about::no_foreign_keys().schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_imported_keys(
        &self,
        _: CommandGetImportedKeys,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        self.about(Ok(about::no_foreign_keys()), &request).await
    }

    async fn get_flight_info_cross_reference(
        &self,
        command: CommandGetCrossReference,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let columns = about::no_foreign_keys().schema();
        self.listed(command, &columns, request).await
    }

    async fn do_get_cross_reference(
        &self,
        _: CommandGetCrossReference,
        request: Request<Ticket>,
    ) -> Result<Answer, Status> {
        self.about(Ok(about::no_foreign_keys()), &request).await
    }

    async fn do_put_statement_update(
        &self,
        command: CommandStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.caller(&request).await?;
        question(&command.query)?;
        Err(read_only())
    }

    async fn do_put_prepared_statement_update(
        &self,
        _: CommandPreparedStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.caller(&request).await?;
        Err(read_only())
    }

    async fn do_put_statement_ingest(
        &self,
        _: CommandStatementIngest,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        self.caller(&request).await?;
        Err(read_only())
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}
