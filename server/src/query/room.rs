//! Memory for queries: so much for each, and so much for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::resources_datafusion_err;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

use super::rows::Memory;

/// The part of a pool that one query may use. What asks for more goes to temporary files if it
/// can, and fails if it cannot.
#[derive(Debug)]
pub struct QueryRoom {
    of_all: Arc<dyn MemoryPool>,
    used: AtomicUsize,
    bytes_max: usize,
    /// Where what can go to files has equal shares.
    shares: Option<FairSpillPool>,
}

impl QueryRoom {
    /// Whoever asks first has it.
    pub fn of(memory: &Memory) -> Self {
        Self {
            of_all: Arc::clone(&memory.of_all),
            used: AtomicUsize::new(0),
            bytes_max: memory.query_bytes_max,
            shares: None,
        }
    }

    /// With a share for each sort and grouping, so that the first does not keep all of it from the next,
    /// which could not even begin.
    pub fn shared_out(memory: &Memory) -> Self {
        Self {
            shares: Some(FairSpillPool::new(memory.query_bytes_max)),
            ..Self::of(memory)
        }
    }
}

impl std::fmt::Display for QueryRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl MemoryPool for QueryRoom {
    fn name(&self) -> &'static str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.of_all.register(consumer);
        if let Some(shares) = &self.shares {
            shares.register(consumer);
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.of_all.unregister(consumer);
        if let Some(shares) = &self.shares {
            shares.unregister(consumer);
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.of_all.grow(reservation, additional);
        if let Some(shares) = &self.shares {
            shares.grow(reservation, additional);
        }
        self.used.fetch_add(additional, Ordering::Relaxed);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.of_all.shrink(reservation, shrink);
        if let Some(shares) = &self.shares {
            shares.shrink(reservation, shrink);
        }
        self.used.fetch_sub(shrink, Ordering::Relaxed);
    }

    fn try_grow(
        &self,
        reservation: &MemoryReservation,
        additional: usize,
    ) -> Result<(), DataFusionError> {
        if let Some(shares) = &self.shares {
            shares.try_grow(reservation, additional)?;
        }
        let taken = self.used.fetch_add(additional, Ordering::Relaxed) + additional;
        let granted = if taken > self.bytes_max {
            Err(resources_datafusion_err!(
                "{taken} bytes are more than the {} of one query",
                self.bytes_max
            ))
        } else {
            self.of_all.try_grow(reservation, additional)
        };
        if granted.is_err() {
            self.used.fetch_sub(additional, Ordering::Relaxed);
            if let Some(shares) = &self.shares {
                shares.shrink(reservation, additional);
            }
        }
        granted
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes_max)
    }
}
