import java.math.BigDecimal;
import java.sql.*;
import java.time.LocalDate;
import java.util.*;
import java.util.concurrent.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** pgjdbc: TLS, metadata, parameters of each type, fetch size, COPY, cancellation, read-only roles. */
public class PgJdbc {
    static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static Connection connect(String user, Map<String, String> more) throws SQLException {
        Properties wishes = new Properties();
        wishes.setProperty("user", user);
        wishes.setProperty("password", System.getenv("PGPASSWORD"));
        wishes.putAll(more);
        String url = "jdbc:postgresql://localhost:" + System.getenv("PGPORT") + "/tieout";
        return DriverManager.getConnection(url, wishes);
    }

    static Set<String> names(ResultSet rows, String column) throws SQLException {
        Set<String> names = new TreeSet<>();
        while (rows.next()) names.add(rows.getString(column));
        return names;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> tls = Map.of("sslmode", "verify-full", "sslrootcert", System.getenv("ROOT_CERTIFICATE"));
        try (Connection db = connect("ann", tls)) {
            DatabaseMetaData about = db.getMetaData();
            check(about.getDatabaseProductName().equals("PostgreSQL"), "product");
            Set<String> schemas = names(about.getSchemas(), "TABLE_SCHEM");
            check(schemas.containsAll(List.of("public", "history")), "schemas " + schemas);
            Set<String> tables = names(about.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME");
            check(tables.containsAll(List.of("payments", "cash_position")), "tables " + tables);
            Set<String> columns = names(about.getColumns(null, "public", "payments", "%"), "COLUMN_NAME");
            check(columns.contains("amount"), "columns " + columns);
            check(!about.getPrimaryKeys(null, "public", "payments").next(), "keys");
            check(!about.getImportedKeys(null, "public", "payments").next(), "foreign keys");
            check(!about.getIndexInfo(null, "public", "payments", false, true).next(), "indexes");
            check(about.getTypeInfo().next(), "types");

            String sql = "select count(*), sum(amount) from payments where currency = ? and amount > ? "
                + "and booking_date >= ? and source_line > ? and score <= ? and (? or status <> ?)";
            try (PreparedStatement query = db.prepareStatement(sql)) {
                // More than the driver's threshold, so that it goes over to binary and named statements.
                for (int round = 0; round < 8; round++) {
                    query.setString(1, "USD");
                    query.setBigDecimal(2, new BigDecimal("0.01"));
                    query.setObject(3, LocalDate.of(2000, 1, 1));
                    query.setInt(4, 0);
                    query.setDouble(5, 1.0);
                    query.setBoolean(6, round % 2 == 0);
                    query.setString(7, "nothing");
                    ResultSet row = query.executeQuery();
                    check(row.next() && row.getLong(1) > 1000, "count");
                    check(row.getBigDecimal(2).scale() == 5, "scale");
                }
            }

            db.setAutoCommit(false);
            try (Statement query = db.createStatement()) {
                query.setFetchSize(50);
                ResultSet rows = query.executeQuery("select payment_id, amount, booking_date from payments");
                int count = 0;
                while (rows.next()) {
                    check(rows.getDate(3) != null || rows.wasNull(), "date");
                    count++;
                }
                check(count > 3000, "fetched " + count);
            }
            db.rollback();
            db.setAutoCommit(true);

            CopyManager copy = db.unwrap(PGConnection.class).getCopyAPI();
            java.io.StringWriter out = new java.io.StringWriter();
            long copied = copy.copyOut("copy (select payment_id from payments limit 5) to stdout with (format csv)", out);
            check(copied == 5 && out.toString().lines().count() == 5, "copied " + copied);

            try (Statement query = db.createStatement()) {
                ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
                later.schedule(() -> { query.cancel(); return null; }, 300, TimeUnit.MILLISECONDS);
                query.executeQuery("select count(*) from payments a, payments b, payments c, payments d, payments e "
                    + "where a.amount + b.amount + c.amount + d.amount + e.amount = 0.00001");
                check(false, "not cancelled");
            } catch (SQLException error) {
                check("57014".equals(error.getSQLState()), error.toString());
            }
            try (Statement query = db.createStatement()) {
                query.execute("delete from payments");
                check(false, "written");
            } catch (SQLException error) {
                check("25006".equals(error.getSQLState()), error.toString());
            }
        }
        for (String mode : List.of("simple", "extendedForPrepared", "extendedCacheEverything")) {
            try (Connection db = connect("ann", Map.of("preferQueryMode", mode)); Statement query = db.createStatement()) {
                check(query.executeQuery("select 1").next(), mode);
            }
        }
        try (Connection db = connect("clerk", Map.of()); Statement query = db.createStatement()) {
            check(query.executeQuery("select count(*) from payments").next(), "clerk");
            query.executeQuery("select * from parties");
            check(false, "the clerk has read parties");
        } catch (SQLException error) {
            check("42501".equals(error.getSQLState()), error.toString());
        }
        System.exit(0);
    }
}
