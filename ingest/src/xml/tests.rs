#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use super::*;

/// What a document is, step by step, with every element below the first read as a tree.
fn shown(text: &[u8], chunk_bytes: usize) -> String {
    let mut xml = XmlReader::new(text, chunk_bytes);
    let mut tree = Tree::default();
    let mut shown = String::new();
    loop {
        match xml.step() {
            Ok(Step::End) => return shown,
            Ok(Step::Open) if xml.name() == "unit" => {
                if let Err(error) = xml.read_tree(&mut tree) {
                    return format!("{shown}{error:?}");
                }
                show_element(tree.root().unwrap(), &mut shown);
            }
            Ok(Step::Open) => write!(shown, "<{}>", xml.name()).unwrap(),
            Ok(step) => write!(shown, "{step:?} ").unwrap(),
            Err(error) => return format!("{shown}{error:?}"),
        }
    }
}

fn show_element(element: Element<'_>, shown: &mut String) {
    let (bytes, line) = (element.bytes(), element.line());
    let (name, text) = (element.name(), element.text());
    let currency = element.currency();
    write!(shown, "[{name} {currency} {line} {bytes:?} `{text}`").unwrap();
    for child in element.children() {
        show_element(child, shown);
    }
    shown.push(']');
}

#[test]
fn any_chunks_give_the_same() {
    let text = "\u{feff}<?xml version=\"1.0\"?>\r\n<!-- a > b --><n:a x='>'>\r<unit>\n\
        <n:b Ccy=\"EUR\"> 1 &lt;&#x41;&unknown; </n:b><c/><![CDATA[]]></unit>\n</n:a>\0";
    let whole = shown(text.as_bytes(), 1_000);
    assert_eq!(
        whole,
        "<a>[unit  3 52..126 ``[b EUR 4 59..103 `1 <A&unknown;`][c  4 103..107 ``]]Close "
    );
    for chunk_bytes in 1..20 {
        assert_eq!(shown(text.as_bytes(), chunk_bytes), whole);
    }
}

#[test]
fn what_does_not_nest_is_told() {
    for (text, end) in [
        (
            "<a><b></a>",
            "<a><b>Malformed(\"`</a>` where `</b>` is expected\")",
        ),
        ("<a><unit><b>", "<a>Truncated"),
        ("<a><unit", "<a>Truncated"),
        ("<a", "Truncated"),
        ("</a>", "Malformed(\"`</a>` where `</>` is expected\")"),
        ("<a>x< 5</a>", "<a>Text Malformed(\"`< 5</a>` is no tag\")"),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><a/>", "<a>Close "),
    ] {
        assert_eq!(shown(text.as_bytes(), 3), end, "{text}");
    }
}

#[test]
fn declared_characters_are_decoded() {
    let text = b"<?xml version='1.0' encoding='ISO-8859-1'?><unit>M\xfcller</unit>";
    assert!(shown(text, 7).contains("Müller"));
    let mut xml = XmlReader::new(&b"<unit>M\xfcller</unit>"[..], 64);
    let mut tree = Tree::default();
    xml.step().unwrap();
    xml.read_tree(&mut tree).unwrap();
    assert_eq!(tree.root().unwrap().text(), "Müller");
    assert_eq!(xml.converted(), Some((1, 1)));
}

#[test]
fn nothing_is_deeper_or_longer_than_its_limit() {
    let deep = "<a>".repeat(DEPTH_MAX) + "<b/>";
    assert!(shown(deep.as_bytes(), 100).contains("nested deeper"));
    let long = format!("<a {}/>", "x".repeat(2 << 20));
    assert!(shown(long.as_bytes(), 1 << 22).contains("more than"));
    let wide = "<unit>".to_owned() + &"<b/>".repeat(500_000) + "</unit>";
    let mut xml = XmlReader::new(wide.as_bytes(), 1 << 16);
    xml.step().unwrap();
    let mut tree = Tree::default();
    assert_eq!(xml.read_tree(&mut tree).unwrap(), Extent::Cut);
    assert_eq!(xml.step().unwrap(), Step::End);
}
