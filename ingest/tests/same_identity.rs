//! A line that comes again in another form of its format (SGML and XML, stars and fixed widths,
//! lengths and line ends) has the identity that it had.
#![allow(clippy::unwrap_used)]

mod reading;

use reading::{Reading, read};

fn identities(reading: &Reading) -> Vec<String> {
    let identities = reading.column("identity").into_iter();
    let identities: Vec<String> = identities.map(str::to_owned).collect();
    assert!(!identities.is_empty());
    identities
}

#[test]
fn ofx_in_sgml_and_in_xml() {
    let sgml = "OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>091000019\
                <ACCTID>4400128871</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT\
                <DTPOSTED>20260302<TRNAMT>-80<FITID>7<NAME>Fox & Sons</STMTTRN></BANKTRANLIST>\
                </STMTRS></OFX>";
    let xml = "<?xml version=\"1.0\"?><?OFX OFXHEADER=\"200\"?>\n<OFX>\n<STMTRS>\
               <CURDEF>USD</CURDEF><BANKACCTFROM><BANKID>091000019</BANKID>\
               <ACCTID>4400128871</ACCTID></BANKACCTFROM><BANKTRANLIST>\n<STMTTRN>\
               <TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20260302120000[-6:CST]</DTPOSTED>\
               <TRNAMT>-80,00</TRNAMT><FITID>7</FITID><NAME>Fox &amp; Sons</NAME>\n</STMTTRN>\n\
               </BANKTRANLIST></STMTRS></OFX>";
    assert_eq!(
        identities(&read("ofx", sgml)),
        identities(&read("ofx", xml))
    );
}

#[test]
fn ofx_that_ends_inside_a_line_says_so() {
    let cut = "OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>USD<BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT\
               <DTPOSTED>20260302<TRNAMT>-80";
    let reading = read("ofx", cut);
    assert_eq!(reading.refused(), [("bad_structure", 3)]);
    let codes = reading.problems().into_iter().map(|(code, _)| code);
    assert_eq!(
        codes.collect::<Vec<_>>(),
        ["truncated_file", "quarantined_lines"]
    );
}

#[test]
fn qif_in_two_conventions() {
    let ours = "!Type:Bank\nD2/14'26\nT-1,250.00\nPTyre shop\n^\n";
    let theirs = "!Type:Bank\nD14.02.2026\nT-1.250,00\nPTyre shop\nCX\n^\n";
    assert_eq!(
        identities(&read("qif", ours)),
        identities(&read("qif", theirs))
    );
}

#[test]
fn fedwire_as_sent_and_as_received() {
    let sent = "{1500}30REQ00001P {1510}1000{1520}20250314HARBR01 000412{2000}000000184307\
                {3100}091000019Harbor Trust*{3400}021000021Lake National*{3600}CTR*\
                {4200}D4400128871*Fox Ltd*{5000}D7711002*North Cafe*{6000}MARCH*";
    let received = format!(
        "{{1100}}30P 2\n{{1110}}03141230A123\n{{1120}}20250314LAKE0001000077\n\
         {{1500}}30REQ00001PP\n{{1510}}1000\n{{1520}}20250314HARBR01 000412\n\
         {{2000}}000000184307\n{{3100}}091000019{:<18}\n{{3400}}021000021{:<18}\n\
         {{3600}}CTR   \n{{4200}}D{:<34}{:<35}\n{{5000}}D{:<34}{:<35}\n{{6000}}MARCH\n",
        "Harbor Trust", "Lake National", "4400128871", "Fox Ltd", "7711002", "North Cafe"
    );
    assert_eq!(
        identities(&read("fedwire", sent)),
        identities(&read("fedwire", received))
    );
}

#[test]
fn cash_letters_with_lengths_and_on_lines() {
    let path = "../datasets/formats/x937/forward_ascii_lengths.x937";
    let bytes = std::fs::read(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut lines = Vec::new();
    let mut rest = &bytes[..];
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (record, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        if !record.starts_with(b"52") {
            lines.extend_from_slice(record.trim_ascii_end());
            lines.push(b'\n');
        }
        rest = after;
    }
    assert_eq!(
        identities(&read("x937", &bytes)),
        identities(&read("x937", &lines))
    );
}
