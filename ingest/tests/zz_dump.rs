#![allow(clippy::unwrap_used)]
mod reading;
use tieout_ingest::*;
#[test]
fn dump() {
    for path in std::env::var("DUMP").unwrap().split(':') {
        let f = unpack(std::path::Path::new(path), "file")
            .unwrap()
            .remove(0);
        println!("=== {path}");
        let Some(fmt) = recognize_file(&f, &f.head(HEAD_BYTES).unwrap()) else {
            println!("UNRECOGNIZED");
            continue;
        };
        let r = reading::read_source(fmt, &f, &Settings::default());
        println!("{} {:?}", fmt.name(), r.counts.profile);
        for (t, rows) in &r.tables {
            for row in rows {
                let g = |k: &str| row.get(k).cloned().unwrap_or_default();
                if *t == "settlement_lines" {
                    println!(
                        "  {} [{}|{}] {} {}/{} {} g={} f={} n={} own={} orig={} mref={} pay={} meth={} cust={} desc={}",
                        g("source_line"),
                        g("line_type"),
                        g("processor_type"),
                        g("merchant_account"),
                        g("booking_date"),
                        g("settlement_date"),
                        g("currency"),
                        g("gross"),
                        g("fee"),
                        g("net"),
                        g("processor_reference"),
                        g("original_reference"),
                        g("merchant_reference"),
                        g("payout_reference"),
                        g("payment_method"),
                        g("customer_name"),
                        g("description")
                    );
                } else {
                    println!("  {t} {row:?}");
                }
            }
        }
        for b in &r.balances {
            println!("  bal {b:?}");
        }
        for f in &r.findings {
            println!(
                "  {:?} {:?} {:?} | {} | {} | {}",
                f.severity, f.code, f.line, f.found, f.expected, f.action
            );
        }
        for q in &r.quarantine {
            println!(
                "  Q {:?} {} {}..{} {}",
                q.reason, q.line, q.byte_start, q.byte_end, q.message
            );
        }
    }
}
