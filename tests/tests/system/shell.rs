//! The shell of `tieout sql`, at a terminal and in a pipe.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::desk::{Desk, statement};
use crate::terminal::{INTERRUPT, Terminal};
use crate::treasury::shell_of;

/// A question that goes on for ever, as far as a test can tell.
const ENDLESS: &str = "select count(*) from generate_series(1, 100000000) a, \
                       generate_series(1, 100000000) b where (a.value * b.value) % 7 = 3";

/// Until a query runs.
const PAUSE: Duration = Duration::from_millis(300);

fn desk() -> Desk {
    let desk = Desk::with_books();
    desk.put(
        "first.bai2",
        statement(&[("195", 50_000, "R1", "INV-10001")]),
    );
    assert_eq!(desk.run(&["--ledger", "ledger"]).status, 0);
    desk
}

/// What the shell says in a pipe; it does all that `input` says.
#[track_caller]
fn told(desk: &Desk, input: &str) -> String {
    let told = shell_of(desk, &[], input);
    assert_eq!((told.status, told.stderr.as_str()), (0, ""), "{input}");
    told.stdout
}

#[test]
fn ctrl_c_stops_a_query_and_leaves_the_shell() {
    let desk = desk();
    let Some(mut terminal) = Terminal::open(&desk, "sql --ledger ledger") else {
        return;
    };
    terminal.expect("tieout> ");
    terminal.enter("select 40 + 1 as first;");
    terminal.expect("|    41 |");
    terminal.enter(&format!("{ENDLESS};"));
    terminal.expect("= 3;\r\n");
    thread::sleep(PAUSE);
    terminal.send(INTERRUPT);
    terminal.expect("the query was cancelled");
    terminal.enter("select 40 + 2 as second;");
    terminal.expect("|     42 |");
    terminal.enter("\\errverbose");
    terminal.expect("tieout: error: 57014: the query was cancelled");
    terminal.enter("\\q");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn ctrl_c_stops_a_query_while_it_is_planned() {
    let desk = desk();
    let Some(mut terminal) = Terminal::open(&desk, "sql --ledger ledger") else {
        return;
    };
    // It takes seconds.
    let join = |place| format!(" join payments p{place} on p{place}.payment_id = p0.payment_id");
    let joins: String = (1..96).map(join).collect();
    let long = format!("select 100 + count(*) as x from payments p0{joins};\n");
    fs::write(desk.path("long.sql"), long).unwrap();
    terminal.expect("tieout> ");
    terminal.enter("\\i long.sql");
    terminal.expect("long.sql\r\n");
    thread::sleep(PAUSE);
    terminal.send(INTERRUPT);
    terminal.expect("long.sql:1: the query was cancelled");
    terminal.enter("\\errverbose");
    terminal.expect("tieout: error: 57014: long.sql:1: the query was cancelled");
    terminal.enter("\\q");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_watched_question_sees_what_is_recorded_until_ctrl_c() {
    let desk = desk();
    let Some(mut terminal) = Terminal::open(&desk, "sql --ledger ledger") else {
        return;
    };
    terminal.expect("tieout> ");
    terminal.enter("select 100 + count(*) as payments from payments \\watch 0.05");
    for _ in 0..2 {
        terminal.expect("UTC (every 0.05 s)");
        terminal.expect("|      101 |");
    }
    desk.put(
        "second.bai2",
        statement(&[("195", 73_025, "R2", "INV-10002")]),
    );
    assert_eq!(desk.run(&["--ledger", "ledger"]).status, 0);
    terminal.expect("|      102 |");
    terminal.send(INTERRUPT);
    terminal.expect("tieout> ");
    terminal.enter("\\q");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn rows_too_wide_for_the_screen_are_lists() {
    let desk = desk();
    let Some(mut terminal) = Terminal::open(&desk, "sql --ledger ledger") else {
        return;
    };
    terminal.expect("tieout> ");
    terminal.enter("\\x auto");
    terminal.expect("expanded display is automatic");
    // 60 columns: two sides with a blank each, and 56 letters.
    terminal.enter("select repeat('a', 56) as x;");
    terminal.expect("-|\r\n| aaaa");
    terminal.enter("select repeat('b', 57) as x;");
    terminal.expect("-[ RECORD 1 ]\r\nx | bbbb");
    terminal.enter("\\q");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn rows_are_written_as_lists_where_that_is_wanted() {
    let desk = desk();
    let rows = "select 'a' as x, 1.50 as amount union all select 'b\nc', null order by 1";
    let listed = "-[ RECORD 1 ]\nx      | a\namount | 1.50\n\
                  -[ RECORD 2 ]\nx      | b\n       | c\namount |\n";
    assert_eq!(told(&desk, &format!("{rows} \\gx\n")), listed);
    let said = "expanded display is on\n";
    assert_eq!(
        told(&desk, &format!("\\x\n{rows};\n")),
        format!("{said}{listed}")
    );
    let table = told(&desk, &format!("{rows};\n"));
    assert_eq!(told(&desk, &format!("{rows} \\g\n")), table);
    // Nobody knows how wide a pipe is.
    let automatic = told(&desk, &format!("\\x auto\n{rows};\n"));
    assert_eq!(automatic, format!("expanded display is automatic\n{table}"));
    assert_eq!(told(&desk, "select 1 where false \\gx\n"), "(0 rows)\n");
    // Lines for programs are as they are.
    let csv = told(&desk, "\\x on\n\\format csv\nselect 1 as x;\n");
    assert_eq!(csv, format!("{said}x\n1\n"));
}

#[test]
fn lists_are_of_the_names_that_are_wanted() {
    let desk = desk();
    let tables = told(&desk, "\\dt PAY*\n");
    assert!(
        tables.contains("| payments ") && !tables.contains("| parties"),
        "{tables}"
    );
    let views = told(&desk, "\\dv *cash*\n");
    assert!(
        views.contains("| cash_position ") && !views.contains("| payments "),
        "{views}"
    );
    let functions = told(&desk, "\\df *convert*\n");
    assert!(functions.contains("convert(amount,") && !functions.contains("business_days"));
    let described = told(&desk, "\\d+ public.cash_*\n");
    assert!(
        described.contains("view cash_position: ") && described.contains("view cash_forecast: "),
        "{described}"
    );
    for (input, says) in [
        ("\\dt nosuch*", "there is no table nosuch*; \\d lists them"),
        ("\\dv payments", "there is no view payments"),
        (
            "\\df nosuch",
            "there is no function nosuch; \\df lists them",
        ),
        (
            "\\timing later",
            "after \\timing comes [on|off], and not later",
        ),
        ("\\g", "there is no statement yet"),
    ] {
        let told = shell_of(&desk, &[], &format!("{input}\n"));
        assert_eq!(told.status, 1, "{input}");
        assert!(told.stderr.contains(says), "{input}: {}", told.stderr);
    }
}

#[test]
fn a_file_is_done_line_by_line() {
    let desk = desk();
    let write = |name: &str, text: &str| fs::write(desk.path(name), text).unwrap();
    write(
        "one.sql",
        "\\format csv\nselect 1 as x;\n\\i two.sql\nselect 3 as x\n",
    );
    write("two.sql", "select 2 as x;\n\\q\nselect 0 as x;\n");
    assert_eq!(
        told(&desk, "\\i one.sql\nselect 4 as x;"),
        "x\n1\nx\n2\nx\n3\nx\n4\n"
    );
    write("wrong.sql", "\\i worse.sql\n");
    write(
        "worse.sql",
        "select 1 as x;\n\nselect nosuch\nfrom payments;\n",
    );
    write("again.sql", "\\i again.sql\n");
    for (name, says) in [
        (
            "wrong.sql",
            "error: wrong.sql:1: worse.sql:4: there is no column nosuch",
        ),
        (
            "again.sql",
            "again.sql is not read: files name one another, 8 deep",
        ),
        ("nosuch.sql", "cannot read nosuch.sql"),
    ] {
        let told = shell_of(&desk, &[], &format!("\\i {name}\nselect 5 as x;\n"));
        assert_eq!(told.status, 1, "{name}");
        assert!(told.stderr.contains(says), "{name}: {}", told.stderr);
        assert!(!told.stdout.contains('5'), "{name}: {}", told.stdout);
    }
}

#[test]
fn errors_have_their_state_where_it_is_wanted() {
    let desk = desk();
    let wrong = "select nosuch from payments;\n";
    let told = shell_of(&desk, &[], wrong);
    assert!(
        told.stderr.starts_with("tieout: error: there is no column"),
        "{}",
        told.stderr
    );
    for (sql, state) in [
        (wrong, "42703"),
        ("select 1 from nosuch;\n", "42P01"),
        ("select;\n", "42601"),
        ("drop table payments;\n", "25006"),
        ("select 1 / 0;\n", "22012"),
    ] {
        let told = shell_of(&desk, &[], &format!("\\set VERBOSITY verbose\n{sql}"));
        let begins = format!("tieout: error: {state}: ");
        assert!(told.stderr.starts_with(&begins), "{sql}: {}", told.stderr);
    }
}

#[test]
fn a_pipe_gets_answers_and_nothing_else() {
    let desk = desk();
    let told = told(
        &desk,
        "\\?\n\\d\n\\x auto\n\\timing on\nselect 1 as x \\watch c=2 i=0\n\\errverbose\n",
    );
    assert!(
        !told.contains('\u{1b}') && !told.contains("tieout>"),
        "{told}"
    );
    assert_eq!(
        told.matches("UTC (every 0 s)\n| x |\n").count(),
        2,
        "{told}"
    );
    assert!(told.ends_with(" ms\nthere was no error\n"), "{told}");
}

#[test]
fn the_page_has_the_commands() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sql.md");
    let page = fs::read_to_string(page).unwrap();
    let help = told(&desk(), "\\?\n");
    assert!(page.contains(&format!("```text\n{help}```\n")), "{help}");
}
