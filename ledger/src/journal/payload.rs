//! Payloads of events: Arrow batches by name, or JSON.
//!
//! The first byte says what follows: 1 for batches, 2 for JSON. Batches are written one after the
//! other, each as the length of its name, the name, the length of an Arrow IPC stream and that
//! stream, and all of it is compressed as one Snappy block.

use std::io::Cursor;

use arrow::array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use serde_json::Value;

use super::pack::{Packer, Unpacker};

const BATCHES: u8 = 1;
const JSON: u8 = 2;
/// Bytes that one payload may unpack to, so that a damaged length fills no memory.
const UNPACKED_BYTES_MAX: usize = 1 << 30;

/// The payload of these batches.
///
/// # Errors
/// A sentence, for a batch that Arrow cannot write or that is too large.
pub fn of_batches(batches: &[(&str, &RecordBatch)]) -> Result<Vec<u8>, String> {
    let mut packed = Packer::default();
    for (name, batch) in batches {
        let mut stream = Vec::new();
        let mut writer =
            StreamWriter::try_new(&mut stream, &batch.schema()).map_err(|e| e.to_string())?;
        writer
            .write(batch)
            .and_then(|()| writer.finish())
            .map_err(|error| error.to_string())?;
        drop(writer);
        packed = packed.bytes(name.as_bytes()).bytes(&stream);
    }
    let plain = packed.finish();
    if plain.len() > UNPACKED_BYTES_MAX {
        return Err(format!("a batch of {} bytes", plain.len()));
    }
    let mut bytes = vec![BATCHES];
    bytes.extend(
        snap::raw::Encoder::new()
            .compress_vec(&plain)
            .map_err(|error| error.to_string())?,
    );
    Ok(bytes)
}

/// The payload of a JSON value.
pub fn of_json(value: &Value) -> Vec<u8> {
    let mut bytes = vec![JSON];
    bytes.extend(value.to_string().into_bytes());
    bytes
}

/// The batches in a payload, with their names.
///
/// # Errors
/// What does not fit, as a sentence.
pub fn batches(payload: &[u8]) -> Result<Vec<(String, RecordBatch)>, String> {
    let packed = body(payload, BATCHES)?;
    let length = snap::raw::decompress_len(packed).map_err(|error| error.to_string())?;
    if length > UNPACKED_BYTES_MAX {
        return Err("the payload says to be larger than any".to_owned());
    }
    let plain = snap::raw::Decoder::new()
        .decompress_vec(packed)
        .map_err(|error| error.to_string())?;
    let mut rest = Unpacker(&plain);
    let mut batches = Vec::new();
    while !rest.is_done() {
        let name = rest.text().ok_or("the payload is cut off")?.to_owned();
        let stream = rest.bytes().ok_or("the payload is cut off")?;
        let mut reader =
            StreamReader::try_new(Cursor::new(stream), None).map_err(|e| e.to_string())?;
        let batch = reader.next().ok_or("the payload holds no rows")?;
        batches.push((name, batch.map_err(|error| error.to_string())?));
    }
    Ok(batches)
}

/// The JSON value in a payload.
///
/// # Errors
/// What does not fit, as a sentence.
pub fn json(payload: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body(payload, JSON)?).map_err(|error| error.to_string())
}

/// Whether the payload is JSON.
pub fn is_json(payload: &[u8]) -> bool {
    payload.first() == Some(&JSON)
}

fn body(payload: &[u8], kind: u8) -> Result<&[u8], String> {
    match payload.split_first() {
        Some((&found, body)) if found == kind => Ok(body),
        _ => Err("the payload is of another kind".to_owned()),
    }
}
