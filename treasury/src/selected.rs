//! Plans that read only selected rows of files.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::object_store::path::Path as Location;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::physical_plan::ExecutionPlan;

/// What a plan reads, if it does nothing but read files.
pub(crate) fn scanned(plan: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    let source = plan.downcast_ref::<DataSourceExec>()?;
    source.data_source().downcast_ref::<FileScanConfig>()
}

/// The files that are read.
pub(crate) fn locations(config: &FileScanConfig) -> impl Iterator<Item = &Location> {
    let files = config.file_groups.iter().flat_map(FileGroup::iter);
    files.map(|file| &file.object_meta.location)
}

/// What is read by `config`, of some files only the rows that are selected.
pub(crate) fn only(
    config: &FileScanConfig,
    selected: &BTreeMap<Location, RowSelection>,
    limit: Option<usize>,
) -> Arc<dyn ExecutionPlan> {
    let groups = config.file_groups.iter().map(|group| {
        let files = group.iter().map(|file| part(file, selected));
        let files: Vec<_> = files.collect();
        let held = files.iter().map(|file| match file.statistics.as_deref() {
            Some(statistics) => statistics.num_rows,
            None => Precision::Absent,
        });
        let held = held.fold(Precision::Exact(0), |sum, rows| sum.add(&rows));
        match group.file_statistics(None) {
            Some(statistics) => {
                let statistics = of_rows(statistics, held);
                FileGroup::new(files).with_statistics(Arc::new(statistics))
            }
            None => FileGroup::new(files),
        }
    });
    let groups: Vec<_> = groups.collect();
    let held = groups
        .iter()
        .map(|group| match group.file_statistics(None) {
            Some(statistics) => statistics.num_rows,
            None => Precision::Absent,
        });
    let held = held.fold(Precision::Exact(0), |sum, rows| sum.add(&rows));
    let statistics = of_rows(&config.statistics(), held);
    let only = FileScanConfigBuilder::from(config.clone())
        .with_file_groups(groups)
        .with_statistics(statistics)
        .with_limit(limit);
    DataSourceExec::from_data_source(only.build())
}

/// The file, of which only rows that are selected are read, and were selected before.
fn part(file: &PartitionedFile, selected: &BTreeMap<Location, RowSelection>) -> PartitionedFile {
    let Some(selected) = selected.get(&file.object_meta.location) else {
        return file.clone();
    };
    let before = file.extension::<ParquetRowSelection>();
    let selected = match before {
        Some(before) => before.selection().intersection(selected),
        None => selected.clone(),
    };
    let rows = Precision::Exact(selected.row_count());
    let statistics = file.statistics.as_deref();
    let statistics = statistics.map(|statistics| Arc::new(of_rows(statistics, rows)));
    let selected = ParquetRowSelection::new(selected);
    let mut file = file.clone().with_extension(selected);
    file.statistics = statistics;
    file
}

/// Statistics for fewer rows: what they say of columns are bounds.
fn of_rows(statistics: &Statistics, rows: Precision<usize>) -> Statistics {
    statistics.clone().to_inexact().with_num_rows(rows)
}
