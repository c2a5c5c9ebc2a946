//! The rows of a query as a stream of a call.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use datafusion::logical_expr::LogicalPlan;
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tonic::{Response, Status};

use super::entry::Caller;
use super::running::{Entry, Running};
use crate::query::{Cancellable, Rows, Snapshot, Watch};
use crate::serve::Server;
use crate::wire::{Refusal, state};

/// How long a client may take to accept what it asked for.
const WRITE_TIME_MAX: Duration = Duration::from_mins(1);

/// What a call that gives rows answers.
pub type Answer = Response<Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>>;

/// A batch, none at the end, or why there is no more.
type Step = Result<Option<RecordBatch>, Refusal>;

/// A plan that is to be run.
pub struct Order {
    /// The plan.
    pub plan: LogicalPlan,
    /// What it reads.
    pub snapshot: Arc<Snapshot>,
    /// Its columns, as the plan has them.
    pub columns: Schema,
    /// What its ticket calls it.
    pub name: Vec<u8>,
}

/// Runs a plan within the limits of whoever asks; a client that goes away ends it.
///
/// # Errors
/// A [`Status`] if it cannot begin. What goes wrong later comes in the stream.
pub async fn answer(
    server: &Arc<Server>,
    running: &Running,
    caller: &Caller,
    order: Order,
) -> Result<Answer, Status> {
    let pass = server.gate.enter(&caller.user)?;
    let cancellable = server.cancellations.register().ok_or_else(no_random)?;
    let entry = running.enter(&order.name, &caller.user, &cancellable);
    let time_max = server.settings.limits.query_time();
    let watch = watch(&cancellable, time_max);
    let (plan, snapshot) = (&order.plan, &order.snapshot);
    let rows = Rows::begin(plan, snapshot, &server.means, pass, &watch).await?;
    let (sender, steps) = channel(1);
    tokio::spawn(pump(rows, cancellable, time_max, entry, sender));
    Ok(stream_of(flat(&order.columns), batches(steps)))
}

/// The refusal of a machine without random numbers.
pub fn no_random() -> Refusal {
    let found = "the system gives no random numbers";
    Refusal::new(state::INTERNAL_ERROR, found)
}

/// One batch as an answer.
pub fn whole(batch: RecordBatch) -> Answer {
    stream_of(batch.schema(), stream::iter([Ok(batch)]))
}

fn watch(cancellable: &Cancellable, time_max: Duration) -> Watch<'_> {
    Watch {
        cancellable,
        time_max,
        // Whoever goes away is noticed where the rows go.
        is_gone: &|| false,
    }
}

/// Hands rows over until the end, or until nobody takes them.
async fn pump(
    mut rows: Rows,
    cancellable: Cancellable,
    time_max: Duration,
    _entry: Entry,
    sender: Sender<Step>,
) {
    let watch = watch(&cancellable, time_max);
    loop {
        let step = tokio::select! {
            biased;
            () = sender.closed() => return,
            step = rows.next(usize::MAX, &watch) => step,
        };
        let is_last = !matches!(step, Ok(Some(_)));
        let taken = timeout(WRITE_TIME_MAX, sender.send(step)).await;
        if is_last || !matches!(taken, Ok(Ok(()))) {
            return;
        }
    }
}

fn batches(steps: Receiver<Step>) -> impl Stream<Item = Result<RecordBatch, Refusal>> {
    stream::unfold(Some(steps), |steps| async move {
        let mut steps = steps?;
        match steps.recv().await {
            Some(Ok(Some(batch))) => Some((Ok(batch), Some(steps))),
            Some(Ok(None)) => None,
            Some(Err(refusal)) => Some((Err(refusal), None)),
            None => {
                let found = "the client took longer than a minute to accept rows";
                let refusal = Refusal::new(state::QUERY_CANCELED, found);
                Some((Err(refusal), None))
            }
        }
    })
}

fn stream_of(
    schema: SchemaRef,
    batches: impl Stream<Item = Result<RecordBatch, Refusal>> + Send + 'static,
) -> Answer {
    let as_told = Arc::clone(&schema);
    let batches = batches.map(move |batch| {
        let batch = batch.map_err(|refusal| FlightError::from(Status::from(refusal)))?;
        Ok(flattened(&batch, &as_told)?)
    });
    let data = FlightDataEncoderBuilder::new()
        .with_schema(schema)
        .build(batches)
        .map(|data| data.map_err(Status::from));
    Response::new(Box::pin(data))
}

/// The columns as clients get them: views of texts become texts, which every client reads.
pub fn flat(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    let fields = fields.map(|field| {
        Field::new(
            field.name(),
            flat_type(field.data_type()),
            field.is_nullable(),
        )
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn flat_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => flat_type(values),
        DataType::List(item) => {
            let flat = Field::new(item.name(), flat_type(item.data_type()), item.is_nullable());
            DataType::List(Arc::new(flat))
        }
        other => other.clone(),
    }
}

fn flattened(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let pairs = batch.columns().iter().zip(schema.fields());
    let columns = pairs.map(|(column, field)| {
        if column.data_type() == field.data_type() {
            Ok(Arc::clone(column))
        } else {
            cast(column, field.data_type())
        }
    });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
}
