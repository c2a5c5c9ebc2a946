//! Who paid, where marks of the payment speak against one another.

use crate::desk::Desk;
use crate::properties::{entry, statement};

const ITEMS: &str = "item_id,entity,party_id,kind,number,po_number,currency,amount,open_amount,\
                     issue_date,due_date,discount_amount,discount_date\n";

/// What becomes of one payment: the item that it is applied to and the cash, and whether anything
/// is said of `other`.
fn paid(desk: &Desk, entry: &str, other: &str) -> (String, String, bool) {
    desk.put("a.xml", statement("A", entry));
    let told = desk.run(&["--ledger", "ledger"]);
    assert!(matches!(told.status, 0 | 3), "{}", told.stderr);
    let applications = desk.table("applications");
    let row = applications.rows_where("status", "applied")[0];
    (
        applications.cell(row, "item_id").to_owned(),
        applications.cell(row, "applied").to_owned(),
        !applications.rows_where("item_id", other).is_empty(),
    )
}

#[test]
fn a_misread_number_does_not_pay_for_somebody_else() {
    let desk = Desk::empty();
    desk.put(
        "parties.csv",
        "party_id,role,name,aliases,parent_id,accounts\n\
         C1,customer,Rockford Aerospace Supply Ltd.,,,021907713:7939460069\n\
         C2,customer,\"Berkshire Manufacturing, Inc.\",,,021907713:111\n",
    );
    desk.put(
        "open_items.csv",
        format!(
            "{ITEMS}\
         I1,US1,C1,invoice,4876558,,USD,167.77,167.77,2026-02-15,2026-04-01,,\n\
         I2,US1,C2,invoice,4875558,,USD,168.51,168.51,2026-02-15,2026-04-01,,\n"
        ),
    );
    // The payer's name is cut, its account unknown, and the number is another customer's, whose
    // invoice is open for nearly as much.
    let entry = entry(
        "P1",
        16_777,
        "ROCKFORD AEROSPACE SUPPLY LT",
        None,
        "INVOICE 4875558",
    );
    let right = ("I1".to_owned(), "167.77".to_owned(), false);
    assert_eq!(paid(&desk, &entry, "I2"), right);
}

#[test]
fn an_invoice_is_not_paid_by_taking_a_credit() {
    let desk = Desk::empty();
    desk.put(
        "parties.csv",
        "party_id,role,name,aliases,parent_id,accounts\n\
         C1,customer,Union Valve Installers Ltd.,,,021907713:7939460069\n",
    );
    // The advice names an invoice by four digits, which are all of a credit's number too.
    desk.put(
        "open_items.csv",
        format!(
            "{ITEMS}\
         I1,US1,C1,invoice,INV-0193116,,USD,339.88,339.88,2026-02-15,2026-04-01,,\n\
         I2,US1,C1,on_account,OA-0003116,,USD,371.22,371.22,2026-02-15,2026-04-01,,\n"
        ),
    );
    desk.put(
        "remittances.csv",
        "payment_reference,payer_name,payment_date,payment_amount,currency,document_number,gross,\
         discount,adjustment,adjustment_reason,net\n\
         P1,UNION VALVE INSTALLERS LTD,2026-03-16,339.88,USD,3116,339.88,0.00,0.00,,339.88\n",
    );
    let entry = entry("P1", 33_988, "UNION VALVE INSTALLERS LTD", None, "");
    let right = ("I1".to_owned(), "339.88".to_owned(), false);
    assert_eq!(paid(&desk, &entry, "I2"), right);
}
